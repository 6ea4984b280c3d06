# SPDX-License-Identifier: Apache-2.0
"""Records of predictions."""

from typing import Any

import numpy as np
import torch

from vtg.evaluation.records import moments_to_lists, to_records
from vtg.structures import MomentList, Prediction, join_predictions


def prediction(counts: tuple[int, ...], **changes: Any) -> Prediction:
    size = max(counts)
    mask = torch.arange(size) < torch.tensor(counts)[:, None]
    moments = MomentList(
        torch.rand(len(counts), size, 2).cumsum(-1), torch.rand(len(counts), size), mask
    )
    values = {
        'video_mask': torch.arange(5) < torch.tensor([5, 3, 4])[: len(counts), None],
        'duration': torch.full((len(counts),), 10.0),
        'meta': [
            {'qid': i, 'query': 'q', 'vid': 'v', 'annotation': {}} for i in range(len(counts))
        ],
        'lists': {'main': moments, 'other': moments},
        'output': 'main',
        'saliency': torch.rand(len(counts), 5),
    }
    return Prediction(**{**values, **changes})


def test_fields_of_records():
    found = prediction((2, 0))
    plain, filled = to_records(found), to_records(found, fill=True)
    assert [list(record) for record in plain] == [
        ['qid', 'query', 'vid', 'pred_relevant_windows', 'alternatives', 'pred_saliency_scores']
    ] * 2
    assert len(plain[0]['pred_relevant_windows']) == 2 and plain[0] == filled[0]
    assert plain[1]['pred_relevant_windows'] == plain[1]['alternatives']['other'] == []
    assert filled[1]['pred_relevant_windows'] == [[0.0, 0.0, 0.0]]
    assert [len(record['pred_saliency_scores']) for record in plain] == [5, 3]
    assert plain[1]['pred_saliency_scores'] == found.saliency[1, :3].tolist()
    bare = to_records(prediction((1,), lists={}, output=None, saliency=None))
    assert bare == [{'qid': 0, 'query': 'q', 'vid': 'v'}]


def test_digits_are_those_of_the_prediction():
    found = prediction((3,))
    rows = torch.tensor(to_records(found)[0]['pred_relevant_windows'], dtype=torch.float64)
    exact = to_records(prediction((3,), lists=found.lists, digits=None))[0]['pred_relevant_windows']
    assert rows.tolist() == np.round(exact, 4).tolist() != exact


def test_joined_batches_give_the_records_of_their_parts():
    parts = [prediction((2, 0, 4)), prediction((1,)), prediction((0,))]
    assert to_records(join_predictions(parts)) == [
        row for part in parts for row in to_records(part)
    ]


def test_lists_drop_padding_and_round():
    moments = MomentList(
        torch.tensor([[[1.23456, 2.0], [3.0, 4.0]]]),
        torch.tensor([[0.98766, 0.1]]),
        torch.tensor([[True, False]]),
    )
    assert moments_to_lists(moments) == [[[1.2346, 2.0, 0.9877]]]


def test_batch_without_moments_gives_empty_lists():
    moments = MomentList(torch.zeros(2, 0, 2), torch.zeros(2, 0), torch.zeros(2, 0).bool())
    assert moments_to_lists(moments) == [[], []]
