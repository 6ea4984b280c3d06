# SPDX-License-Identifier: Apache-2.0
"""CLIP through Hugging Face ``transformers``."""

import numpy as np
import torch

from vtg.registry import ENCODERS

from .base import Encoder, TextFeatures, as_device, in_batches, normalize_images
from .hub import load_pretrained


@ENCODERS.register_module()
class ClipEncoder(Encoder):
    """CLIP features as published for Moment-DETR and its successors.

    A clip is one frame, encoded and projected into the joint space, not normalised. Text tokens are
    the last hidden states after the final layer norm and before the projection, with start and end
    token; the pooled sentence is projected.

    Args:
        weights: Folder or hub name, e.g. ``'openai/clip-vit-base-patch32'`` (512 wide).
        device: Where to compute; the first GPU by default.
        batch_size: Frames per forward pass.
    """

    has_text = True
    joint = True

    def __init__(self, weights: str, device: str | None = None, batch_size: int = 64) -> None:
        self.device = as_device(device)
        self.batch_size = batch_size
        self.model = load_pretrained('CLIPModel', weights, self.device)
        self.tokenizer = load_pretrained('AutoTokenizer', weights)
        self.image_size = self.model.config.vision_config.image_size
        self.max_tokens = self.model.config.text_config.max_position_embeddings

    @torch.inference_mode()
    def encode_frames(self, frames: np.ndarray) -> np.ndarray:
        return in_batches(self._encode, frames[:, 0], self.batch_size)

    def _encode(self, images: np.ndarray) -> torch.Tensor:
        pixels = normalize_images(images, self.device, self.image_size)
        return self.model.visual_projection(self.model.vision_model(pixels).pooler_output)

    @torch.inference_mode()
    def encode_text(self, text: str) -> TextFeatures:
        ids = self.tokenizer(
            text, truncation=True, max_length=self.max_tokens, return_tensors='pt'
        ).input_ids
        output = self.model.text_model(ids.to(self.device))
        pooled = self.model.text_projection(output.pooler_output)
        return TextFeatures(
            output.last_hidden_state[0].float().cpu().numpy(), pooled[0].float().cpu().numpy()
        )
