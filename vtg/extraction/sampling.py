# SPDX-License-Identifier: Apache-2.0
"""Which pictures of a video are the frames of its clips.

Pictures are taken on a grid: of every step the last one that is shown before its middle, which is
what FFmpeg's filter ``fps`` gives. A sampler says how long a step is, how many clips there are and
which steps of a clip are its frames.
"""

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np
import torch

from vtg.utils import ConfigError

# Where a source does not say, and more than what cameras give.
_USUAL_FPS, _MOST_FPS = Fraction(30), Fraction(240)


@dataclass(frozen=True)
class Source:
    """What a container says about its video stream.

    Attributes:
        fps: Average pictures per second, 0 where it does not say.
        seconds: How long the stream lasts, if it also says how many pictures it has; else None.
    """

    fps: Fraction
    seconds: Fraction | None


def exact_seconds(seconds: float) -> Fraction:
    """The fraction that was meant by a float: 0.1 is 1/10, 0.166667 is close to 1/6."""
    return Fraction(seconds).limit_denominator(1_000_000)


def count_clips(duration: Fraction | float, clip_length: Fraction | float) -> int:
    """Return ``round(duration / clip_length)``, halves up, and at least 1."""
    return max(1, int(Fraction(duration) / Fraction(clip_length) + Fraction(1, 2)))


@dataclass(frozen=True)
class Sampler:
    """Frames at equal distances over each clip, one per step of the grid.

    A video that ends at second T has ``round(T / c)`` clips of c seconds, halves up; the last one
    repeats its last frame where frames are missing.

    Args:
        frames_per_clip: Frames of a clip.
    """

    frames_per_clip: int = 1

    def __post_init__(self) -> None:
        if self.frames_per_clip < 1:
            raise ConfigError(f'{self.frames_per_clip} frames per clip; use at least 1.')

    @property
    def reserve(self) -> int:
        """Steps before the end that what is missing there is made of."""
        return 1

    def held(self, clip_length: Fraction) -> int:
        """Pictures of a clip that are in memory at a time."""
        return self.frames_per_clip

    def steps(self, clip_length: Fraction, source: Source) -> int:
        """Steps of the grid per clip."""
        return self.frames_per_clip

    def most_clips(self, source: Source, clip_length: Fraction) -> int | None:
        """Clips at most, whatever can be decoded."""
        return None

    def arrange(
        self, taken: int, seconds: Fraction, clip_length: Fraction, steps: int
    ) -> np.ndarray:
        """Which picture stands for each step ``(clips, steps)``, all from the start of the video.

        Args:
            taken: Pictures that the video gave.
            seconds: Where it ends.
            clip_length: Seconds per clip.
            steps: Steps per clip.
        """
        clips = count_clips(seconds, clip_length)
        return np.arange(clips * steps).clip(max=taken - 1).reshape(clips, steps)

    def table(self, steps: int, source: Source) -> np.ndarray:
        """The steps of a clip that are its frames, ``(f,)``."""
        return np.arange(steps)


MIDDLE = Sampler()
"""One frame per clip, that of its middle."""


@dataclass(frozen=True)
class SourceSampler(Sampler):
    """Frames chosen by number among all pictures that the source has in a clip.

    A step is as long as a picture of the source, so that the pictures of a constant frame rate are
    each taken once; only those that are chosen are converted.

    Args:
        frames_per_clip: Frames of a clip.
        choice: ``'middle'`` cuts the pictures of a clip into equal parts and takes the middle of
            each; ``'start'`` takes the first picture, and others at the greatest whole distance.

    Source: ``OpenGVLab/InternVideo``, ``InternVideo2/multi_modality``: its evaluation reads the
    ``'middle'``, its demo from the ``'start'``.
    """

    frames_per_clip: int = 8
    choice: Literal['middle', 'start'] = 'middle'

    def steps(self, clip_length: Fraction, source: Source) -> int:
        fps = min(source.fps, _MOST_FPS) if source.fps > 0 else _USUAL_FPS
        return max(1, int(fps * clip_length + Fraction(1, 2)))

    def table(self, steps: int, source: Source) -> np.ndarray:
        count = min(self.frames_per_clip, steps)
        if self.choice == 'middle':
            borders = np.linspace(0, steps, count + 1).astype(int)
            found = (borders[:-1] + borders[1:] - 1) // 2
        else:
            found = np.arange(count) * (steps // count)
        return np.pad(found, (0, self.frames_per_clip - count), mode='edge')


@dataclass(frozen=True)
class GridSampler(Sampler):
    """Frames from a grid of fixed rate, as the published SlowFast features were made.

    The frames of a clip begin at its first step and are ``stride`` steps apart. The video is filled
    up with its last picture to whole seconds, then with its last second, until it can be cut into
    clips.

    Args:
        frames_per_clip: Frames of a clip.
        rate: Steps per second.
        stride: Steps between two frames.
        source_fps: ``'floor'`` stretches the distance by the whole pictures per second of the
            source over ``rate``, as published: of a video of 25 the 32 frames span 52 steps instead
            of 60, of one of 60 they are four steps apart and the last step is repeated. ``'rate'``
            gives all videos the same frames.
        clip_count: ``'ceil'`` cuts off clips that begin behind the end that the container states,
            as published; ``'all'`` keeps what can be decoded.

    Source: ``linjieli222/HERO_Video_Feature_Extractor``, folder ``slowfast``.
    """

    frames_per_clip: int = 32
    rate: int = 30
    stride: int = 2
    source_fps: Literal['floor', 'rate'] = 'floor'
    clip_count: Literal['ceil', 'all'] = 'ceil'

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.rate < 1 or self.stride < 1:
            raise ConfigError(f'rate {self.rate} and stride {self.stride}; use at least 1.')

    @property
    def reserve(self) -> int:
        return self.rate

    def held(self, clip_length: Fraction) -> int:
        return self._steps(clip_length)

    def steps(self, clip_length: Fraction, source: Source) -> int:
        return self._steps(clip_length)

    def _steps(self, clip_length: Fraction) -> int:
        steps = self.rate * clip_length
        if steps.denominator != 1:
            raise ConfigError(
                f'clips of {float(clip_length):g} s have {float(steps):g} pictures at {self.rate} '
                'per second; choose a clip length that gives a whole number.'
            )
        return int(steps)

    def most_clips(self, source: Source, clip_length: Fraction) -> int | None:
        if self.clip_count == 'all' or source.seconds is None:
            return None
        # Containers are asked for microseconds, and a clip more would begin at the rest.
        return max(1, math.ceil(round(source.seconds, 6) / clip_length))

    def arrange(
        self, taken: int, seconds: Fraction, clip_length: Fraction, steps: int
    ) -> np.ndarray:
        whole = -(-taken // self.rate)
        units = -(-whole // clip_length.numerator)
        padded = np.arange(units * clip_length.numerator * self.rate)
        # Behind the last second it comes again and again.
        last = (whole - 1) * self.rate
        padded = np.where(padded < last, padded, last + (padded - last) % self.rate)
        return padded.clip(max=taken - 1).reshape(-1, steps)

    def table(self, steps: int, source: Source) -> np.ndarray:
        known = self.source_fps == 'floor' and source.fps > 0
        fps = math.floor(source.fps) if known else self.rate
        end = self.frames_per_clip * self.stride * fps / self.rate - 1
        # In float32 and counted from both ends, as torch does: other ways differ by one step.
        places = torch.linspace(0, end, self.frames_per_clip).clamp(0, steps - 1)
        return places.long().numpy()
