# SPDX-License-Identifier: Apache-2.0
"""Queries without a moment on their way from the file to the batch."""

import numpy as np
import pytest
import torch

from vtg.datasets import (
    AllWindows,
    AnnotatorSum,
    CoveredClips,
    GroundingDataset,
    SingleWindow,
    collate,
)
from vtg.datasets.custom import ClipGrades, cut_record
from vtg.structures import GroundingTargets
from vtg.utils import DataError, write_jsonl

# All ways to say it; the second and third need windows='repair'.
SAID = (
    {'relevant_windows': []},
    {'relevant_windows': [[0, 0]], 'relevant_clip_ids': [], 'saliency_scores': [[]]},
    {'relevant_windows': [[0.0, 0.001]], 'no_answer': True},
    {'no_answer': True, 'timestamp': []},
)
LABELS = (AnnotatorSum, SingleWindow, AllWindows, CoveredClips, ClipGrades)


@pytest.fixture
def build(tmp_path):
    def make(records, saliency='CoveredClips', **options):
        write_jsonl(tmp_path / 'data.jsonl', records)
        return GroundingDataset(
            str(tmp_path / 'data.jsonl'),
            video=[dict(type='SimulatedVideo', dim=6)],
            text=[dict(type='SimulatedText', dim=4)],
            labels=dict(saliency=dict(type=saliency), max_windows=2),
            **options,
        )

    return make


def record(qid, **said):
    return {'qid': qid, 'vid': f'v{qid}', 'query': 'A dog runs', 'duration': 12.0, **said}


def targets_of(batch):
    return GroundingTargets.from_batch(batch, torch.device('cpu'))


@pytest.mark.parametrize('labels', LABELS)
def test_no_clip_is_relevant_and_nothing_is_ranked(labels):
    null = record(0, relevant_windows=[], relevant_clip_ids=[], saliency_scores=[])
    found = labels()(null, 5, 2.0, np.random.default_rng(0))
    assert not found['saliency'].any() and not found['relevant'].any()
    assert found['pos_clips'].tolist() == found['neg_clips'].tolist() == [0, 0]


def test_every_spelling_becomes_targets_without_spans(build):
    records = [record(index, **said) for index, said in enumerate(SAID)]
    records.append(record('x', relevant_windows=[[2, 6]]))
    dataset = build(records, windows='repair')
    targets = targets_of(collate([dataset[index] for index in range(len(dataset))]))
    assert targets.answerable.tolist() == [False] * 4 + [True]
    assert targets.span_mask.tolist() == [[False]] * 4 + [[True]]
    assert not targets.relevant[:4].any() and targets.relevant[4].any()
    # A batch of nothing else has no spans at all.
    alone = targets_of(collate([dataset[0], dataset[1]]))
    assert alone.spans.shape == (2, 0, 2) and not alone.answerable.any()


def test_what_strict_reading_takes(build):
    dataset = build([record(0, **SAID[0])])
    assert dataset[0]['targets']['spans'].shape == (0, 2)
    for said in SAID[1:]:
        with pytest.raises(DataError):
            build([record(0, **said)])[0]
    # Clips and their scores need not be said of a query without a moment.
    assert not build([record(0, **SAID[0])], 'AnnotatorSum')[0]['targets']['relevant'].any()
    # Without labels a test says nothing about moments.
    assert 'targets' not in build([record(0)], test_mode=True)[0]


def test_any_part_of_a_long_video_shows_no_moment():
    begins = set()
    for seed in range(30):
        generator = np.random.default_rng(seed)
        part, clips = cut_record(record(0, relevant_windows=[], duration=40.0), 5, 2.0, generator)
        assert part['relevant_windows'] == [] and part['duration'] == 10.0
        assert clips.stop - clips.start == 5 and 0 <= clips.start <= 15
        begins.add(clips.start)
    assert len(begins) > 8
