# SPDX-License-Identifier: Apache-2.0
"""The second step of a sample: stored arrays become the features that a model sees."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

import numpy as np

from vtg.utils import Record, check_choice, check_keys

from .features import append_tef, concatenate_sources, drop_tokens, normalize_rows, pad_to_multiple
from .survey import implied_clips


@dataclass(frozen=True)
class Assembly:
    """Cuts, normalises, joins and pads arrays; knows no files and no labels.

    Attributes:
        normalize_video, normalize_text: Scale rows to unit length.
        normalize_mixed: Also scale the rows of videos that an augmentation puts together; off in
            the released code of MomentMix.
        tef: Append the temporal endpoint feature to the video; or the numbers of the arrays that it
            follows, e.g. ``(1, 2)`` where audio features bring their own as in QD-DETR.
        max_video_clips, max_text_tokens: Cut longer features; None keeps all.
        txt_drop_ratio: Share of the text tokens set to zero at random, in training only.
        pad_to_multiple: Append zero rows to the video up to a multiple of this.
        mask_padding: These rows are padding like that of the batch. Off, they count as clips: they
            enter the mask and the duration, as in the official code of SG-DETR.
        unrated_clips: What happens to clips beyond the ratings of a video (``label``): ``'cut'``
            them, after the temporal endpoint feature was made, or before it (``'cut_first'``,
            UniVTG), or ``'keep'`` them without label.
        length_tolerance: How many clips an array may have more or fewer than the duration implies.
    """

    normalize_video: bool = True
    normalize_text: bool = True
    normalize_mixed: bool = True
    tef: bool | Sequence[int] = True
    max_video_clips: int | None = None
    max_text_tokens: int | None = None
    txt_drop_ratio: float = 0.0
    pad_to_multiple: int = 1
    mask_padding: bool = True
    unrated_clips: Literal['cut', 'cut_first', 'keep'] = 'cut'
    length_tolerance: int = 1

    def __post_init__(self) -> None:
        choices = ('cut', 'cut_first', 'keep')
        check_choice(self.unrated_clips, choices, 'features.unrated_clips')

    @classmethod
    def of(cls, given: Mapping[str, Any] | None) -> 'Assembly':
        """Make one of the ``features`` of a dataset's config.

        Raises:
            ConfigError: An argument is unknown, or its value is.
        """
        return cls(**check_keys(given, [field.name for field in fields(cls)], 'features'))

    def normalizes(self, record: Record) -> bool:
        """Whether the rows of a record's video are scaled to unit length."""
        return self.normalize_video and (self.normalize_mixed or 'pieces' not in record)

    def tef_after(self, arrays: int) -> tuple[int, ...]:
        """Return the numbers of the video arrays that a temporal endpoint feature follows."""
        if isinstance(self.tef, Sequence):
            return tuple(self.tef)
        return (arrays - 1,) if self.tef else ()

    def video(self, arrays: Sequence[np.ndarray], record: Record) -> tuple[np.ndarray, int]:
        """Join the arrays ``(L_k, D_k)`` of a video, in their order.

        Each is cut and normalised, then all are cut to the shortest.

        Returns:
            The features ``(L, Dv)``, and how many rows count as clips.
        """
        arrays = [array[: self.max_video_clips] for array in arrays]
        if self.normalizes(record):
            arrays = [normalize_rows(array) for array in arrays]
        num_clips = min(map(len, arrays))
        if record.get('label') and self.unrated_clips == 'cut_first':
            num_clips = min(num_clips, len(record['label']))
        places = self.tef_after(len(arrays))
        video = concatenate_sources(
            [
                append_tef(array[:num_clips]) if number in places else array[:num_clips]
                for number, array in enumerate(arrays)
            ]
        )
        if record.get('label') and self.unrated_clips == 'cut':
            video = video[: len(record['label'])]
            num_clips = len(video)
        video = pad_to_multiple(video, self.pad_to_multiple)
        return video, num_clips if self.mask_padding else len(video)

    def streams(
        self, video: Sequence[np.ndarray], audio: Sequence[np.ndarray], record: Record
    ) -> tuple[np.ndarray, int, np.ndarray | None]:
        """Join the arrays of a video, and those of a second stream on its clips, see :meth:`video`.

        Both are cut to the shorter; the second one is normalised like the video, and its rows are
        those of the video, zero where it has none.

        Returns:
            What :meth:`video` does, and ``(L, Da)``, None without a second stream.
        """
        if not audio:
            return *self.video(video, record), None
        shortest = min(map(len, (*video, *audio)))
        video, audio = ([array[:shortest] for array in both] for both in (video, audio))
        features, num_clips = self.video(video, record)
        if self.normalizes(record):
            audio = [normalize_rows(array) for array in audio]
        joined = concatenate_sources(audio)[: len(features)]
        joined = np.pad(joined, ((0, len(features) - len(joined)), (0, 0)))
        return features, num_clips, joined

    def text(
        self, arrays: Sequence[np.ndarray], rng: np.random.Generator | None = None
    ) -> np.ndarray:
        """Join the arrays ``(N_k, D_k)`` of a query to ``(N, Dt)``; ``rng`` drops tokens."""
        arrays = [array[: self.max_text_tokens] for array in arrays]
        if self.normalize_text:
            arrays = [normalize_rows(array) for array in arrays]
        text = concatenate_sources(arrays)
        return text if rng is None else drop_tokens(text, self.txt_drop_ratio, rng)

    # Numbers of clips ----------------------------------------------------------------------------

    def surplus(self, rows: int, record: Record, clip_length: float) -> int:
        """Return how many clips an array of ``rows`` has more than the annotation implies."""
        return self._kept(rows) - self._kept(implied_clips(record, clip_length))

    def length_problem(self, rows: int, record: Record, clip_length: float) -> str | None:
        """Say what is wrong with the number of clips of an array, if it is beyond the tolerance."""
        if abs(self.surplus(rows, record, clip_length)) <= self.length_tolerance:
            return None
        implied = self._kept(implied_clips(record, clip_length))
        ground = f'{record["duration"]} s at {clip_length:g} s per clip'
        if record.get('label'):
            ground = 'one per row of label'
        return (
            f'has {self._kept(rows)} clips, expected {implied} ({ground}, tolerance '
            f'{self.length_tolerance}); extract the features again or set '
            'features.length_tolerance.'
        )

    def _kept(self, rows: int) -> int:
        return rows if self.max_video_clips is None else min(rows, self.max_video_clips)
