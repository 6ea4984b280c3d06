# SPDX-License-Identifier: Apache-2.0
"""Highlight detection against hand-computed cases and a naive re-computation."""

import numpy as np
import pytest

from vtg.evaluation.functional import clip_labels, evaluate_highlights, grouped_average_precision


def naive_ap(scores: list[float], labels: list[bool]) -> float:
    """The curve over distinct scores, level by level."""
    levels, found = [], 0
    for score in sorted(set(scores), reverse=True):
        chosen = [label for value, label in zip(scores, labels) if value >= score]
        if sum(chosen) > found:
            levels.append(sum(chosen) / len(chosen))
            found = sum(chosen)
    return float(np.mean([max(levels[i:]) for i in range(len(levels))])) if levels else 0.0


def annotation(grades: dict[int, list[int]], duration: float = 10) -> dict:
    return {
        'qid': 1,
        'duration': duration,
        'relevant_clip_ids': list(grades),
        'saliency_scores': list(grades.values()),
    }


def evaluate(scores: list[float], grades: dict[int, list[int]], duration: float = 10) -> dict:
    prediction = {'qid': 1, 'pred_saliency_scores': scores}
    return evaluate_highlights([prediction], [annotation(grades, duration)])


def test_against_naive_recomputation():
    rng = np.random.default_rng(2)
    scores = rng.integers(-3, 4, (200, 12)) / 4.0  # many ties
    labels = rng.random((200, 12, 4)) < rng.random((200, 1, 4))
    clips = rng.integers(1, 13, 200)
    got = grouped_average_precision(scores, labels, clips)
    for query, count in enumerate(clips):
        for column in range(4):
            truth = labels[query, :count, column].tolist()
            expected = naive_ap(scores[query, :count].tolist(), truth)
            assert got[query, column] == pytest.approx(expected, abs=1e-12)


def test_tied_scores_are_one_step():
    labels = np.array([[[1], [1], [0], [0]]], bool)
    tied = grouped_average_precision(np.array([[0.5, 0.5, 0.5, 0.1]]), labels, np.array([4]))
    assert tied[0, 0] == pytest.approx(2 / 3)
    apart = grouped_average_precision(np.array([[0.5, 0.4, 0.3, 0.1]]), labels, np.array([4]))
    assert apart[0, 0] == 1


def test_columns_without_and_with_only_positives():
    labels = np.stack((np.zeros((1, 3)), np.ones((1, 3))), -1).astype(bool)
    got = grouped_average_precision(np.array([[0.1, 0.2, 0.3]]), labels, np.array([3]))
    assert got.tolist() == [[0.0, 1.0]]


def test_grades_by_annotator():
    labels, clips = clip_labels([annotation({1: [4, 2, 0], 3: [1, 3, 3]}, duration=9.9)])
    assert clips.tolist() == [4]
    assert labels[0].tolist() == [[0, 0, 0], [4, 2, 0], [0, 0, 0], [1, 3, 3]]


def test_hit_is_any_annotator_at_the_first_maximum():
    result = evaluate([0.1, 0.9, 0.9, 0.0, 0.0], {1: [0, 2, 4], 2: [4, 4, 4]})
    assert [values['HL-Hit1'] for values in result.values()] == [100, 100, 100]
    result = evaluate([0.1, 0.9, 0.9, 0.0, 0.0], {1: [0, 2, 1], 2: [4, 4, 4]})
    assert [values['HL-Hit1'] for values in result.values()] == [100, 0, 0]


def test_long_lists_are_cut_for_map_and_not_for_the_hit():
    grades = {0: [4, 4, 4]}
    result = evaluate([0.8, 0.1, 0.1, 0.1, 0.1, 0.9], grades)['HL-min-VeryGood']
    assert result == {'HL-mAP': 100.0, 'HL-Hit1': 0.0}


def test_short_lists_are_filled_with_zeros_that_outrank_negative_scores():
    grades = {0: [4, 4, 4]}
    result = evaluate([-0.1, -0.2], grades)['HL-min-VeryGood']
    assert result['HL-Hit1'] == 100
    assert result['HL-mAP'] == pytest.approx(25)  # three padded clips come first


def test_annotators_without_highlights_count_as_zero():
    result = evaluate([0.9, 0.1, 0.0, 0.0, 0.0], {0: [4, 0, 0]})
    assert result['HL-min-VeryGood']['HL-mAP'] == pytest.approx(100 / 3)
