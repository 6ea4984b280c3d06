# SPDX-License-Identifier: Apache-2.0
"""How a decoded picture becomes the square that an encoder reads."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch

# Narrower pictures than these are damaged headers, and would fill the memory.
_MOST_ASPECT = 50


def _check_aspect(picture: Any) -> None:
    height, width = picture.height, picture.width
    if max(height, width) > _MOST_ASPECT * min(height, width):
        raise ValueError(f'pictures of {width} x {height} pixels')


def _upright(picture: Any, image: np.ndarray) -> np.ndarray:
    """Turn an image as the camera was held, which it stores beside the picture."""
    return np.rot90(image, round(getattr(picture, 'rotation', 0) / 90) % 4)


def to_square(picture: Any, size: int) -> np.ndarray:
    """Scale the short side to ``size`` (bicubic), cut the centre: ``(size, size, 3)`` uint8 RGB.

    The long side becomes ``int(long * size / short)`` as in the published extractors.
    """
    _check_aspect(picture)
    height, width = picture.height, picture.width
    short = min(height, width)
    height, width = int(height * size / short), int(width * size / short)
    scaled = picture.reformat(width=width, height=height, format='rgb24', interpolation='BICUBIC')
    image = _upright(picture, scaled.to_ndarray())
    top, left = (image.shape[0] - size) // 2, (image.shape[1] - size) // 2
    return image[top : top + size, left : left + size]


def squash(image: np.ndarray, size: int, mode: str = 'bicubic') -> np.ndarray:
    """Force both sides of a ``(H, W, 3)`` uint8 image to ``size``, whatever its aspect.

    Computed as ``Resize((size, size))`` of torchvision 0.14 on tensors: between pixels without
    antialiasing, rounded to uint8. ``mode='bilinear'`` is OpenCV's ``resize`` up to its rounding.
    """
    pixels = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None].float()
    scaled = torch.nn.functional.interpolate(pixels, (size, size), mode=mode, align_corners=False)
    return scaled[0].clamp(0, 255).round().byte().permute(1, 2, 0).numpy()


def to_squashed(picture: Any, size: int, mode: str = 'bicubic') -> np.ndarray:
    """The whole picture as ``(size, size, 3)`` uint8 RGB, see :func:`squash`."""
    _check_aspect(picture)
    return _upright(picture, squash(picture.to_ndarray(format='rgb24'), size, mode))


# How a picture becomes a square.
RESIZES: dict[str, Callable[[Any, int], np.ndarray]] = {
    'crop': to_square,
    'squash': to_squashed,
    'squash_bilinear': partial(to_squashed, mode='bilinear'),
}
