# SPDX-License-Identifier: Apache-2.0
"""Classes of errors: partitions on random data, and cases by hand."""

import numpy as np
import pytest

from vtg.analysis.errors import (
    OUTCOMES,
    PREDICTION_CLASSES,
    TRUTH_CLASSES,
    error_profile,
)
from vtg.analysis.oracle import oracle_gains
from vtg.analysis.values import first_hit, query_values

NOT_LESS = ('ranking', 'localisation', 'background', 'merged', 'split', 'duplicate')


@pytest.mark.parametrize('seed', range(6))
@pytest.mark.parametrize(('found', 'touching'), [(0.5, 0.1), (0.7, 0.3)])
def test_classes_are_partitions(made, seed, found, touching):
    questions, answers = made(seed)
    profile = error_profile(questions, answers, found, touching)
    for classes, real, names in (
        (profile.predictions, answers.mask, PREDICTION_CLASSES),
        (profile.truth, questions.mask, TRUTH_CLASSES),
    ):
        assert ((classes >= 0) == real).all() and classes.max() < len(names)
    counts = profile.counts()
    assert sum(counts['predictions'].values()) == answers.mask.sum()
    assert sum(counts['truth'].values()) == questions.mask.sum()
    assert sum(counts['first'].values()) == len(questions)
    # The share of hits is R1, and as many moments are found as predictions find one.
    hits = profile.outcome == OUTCOMES.index('hit')
    assert hits[questions.asked].mean() == pytest.approx((first_hit(answers, found) == 1)[
        questions.asked].mean())  # fmt: skip
    assert counts['truth']['found'] == counts['predictions']['correct'] + counts['predictions'][
        'ranking']  # fmt: skip
    if found == 0.5:
        assert 100 * hits[questions.asked].mean() == pytest.approx(
            np.nanmean(query_values(questions, answers)['R1@0.5'])
        )


@pytest.mark.parametrize('seed', range(6))
def test_mending_does_not_hurt_and_mending_all_gives_100(made, seed):
    questions, answers = made(seed)
    profile = error_profile(questions, answers)
    gains = oracle_gains(questions, answers, profile)
    counted = ~np.isnan(gains.plain)
    assert (counted == questions.asked).all()
    for name in NOT_LESS:
        assert (gains.mended[name] - gains.plain)[counted].min() >= -1e-12, name
    assert (gains.everything[~np.isnan(gains.everything)] == 1).all()
    # Only queries of which nothing is found or can be mended leave the mean.
    assert (~np.isnan(gains.everything))[answers.best.max(1) >= 0.5].all()


def classes(asked, truth, predicted):
    questions, answers = asked(truth, predicted)
    profile = error_profile(questions, answers)
    names = [PREDICTION_CLASSES[code] for code in profile.predictions[0, : len(predicted)]]
    return names, [TRUTH_CLASSES[code] for code in profile.truth[0, : len(truth)]], OUTCOMES[
        profile.outcome[0]]  # fmt: skip


@pytest.mark.parametrize(('truth', 'predicted', 'expected'), [
    ([[0, 10]], [[0, 10], [0, 9]], (['correct', 'duplicate'], ['found'], 'hit')),
    ([[0, 10]], [[50, 60], [0, 10]], (['background', 'ranking'], ['found'], 'ranking')),
    ([[0, 10], [12, 20]], [[0, 20]], (['correct'], ['found', 'mislocalised'], 'hit')),
    ([[0, 10], [14, 22], [80, 90]], [[0, 22.5]],
     (['merged'], ['merged', 'merged', 'missed'], 'merged')),
    ([[0, 40]], [[0, 18], [20, 38]], (['split', 'split'], ['split'], 'split')),
    ([[0, 40]], [[0, 10], [30, 50]], (['split', 'split'], ['split'], 'split')),
    ([[0, 40]], [[0, 10], [38, 70]], (['localisation', 'background'], ['mislocalised'],
                                      'localisation')),
    ([], [[0, 10]], (['null'], [], 'null')),
    ([[0, 10]], [], ([], ['missed'], 'empty')),
    ([[5, 5]], [[5, 5]], (['background'], ['missed'], 'background')),
])  # fmt: skip
def test_cases(asked, truth, predicted, expected):
    assert classes(asked, truth, predicted) == expected


def test_gains_of_cases(asked):
    def gains(truth, predicted):
        questions, answers = asked(truth, predicted)
        found = oracle_gains(questions, answers, error_profile(questions, answers))
        return found.plain[0], {n: v[0] for n, v in found.mended.items()}, found.everything[0]

    plain, mended, everything = gains([[0, 10]], [[50, 60], [0, 10]])
    assert plain == 0.5 and mended['ranking'] == mended['background'] == 1 == everything
    plain, mended, everything = gains([[0, 10], [14, 22]], [[0, 22.5]])
    assert plain == 0 and mended['merged'] == 1 == everything and mended['split'] == 0
    plain, mended, everything = gains([[0, 40]], [[0, 18], [20, 38]])
    assert plain == 0 and mended['split'] == 1 == everything
    plain, mended, everything = gains([[0, 40], [60, 70]], [[0, 12]])
    assert plain == 0 and mended['localisation'] == 0.5 and everything == 1
