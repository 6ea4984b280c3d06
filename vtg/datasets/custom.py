# SPDX-License-Identifier: Apache-2.0
"""Own data: the documented annotation format and folders of features, nothing else to say."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vtg.registry import DATASETS, TRANSFORMS
from vtg.utils import ConfigError, Record

from .annotations import Line
from .census import Reading
from .custom_format import read_custom
from .grounding import GroundingDataset
from .record_checks import TOP_GRADE
from .saliency import CoveredClips, Labels
from .samplers import sample_generator
from .samples import LabelOptions
from .stores.packed import INDEX_FILE
from .survey import implied_clips

StoreNames = str | dict | Sequence[str | dict]


@TRANSFORMS.register_module()
class ClipGrades:
    """Labels from the grades of the clips, or from the windows alone where there are none.

    Clips that lie in a window by more than half are relevant. Grades from 0 to 4 become labels from
    0 to ``top``, the range that the ranking losses of all systems are made for; without grades
    relevant clips have the label 1, as in :class:`CoveredClips`. Two pairs: the best against the
    worst relevant clip where there are grades, and a random relevant one against a random other
    one, drawn anew each epoch.

    Args:
        top: Label of the best grade; QVHighlights sums three annotators to 12.
    """

    fields = ('relevant_windows',)

    def __init__(self, top: float = 12.0) -> None:
        self.top = top
        self.covered = CoveredClips()

    def __call__(
        self, record: Record, num_clips: int, clip_length: float, rng: np.random.Generator
    ) -> Labels:
        labels = self.covered(record, num_clips, clip_length, rng)
        if record.get('saliency') is None:
            return labels
        grades = np.asarray(record['saliency'][:num_clips], dtype=np.float64)
        saliency = np.zeros(num_clips, dtype=np.float32)
        saliency[: len(grades)] = grades * (self.top / TOP_GRADE)
        relevant = np.flatnonzero(labels['relevant'])
        if len(relevant):
            order = relevant[np.argsort(saliency[relevant], kind='stable')]
            labels['pos_clips'][0], labels['neg_clips'][0] = order[-1], order[0]
        return {**labels, 'saliency': saliency}


@DATASETS.register_module()
class CustomDataset(GroundingDataset):
    """Own videos and queries; :mod:`vtg.datasets.custom_format` describes the annotation.

    Args:
        ann_file: JSON-lines file, plain or gzip.
        data_root: Folder in front of relative paths.
        video: Folder of ``{video}.npz``, ``.npy`` or ``.pt`` files with one row per clip, or a
            packed folder; or the config of a feature store; or several of these, whose columns are
            joined.
        text: The same for ``qid{qid}.npz`` files with one row per token.
        clip_length: Seconds per clip, the same for features and ``saliency`` grades.
        labels: See :class:`GroundingDataset`; the saliency labels are :class:`ClipGrades`.
        train_clips: Training takes so many clips of a longer video, around one of the moments of
            the query and anew in every epoch; tests see whole videos. None takes all.
        kwargs: See :class:`GroundingDataset`.

    Raises:
        DataError: A line of the annotation is wrong; names the first one and how many there are.
            ``tools/validate_dataset.py`` lists all of them.
    """

    def __init__(
        self,
        ann_file: str = '',
        data_root: str = 'data/custom',
        video: StoreNames = 'video_features',
        text: StoreNames = 'text_features',
        clip_length: float = 2.0,
        labels: LabelOptions | None = None,
        train_clips: int | None = None,
        **kwargs: Any,
    ) -> None:
        if train_clips is not None and train_clips < 2:
            raise ConfigError(f'train_clips of CustomDataset is at least 2, got {train_clips}.')
        self.train_clips = train_clips
        super().__init__(
            ann_file=ann_file,
            data_root=data_root,
            video=_stores(video, '{vid}', data_root),
            text=_stores(text, 'qid{qid}', data_root),
            clip_length=clip_length,
            labels={'saliency': {'type': 'ClipGrades'}, **(labels or {})},
            **kwargs,
        )

    def part_of(self, record: Record, idx: int) -> tuple[Record, slice]:
        """Return a record and all clips; in training, a part of a long video."""
        if self.test_mode or self.train_clips is None:
            return record, slice(None)
        # A stream of its own, so that other draws are those of whole videos.
        rng = sample_generator(idx).spawn(1)[0]
        return cut_record(record, self.train_clips, self.clip_length, rng)

    def clips_of(self, record: Record) -> int:
        """See :meth:`GroundingDataset.clips_of`."""
        clips = super().clips_of(record)
        return clips if self.test_mode or self.train_clips is None else min(clips, self.train_clips)

    def lines_of(self, path: Path, reading: Reading) -> Iterator[Line]:
        """Yield the lines in the format for own data."""
        return read_custom(
            path, self.clip_length, not self.test_mode, self.assembly.length_tolerance, reading
        )


def cut_record(
    record: Record, clips: int, clip_length: float, rng: np.random.Generator
) -> tuple[Record, slice]:
    """Return the record of ``clips`` clips around a random moment, and which clips these are.

    A short video stays as it is; of a query without a moment the part is any. Windows are cut at
    the borders of the part; pieces shorter than half a clip are left out unless nothing else is
    left.
    """
    total = implied_clips(record, clip_length)
    windows = np.asarray(record.get('relevant_windows') or [], dtype=np.float64).reshape(-1, 2)
    if total <= clips or record.get('relevant_windows') is None:
        return record, slice(None)
    first, last = 0, total - clips
    if len(windows):
        low, high = windows[rng.integers(len(windows))] / clip_length
        # The moment lies in the part, or where it is longer, the part in the moment.
        first, last = sorted((high - clips, low))
    begin = int(np.clip(round(rng.uniform(first, last)), 0, total - clips))
    cut = np.clip(windows - begin * clip_length, 0, clips * clip_length)
    length = cut[:, 1] - cut[:, 0]
    kept = length >= clip_length / 2
    if len(cut):
        cut = cut[kept] if kept.any() else cut[[length.argmax()]]
    part = {'relevant_windows': cut.tolist(), 'duration': clips * clip_length}
    if record.get('saliency') is not None:
        part['saliency'] = record['saliency'][begin : begin + clips]
    return {**record, **part}, slice(begin, begin + clips)


def _stores(given: StoreNames, pattern: str, root: str) -> list[dict]:
    """Turn folder names into configs of the store that fits what the folder holds."""
    entries = [given] if isinstance(given, str | dict) else given
    return [
        entry if isinstance(entry, dict) else folder_store(entry, pattern, root)
        for entry in entries
    ]


def folder_store(folder: str, pattern: str, root: str = '') -> dict[str, Any]:
    """Return the config of the store that fits what a folder holds, packed features or files."""
    packed = (Path(root) / folder / INDEX_FILE).is_file()
    return {
        'type': 'PackedStore' if packed else 'FolderStore',
        'folder': folder,
        'pattern': pattern,
    }
