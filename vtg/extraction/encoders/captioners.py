# SPDX-License-Identifier: Apache-2.0
"""Captions of frames by BLIP and BLIP-2 through Hugging Face ``transformers``."""

import numpy as np
import torch

from vtg.registry import ENCODERS

from .base import Captioner, as_device, normalize_images
from .hub import load_pretrained


class _Blip(Captioner):
    """Greedy or beam search with a generating model; the same image gives the same caption."""

    kind = ''

    def __init__(
        self,
        weights: str,
        max_new_tokens: int = 30,
        num_beams: int = 3,
        device: str | None = None,
        batch_size: int = 16,
    ) -> None:
        self.device = as_device(device)
        self.batch_size = batch_size
        self.options = {
            'max_new_tokens': max_new_tokens, 'num_beams': num_beams, 'do_sample': False,
        }  # fmt: skip
        self.model = load_pretrained(self.kind, weights, self.device)
        self.tokenizer = load_pretrained('AutoTokenizer', weights)
        self.image_size = self.model.config.vision_config.image_size

    @torch.inference_mode()
    def caption(self, images: np.ndarray) -> list[str]:
        captions: list[str] = []
        for start in range(0, len(images), self.batch_size):
            batch = images[start : start + self.batch_size]
            pixels = normalize_images(batch, self.device, self.image_size)
            ids = self.model.generate(pixel_values=pixels, **self.options)
            captions += self.tokenizer.batch_decode(ids, skip_special_tokens=True)
        return [caption.strip() for caption in captions]


@ENCODERS.register_module()
class BlipCaptioner(_Blip):
    """Captions by BLIP, which made the published synthetic data of VideoLights.

    Args:
        weights: Folder or hub name, e.g. ``'Salesforce/blip-image-captioning-large'``.
        max_new_tokens: Longest caption.
        num_beams: Width of the beam search; 1 is greedy.
        device: Where to compute; the first GPU by default.
        batch_size: Frames per pass.
    """

    kind = 'BlipForConditionalGeneration'


@ENCODERS.register_module()
class Blip2Captioner(_Blip):
    """Captions by BLIP-2, as the paper of VideoLights says.

    Args:
        weights: Folder or hub name, e.g. ``'Salesforce/blip2-opt-2.7b'``.
        max_new_tokens, num_beams, device, batch_size: See :class:`BlipCaptioner`.
    """

    kind = 'Blip2ForConditionalGeneration'
