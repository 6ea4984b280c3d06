# SPDX-License-Identifier: Apache-2.0
"""Steps of post-processing against reference outputs and hand-computed cases."""

import math

import pytest
import torch

from vtg.evaluation.records import moments_to_lists
from vtg.models.task_modules import post_processing as pp
from vtg.structures import MomentList
from vtg.utils import ConfigError, read_json


def moment_list(rows: list[list[float]]) -> MomentList:
    table = torch.tensor([rows])
    return MomentList(table[..., :2], table[..., 2], torch.ones(1, len(rows), dtype=torch.bool))


def run(steps: dict, rows: list[list[float]], duration: torch.Tensor | None = None) -> list:
    processor = pp.PostProcessor(steps)
    return moments_to_lists(processor(moment_list(rows), duration), digits=None)[0]


def clamp_round(high: float, grid: float) -> dict:
    return {
        'clamp': {'type': 'ClampMoments', 'high': high},
        'round': {'type': 'RoundMoments', 'grid': grid},
        'scores': {'type': 'RoundScores', 'digits': 4},
    }


REFERENCE = {
    'round_clip2_max150': clamp_round(150.0, 2.0),
    'round_clip1_max150': clamp_round(150.0, 1.0),
    'round_clip_vgg_max360': clamp_round(360.0, 0.166666),
    'window_lengths_center_4_30': {
        'length': {'type': 'LimitLengths', 'min_length': 4.0, 'max_length': 30.0},
        **clamp_round(150.0, 2.0),
    },
}


@pytest.mark.parametrize('name', REFERENCE)
def test_reference_outputs(shared, name):
    for case in read_json(shared / 'golden' / 'nms_postprocess.json')['cases']:
        rows = case['input']
        if name == 'round_clip2_max150':
            rows = [[start - 1, end + 3, score] for start, end, score in rows]
        got = torch.tensor(run(REFERENCE[name], rows))
        torch.testing.assert_close(got, torch.tensor(case[name]), atol=1e-5, rtol=0)


def test_halves_go_to_the_even_multiple():
    spans = torch.tensor([[[1.0, 3.0], [5.0, 7.0], [0.999, 3.001]]])
    expected = torch.tensor([[[0.0, 4.0], [4.0, 8.0], [0.0, 4.0]]])
    assert torch.equal(pp.round_spans(spans, 2.0), expected)


def test_lengths_keep_the_centre_and_leave_the_rest_untouched():
    spans = torch.tensor([[[149.0, 150.0], [0.0, 100.0], [10.0, 30.3]]])
    got = pp.limit_lengths(spans, 4.0, 40.0)
    assert torch.equal(got, torch.tensor([[[147.5, 151.5], [30.0, 70.0], [10.0, 30.3]]]))


def test_second_clamp_is_a_step():
    steps = {
        **clamp_round(150.0, 2.0),
        'length': {'type': 'LimitLengths', 'min_length': 2.0, 'max_length': 150.0},
    }
    rows = [[149.2, 149.8, 0.5]]  # rounds to an empty window at the end of the range
    assert run(steps, rows)[0][:2] == [149.0, 151.0]
    steps['clamp_again'] = {'type': 'ClampMoments', 'high': 150.0}
    assert run(steps, rows)[0][:2] == [149.0, 150.0]
    steps['clamp_again'] = None
    assert run(steps, rows)[0][:2] == [149.0, 151.0]


def test_clamp_to_the_duration_of_each_sample():
    spans = torch.tensor([[[-3.0, 200.0]], [[-3.0, 200.0]]])
    moments = MomentList(spans, torch.ones(2, 1), torch.ones(2, 1, dtype=torch.bool))
    got = pp.ClampMoments()(moments, torch.tensor([120.0, 150.0])).spans
    assert got.flatten().tolist() == [0.0, 120.0, 0.0, 150.0]
    with pytest.raises(ConfigError, match='high'):
        pp.ClampMoments()(moments)


def test_nan_spans_stay_nan_and_harm_nobody():
    rows = [[math.nan, 3.0, 0.5], [1.0, 3.0, 0.4]]
    got = run(REFERENCE['window_lengths_center_4_30'], rows)
    assert math.isnan(got[0][0])
    assert got[1][:2] == [0.0, 4.0]


def test_scores_round_as_decimal_formatting():
    scores = torch.rand(1, 2000)
    expected = [float(f'{score:.4f}') for score in scores[0].tolist()]
    rounded = pp.round_scores(scores, 4)[0].double().tolist()
    assert rounded == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize('build', [lambda: pp.RoundMoments(0.0), lambda: pp.LimitLengths(5.0, 2.0)])
def test_impossible_options_are_refused(build):
    with pytest.raises(ConfigError, match='expected'):
        build()
