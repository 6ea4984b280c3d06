# SPDX-License-Identifier: Apache-2.0
"""Thresholds and calibration against what a search over everything finds."""

import numpy as np
import pytest

from vtg.evaluation.functional import best_scores, choose_threshold, fit_logistic, has_moment
from vtg.evaluation.functional.answering import CRITERIA
from vtg.utils import ConfigError, DataError


def criterion(by, scores, exists, threshold):
    answered = scores > threshold
    if by == 'accuracy':
        return (answered == exists).mean()
    if by == 'balanced_accuracy':
        return (answered[exists].mean() + (~answered)[~exists].mean()) / 2
    right, wrong = (~answered & ~exists).sum(), (~answered & exists).sum()
    return 2 * right / (right + wrong + (~exists).sum())


@pytest.mark.parametrize('by', CRITERIA)
def test_the_best_threshold_of_all(by):
    rng = np.random.default_rng(0)
    for case in range(60):
        size = int(rng.integers(2, 30))
        exists = rng.random(size) < 0.6
        exists[:2] = True, False
        scores = (exists * 0.3 + rng.random(size) * 0.7).round(case % 3 + 1)
        choice = choose_threshold(scores, exists, by)
        assert 0 <= choice.threshold <= 1
        assert criterion(by, scores, exists, choice.threshold) == pytest.approx(choice.value)
        every = [criterion(by, scores, exists, t) for t in (0, *scores, 1)]
        assert choice.value == pytest.approx(max(every))
        assert choice.reject_all == pytest.approx(criterion(by, scores, exists, 1.0))
        pairs = np.sign(scores[exists][:, None] - scores[~exists])
        assert choice.auroc == pytest.approx((pairs.mean() + 1) / 2)


def test_gaps_are_met_in_the_middle():
    choice = choose_threshold(np.array([0.1, 0.2, 0.6]), np.array([False, False, True]))
    assert choice.threshold == pytest.approx(0.4) and choice.value == choice.auroc == 1
    with pytest.raises(ConfigError, match='criterion'):
        choose_threshold(np.array([0.1, 0.2]), np.array([False, True]), 'f1')


def test_the_calibration_is_where_the_likelihood_is_flat():
    rng = np.random.default_rng(1)
    scores = rng.normal(3, 2, 400)
    exists = rng.random(400) < 1 / (1 + np.exp(-(1.5 * scores - 4)))
    slope, intercept = fit_logistic(scores, exists)
    assert slope == pytest.approx(1.5, abs=0.4) and intercept == pytest.approx(-4, abs=1)
    count = exists.sum()
    wanted = np.where(exists, (count + 1) / (count + 2), 1 / (400 - count + 2))
    missing = wanted - 1 / (1 + np.exp(-(slope * scores + intercept)))
    assert abs(missing.sum()) < 1e-6 and abs((missing * scores).sum()) < 1e-5
    # Separated, equal and tiny ones stay finite.
    for values in ([0.0, 1.0], [0.5, 0.5], [1e-7, 2e-7]):
        assert np.isfinite(fit_logistic(np.array(values), np.array([False, True]))).all()


def test_what_records_say():
    rows = [[[0, 2, 0.3], [1, 2, 0.7]], [], [[0.0, 0.0, 0.0]]]
    best = best_scores([{'pred_relevant_windows': windows} for windows in rows])
    np.testing.assert_array_equal(best, [0.7, np.nan, np.nan])
    truth = [{'qid': 1, 'relevant_windows': [[0, 1]]}, {'qid': 2, 'relevant_windows': []}]
    assert has_moment(truth).tolist() == [True, False]
    for wrong, match in ((truth[:1], 'has a moment'), (truth[1:], 'has none'), ([{}], 'labelled')):
        with pytest.raises(DataError, match=match):
            has_moment(wrong)
