# SPDX-License-Identifier: Apache-2.0
"""Retrieval of several moments: official values, corner cases that are ours."""

import pytest
from reference_values.checks import run_check

from vtg.evaluation.functional import evaluate_multi_moment
from vtg.utils import read_jsonl


def test_the_official_evaluator_is_reproduced_to_the_digit(shared):
    folder = shared / 'golden_more'
    if not (folder / 'qvm2_metrics.json').is_file():
        pytest.skip(f'{folder} has no qvm2_metrics.json')
    rows = list(run_check('qvm2_metrics', folder, folder))
    assert len(rows) == 22 and not [row for row in rows if row.failed]


def test_real_predictions_have_the_official_values(shared):
    data = shared / 'data'
    predictions = read_jsonl(data / 'predictions' / 'cg_detr_best_val_preds.jsonl.gz')
    truth = read_jsonl(data / 'qvhighlights' / 'highlight_val_release.jsonl.gz')
    brief = evaluate_multi_moment(predictions, truth)['brief']
    assert brief == {
        'G-mAP': 44.93, 'mAP@1_tgt': 54.57, 'mAP@2_tgt': 30.49, 'mAP@3+_tgt': 9.39,
        'mAP@3+_queries': 21.88, 'mR@1': 54.54, 'mR@2': 37.79, 'mR@3': 34.14,
        'mIoU@1': 61.69, 'mIoU@2': 44.47, 'mIoU@3': 40.11,
    }  # fmt: skip


def test_a_number_without_queries_is_absent_and_an_empty_list_counts():
    truth = [{'qid': q, 'duration': 20, 'relevant_windows': [[0, 10]]} for q in range(2)]
    found = [{'qid': 0, 'pred_relevant_windows': [[0, 10, 1.0]]}, {'qid': 1}]
    brief = evaluate_multi_moment(found, truth)['brief']
    # The empty list has the AP 0, and is left out of R@k as one with fewer than k windows.
    assert brief == {'G-mAP': 50, 'mAP@1_tgt': 50, 'mR@1': 100, 'mIoU@1': 100}
    nothing = [{**record, 'relevant_windows': []} for record in truth]
    assert evaluate_multi_moment(found, nothing)['brief'] == {}
