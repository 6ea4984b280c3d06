# SPDX-License-Identifier: Apache-2.0
"""Video backbones from a file: exported programs, and weights of a registered architecture.

Many backbones live in code bases of their own. Exporting such a model there with
``torch.jit.trace`` or ``torch.export`` gives one file that runs here without that code.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
from torch import Tensor, nn

from vtg.registry import ENCODERS
from vtg.utils import ConfigError
from vtg.utils.arguments import ArgumentsOf

from ..sampling import GridSampler, Sampler
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

# How the model wants a batch of clips: n clips, c channels, t frames, h and w pixels.
LAYOUTS = {'ncthw': (0, 2, 1, 3, 4), 'ntchw': (0, 1, 2, 3, 4), 'nchw': None}


def load_program(path: str, device: torch.device) -> Callable[..., Tensor]:
    """Load a TorchScript file, or a ``.pt2`` file of ``torch.export``.

    Raises:
        ConfigError: The file is missing or neither of the two.
    """
    file = Path(path).expanduser()
    if not file.is_file():
        raise ConfigError(f'{path} does not exist; give a TorchScript file or a .pt2 program.')
    try:
        if file.suffix == '.pt2':
            return torch.export.load(file).module().to(device)
        return torch.jit.load(str(file), map_location=device).eval()
    except (RuntimeError, ValueError, OSError, KeyError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:120]
        raise ConfigError(
            f'{path} is no TorchScript file or exported program ({reason}); export the model with '
            'torch.jit.trace or torch.export first, see docs/extraction.md.'
        ) from None


class _ClipModel(Encoder):
    """What the two kinds share: normalisation, layout, batches and the check of the result."""

    def __init__(
        self,
        model: Callable[..., Tensor],
        image_size: int,
        frames_per_clip: int,
        layout: str,
        mean: Sequence[float],
        std: Sequence[float],
        device: torch.device,
        batch_size: int,
        sampler: Mapping[str, Any] | None = None,
    ) -> None:
        if layout not in LAYOUTS:
            raise ConfigError(f'layout is one of {", ".join(LAYOUTS)}, got {layout!r}.')
        if layout == 'nchw' and frames_per_clip != 1:
            raise ConfigError("layout 'nchw' is for one frame per clip; use 'ncthw' or 'ntchw'.")
        self.model = model
        self.image_size = image_size
        self.frames_per_clip = frames_per_clip
        self._sampler = Sampler(frames_per_clip)
        if sampler is not None:
            self._sampler = GridSampler(**{'frames_per_clip': frames_per_clip, **sampler})
        self.layout = layout
        self.mean, self.std = tuple(mean), tuple(std)
        self.device = device
        self.batch_size = batch_size

    @property
    def sampler(self) -> Sampler:
        return self._sampler

    @torch.inference_mode()
    def encode_frames(self, frames: np.ndarray) -> np.ndarray:
        return in_batches(self._encode, frames, self.batch_size)

    def _encode(self, frames: np.ndarray) -> Tensor:
        count, per_clip, size = frames.shape[:3]
        images = frames.reshape(count * per_clip, size, size, 3)
        pixels = normalize_images(images, self.device, self.image_size, self.mean, self.std)
        pixels = pixels.unflatten(0, (count, per_clip))  # (n, t, c, h, w)
        order = LAYOUTS[self.layout]
        output = self.model(pixels[:, 0] if order is None else pixels.permute(order))
        if not isinstance(output, Tensor) or output.ndim < 2 or len(output) != count:
            shape = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
            raise ConfigError(
                f'the video model gave {shape} for {count} clips; expected one tensor (clips, '
                'width). Export a module that returns pooled features.'
            )
        return output.flatten(1)


@ENCODERS.register_module()
class TorchScriptEncoder(_ClipModel):
    """Any video backbone exported to a TorchScript or ``torch.export`` file.

    The program gets normalised frames and returns ``(clips, width)``. It can do whatever the user
    can, so only what the user names is run, see :func:`vtg.engine.components.check_registered`.

    Args:
        weights: The file.
        image_size: Pixels of the square frames.
        frames_per_clip: Frames at equal distances over each clip.
        layout: ``'ncthw'``, ``'ntchw'``, or ``'nchw'`` for image models.
        mean, std: Normalisation of the frames, of values in 0 to 1.
        text_weights: Program of the text part: token ids ``(1, N)`` to states ``(1, N, D)``, or to
            the pair of these and the pooled sentence ``(1, E)``.
        tokenizer: Tokenizer of ``transformers`` for it, a folder or hub name.
        device: Where to compute; the first GPU by default.
        batch_size: Clips per forward pass.
        sampler: Changes of :class:`vtg.extraction.GridSampler`, ``{}`` for none: frames on a grid
            of fixed rate, as for SlowFast, instead of at equal distances over each clip.
    """

    runs_programs = True

    def __init__(
        self,
        weights: str,
        image_size: int = 224,
        frames_per_clip: int = 1,
        layout: str = 'ncthw',
        mean: Sequence[float] = CLIP_MEAN,
        std: Sequence[float] = CLIP_STD,
        text_weights: str | None = None,
        tokenizer: str | None = None,
        device: str | None = None,
        batch_size: int = 8,
        sampler: Annotated[Mapping[str, Any], ArgumentsOf(GridSampler)] | None = None,
    ) -> None:
        place = as_device(device)
        model = load_program(weights, place)
        super().__init__(
            model, image_size, frames_per_clip, layout, mean, std, place, batch_size, sampler
        )
        self.has_text = self.joint = bool(text_weights)
        if text_weights:
            if not tokenizer:
                raise ConfigError('text_weights needs a tokenizer as well: a folder or hub name.')
            self.text_model = load_program(text_weights, place)
            self.tokenizer = load_pretrained('AutoTokenizer', tokenizer)

    @torch.inference_mode()
    def encode_text(self, text: str) -> TextFeatures:
        """Encode one sentence, where a text model was given."""
        if not self.has_text:
            return super().encode_text(text)
        ids = self.tokenizer(text, truncation=True, return_tensors='pt').input_ids
        output = self.text_model(ids.to(self.device))
        tokens, pooled = (output, output[:, 0]) if isinstance(output, Tensor) else output[:2]
        return TextFeatures(tokens[0].float().cpu().numpy(), pooled[0].float().cpu().numpy())


@ENCODERS.register_module()
class CheckpointEncoder(_ClipModel):
    """A video backbone whose architecture is a registered ``torch.nn.Module``.

    The architecture comes from your own module, named in ``custom_imports`` of a config and
    registered in ``vtg.registry.ENCODERS``; nothing else of it is needed here.

    Args:
        weights: Checkpoint with exactly the weights of the architecture.
        architecture: Config of the module: normalised frames to ``(clips, width)``.
        image_size, frames_per_clip, layout, mean, std, device, batch_size, sampler: See
            :class:`TorchScriptEncoder`.
    """

    def __init__(
        self,
        weights: str,
        architecture: dict,
        image_size: int = 224,
        frames_per_clip: int = 1,
        layout: str = 'ncthw',
        mean: Sequence[float] = CLIP_MEAN,
        std: Sequence[float] = CLIP_STD,
        device: str | None = None,
        batch_size: int = 8,
        sampler: Annotated[Mapping[str, Any], ArgumentsOf(GridSampler)] | None = None,
    ) -> None:
        from vtg.engine.checkpoint import load_weights

        place = as_device(device)
        model = ENCODERS.build(architecture)
        if not isinstance(model, nn.Module):
            raise ConfigError(f'architecture {architecture["type"]!r} is no torch.nn.Module.')
        load_weights(model, weights)
        model = model.to(place).eval().requires_grad_(False)
        super().__init__(
            model, image_size, frames_per_clip, layout, mean, std, place, batch_size, sampler
        )
