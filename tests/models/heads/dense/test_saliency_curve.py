# SPDX-License-Identifier: Apache-2.0
"""Moments of a curve against loops, and the whole zero-shot system on simulated data."""

from pathlib import Path

import pytest
import torch

from vtg.apis import test as evaluation
from vtg.datasets import SimulatedDataset, collate
from vtg.engine import load_config
from vtg.engine.checkpoint import load_weights
from vtg.models.heads import SaliencyCurveHead
from vtg.registry import METRICS, MODELS
from vtg.structures import MAIN, GroundingState
from vtg.utils import CheckpointError

ROOT = Path(__file__).resolve().parents[4] / 'configs'
CURVES = (
    [0.0, 0.1, 0.9, 0.8, 0.1, 0.0, 0.5, 0.6, 0.0],
    [0.3, 0.3, 0.3],
    [-0.2],
    [0.9, 0.1, -0.3, -0.3, 0.7, 0.7, 0.7],
)


def state_of(curves, junk=5.0):
    length = max(map(len, curves))
    saliency = torch.full((len(curves), length), junk)
    mask = torch.zeros_like(saliency, dtype=torch.bool)
    for row, real, curve in zip(saliency, mask, curves):
        row[: len(curve)] = torch.tensor(curve)
        real[: len(curve)] = True
    empty = torch.zeros(len(curves), length, 1)
    state = GroundingState(empty, mask, empty, mask, 2.0 * mask.sum(1))
    return state.update(saliency=saliency)


def moments_of(head, curves):
    state = state_of(curves)
    (found,) = head.predict(state.update(**head(state))).values()
    return [
        torch.cat((spans, scores.unsqueeze(1)), dim=1)[mask]
        for spans, scores, mask in zip(found.spans, found.scores, found.mask)
    ]


def by_loops(curve, levels, prior):
    """``{(start, end): score}`` in clips."""
    low, high, found = min(curve), max(curve), {}
    for step in range(levels):
        level = low + (high - low) * step / levels
        above = [value >= level for value in curve] + [False]
        start = None
        for clip, inside in enumerate(above):
            if inside and start is None:
                start = clip
            elif not inside and start is not None:
                rest = curve[:start] + curve[clip:]
                mean = sum(curve[start:clip]) / (clip - start)
                contrast = mean - (sum(rest) / len(rest) if rest else 0)
                count = clip - start
                found[start, clip] = max(0, contrast * count / (count + prior))
                start = None
    return found


def test_proposals_and_scores_are_those_of_loops():
    head = SaliencyCurveHead(num_levels=8, prior_clips=2.0)
    assert not list(head.parameters())
    together = moments_of(head, CURVES)
    for curve, rows in zip(CURVES, together):
        wanted = by_loops(curve, 8, 2.0)
        got = {(round(s / 2), round(e / 2)): score for s, e, score in rows.tolist()}
        assert got.keys() == wanted.keys() and len(rows) == len(got)
        assert got == pytest.approx(wanted, abs=1e-5)
        assert rows[:, 2].diff().le(0).all()
        (alone,) = moments_of(head, [curve])
        torch.testing.assert_close(alone, rows, atol=1e-5, rtol=0)
    assert together[0][0, :2].tolist() == [4.0, 8.0]
    # A curve without contrast gives the video as a whole.
    assert together[1].tolist() == [[0.0, 6.0, pytest.approx(0.3 * 3 / 5)]]


def small_trained(steps):
    """UniVTG after some steps on the simulated data, 16 wide."""
    torch.manual_seed(0)
    cfg = load_config(ROOT / 'univtg/demo.py')
    cfg.model.defaults.update(dim=32, num_heads=2, hidden_dim=32)
    cfg.model.encoder.num_layers = 1
    model = MODELS.build(cfg.model)
    dataset = SimulatedDataset(num_samples=128, **data(cfg))
    samples = [dataset[index] for index in range(len(dataset))]
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    for step in range(steps):
        first = step * 32 % 128
        batch = model.data_preprocessor(collate(samples[first : first + 32]), True)
        loss, _ = model.parse_losses(model(**batch, mode='loss'))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return cfg, model.eval()


def data(cfg):
    options = dict(cfg.val_dataloader.dataset)
    return {key: options[key] for key in options.keys() & {
        'num_clips', 'moment_clips', 'max_moments', 'video_dims', 'text_dim', 'difficulty',
        'text', 'features',
    }}  # fmt: skip


def scores_of(cfg, model):
    dataset = SimulatedDataset(num_samples=48, first_video=100000, test_mode=True, **data(cfg))
    batch = collate([dataset[index] for index in range(len(dataset))])
    metric = METRICS.build(cfg.val_evaluator)
    with torch.no_grad():
        metric.process(batch, model.test_step(batch))
    found = metric.evaluate(len(dataset))
    names = ('MR-full-mAP', 'HL-min-VeryGood-mAP')
    return [next(v for key, v in found.items() if key.endswith(name)) for name in names]


def test_the_baseline_beats_an_untrained_system_on_simulated_data():
    cfg = load_config(ROOT / 'zero_shot/demo.py')
    zero_shot = scores_of(cfg, MODELS.build(cfg.model).eval())
    untrained, trained = (scores_of(*small_trained(steps)) for steps in (0, 16))
    assert zero_shot[0] > 1.5 * untrained[0] and zero_shot[1] > 1.5 * untrained[1]
    assert trained[1] > untrained[1]


def test_a_model_that_learns_nothing_needs_no_checkpoint(tmp_path):
    cfg = load_config(ROOT / 'zero_shot/demo.py', ['val_dataloader.dataset.num_samples=8'])
    cfg.work_dir = str(tmp_path)
    runner = evaluation.evaluation_runner(cfg, 'val')
    assert load_weights(runner.bare_model, 'none') == {}
    found = evaluation.test_in(runner, None)
    assert found.table[MAIN]['MR-full-mAP'] > 0
    with pytest.raises(CheckpointError, match='needs weights'):
        load_weights(torch.nn.Linear(1, 1), None)
