# SPDX-License-Identifier: Apache-2.0
"""Metrics of queries without a moment, of which the sets of two systems hold official results."""

from collections.abc import Iterator, Mapping
from typing import Any

from vtg.evaluation.functional import evaluate_generalized, evaluate_unanswerable

from .core import ReferenceSet, Row, compare_exact
from .evaluation import compare_results

# Reported with two decimals.
PRINTED = 0.0051
Records = list[dict[str, Any]]


def check_generalized(data: ReferenceSet) -> Iterator[Row]:
    """Compare the metrics over all stored records, to the last digit."""
    stored = data.fact('metrics.brief')
    if stored is None:
        return
    truth, found = (
        [record for records in data.info[name].values() for record in records]
        for name in ('annotations', 'records')
    )
    ours = evaluate_generalized(found, truth)['brief']
    yield compare_exact('metrics/brief', {name: ours.get(name) for name in stored}, dict(stored))


def rejection_records(case: Mapping[str, Any]) -> tuple[Records, Records]:
    """Predictions and annotations as the dataset reads them: numbered anew, the old id, which may
    repeat, names the sentence."""
    pairs = list(enumerate(zip(case['submission'], case['ground_truth'], strict=True)))
    predictions = [
        {
            'qid': number, 'vid': found['vid'], 'pred_exist_score': found['relavent_score'],
            'pred_relevant_windows': found['pred_relevant_windows'],
        }
        for number, (found, _) in pairs
    ]  # fmt: skip
    annotations = [
        {
            **truth, 'qid': number, 'text_key': truth['qid'],
            'relevant_windows': [] if truth['no_answer'] else truth['relevant_windows'],
        }
        for number, (_, truth) in pairs
    ]  # fmt: skip
    return predictions, annotations


def check_rejections(data: ReferenceSet) -> Iterator[Row]:
    """Compare what is counted over all records, and with the ids that repeat."""
    case = data.fact('rf_metrics')
    if case is None:
        return
    records = rejection_records(case)
    for name, compat in (('result', 'causalvtg'), ('result_rowwise', None)):
        stored = {
            kind: case[name][f'MR-full-{kind}'] for kind in ('R1@0.3', 'R1@0.5', 'R1@0.7', 'mIoU')
        }
        stored['Acc'] = 100 * case[name]['No-Answer-Acc']
        found = evaluate_unanswerable(*records, rounded=False, compat=compat)['brief']
        ours = {kind: found[kind] for kind in stored}
        yield compare_results(f'rf_metrics/{name}', ours, stored, PRINTED)
