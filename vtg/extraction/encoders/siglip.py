# SPDX-License-Identifier: Apache-2.0
"""SigLIP and SigLIP 2 through Hugging Face ``transformers``."""

import numpy as np
import torch

from vtg.registry import ENCODERS

from .base import Encoder, TextFeatures, as_device, in_batches, normalize_images
from .hub import load_pretrained

_HALF = (0.5, 0.5, 0.5)


@ENCODERS.register_module()
class SiglipEncoder(Encoder):
    """Images and sentences in the space of SigLIP (Zhai et al., ICCV 2023), not normalised.

    A clip is one frame. The model has learnt sentences that are padded to its full length, so they
    are padded here; the states of the padding are no tokens.

    Args:
        weights: Folder or hub name, e.g. ``'google/siglip-base-patch16-224'`` (768 wide).
        device: Where to compute; the first GPU by default.
        batch_size: Frames per forward pass.
    """

    has_text = True
    joint = True

    def __init__(self, weights: str, device: str | None = None, batch_size: int = 64) -> None:
        self.device = as_device(device)
        self.batch_size = batch_size
        self.model = load_pretrained('SiglipModel', weights, self.device)
        self.tokenizer = load_pretrained('AutoTokenizer', weights)
        self.image_size = self.model.config.vision_config.image_size
        self.max_tokens = self.model.config.text_config.max_position_embeddings

    @torch.inference_mode()
    def encode_frames(self, frames: np.ndarray) -> np.ndarray:
        return in_batches(self._encode, frames[:, 0], self.batch_size)

    def _encode(self, images: np.ndarray) -> torch.Tensor:
        pixels = normalize_images(images, self.device, self.image_size, _HALF, _HALF)
        return self.model.vision_model(pixels).pooler_output

    @torch.inference_mode()
    def encode_text(self, text: str) -> TextFeatures:
        options = {'truncation': True, 'max_length': self.max_tokens}
        count = len(self.tokenizer(text, **options).input_ids)
        ids = self.tokenizer(text, padding='max_length', return_tensors='pt', **options).input_ids
        output = self.model.text_model(ids.to(self.device))
        return TextFeatures(
            output.last_hidden_state[0, :count].float().cpu().numpy(),
            output.pooler_output[0].float().cpu().numpy(),
        )
