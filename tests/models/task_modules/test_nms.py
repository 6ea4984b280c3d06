# SPDX-License-Identifier: Apache-2.0
"""NMS variants against reference outputs, hand-computed cases and themselves without padding."""

import math

import pytest
import torch

from vtg.models.task_modules.nms import (
    DECAYS,
    SoftNMS,
    TemporalNMS,
    soft_nms,
    sort_moments,
    take_first,
    temporal_nms,
)
from vtg.structures import MomentList
from vtg.utils import ConfigError, read_json

VARIANTS = {
    'temporal_nms': lambda m, thr: temporal_nms(m, thr),
    'temporal_nms_max10': lambda m, thr: temporal_nms(m, thr, max_after=10),
    'zeroing': lambda m, thr: soft_nms(m, 'zeroing', thr),
    'linear': lambda m, thr: soft_nms(m, 'linear'),
    'gaussian_sigma0.5': lambda m, thr: soft_nms(m, 'gaussian', sigma=0.5),
    'bam_soft': lambda m, thr: soft_nms(m, 'gaussian_above', thr, max_after=10),
}


def batch(rows: list[list[list[float]]], dtype: torch.dtype = torch.float32) -> MomentList:
    """Pad lists of [start, end, score] with values that would show if they leaked."""
    longest = max(map(len, rows))
    padded = torch.full((len(rows), longest, 3), 77.0, dtype=dtype)
    mask = torch.zeros(len(rows), longest, dtype=torch.bool)
    for index, row in enumerate(rows):
        padded[index, : len(row)] = torch.tensor(row, dtype=dtype)
        mask[index, : len(row)] = True
    return MomentList(padded[..., :2], padded[..., 2], mask)


def rows_of(moments: MomentList) -> list[torch.Tensor]:
    table = torch.cat((moments.spans, moments.scores.unsqueeze(-1)), -1)
    return [row[mask] for row, mask in zip(table, moments.mask)]


def by_row(table: torch.Tensor) -> torch.Tensor:
    return torch.tensor(sorted(table.tolist()), dtype=table.dtype).reshape(-1, 3)


@pytest.mark.parametrize('name', VARIANTS)
@pytest.mark.parametrize('threshold', [0.5, 0.7, 0.8])
def test_reference_outputs_in_one_padded_batch(shared, name, threshold):
    cases = read_json(shared / 'golden' / 'nms_postprocess.json')['cases']
    cases = [case for case in cases if case['thr'] == threshold]
    assert len(cases) >= 6
    got = rows_of(VARIANTS[name](batch([case['input'] for case in cases]), threshold))
    for case, rows in zip(cases, got):
        expected = torch.tensor(case[name])
        assert rows.shape == expected.shape
        # Rows whose score became 0 have no defined order.
        live = int((expected[:, 2] > 0).sum())
        torch.testing.assert_close(rows[:live], expected[:live], atol=1e-5, rtol=0)
        torch.testing.assert_close(by_row(rows[live:]), by_row(expected[live:]), atol=1e-5, rtol=0)


def test_temporal_nms_drops_only_above_the_threshold():
    rows = [[0.0, 10.0, 0.9], [0.0, 5.0, 0.8], [0.0, 6.0, 0.7], [20.0, 30.0, 0.1]]  # IoU 0.5, 0.6
    kept = rows_of(temporal_nms(batch([rows]), 0.5))[0]
    assert kept[:, 2].tolist() == pytest.approx([0.9, 0.8, 0.1])


def test_zeroing_includes_the_threshold():
    scores = soft_nms(batch([[[0.0, 10.0, 0.9], [0.0, 5.0, 0.8]]]), 'zeroing', 0.5).scores
    assert scores[0].tolist() == pytest.approx([0.9, 0.0])


def test_gaussian_selects_anew_after_each_decay():
    # The second falls behind the third, which then is not decayed by it before being picked.
    rows = [[0.0, 10.0, 0.9], [0.0, 10.0, 0.8], [20.0, 30.0, 0.7]]
    result = rows_of(soft_nms(batch([rows]), 'gaussian', sigma=0.5))[0]
    assert result[:, 0].tolist() == [0.0, 20.0, 0.0]
    assert result[:, 2].tolist() == pytest.approx([0.9, 0.7, 0.8 * math.exp(-2)])


def test_max_before_cuts_in_list_order():
    rows = [[0.0, 1.0, 0.1], [5.0, 6.0, 0.2], [8.0, 9.0, 0.9]]
    assert rows_of(temporal_nms(batch([rows]), 0.5, max_before=2))[0][:, 0].tolist() == [5.0, 0.0]


def test_moments_without_length_survive():
    rows = [[4.0, 4.0, 0.9], [4.0, 4.0, 0.8], [4.0, 4.0, 0.7]]
    assert len(rows_of(temporal_nms(batch([rows]), 0.1))[0]) == 3


@pytest.mark.parametrize('name', VARIANTS)
def test_a_sample_alone_gives_the_same(name):
    torch.manual_seed(3)
    starts = torch.rand(5, 20) * 100
    rows = torch.stack((starts, starts + torch.rand(5, 20) * 60, torch.rand(5, 20)), -1)
    samples = [row[: 4 * index + 1].tolist() for index, row in enumerate(rows)]
    together = rows_of(VARIANTS[name](batch(samples), 0.5))
    for sample, rows_together in zip(samples, together):
        alone = rows_of(VARIANTS[name](batch([sample]), 0.5))[0]
        torch.testing.assert_close(alone, rows_together, atol=0, rtol=0)


@pytest.mark.parametrize('name', VARIANTS)
def test_nan_scores_suppress_nothing_and_come_last(name):
    rows = [[0.0, 10.0, math.nan], [0.0, 10.0, 0.5], [50.0, 60.0, 0.4]]
    scores = rows_of(VARIANTS[name](batch([rows]), 0.5))[0][:, 2]
    assert scores[:2].tolist() == pytest.approx([0.5, 0.4])


def test_registered_steps():
    moments = batch([[[0.0, 10.0, 0.9], [0.0, 9.0, 0.8]]])
    assert rows_of(TemporalNMS(0.7)(moments))[0].shape == (1, 3)
    assert rows_of(SoftNMS('linear')(moments))[0][:, 2].tolist() == pytest.approx([0.9, 0.08])
    with pytest.raises(ConfigError, match='gauss'):
        SoftNMS('gauss')
    with pytest.raises(ConfigError, match=next(iter(DECAYS))):
        soft_nms(moments, 'hard')


def test_sort_is_stable_keeps_padding_last_and_puts_nan_behind():
    scores = torch.tensor([[0.2, math.nan, 0.5, 0.2, 9.0], [-math.inf, 1.0, 2.0, 9.0, 9.0]])
    spans = torch.arange(5.0).view(1, 5, 1).expand(2, 5, 2)
    mask = torch.tensor([[True] * 4 + [False], [True] * 3 + [False] * 2])
    got = sort_moments(MomentList(spans, scores, mask))
    assert got.spans[0, :4, 0].tolist() == [2.0, 0.0, 3.0, 1.0]
    assert got.spans[1, :3, 0].tolist() == [2.0, 1.0, 0.0]
    assert got.mask.sum(1).tolist() == [4, 3]
    assert take_first(got, 2).scores.shape == (2, 2)
