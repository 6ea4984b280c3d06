# SPDX-License-Identifier: Apache-2.0
"""What an encoder of frames and sentences, a captioner and a scorer have to offer.

All three are components of the registry ``vtg.registry.ENCODERS`` and work on arrays: frames are
``(n, f, S, S, 3)`` uint8 RGB as :func:`vtg.extraction.read_clips` gives them.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from vtg.utils import ConfigError

from ..decoding import iter_clips
from ..pieces import Pieces, clips_per_piece
from ..sampling import Sampler, exact_seconds

# Mean and deviation of the images that CLIP was trained on; the BLIP models use them as well.
CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD = (0.26862954, 0.26130258, 0.27577711)


class TextFeatures(NamedTuple):
    """A sentence: ``tokens (N, D)`` with start and end token, and ``pooled (E,)``, float32."""

    tokens: np.ndarray
    pooled: np.ndarray


class Encoder:
    """Turns clips into features; some also turn sentences into features of the same space.

    Attributes:
        image_size: Pixels of the square frames it reads.
        frames_per_clip: Frames it reads per clip.
        resize: How a picture becomes a square, see :func:`vtg.extraction.read_clips`.
        has_text: Whether it encodes sentences.
        joint: Whether clip features and the pooled sentence may be compared by cosine similarity.
    """

    image_size: int = 224
    frames_per_clip: int = 1
    resize: str = 'crop'
    has_text: bool = False
    joint: bool = False

    def decode(self, path: str | Path, clip_length: float) -> Pieces:
        """Read what it needs of a file, ahead as far as there is room.

        Raises:
            DataError: The file cannot be decoded, here or while the pieces are iterated over.
        """
        pictures = self.sampler.held(exact_seconds(clip_length))
        clips = clips_per_piece(pictures * self.image_size**2 * 3)
        return Pieces(self.iter_clips(path, clip_length, clips))

    def encode(self, pieces: Pieces) -> dict[str, np.ndarray]:
        """Return ``features (L, D)``, ``times (L, f)``, ``clip_length`` and ``duration``."""
        features, times = [], []
        for clips in pieces:
            features.append(self.encode_clips(clips))
            times.append(clips.times)
        return {
            'features': np.concatenate(features),
            'times': np.concatenate(times),
            'clip_length': np.asarray(clips.clip_length, np.float64),
            'duration': np.asarray(clips.duration, np.float64),
        }

    def iter_clips(self, path: str | Path, clip_length: float, max_clips: int) -> Iterator[Any]:
        """Decode a file in pieces of ``max_clips`` clips, the last of which may be longer.

        A piece has ``times (n, f)``, ``clip_length`` and ``duration``, which only the last one has
        to know; what else is in it is for :meth:`encode_clips`. Runs in threads, beside the model.
        """
        return iter_clips(
            path, clip_length, self.image_size, self.sampler, max_clips=max_clips,
            resize=self.resize,
        )  # fmt: skip

    def encode_clips(self, clips: Any) -> np.ndarray:
        """Map a piece of :meth:`iter_clips` to ``(n, D)`` float32, one row per clip."""
        return self.encode_frames(clips.frames)

    def encode_frames(self, frames: np.ndarray) -> np.ndarray:
        """Map ``(n, f, S, S, 3)`` uint8 to ``(n, D)`` float32, one row per clip."""
        raise NotImplementedError

    @property
    def sampler(self) -> Sampler:
        """Which pictures of a video are the frames of its clips."""
        return Sampler(self.frames_per_clip)

    def encode_text(self, text: str) -> TextFeatures:
        """Encode one sentence; padding never enters.

        Raises:
            ConfigError: The encoder has no text part.
        """
        raise ConfigError(
            f'{type(self).__name__} encodes video only; encode the queries with another backbone, '
            'e.g. clip.'
        )


class Captioner:
    """Describes images in words."""

    def caption(self, images: np.ndarray) -> list[str]:
        """Map ``(n, S, S, 3)`` uint8 to n sentences."""
        raise NotImplementedError


class Scorer:
    """Says how well frames fit a sentence.

    :meth:`prepare` does the work that does not depend on the sentence, once per video.

    Attributes:
        image_size: Pixels of the square frames it reads.
        resize: See :class:`Encoder`.
    """

    image_size: int = 224
    resize: str = 'crop'

    def prepare(self, frames: np.ndarray) -> np.ndarray:
        """Map ``(n, f, S, S, 3)`` to an array whose row i stands for clip i."""
        return frames

    def score(self, prepared: np.ndarray, text: str) -> np.ndarray:
        """Map rows of :meth:`prepare` and a sentence to scores ``(n,)``."""
        raise NotImplementedError


def as_device(device: str | None) -> torch.device:
    """The device of that name; by default the first GPU, or the CPU where there is none.

    Raises:
        ConfigError: There is no such device here.
    """
    if device is None:
        return torch.device('cuda' if torch.cuda.is_available() else 'cpu')
    try:
        found = torch.device(device)
        torch.zeros(1, device=found).cpu()
    # Without CUDA support PyTorch asserts; an unknown driver or number is a RuntimeError.
    except (RuntimeError, AssertionError, NotImplementedError, TypeError, ImportError):
        count = torch.cuda.device_count()
        have = ', '.join(['cpu', *(f'cuda:{number}' for number in range(count))])
        raise ConfigError(
            f'the device {device!r} cannot be used here; available: {have}. Choose one of them, or '
            'install a PyTorch build and a driver for the GPU.'
        ) from None
    return found


def normalize_images(
    images: np.ndarray,
    device: torch.device,
    size: int | None = None,
    mean: Sequence[float] = CLIP_MEAN,
    std: Sequence[float] = CLIP_STD,
) -> Tensor:
    """Map ``(n, S, S, 3)`` uint8 to normalised ``(n, 3, size, size)`` float32 on the device.

    Where ``size`` differs from S the images are resized (bicubic, antialiased).
    """
    pixels = torch.from_numpy(np.ascontiguousarray(images)).to(device).permute(0, 3, 1, 2)
    pixels = pixels.float() / 255.0
    if size is not None and size != pixels.shape[-1]:
        pixels = nn.functional.interpolate(pixels, (size, size), mode='bicubic', antialias=True)
        pixels = pixels.clamp(0.0, 1.0)
    return (pixels - pixels.new_tensor(mean).view(3, 1, 1)) / pixels.new_tensor(std).view(3, 1, 1)


def in_batches(function: Any, frames: np.ndarray, batch_size: int) -> np.ndarray:
    """Apply a function of a batch of rows to all rows and return float32 on the host."""
    parts = [
        function(frames[start : start + batch_size]).float().cpu().numpy()
        for start in range(0, len(frames), batch_size)
    ]
    return np.concatenate(parts)


def cosine(features: np.ndarray, vector: np.ndarray) -> np.ndarray:
    """Cosine similarity of every row of ``(n, D)`` with ``(D,)``, float64 ``(n,)``."""
    features, vector = features.astype(np.float64), vector.astype(np.float64)
    norms = np.linalg.norm(features, axis=1) * np.linalg.norm(vector)
    return features @ vector / np.maximum(norms, 1e-12)
