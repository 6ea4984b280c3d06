# SPDX-License-Identifier: Apache-2.0
"""The Q-Former of BLIP-2 through Hugging Face ``transformers``: features and similarity."""

import numpy as np
import torch

from vtg.registry import ENCODERS

from .base import Encoder, Scorer, TextFeatures, as_device, in_batches, normalize_images
from .hub import load_pretrained


class QFormer:
    """The image-text retrieval model of BLIP-2: states of the queries and of the words."""

    def __init__(self, weights: str, device: str | None) -> None:
        self.device = as_device(device)
        wanted = 'BLIP-2 for retrieval, such as Salesforce/blip2-itm-vit-g'
        self.model = load_pretrained('Blip2ForImageTextRetrieval', weights, self.device, wanted)
        self.tokenizer = load_pretrained('AutoTokenizer', weights, wanted=wanted)
        self.image_size = self.model.config.vision_config.image_size
        self.max_tokens = self.model.config.qformer_config.max_position_embeddings

    def queries(self, images: np.ndarray) -> torch.Tensor:
        """Map ``(n, S, S, 3)`` uint8 to the states of the queries ``(n, Q, D)``."""
        image = self.model.vision_model(normalize_images(images, self.device, self.image_size))
        queries = self.model.query_tokens.expand(len(images), -1, -1)
        return self.model.qformer(
            query_embeds=queries, encoder_hidden_states=image.last_hidden_state
        ).last_hidden_state

    def words(self, text: str) -> torch.Tensor:
        """Map a sentence to the states of its tokens ``(N, D)``, start and end token included."""
        ids = self.tokenizer(
            text, truncation=True, max_length=self.max_tokens, return_tensors='pt'
        ).input_ids.to(self.device)
        return self.model.qformer(
            query_embeds=self.model.embeddings(input_ids=ids),
            query_length=0,
            attention_mask=torch.ones_like(ids),
        ).last_hidden_state[0]


@ENCODERS.register_module()
class Blip2Encoder(Encoder):
    """BLIP-2 features as VideoLights uses them.

    A clip is one frame: the first query state of the Q-Former over the image. Text tokens are the
    states of the Q-Former over the words; the pooled sentence is the first of them. None of these
    is projected, so clips and sentences are not comparable by cosine; :class:`Blip2Similarity` is.

    Args:
        weights: Folder or hub name of image-text retrieval weights, e.g.
            ``'Salesforce/blip2-itm-vit-g'`` (768 wide).
        device: Where to compute; the first GPU by default.
        batch_size: Frames per forward pass.
    """

    has_text = True

    def __init__(self, weights: str, device: str | None = None, batch_size: int = 16) -> None:
        self.qformer = QFormer(weights, device)
        self.batch_size = batch_size
        self.image_size = self.qformer.image_size

    @torch.inference_mode()
    def encode_frames(self, frames: np.ndarray) -> np.ndarray:
        return in_batches(
            lambda images: self.qformer.queries(images)[:, 0], frames[:, 0], self.batch_size
        )

    @torch.inference_mode()
    def encode_text(self, text: str) -> TextFeatures:
        states = self.qformer.words(text).float().cpu().numpy()
        return TextFeatures(states, states[0])


@ENCODERS.register_module()
class Blip2Similarity(Scorer):
    """Image-text similarity of BLIP-2: the greatest cosine of a projected query with the sentence.

    Li et al., "BLIP-2: Bootstrapping Language-Image Pre-training with Frozen Image Encoders and
    Large Language Models", 2023, section 3.2.

    Args:
        weights, device, batch_size: See :class:`Blip2Encoder`.
    """

    def __init__(self, weights: str, device: str | None = None, batch_size: int = 16) -> None:
        self.qformer = QFormer(weights, device)
        self.batch_size = batch_size
        self.image_size = self.qformer.image_size

    @torch.inference_mode()
    def prepare(self, frames: np.ndarray) -> np.ndarray:
        def project(images: np.ndarray) -> torch.Tensor:
            projected = self.qformer.model.vision_projection(self.qformer.queries(images))
            return torch.nn.functional.normalize(projected, dim=-1)  # (n, Q, E)

        return in_batches(project, frames[:, 0], self.batch_size)

    @torch.inference_mode()
    def score(self, prepared: np.ndarray, text: str) -> np.ndarray:
        sentence = self.qformer.model.text_projection(self.qformer.words(text)[0])
        sentence = torch.nn.functional.normalize(sentence, dim=-1).float().cpu().numpy()
        return (prepared @ sentence).max(axis=1).astype(np.float64)
