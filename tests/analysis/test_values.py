# SPDX-License-Identifier: Apache-2.0
"""Values per query against the evaluator, and what is missing."""

import numpy as np
import pytest
from predictions import random_records

from vtg.analysis import as_records, make_answers, make_questions
from vtg.analysis.values import (
    first_hit,
    means,
    oracle_of_list,
    query_values,
    recall_curve,
)
from vtg.evaluation.functional import evaluate_qvhighlights
from vtg.utils import DataError


def test_means_are_those_of_the_evaluator():
    annotations, predictions = random_records(3, nulls=False)
    questions = make_questions(annotations)
    answers = make_answers('m', predictions, questions)
    found = means(query_values(questions, answers))
    brief = evaluate_qvhighlights(predictions, annotations, rounded=False, extended=True)['brief']
    for ours, theirs in (
        ('R1@0.5', 'MR-full-R1@0.5'), ('R1@0.7', 'MR-full-R1@0.7'), ('mAP', 'MR-full-mAP'),
        ('mIoU', 'MR-full-mIoU'), ('mAP@0.75', 'MR-full-mAP@0.75'),
        ('HL-mAP', 'HL-min-VeryGood-mAP'), ('HL-Hit1', 'HL-min-VeryGood-Hit1'),
    ):  # fmt: skip
        assert found[ours] == pytest.approx(brief[theirs], abs=1e-9), ours
    # Written and read again nothing changes but the rounding of the files.
    again = make_answers('m', as_records(answers, questions), questions)
    assert means(query_values(questions, again)) == pytest.approx(found, abs=0.05)


def test_missing_answers_are_misses_and_queries_without_a_moment_do_not_count():
    annotations, predictions = random_records(4)
    questions = make_questions(annotations)
    full = query_values(questions, make_answers('m', predictions, questions))
    for record in predictions[:10]:
        record.pop('pred_relevant_windows')
        record['pred_saliency_scores'] = []
    values = query_values(questions, make_answers('m', predictions, questions))
    for name, column in values.items():
        asked = questions.graded if name.startswith('HL') else questions.asked
        assert (np.isnan(column) == ~asked).all()
        assert (column[:10][asked[:10]] == 0).all()
        assert np.array_equal(column[10:], full[name][10:], equal_nan=True)


def test_lists(asked):
    questions, answers = asked([[0, 10], [50, 60]], [[80, 90], [0, 4], [50, 59], [0, 10]])
    assert first_hit(answers).tolist() == [3]
    assert recall_curve(questions, answers)['0.3'] == [0, 100, 100, 100]
    assert oracle_of_list(questions, answers) == {
        'R1@0.3': 100, 'R1@0.5': 100, 'R1@0.7': 100, 'mIoU': 100,
    }  # fmt: skip
    assert first_hit(asked([[0, 10]], [[20, 30]])[1]).tolist() == [0]


def test_own_grades_and_unsorted_lists():
    annotation = {'qid': 'a', 'query': 'q', 'duration': 3, 'relevant_windows': [[0, 1]],
                  'saliency': [0, 4, 2]}  # fmt: skip
    questions = make_questions([annotation], clip_length=1.0)
    rows = [[2, 3, 0.1], [0, 1, 0.9]]
    answers = make_answers(
        'm', [{'qid': 'a', 'pred_relevant_windows': rows, 'pred_saliency_scores': [0, 1, 2]}],
        questions,
    )  # fmt: skip
    values = means(query_values(questions, answers))
    assert (values['R1@0.5'], values['HL-Hit1'], values['HL-mAP']) == (100, 0, 50)


def test_bad_records_are_named():
    with pytest.raises(DataError, match='no queries'):
        make_questions([])
    questions = make_questions([{'qid': 7, 'duration': 9, 'relevant_windows': [[0, 1]]}])
    with pytest.raises(DataError, match='qid 7: `pred_relevant_windows` must be a list of rows'):
        make_answers('m', [{'qid': 7, 'pred_relevant_windows': [[0, 1, 'x']]}], questions)
    for value in (float('nan'), 3, {'a': 1}, 'abc'):
        with pytest.raises(DataError, match='qid 7: `pred_relevant_windows`'):
            make_answers('m', [{'qid': 7, 'pred_relevant_windows': value}], questions)
