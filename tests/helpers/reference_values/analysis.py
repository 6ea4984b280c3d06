# SPDX-License-Identifier: Apache-2.0
"""Classes of errors, calibration and paired comparison against an independent calculation."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from vtg.analysis import make_questions
from vtg.analysis.calibration import calibration
from vtg.analysis.errors import error_profile
from vtg.analysis.oracle import oracle_gains
from vtg.analysis.significance import bootstrap, mcnemar
from vtg.analysis.values import query_values
from vtg.apis.analysis import read_system
from vtg.apis.evaluation import read_annotations
from vtg.utils import read_json

from .core import Row, compare, compare_exact
from .evaluation import _absent, _data_file

TOLERANCE = 1e-9
ANNOTATIONS = 'highlight_val_release.jsonl'
CLASSES = {'predictions': 'predictions', 'ground_truth': 'truth', 'top1': 'first'}
CALIBRATION = {
    'n': 'count', 'mean_score': 'score', 'mean_iou': 'iou', 'precision': 'precision',
    'ece15': 'ece', 'mce15': 'mce', 'ece15_mass': 'ece_mass', 'iou_ece15': 'iou_ece',
    'brier': 'brier', 'spearman_score_iou': 'spearman',
}  # fmt: skip
INTERVAL = 0.1
"""Per cent; other draws give other intervals."""


def check(folder: str | Path) -> Iterator[Row]:
    """Compare the set ``more_metrics_checks``; the prediction files lie in ``data`` beside it."""
    stored = read_json(Path(folder) / 'more_metrics_checks.json')
    data = Path(folder).resolve().parent / 'data'
    truth = _data_file(data, ANNOTATIONS)
    if truth is None:
        yield _absent('all', [ANNOTATIONS], data)
        return
    questions = make_questions(read_annotations(truth).records)
    answers = {}
    for name, expected in stored['taxonomy'].items():
        file = _data_file(data, f'{name}_val_preds.jsonl')
        if file is None:
            yield _absent(name, [f'{name}_val_preds.jsonl'], data)
            continue
        answers[name] = read_system(name, file, questions)[0]
        yield from _errors(name, questions, answers[name], expected)
        for group, numbers in stored['calibration'][name].items():
            found = calibration(answers[name], group == 'top1')
            ours = [getattr(found, field) for key, field in CALIBRATION.items() if key in numbers]
            theirs = [numbers[key] for key in CALIBRATION if key in numbers]
            yield compare(f'{name}/calibration/{group}', ours, theirs, TOLERANCE)
    paired = stored['paired']
    if paired['a'] in answers and paired['b'] in answers:
        yield from _paired(questions, answers[paired['a']], answers[paired['b']], paired)


def _errors(name: str, questions: Any, answers: Any, expected: dict[str, Any]) -> Iterator[Row]:
    profile = error_profile(questions, answers)
    counts = profile.counts()
    for theirs, ours in CLASSES.items():
        found = {key: counts[ours][key] for key in expected[theirs]}
        yield compare_exact(f'{name}/{theirs}', found, expected[theirs])
        total = sum(expected[theirs].values())
        yield compare_exact(f'{name}/{theirs} all', sum(counts[ours].values()), total)
    gains = oracle_gains(questions, answers, profile)
    yield compare(f'{name}/ap50', 100 * np.nanmean(gains.plain), expected['ap50'], TOLERANCE)
    found = gains.summary()
    ours = [found[key] for key in expected['gain']]
    yield compare(f'{name}/gain', ours, list(expected['gain'].values()), TOLERANCE)


def _paired(questions: Any, a: Any, b: Any, stored: dict[str, Any]) -> Iterator[Row]:
    first, second = query_values(questions, a), query_values(questions, b)
    hits = mcnemar(first['R1@0.5'], second['R1@0.5'])
    yield compare_exact('paired/n10', hits.only_first, stored['n10'])
    yield compare_exact('paired/n01', hits.only_second, stored['n01'])
    yield compare('paired/mcnemar_exact_p', hits.p, stored['mcnemar_exact_p'], TOLERANCE)
    differences = np.stack([second[name] - first[name] for name in ('R1@0.5', 'mAP@0.5')])
    for units, suffix in ((None, 'queries'), (questions.videos, 'videos')):
        for found, key in zip(bootstrap(differences, units), ('r1', 'ap')):
            low, high, p, _ = stored[f'{key}_boot_{suffix}']
            name = f'paired/{key}_boot_{suffix}'
            yield compare(f'{name} mean', found.mean, 100 * stored[f'{key}_diff'], TOLERANCE)
            ours, theirs = [found.low, found.high], [100 * low, 100 * high]
            yield compare(f'{name} interval', ours, theirs, INTERVAL, scaled=False)
            # Within a factor of two, as other generators draw otherwise.
            yield compare(f'{name} p', np.log2(found.p / p), 0.0, 1.0, scaled=False)
