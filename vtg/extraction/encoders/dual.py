# SPDX-License-Identifier: Apache-2.0
"""Dual encoders of ``transformers``: one tower per modality, one for sentences, one joint space."""

from typing import Literal

import numpy as np
import torch
from torch import Tensor

from .base import (
    CLIP_MEAN,
    CLIP_STD,
    Encoder,
    TextFeatures,
    as_device,
    in_batches,
    normalize_images,
)
from .hub import load_pretrained


class DualEncoder(Encoder):
    """A dual encoder of images and sentences; a subclass says what is special about it.

    Args:
        weights: Folder or hub name.
        device: Where to compute; the first GPU by default.
        batch_size: Clips per forward pass.
        amp: Images in half precision; ``'fp16'`` on a GPU only.

    Attributes:
        kind: Name of the model in ``transformers``.
        wanted: Weights that are usual, for sentences.
        mean, std: Normalisation of the images.
        pads_text: Whether the model has learnt sentences that are padded to its full length.
    """

    has_text = True
    joint = True
    kind = ''
    wanted = 'its own'
    mean, std = CLIP_MEAN, CLIP_STD
    pads_text = False

    def __init__(
        self,
        weights: str,
        device: str | None = None,
        batch_size: int = 64,
        amp: Literal['bf16', 'fp16'] | None = None,
    ) -> None:
        from vtg.engine.precision import amp_context  # brings optional packages with it

        self.device = as_device(device)
        self.precision = amp_context(amp, self.device, 'amp=')
        self.batch_size = batch_size
        self.model = load_pretrained(self.kind, weights, self.device, self.wanted)
        self.tokenizer = load_pretrained('AutoTokenizer', weights, wanted=self.wanted)
        self.max_tokens = self.model.config.text_config.max_position_embeddings
        if hasattr(self.model.config, 'vision_config'):
            self.image_size = self.model.config.vision_config.image_size

    def project_image(self, pooled: Tensor) -> Tensor:
        """Map the pooled images ``(n, D)`` into the joint space ``(n, E)``."""
        return pooled

    def project_text(self, pooled: Tensor) -> Tensor:
        """Map the pooled sentences ``(n, D)`` into the joint space ``(n, E)``."""
        return pooled

    @torch.inference_mode()
    def encode_frames(self, frames: np.ndarray) -> np.ndarray:
        return in_batches(self._encode, frames[:, 0], self.batch_size)

    def _encode(self, images: np.ndarray) -> Tensor:
        pixels = normalize_images(images, self.device, self.image_size, self.mean, self.std)
        with self.precision():
            return self.project_image(self.model.vision_model(pixels).pooler_output)

    @torch.inference_mode()
    def encode_text(self, text: str) -> TextFeatures:
        options = {'truncation': True, 'max_length': self.max_tokens}
        count = len(self.tokenizer(text, **options).input_ids)
        options['padding'] = 'max_length' if self.pads_text else False
        ids = self.tokenizer(text, return_tensors='pt', **options).input_ids
        output = self.model.text_model(ids.to(self.device))
        pooled = self.project_text(output.pooler_output)
        return TextFeatures(
            output.last_hidden_state[0, :count].float().cpu().numpy(),
            pooled[0].float().cpu().numpy(),
        )
