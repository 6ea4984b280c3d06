# SPDX-License-Identifier: Apache-2.0
"""Retrieval of several moments against the official evaluator of QV-M2."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from vtg.evaluation.functional import evaluate_multi_moment
from vtg.evaluation.functional.matching import (
    annotated_windows,
    predicted_windows,
    ranked_precision,
)
from vtg.utils import read_json

from .core import Row, compare
from .evaluation import flatten

OFFICIAL_AVERAGES = ('1_tgt_mAP', '2_tgt_mAP', '>=3_tgt_mAP', 'Generalized_mAP')


def check(folder: str | Path) -> Iterator[Row]:
    """Compare the set ``qvm2_metrics``: every range, all numbers, the AP of every query."""
    for case in read_json(Path(folder) / 'qvm2_metrics.json')['cases']:
        name, truth = case['name'], case['ground_truth']
        given = {record['qid']: record for record in case['submission']}
        predictions = [given[record['qid']] for record in truth]
        ours = evaluate_multi_moment(predictions, truth)
        for part, stored in _ranges(case).items():
            yield _compare(f'{name}/{part}', ours[part], stored)
        precision = ranked_precision(predicted_windows(predictions), annotated_windows(truth))
        stored = np.array([case['per_query_ap'][str(record['qid'])] for record in truth])
        yield compare(f'{name}/per_query_ap', precision, stored, 1e-9, scaled=False)
        if 'brief' in case['result']:
            brief = {key: ours['brief'].get(key, 0.0) for key in _BRIEF}
            stored = {key: case['result']['brief'][theirs] for key, theirs in _BRIEF.items()}
            yield _compare(f'{name}/brief', brief, stored)


_BRIEF = {
    'G-mAP': 'MR-full-mAP',
    'mAP@1_tgt': 'MR-full-mAP@1_tgt',
    'mAP@2_tgt': 'MR-full-mAP@2_tgt',
    'mAP@3+_tgt': 'MR-full-mAP@3+tgt',
    **{f'mR@{k}': f'MR-full-mR{k}' for k in (1, 2, 3)},
    **{f'mIoU@{k}': f'MR-full-mIoU@{k}' for k in (1, 2, 3)},
}


def _ranges(case: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The stored numbers by range; where the official code stops, those of ``full`` that it made
    before."""
    if 'error' not in case['result']:
        return {name: values for name, values in case['result'].items() if name != 'brief'}
    groups = {k: v for k, v in case['groups_full'].items() if k in OFFICIAL_AVERAGES}
    return {'full': {**case['full_parts'], 'MR-mAP': groups}}


def _compare(name: str, ours: dict[str, Any], stored: dict[str, Any]) -> Row:
    """Compare all stored numbers; the official code prints 0 where there are no queries."""
    mine, theirs = flatten(ours), flatten(stored)
    errors = {key: abs(mine.get(key, 0.0) - value) for key, value in theirs.items()}
    worst = max(errors, key=errors.get)
    return Row(name, errors[worst], 0.0, f'at {worst}' if errors[worst] else '')
