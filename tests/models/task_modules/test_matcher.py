# SPDX-License-Identifier: Apache-2.0
"""Matching of predictions and moments, and its costs."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.optimize import linear_sum_assignment

from vtg.models.task_modules import (
    HungarianMatcher,
    MatchInputs,
    assign_rows,
    matched_moments,
)
from vtg.registry import TASK_UTILS
from vtg.utils import ConfigError, VtgError

SGDETR = {
    'type': 'HungarianMatcher',
    'costs': {
        'span': {'type': 'L1SpanCost', 'weight': 10.0},
        'giou': {'type': 'GIoUCost', 'weight': 1.0},
        'label': {'type': 'ClassCost', 'weight': 4.0},
        'quality': {'type': 'QualityCost', 'weight': 1.0},
    },
}


def random_inputs(*leading, queries=8, dtype=torch.float32):
    spans = torch.rand(*leading, queries, 2, dtype=dtype) * 0.8 + 0.1
    logits = torch.randn(*leading, queries, 1, dtype=dtype)
    return MatchInputs(logits, spans, torch.randn(*leading, queries, dtype=dtype))


def golden_inputs(golden, prefix):
    """Predictions of selector and decoder layers, stacked over four layers: encoder, 0, 1, 2."""
    get = lambda name: torch.from_numpy(golden[f'{prefix}out/{name}'])  # noqa: E731
    both = lambda selected, layers: torch.cat((get(selected)[None], get(layers)))  # noqa: E731
    return MatchInputs(
        both('sel/pred_logits', 'dec/logits'),
        both('sel/pred_spans', 'dec/spans'),
        both('sel/pred_quality_scores', 'dec/quality')[..., 0],
    )


@pytest.mark.parametrize('prefix', ['', 'nopad/'])
def test_matches_of_the_official_model(shared, prefix) -> None:
    golden = np.load(shared / 'golden/sgdetr.npz')
    gts = torch.from_numpy(golden[f'{prefix}in/spans'])
    mask = gts[..., 1] > 0
    index = TASK_UTILS.build(SGDETR)(golden_inputs(golden, prefix), gts, mask)
    assert index.shape == (4, *mask.shape) and index.dtype == torch.int64
    assert (index[:, ~mask] == -1).all()
    for layer, name in enumerate(('encoder', 'layer0', 'layer1', 'final')):
        for sample in range(len(gts)):
            queries, moments = golden[f'{prefix}out/match/{name}/{sample}']
            assert index[layer, sample, moments].tolist() == queries.tolist(), (name, sample)


def test_costs_of_the_official_model(shared) -> None:
    golden = np.load(shared / 'golden/sgdetr.npz')
    gts = torch.from_numpy(golden['nopad/in/spans'])
    mask = gts[..., 1] > 0
    inputs = golden_inputs(golden, 'nopad/')
    final = MatchInputs(inputs.logits[-1], inputs.spans[-1], inputs.quality[-1])
    matcher = TASK_UTILS.build(SGDETR)
    index = matcher(final, gts, mask)
    cost = matcher.cost(final, gts, mask)
    total = cost.gather(-1, index.clamp(min=0)[..., None])[..., 0][mask].sum()
    stored = golden['nopad/out/match/cost_final/matched_total_cost']
    assert total.item() == pytest.approx(float(stored), rel=2e-5)


def test_learned_references(shared) -> None:
    golden = np.load(shared / 'golden/sgdetr.npz')
    weights = json.loads((shared / 'golden/sgdetr.json').read_text())['norpn']['matcher']
    assert weights['cost_reference'] == 1 and weights['cost_iou'] == 4
    gts = torch.from_numpy(golden['nopad/in/spans'])
    sd = {
        key: golden[f'norpn/sd/{key}']
        for key in (
            'main_det_head.refpoint_embed.center.weight',
            'main_det_head.refpoint_embed.width.weight',
        )
    }
    references = torch.from_numpy(np.concatenate(list(sd.values()), axis=1)).sigmoid()
    get = lambda name: torch.from_numpy(golden[f'norpn/out/{name}'])  # noqa: E731
    inputs = MatchInputs(
        get('pred_logits'), get('pred_spans'), get('pred_quality_scores')[..., 0], references
    )
    costs = dict(
        SGDETR['costs'],
        quality={'type': 'QualityCost', 'weight': 4.0},
        reference={'type': 'ReferenceCost'},
    )
    index = HungarianMatcher(costs)(inputs, gts, gts[..., 1] > 0)
    for sample in range(len(gts)):
        queries, moments = golden[f'norpn/out/match/final/{sample}']
        assert index[sample, moments].tolist() == queries.tolist(), sample


def test_costs_by_hand() -> None:
    inputs = MatchInputs(
        logits=torch.tensor([[[0.0, 0.0], [np.log(3.0), 0.0]]], dtype=torch.float64),
        spans=torch.tensor([[[0.5, 0.2], [0.2, 0.4]]], dtype=torch.float64),
        quality=torch.tensor([[0.0, -np.log(3.0)]], dtype=torch.float64),
        references=torch.tensor([[0.5, 0.2], [0.5, 0.4]], dtype=torch.float64),
    )
    gts = torch.tensor([[[0.5, 0.4]]], dtype=torch.float64)
    cost = lambda **cfg: TASK_UTILS.build(cfg)(inputs, gts).flatten().tolist()  # noqa: E731
    assert cost(type='L1SpanCost', weight=10) == pytest.approx([2.0, 3.0])
    # [0.4, 0.6] in [0.3, 0.7]: 0.5; [0, 0.4] with it: 1/7.
    assert cost(type='GIoUCost', weight=2, eps=0) == pytest.approx([-1.0, -2 / 7])
    assert cost(type='ClassCost', weight=4, activation='softmax') == pytest.approx([-2.0, -3.0])
    assert cost(type='ClassCost', weight=4) == pytest.approx([-2.0, -3.0])
    assert cost(type='ClassCost', activation='softmax', foreground=1) == pytest.approx([-2.0, -1.0])
    assert cost(type='QualityCost', weight=1) == pytest.approx([-0.5, -0.25])
    assert cost(type='ReferenceCost', weight=1) == pytest.approx([0.0, 0.3 * 2**0.5])


@pytest.mark.parametrize('queries', [3, 8])
def test_optimal_for_every_layer_and_sample(queries) -> None:
    matcher = TASK_UTILS.build(SGDETR)
    inputs = random_inputs(4, 16, queries=queries, dtype=torch.float64)
    gts = torch.rand(16, 5, 2, dtype=torch.float64) * 0.5 + 0.2
    mask = torch.arange(5) < torch.randint(0, 6, (16, 1))
    gts[~mask] = float('nan')
    index = matcher(inputs, gts, mask)
    cost = matcher.cost(inputs, gts, mask).numpy()
    for layer in range(4):
        for sample in range(16):
            real = mask[sample].numpy()
            rows, columns = linear_sum_assignment(cost[layer, sample][real])
            expected = np.full(real.sum(), -1)
            expected[rows] = columns
            assert index[layer, sample][mask[sample]].tolist() == expected.tolist()


@pytest.mark.parametrize('rows, columns', [(3, 10), (6, 6), (7, 4), (2, 0), (0, 3)])
def test_what_a_mask_excludes_takes_no_part(rows, columns) -> None:
    rng = np.random.default_rng(rows)
    row_mask = rng.random((50, rows)) < 0.7  # scattered, with empty problems
    column_mask = rng.random((50, columns)) < rng.random((50, 1))
    pairs = row_mask[:, :, None] & column_mask[:, None]
    cost = np.where(pairs, rng.normal(size=pairs.shape), np.nan)
    result = assign_rows(cost, row_mask, column_mask)
    assert result.shape == row_mask.shape and (result[~row_mask] == -1).all()
    for matrix, real, usable, assigned in zip(cost, row_mask, column_mask, result):
        least = linear_sum_assignment(matrix[real][:, usable])
        taken = np.flatnonzero(assigned >= 0)
        assert len(set(assigned[taken])) == len(taken) == len(least[0])
        total = matrix[real][:, usable][least].sum()
        assert matrix[taken, assigned[taken]].sum() == pytest.approx(total)


def test_a_sample_alone_is_matched_as_in_the_batch() -> None:
    matcher = TASK_UTILS.build(SGDETR)
    inputs, gts = random_inputs(6), torch.rand(6, 4, 2) * 0.5 + 0.2
    mask = torch.arange(4) < torch.tensor([4, 1, 0, 2, 3, 4])[:, None]
    batch = matcher(inputs, gts, mask)
    for i, count in enumerate(mask.sum(1).tolist()):
        one = slice(i, i + 1)
        own = MatchInputs(inputs.logits[one], inputs.spans[one], inputs.quality[one])
        alone = matcher(own, gts[one, :count], mask[one, :count])
        assert batch[i, :count].tolist() == alone[0].tolist()


def test_queries_that_may_not_be_matched_are_ignored() -> None:
    matcher = TASK_UTILS.build(SGDETR)
    inputs, gts = random_inputs(2, 3), torch.rand(3, 2, 2) * 0.5 + 0.2
    real = torch.ones(3, 2, dtype=torch.bool)
    usable = torch.ones(3, 8, dtype=torch.bool)
    usable[1, 5:] = False
    usable[2, 1:] = False
    inputs.spans[:, ~usable] = float('inf')
    index = matcher(replace(inputs, mask=usable), gts, real)
    for sample, count in enumerate((8, 5, 1)):
        part = [value[:, sample, None, :count] for value in (inputs.logits, inputs.spans)]
        own = MatchInputs(*part, inputs.quality[:, sample, None, :count])
        assert torch.equal(index[:, sample], matcher(own, gts[sample, None], real[:1])[:, 0])
    assert (index[:, 2] >= 0).sum(-1).tolist() == [1, 1]
    inputs.spans[1, 1, 0] = float('nan')
    with pytest.raises(VtgError, match=r'predicted spans \(first in sample 1\)'):
        matcher(replace(inputs, mask=usable), gts, real)


def test_no_moments() -> None:
    matcher = TASK_UTILS.build(SGDETR)
    index = matcher(random_inputs(2, 3), torch.zeros(3, 0, 2), torch.zeros(3, 0).bool())
    assert index.shape == (2, 3, 0)
    index = matcher(random_inputs(2, 3), torch.zeros(3, 2, 2), torch.zeros(3, 2).bool())
    assert (index == -1).all()
    assert not matched_moments(index, 8)[1].any()
    only_label = HungarianMatcher({'label': {'type': 'ClassCost'}})
    index = only_label(random_inputs(3), torch.rand(3, 2, 2), torch.ones(3, 2).bool())
    assert (index >= 0).all()


def test_half_precision_predictions() -> None:
    inputs = random_inputs(3)
    half = MatchInputs(inputs.logits.bfloat16(), inputs.spans, inputs.quality.half())
    matcher = TASK_UTILS.build(SGDETR)
    cost = matcher.cost(half, torch.rand(3, 2, 2), torch.ones(3, 2).bool())
    assert cost.dtype == torch.float32 and not cost.requires_grad


@pytest.mark.parametrize(
    'field, shape', [('spans', (1, 2, 3, 0)), ('quality', (1, 2, 3)), ('logits', (0, 2, 1, 0))]
)
def test_what_is_not_finite_is_named(field, shape) -> None:
    inputs = random_inputs(2, 3)
    getattr(inputs, field)[shape] = float('nan')
    gts = torch.rand(3, 2, 2)
    with pytest.raises(VtgError, match=rf'predicted {field} \(first in sample 2\) is NaN'):
        TASK_UTILS.build(SGDETR)(inputs, gts, torch.ones(3, 2).bool())
    gts[0, 0] = float('inf')
    with pytest.raises(VtgError, match='the moments of the batch'):
        TASK_UTILS.build(SGDETR)(random_inputs(3), gts, torch.ones(3, 2).bool())


def test_a_missing_output_is_named() -> None:
    inputs = MatchInputs(logits=torch.zeros(1, 2, 1), spans=torch.rand(1, 2, 2))
    with pytest.raises(ConfigError, match='QualityCost needs the predicted quality'):
        TASK_UTILS.build(SGDETR)(inputs, torch.rand(1, 1, 2), torch.ones(1, 1).bool())
    with pytest.raises(ConfigError, match='at least one term'):
        HungarianMatcher({'span': None})
    with pytest.raises(ConfigError, match="'sigmoid' or 'softmax'"):
        TASK_UTILS.build({'type': 'ClassCost', 'activation': 'tanh'})


def test_matched_moments() -> None:
    index = torch.tensor([[[2, 0], [1, -1]]])
    owner, positive = matched_moments(index, 3)
    assert positive[0].tolist() == [[True, False, True], [False, True, False]]
    assert owner[0].tolist() == [[1, 0, 0], [0, 0, 0]]
    owner, positive = matched_moments(torch.zeros(2, 1, 0, dtype=torch.long), 3)
    assert owner.shape == (2, 1, 3) and not positive.any()
