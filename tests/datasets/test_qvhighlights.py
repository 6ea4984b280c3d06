# SPDX-License-Identifier: Apache-2.0
"""The annotation files of QVHighlights exactly as published, with simulated features."""

import numpy as np
import pytest

from vtg.datasets import QVHighlights, collate
from vtg.utils import read_jsonl

FEATURES = {
    'video': dict(type='SimulatedVideo', dim=16),
    'text': dict(type='SimulatedText', dim=16),
}


@pytest.fixture
def folder(shared):
    return shared / 'data' / 'qvhighlights'


@pytest.mark.parametrize(
    ('name', 'queries', 'videos', 'windows', 'test_mode'),
    [
        ('highlight_train_release.jsonl', 7218, 7100, 12803, False),
        ('highlight_val_release.jsonl', 1550, 1519, 2803, True),
        ('highlight_test_release.jsonl', 1542, 1529, 0, True),
        ('highlight_test_with_gt.jsonl', 1542, 1529, 2761, True),
    ],
)
def test_published_files(folder, name, queries, videos, windows, test_mode):
    dataset = QVHighlights(str(folder / name), test_mode=test_mode, **FEATURES)
    assert len(dataset) == queries
    records = [dataset.get_data_info(index) for index in range(queries)]
    assert len({record['vid'] for record in records}) == videos
    assert sum(len(record.get('relevant_windows', ())) for record in records) == windows
    batch = collate([dataset[index] for index in range(0, queries, 300)])
    assert ('targets' in batch) == (windows > 0)
    assert all(('annotation' in meta) == test_mode for meta in batch['meta'])
    clips = [int(meta['duration'] / 2) for meta in batch['meta']]
    assert batch['video_mask'].sum(1).tolist() == clips


def test_targets_of_a_real_record(folder):
    dataset = QVHighlights(str(folder / 'highlight_val_release.jsonl'), test_mode=True, **FEATURES)
    raw = read_jsonl(folder / 'highlight_val_release.jsonl.gz')
    for index in range(0, len(raw), 97):
        sample, record = dataset[index], raw[index]
        assert sample['meta']['annotation'] == record
        saliency = np.zeros(int(record['duration'] / 2))
        saliency[record['relevant_clip_ids']] = np.sum(record['saliency_scores'], axis=1)
        np.testing.assert_array_equal(sample['targets']['saliency'], saliency)
        if len(record['relevant_windows']) <= 5:
            start, end = np.array(record['relevant_windows']).T / record['duration']
            expected = np.stack([(start + end) / 2, end - start], 1)
            np.testing.assert_allclose(sample['targets']['spans'], expected, rtol=1e-6)


def test_rehearsal_leaves_traces_of_all_queries_of_a_video(folder):
    dataset = QVHighlights(
        str(folder / 'highlight_val_release.jsonl'),
        video=dict(type='SimulatedVideo', dim=256, difficulty=0.0),
        text=dict(type='SimulatedText', dim=256),
        features=dict(normalize_video=False, tef=False),
    )
    from vtg.datasets.simulated.words import content_words
    from vtg.datasets.simulated.world import meaning, projection

    records = [dataset.get_data_info(index) for index in range(len(dataset))]
    vids = [record['vid'] for record in records]
    shared = [index for index, vid in enumerate(vids) if vids.count(vid) == 2]
    assert len(shared) > 20
    for first in shared[:12]:
        second = next(i for i in shared if vids[i] == vids[first] and i != first)
        a, b = dataset[first], dataset[second]
        np.testing.assert_array_equal(a['video'], b['video'])
        for sample in (a, b):
            relevant = sample['targets']['relevant']
            words = content_words(sample['meta']['query'])
            seen = meaning(0, words) @ projection(0, 'video', 256)
            match = sample['video'] @ seen
            assert relevant.all() or match[relevant].mean() > match[~relevant].mean() + 0.3
