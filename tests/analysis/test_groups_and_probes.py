# SPDX-License-Identifier: Apache-2.0
"""Groups of queries, highlights, calibration, answers that do not look, ensembles."""

import math

import numpy as np
import pytest

from vtg.analysis import Options, Study, System, make_answers, make_questions
from vtg.analysis.breakdown import annotator_agreement, breakdown, groups_of, words_of
from vtg.analysis.calibration import (
    calibration,
    existence_calibration,
    saliency_in_windows,
    spearman,
)
from vtg.analysis.fusion import Step, apply_step, fuse, search
from vtg.analysis.highlights import CLIP_CLASSES, OUTCOMES, highlight_profile
from vtg.analysis.parts import null_part
from vtg.analysis.probes import moment_prior, prior_answers, shuffled_answers
from vtg.analysis.values import means, query_values
from vtg.utils import DataError


@pytest.mark.parametrize('seed', range(3))
def test_groups_of_a_kind_share_the_queries(made, seed):
    questions, answers = made(seed)
    groups = groups_of(questions)
    values = query_values(questions, answers)
    rows = breakdown(groups, values, ('mAP', 'HL-mAP'))
    for kind in dict.fromkeys(group.kind for group in groups):
        members = [group.rows for group in groups if group.kind == kind]
        assert np.sum(members, axis=0).max() == 1  # no query is in two
    together = [index for index, group in enumerate(groups) if group.kind == 'moments']
    assert sum(rows[i]['queries'] for i in together) == len(questions)
    weights = [g.rows[questions.asked].sum() for g in groups if g.kind == 'moment length']
    parts = [r['mAP'] for g, r in zip(groups, rows) if g.kind == 'moment length']
    assert np.dot(weights, parts) / sum(weights) == pytest.approx(means(values)['mAP'])


def test_agreement_is_the_mean_correlation(made):
    questions, _ = made(0)
    agreement = annotator_agreement(questions)
    index = int(np.flatnonzero(~np.isnan(agreement))[0])
    grades = questions.grades[index, : questions.clips[index]].astype(float)
    with np.errstate(invalid='ignore', divide='ignore'):
        pairs = np.corrcoef(grades.T)[np.triu_indices(3, 1)]
    assert agreement[index] == pytest.approx(np.nanmean(pairs))


def test_words():
    records = [
        {'qid': i, 'query': f'the {"red" if i % 2 else "blue"} dog', 'relevant_windows': [[0, 1]]}
        for i in range(40)
    ]
    found = words_of(make_questions(records), np.array([0.0, 50.0] * 20))
    assert found['worst'] == [('blue', 20, 0), ('dog', 40, 25), ('red', 20, 50)]


@pytest.mark.parametrize('seed', range(3))
def test_highlights_are_a_partition(made, seed):
    questions, answers = made(seed)
    profile = highlight_profile(questions, answers)
    counts = profile.counts()
    assert sum(counts['clips'].values()) == questions.clips[profile.rows].sum()
    assert sum(counts['first'].values()) == len(profile.rows)
    share = (profile.outcome == OUTCOMES.index('hit')).mean()
    assert 100 * share == pytest.approx(means(query_values(questions, answers))['HL-Hit1'])
    counted = ~np.isnan(profile.plain)
    assert (profile.everything[counted] == 1).all()
    assert all((v - profile.plain)[counted].min() > -1e-12 for v in profile.mended.values())


def test_classes_of_clips():
    record = {'qid': 1, 'duration': 16, 'relevant_windows': [[4, 8]], 'relevant_clip_ids': [2, 3],
              'saliency_scores': [[4, 0], [1, 2]]}  # fmt: skip
    questions = make_questions([record])

    def outcome(scores):
        answers = make_answers('m', [{'qid': 1, 'pred_saliency_scores': scores}], questions)
        profile = highlight_profile(questions, answers)
        return OUTCOMES[profile.outcome[0]], [CLIP_CLASSES[c] for c in profile.clips[0]]

    names = ['border', 'border', 'positive', 'graded', 'border', 'border', *['elsewhere'] * 2]
    assert outcome([0, 0, 9, 0, 0, 0, 0, 0]) == ('hit', names)
    assert [outcome([*[0] * n, 9, *[0] * (8 - n)])[0] for n in (3, 5, 7, 8)] == [
        'graded', 'border', 'elsewhere', 'beyond',
    ]  # fmt: skip
    assert outcome([1] * 8)[0] == 'constant'


def test_calibration_of_a_case(asked):
    _, answers = asked([[0, 10]], [[0, 10, 0.9], [0, 5, 0.5], [50, 60, 0.1]])
    found = calibration(answers, first_only=False, bins=2)
    # Bins: [0.1] and [0.9, 0.5]; both windows of the second find the moment (IoU 1 and 0.5).
    assert (found.count, found.precision, found.iou) == pytest.approx((3, 2 / 3, 0.5))
    assert found.ece == pytest.approx((0.1 + 2 * 0.3) / 3) and found.mce == pytest.approx(0.3)
    assert found.iou_ece == pytest.approx((0.1 + 2 * 0.05) / 3)
    assert found.brier == pytest.approx((0.01 + 0.25 + 0.01) / 3) and found.spearman == 1
    assert calibration(answers, True).count == 1
    _, logits = asked([[0, 10]], [[0, 10, 3.0], [20, 30, -3.0]])
    with pytest.raises(DataError, match=r'reach from -3 to 3.*--sigmoid'):
        calibration(logits, False)
    assert calibration(logits, False, sigmoid=True).score == pytest.approx(0.5)
    assert math.isnan(spearman(np.ones(3), np.arange(3)))


def test_probabilities_of_a_moment():
    truth = [{'qid': n, 'duration': 9, 'relevant_windows': [[0, 2]][:exists]}
             for n, exists in enumerate((1, 1, 0, 0))]  # fmt: skip
    questions = make_questions(truth)
    records = [{'pred_exist_score': 0.9}, {'pred_relevant_windows': [[0, 1, 0.6], [1, 2, 0.2]]},
               {'pred_exist_score': 0.1, 'pred_relevant_windows': [[0, 1, 0.8]]}, {}]  # fmt: skip
    answers = make_answers('m', records, questions)
    assert answers.existence.tolist() == [0.9, 0.6, 0.1, 0]
    found = existence_calibration(answers, questions.asked)
    assert found.brier == pytest.approx((0.01 + 0.16 + 0.01) / 4) and found.precision == 0.5
    part = null_part(Study('t', [System('m', questions, [answers])]))
    rows = {row[0]: row[1:6] for row in part.blocks[1].rows}
    assert rows['m'] == ['100.00', '0.75', '0.05', '100.00', '100.00']
    assert rows['reject every query'][3:] == ['66.67', '50.00']
    # A system that turns the scores round is worse by 100 points on every draw with both kinds.
    turned = make_answers('w', [{'pred_exist_score': 1 - s} for s in answers.existence], questions)
    systems = [System('m', questions, [answers]), System('w', questions, [turned])]
    rows = null_part(Study('t', systems, Options(resamples=200))).blocks[1].rows
    assert rows[1][1] == '0.00' and rows[1][-2] == '[-100.00, +0.00]' and rows[0][-1] == '-'


def test_saliency_inside_of_windows():
    questions = make_questions([{'qid': 1, 'duration': 8, 'relevant_windows': [[0, 4]]}] * 3)
    curves = [[4, 3, 2, 1], [1, 4, 2, 3], [0, 0, 0, 0]]
    answers = make_answers('m', [{'pred_saliency_scores': c} for c in curves], questions)
    area = saliency_in_windows(answers, questions.truth, questions.mask, 2.0)
    assert area.tolist() == [1, 0.5, 0.5]


def test_a_prior_finds_what_is_frequent():
    training = [
        {'qid': i, 'duration': 100 * (1 + i % 2), 'relevant_windows': [window]}
        for i, window in enumerate([[0, 50], [0, 100]] * 30 + [[90, 100], [180, 200]] * 10)
    ]  # relative: the first half, three times as often as the last tenth
    windows, shares = moment_prior(training, top=2)
    assert windows[0].tolist() == [0, 0.5] or shares[0] == 0.75
    assert shares.tolist() == [0.75, 0.25]
    questions = make_questions(training)
    values = means(query_values(questions, prior_answers(questions, windows, shares)))
    assert values['R1@0.5'] == 75 and values['R5@0.5'] == 100


def test_shuffled_answers_belong_to_others(made):
    questions, answers = made(0)
    for inside in (True, False):
        shuffled, moved = shuffled_answers(questions, answers, inside, seed=1)
        assert moved.all()  # three queries per video
        scores = [tuple(row) for row in answers.scores]
        # Who has no window gets none to be told by.
        source = {i: scores.index(tuple(r)) for i, r in enumerate(shuffled.scores) if r.any()}
        assert len(set(source.values())) == len(source) > 40
        assert all(i != s for i, s in source.items())
        same = [questions.videos[i] == questions.videos[s] for i, s in source.items()]
        assert all(same) if inside else sum(same) < 10


def test_ensembles(made, asked):
    questions, answers = made(1)
    alone = fuse(questions, [answers, answers], least=0.999, top=20)
    assert means(query_values(questions, alone)) == pytest.approx(
        means(query_values(questions, answers)), abs=1.5
    )  # but for equal windows, which become one
    questions, one = asked([[0, 10]], [[0, 10, 0.8], [50, 60, 0.4]])
    _, other = asked([[0, 10]], [[0, 12, 0.4]])
    both = fuse(questions, [one, other], [3, 1])
    # 0.75 * 0.8 and 0.25 * 0.4 join: (0.6 * 10 + 0.1 * 12) / 0.7.
    assert both.windows[0, :2].tolist() == [[0, pytest.approx(7.2 / 0.7)], [50, 60]]
    assert both.scores[0, :2].tolist() == pytest.approx([0.7, 0.3]) and both.mask[0].sum() == 2


def test_post_processing(asked, made):
    questions, answers = asked([[0, 10]], [[1.2, 9.4, 0.9], [0, 10, 0.8], [20, 20.4, 0.7]])
    rounded = apply_step(questions, answers, Step(clip=2.0, suppress=0.7))
    assert rounded.windows[0, rounded.mask[0]].tolist() == [[2, 10], [20, 22]]
    questions, answers = made(2, nulls=False)
    found = search(questions, answers, 'mAP')
    assert found.table[0] == (Step(), found.before)
    assert found.before == pytest.approx(means(query_values(questions, answers))['mAP'])
    assert found.after == max(value for _, value in found.table) >= max(found.before, found.honest)
