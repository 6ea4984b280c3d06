# SPDX-License-Identifier: Apache-2.0
"""Own data: the documented annotation format and folders of features, nothing else to say."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vtg.registry import DATASETS, TRANSFORMS
from vtg.utils import DataError

from .annotations import Record, find_annotations
from .custom_format import TOP_GRADE, read_custom
from .grounding import GroundingDataset
from .saliency import CoveredClips, Labels
from .stores.packed import INDEX_FILE

Stores = str | dict | Sequence[str | dict]


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
        saliency: The component that makes the saliency labels.
        kwargs: See :class:`GroundingDataset`.

    Raises:
        DataError: A line of the annotation is wrong; names the first one and how many there are.
            ``tools/validate_dataset.py`` lists all of them.
    """

    def __init__(
        self,
        ann_file: str = '',
        data_root: str = 'data/custom',
        video: Stores = 'video_features',
        text: Stores = 'text_features',
        clip_length: float = 2.0,
        saliency: dict | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            ann_file,
            data_root=data_root,
            video=_stores(video, '{vid}', data_root),
            text=_stores(text, 'qid{qid}', data_root),
            clip_length=clip_length,
            saliency=saliency or {'type': 'ClipGrades'},
            **kwargs,
        )

    def load_data_list(self) -> list[Record]:
        """Read the annotation file, refuse it if any line is wrong, find missing features."""
        self._check_sources()
        path = find_annotations(self.ann_file)
        lines = list(
            read_custom(path, self.clip_length, not self.test_mode, self.length_tolerance)
        )
        wrong = [line for line in lines if line.problems]
        if wrong:
            more = f' {len(wrong)} lines are wrong,' if len(wrong) > 1 else ''
            raise DataError(
                f'{path}, line {wrong[0].number}: {wrong[0].problems[0]}{more} '
                'tools/validate_dataset.py lists every problem.'
            )
        if not lines:
            raise DataError(f'{path} holds no record; expected one JSON object per line.')
        return self.settle([line.record for line in lines], str(path))


def _stores(given: Stores, pattern: str, root: str) -> list[dict]:
    """Turn folder names into configs of the store that fits what the folder holds."""
    entries = [given] if isinstance(given, str | dict) else given
    return [
        entry if isinstance(entry, dict) else _folder_store(entry, pattern, root)
        for entry in entries
    ]


def _folder_store(folder: str, pattern: str, root: str) -> dict:
    packed = (Path(root) / folder / INDEX_FILE).is_file()
    return {
        'type': 'PackedStore' if packed else 'FolderStore',
        'folder': folder,
        'pattern': pattern,
    }
