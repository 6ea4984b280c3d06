# SPDX-License-Identifier: Apache-2.0
"""Recall of the first windows against a plain calculation; DiDeMo's ranks against known values."""

import numpy as np
import pytest

from vtg.evaluation.functional import RecordError, evaluate_chunk_ranking, evaluate_recall
from vtg.evaluation.functional.chunks import runs_of
from vtg.formats import find_format

PRIOR = '00 11 22 33 44 55 01 45 12 34 23 35 24 02 25 15 13 14 03 04'
LEXICOGRAPHIC = ' '.join(f'{a}{b}' for a, b in runs_of(6))
LONGEST = ' '.join(sorted(LEXICOGRAPHIC.split(), key=lambda r: (int(r[0]) - int(r[1]), r)))


def iou(a, b):
    inter = max(0.0, min(a[1], b[1]) - max(a[0], b[0]))
    return inter / (a[1] - a[0] + b[1] - b[0] - inter) if inter else 0.0


def test_recall_by_hand():
    rng = np.random.default_rng(0)
    spans = np.sort(rng.integers(0, 12, (40, 9, 2)), axis=-1)  # many ties at simple fractions
    truth = [
        {'qid': q, 'duration': 12.0, 'relevant_windows': s[: 1 + q % 2].tolist()}
        for q, s in enumerate(spans)
    ]
    found = [
        {'qid': q, 'pred_relevant_windows': [[*w, 0.5] for w in s[2 : 2 + q % 8].tolist()]}
        for q, s in enumerate(spans)
    ]
    best = [
        [max(iou(w, g) for g in a['relevant_windows']) for w in p['pred_relevant_windows']]
        for p, a in zip(found, truth)
    ]
    for strict in (False, True):
        brief = evaluate_recall(
            found, truth, rounded=False, ranks=(1, 3, 20), thresholds=(0.25, 0.5), strict=strict
        )['brief']
        for k in (1, 3, 20):
            for t in (0.25, 0.5):
                hits = [any(v > t if strict else v >= t for v in row[:k]) for row in best]
                assert brief[f'R{k}@{t}'] == pytest.approx(100 * np.mean(hits))
        assert brief['mIoU'] == pytest.approx(100 * np.mean([(row or [0])[0] for row in best]))
        assert brief['mR3'] == pytest.approx((brief['R3@0.25'] + brief['R3@0.5']) / 2)


def test_a_tie_is_a_miss_for_the_official_evaluator_of_nlq():
    truth = [{'qid': 0, 'duration': 9, 'relevant_windows': [[0, 3]]}]
    found = [{'qid': 0, 'pred_relevant_windows': [[0, 1.5, 1.0]]}]
    assert evaluate_recall(found, truth)['brief']['R1@0.5'] == 100
    assert evaluate_recall(found, truth, strict=True)['brief']['R1@0.5'] == 0
    # The start is right; the end is off by a sixth of the video.
    discounted = evaluate_recall(found, truth, discounted=True, rounded=False)['brief']
    assert discounted['dR1@0.5'] == pytest.approx(100 * 5 / 6)
    with pytest.raises(RecordError, match='duration'):
        evaluate_recall(found, [{**truth[0], 'duration': None}], discounted=True)


@pytest.mark.parametrize(
    ('order', 'expected'),
    [(PRIOR, (0.186842, 0.699522, 0.252216)), (LEXICOGRAPHIC, (0.186842, 0.277512, 0.252216)),
     (LONGEST, (0.0, 0.009330, 0.244657))],
)  # fmt: skip
def test_constant_rankings_of_didemo(shared, order, expected):
    path = shared / 'data' / 'more' / 'didemo_val_data.json.gz'
    truth = list(find_format('didemo')().read(path))
    windows = [[5.0 * int(a), 5.0 * (int(b) + 1), 0.5] for a, b in order.split()]
    found = [{'qid': record['qid'], 'pred_relevant_windows': windows} for record in truth]
    result = evaluate_chunk_ranking(found, truth, rounded=False)
    assert tuple(result['brief'].values()) == pytest.approx([100 * v for v in expected], abs=1e-4)
    assert result['ceiling']['Rank@1'] == pytest.approx(100 * 3127 / 4180)


def test_seconds_become_a_ranking():
    truth = [{'qid': 0, 'duration': 28.0, 'num_segments': 6, 'times': [[1, 2]] * 3 + [[0, 0]]}]

    def rank(windows, **options):
        found = [{'qid': 0, 'pred_relevant_windows': [[*w, 1.0] for w in windows]}]
        return evaluate_chunk_ranking(found, truth, **options)['brief']

    assert rank([[5.5, 14.0]]) == {'Rank@1': 100, 'Rank@5': 100, 'mIoU': 100}
    assert rank([[0, 5], [5, 15]]) == {'Rank@1': 0, 'Rank@5': 100, 'mIoU': 33.33}
    # The shortened last chunk is a whole one; what a list lacks comes behind all moments.
    assert rank([[25, 28]], ranks=(21, 22)) == {'Rank@21': 0, 'Rank@22': 100, 'mIoU': 0}
    assert rank([[25, 28]], ranks=(21, 22), ranking='iou')['Rank@21'] == 100
    assert rank([]) == {'Rank@1': 0, 'Rank@5': 0, 'mIoU': 0}
    with pytest.raises(RecordError, match='convert_annotations'):
        evaluate_chunk_ranking([{'qid': 0}], [{'qid': 0, 'relevant_windows': [[0, 5]]}])
