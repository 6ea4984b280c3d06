# SPDX-License-Identifier: Apache-2.0
"""SlowFast R50 8x8, the motion features of QVHighlights and of the Moment-DETR family."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np
import torch
from torch import Tensor

from vtg.registry import ENCODERS
from vtg.utils.arguments import ArgumentsOf

from ..networks.slowfast import SlowFast
from ..networks.slowfast_keys import to_own_names
from ..sampling import GridSampler
from .base import Encoder, as_device, in_batches, normalize_images
from .weights import load_exactly, naming, read_tensors

_MEAN, _STD = (0.45,) * 3, (0.225 + 1e-8,) * 3
WANTED = (
    'SLOWFAST_8x8_R50 of Kinetics-400: the .pkl of the PySlowFast model zoo after conversion, a '
    '.pyth of PySlowFast, or that of PyTorchVideo, see docs/extraction.md (SlowFast)'
)


@ENCODERS.register_module()
class SlowFastEncoder(Encoder):
    """SlowFast features as published for QVHighlights: 2048 of the slow pathway, 256 of the fast.

    A clip is 32 frames on a grid of 30 per second, of which the slow pathway sees every fourth. The
    feature is the mean of the last stage over time and space, not normalised. As published they
    are stored in float16.

    Args:
        weights: A file of tensors in one of the layouts of PySlowFast (the model zoo's ``.pkl``
            after conversion, or PyTorch) or PyTorchVideo.
        image_size: Pixels of the square frames.
        sampler: Changes of :class:`vtg.extraction.GridSampler`, e.g. ``source_fps='rate'`` for
            frames that do not depend on the frame rate of the source.
        network: Other sizes of :class:`vtg.extraction.networks.slowfast.SlowFast`.
        amp: Convolutions in half precision; ``'fp16'`` on a GPU only.
        device: Where to compute; the first GPU by default.
        batch_size: Clips per forward pass.

    Source: Feichtenhofer et al., ICCV 2019; ``linjieli222/HERO_Video_Feature_Extractor``.
    """

    def __init__(
        self,
        weights: str,
        image_size: int = 224,
        sampler: Annotated[Mapping[str, Any], ArgumentsOf(GridSampler)] | None = None,
        network: Annotated[Mapping[str, Any], ArgumentsOf(SlowFast)] | None = None,
        amp: Literal['bf16', 'fp16'] | None = None,
        device: str | None = None,
        batch_size: int = 8,
    ) -> None:
        from vtg.engine.precision import amp_context  # brings optional packages with it

        self.device = as_device(device)
        self.precision = amp_context(amp, self.device, 'amp=')
        self.image_size, self.batch_size = image_size, batch_size
        self._sampler = GridSampler(**(sampler or {}))
        model = SlowFast(**(network or {}))
        with naming(WANTED):
            load_exactly(model, to_own_names(read_tensors(weights), model, weights), weights)
        self.model = model.float().to(self.device).eval().requires_grad_(False)

    @property
    def sampler(self) -> GridSampler:
        return self._sampler

    @torch.inference_mode()
    def encode_frames(self, frames: np.ndarray) -> np.ndarray:
        return in_batches(self._encode, frames, self.batch_size)

    def _encode(self, frames: np.ndarray) -> Tensor:
        count, per_clip, size = frames.shape[:3]
        images = frames.reshape(count * per_clip, size, size, 3)
        pixels = normalize_images(images, self.device, self.image_size, _MEAN, _STD)
        fast = pixels.unflatten(0, (count, per_clip)).transpose(1, 2)  # (n, 3, t, S, S)
        slow = fast[:, :, self.model.slow_frames(per_clip)]
        with self.precision():
            return self.model(slow, fast)
