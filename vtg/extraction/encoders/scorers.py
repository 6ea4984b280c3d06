# SPDX-License-Identifier: Apache-2.0
"""How well frames fit a sentence."""

import numpy as np
import torch

from vtg.registry import ENCODERS
from vtg.utils import ConfigError

from .base import Scorer, as_device, cosine, in_batches, normalize_images
from .hub import load_pretrained


@ENCODERS.register_module()
class CosineScorer(Scorer):
    """Cosine similarity of clip features and pooled sentence (Algorithm 1 of VideoLights).

    Args:
        encoder: Config of an encoder with a joint space, e.g. ``dict(type='ClipEncoder', ...)``.
    """

    def __init__(self, encoder: dict) -> None:
        self.encoder = ENCODERS.build(encoder)
        if not (self.encoder.has_text and self.encoder.joint):
            raise ConfigError(
                f'{encoder["type"]} has no joint space of clips and sentences; use ClipEncoder, or '
                'Blip2Similarity instead of CosineScorer.'
            )
        self.image_size, self.resize = self.encoder.image_size, self.encoder.resize

    def prepare(self, frames: np.ndarray) -> np.ndarray:
        return self.encoder.encode_frames(frames)

    def score(self, prepared: np.ndarray, text: str) -> np.ndarray:
        return cosine(prepared, self.encoder.encode_text(text).pooled)


@ENCODERS.register_module()
class BlipMatching(Scorer):
    """Probability that image and text match, by the matching head of BLIP.

    Made the scores in the published synthetic data of VideoLights.

    Args:
        weights: Folder or hub name, e.g. ``'Salesforce/blip-itm-base-coco'``.
        device: Where to compute; the first GPU by default.
        batch_size: Frames per forward pass.
    """

    def __init__(self, weights: str, device: str | None = None, batch_size: int = 16) -> None:
        self.device = as_device(device)
        self.batch_size = batch_size
        self.model = load_pretrained('BlipForImageTextRetrieval', weights, self.device)
        self.tokenizer = load_pretrained('AutoTokenizer', weights)
        self.image_size = self.model.config.vision_config.image_size
        self.max_tokens = self.model.config.text_config.max_position_embeddings

    @torch.inference_mode()
    def score(self, prepared: np.ndarray, text: str) -> np.ndarray:
        """Probability ``(n,)`` that each of n prepared frames shows what the text says."""
        ids = self.tokenizer(
            text, truncation=True, max_length=self.max_tokens, return_tensors='pt'
        ).input_ids.to(self.device)

        def match(images: np.ndarray) -> torch.Tensor:
            pixels = normalize_images(images, self.device, self.image_size)
            tokens = ids.expand(len(images), -1)
            scores = self.model(
                input_ids=tokens, pixel_values=pixels, attention_mask=torch.ones_like(tokens)
            ).itm_score
            return scores.softmax(dim=-1)[:, 1]

        return in_batches(match, prepared[:, 0], self.batch_size).astype(np.float64)
