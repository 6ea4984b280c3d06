# SPDX-License-Identifier: Apache-2.0
"""The values that an independent script gives for published prediction files."""

from pathlib import Path

import numpy as np
import pytest

from vtg.analysis.calibration import calibration
from vtg.analysis.errors import error_profile
from vtg.analysis.oracle import oracle_gains
from vtg.analysis.significance import bootstrap, mcnemar
from vtg.analysis.values import means, oracle_of_list, query_values
from vtg.utils import read_json

ROOT = Path(__file__).resolve().parents[2]
NAMES = ('moment_detr_sample', 'qd_detr_video_best', 'cg_detr_best', 'taskweave_mr_best')
CALIBRATION = {
    'n': 'count', 'mean_score': 'score', 'mean_iou': 'iou', 'precision': 'precision',
    'ece15': 'ece', 'mce15': 'mce', 'ece15_mass': 'ece_mass', 'iou_ece15': 'iou_ece',
    'brier': 'brier', 'spearman_score_iou': 'spearman',
}  # fmt: skip
OFFICIAL = {
    'MR-full-R1@0.5': 'R1@0.5', 'MR-full-R1@0.7': 'R1@0.7', 'MR-full-mAP': 'mAP',
    'MR-full-mAP@0.5': 'mAP@0.5', 'MR-full-mAP@0.75': 'mAP@0.75', 'MR-full-R1@0.3': 'R1@0.3',
    'MR-full-mIoU': 'mIoU', 'HL-min-VeryGood-mAP': 'HL-mAP', 'HL-min-VeryGood-Hit1': 'HL-Hit1',
}  # fmt: skip


@pytest.mark.parametrize('name', NAMES)
def test_published_predictions(shared, real, name):
    checks = read_json(shared / 'golden_more' / 'more_metrics_checks.json')
    questions, answers = real(name)
    profile = error_profile(questions, answers)
    gains = oracle_gains(questions, answers, profile)
    expected = checks['taxonomy'][name]
    counts = profile.counts()
    for ours, theirs in (('predictions', 'predictions'), ('truth', 'ground_truth'),
                         ('first', 'top1')):  # fmt: skip
        assert {n: counts[ours][n] for n in expected[theirs]} == expected[theirs]
        assert sum(counts[ours].values()) == sum(expected[theirs].values())
    assert 100 * np.nanmean(gains.plain) == pytest.approx(expected['ap50'], abs=1e-9)
    found = gains.summary()
    assert {n: found[n] for n in expected['gain']} == pytest.approx(expected['gain'], abs=1e-9)
    assert np.nanmin(gains.everything) == 1 and np.isnan(gains.everything).mean() < 0.06

    for first, key in ((True, 'top1'), (False, 'all')):
        values = calibration(answers, first)
        for theirs, ours in CALIBRATION.items():
            want = checks['calibration'][name][key][theirs]
            assert getattr(values, ours) == pytest.approx(want, abs=1e-9), theirs

    official = read_json(shared / 'data' / 'predictions' / f'{name}_val_preds_metrics.json')
    known = {OFFICIAL[key]: value for key, value in official['brief'].items() if key in OFFICIAL}
    got = means(query_values(questions, answers))
    assert len(known) >= 7
    assert {key: float(f'{got[key]:.2f}') for key in known} == known


def test_published_pair(shared, real):
    page = (ROOT / 'docs' / 'analysis.md').read_text()
    best = oracle_of_list(*real('qd_detr_video_best'))['R1@0.5']
    taxonomy = read_json(shared / 'golden_more' / 'more_metrics_checks.json')['taxonomy']
    gains = taxonomy['qd_detr_video_best']['gain']
    for said in (f'would give R1@0.5 {best:.1f} instead of 62.9',
                 f'gains {gains["ranking"]:.1f} points of AP@0.5'):  # fmt: skip
        assert said in ' '.join(page.split())
    checks = read_json(shared / 'golden_more' / 'more_metrics_checks.json')['paired']
    questions, a = real('qd_detr_video_best')
    _, b = real('cg_detr_best')
    a, b = query_values(questions, a), query_values(questions, b)
    hits = mcnemar(a['R1@0.5'], b['R1@0.5'])
    assert (hits.only_first, hits.only_second) == (checks['n10'], checks['n01'])
    assert hits.p == pytest.approx(checks['mcnemar_exact_p'], rel=1e-9)
    differences = np.stack([b[name] - a[name] for name in ('R1@0.5', 'mAP@0.5')])
    for units, suffix in ((None, 'queries'), (questions.videos, 'videos')):
        for found, key in zip(bootstrap(differences, units), ('r1', 'ap')):
            low, high, p, _ = checks[f'{key}_boot_{suffix}']
            assert found.mean == pytest.approx(100 * checks[f'{key}_diff'], abs=1e-9)
            assert [found.low, found.high] == pytest.approx([100 * low, 100 * high], abs=0.1)
            assert p / 2 <= found.p <= 2 * p
