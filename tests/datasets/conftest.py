# SPDX-License-Identifier: Apache-2.0
"""A small annotated dataset on disk, to be damaged by the tests."""

import copy
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from vtg.datasets import QVHighlights
from vtg.datasets.annotations import find_annotations
from vtg.utils import read_jsonl, write_jsonl

RECORDS = [
    {
        'qid': 7,
        'query': 'A dog runs on the beach',
        'vid': 'a_b-c_60.0_80.0',
        'duration': 20,
        'relevant_windows': [[2, 8]],
        'relevant_clip_ids': [1, 2, 3],
        'saliency_scores': [[1, 2, 3], [4, 4, 4], [2, 2, 2]],
    },
    {
        'qid': 8,
        'query': 'Waves',
        'vid': 'a_b-c_60.0_80.0',
        'duration': 20,
        'relevant_windows': [[0, 20]],
        'relevant_clip_ids': list(range(10)),
        'saliency_scores': [[3, 3, 3]] * 10,
    },
    {
        'qid': 9,
        'query': 'A man cooks',
        'vid': 'other_0.0_24.0',
        'duration': 24,
        'relevant_windows': [[4 * i, 4 * i + 2] for i in range(6)],
        'relevant_clip_ids': [0, 2, 4, 6, 8, 10],
        'saliency_scores': [[1, 1, i % 5] for i in range(6)],
    },
]


class Disk:
    """Annotation and features in a folder; ``records`` may be changed before :meth:`build`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.records = copy.deepcopy(RECORDS)
        self.annotations = root / 'annotations.jsonl'
        self.video, self.text = root / 'video', root / 'text'
        self.video.mkdir()
        self.text.mkdir()
        rng = np.random.default_rng(0)
        for record in self.records:
            clips = rng.normal(size=(record['duration'] // 2, 6)).astype(np.float32)
            np.savez(self.video / f'{record["vid"]}.npz', features=clips)
            tokens = rng.normal(size=(len(record['query'].split()) + 2, 4)).astype(np.float16)
            np.savez(self.text / f'qid{record["qid"]}.npz', last_hidden_state=tokens)

    def build(self, **kwargs) -> QVHighlights:
        write_jsonl(self.annotations, self.records)
        stores = {
            'video': dict(type='FolderStore', folder=str(self.video), dim=6),
            'text': dict(type='FolderStore', folder=str(self.text), pattern='qid{qid}', dim=4),
        }
        return QVHighlights(str(self.annotations), **{**stores, **kwargs})

    def replace_video(self, features: np.ndarray) -> None:
        np.savez(self.video / 'other_0.0_24.0.npz', features=features)


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    return Disk(tmp_path)


@pytest.fixture(scope='session')
def first_records(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], str]:
    """Give a copy of an annotation file with its first records only, which loads faster."""
    folder = tmp_path_factory.mktemp('annotations')

    def shortened(path: Path) -> str:
        target = folder / '_'.join(path.parts[-2:])
        if not target.exists():
            write_jsonl(target, read_jsonl(find_annotations(path))[:60])
        return str(target)

    return shortened
