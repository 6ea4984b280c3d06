# SPDX-License-Identifier: Apache-2.0
"""Parts of two papers in one slot, each by a child config of a few lines."""

from pathlib import Path

import pytest
import torch
from reference_values.common import check_padding, without_noise

from vtg.engine import load_config
from vtg.models.rehearsal import noise_batch
from vtg.registry import MODELS
from vtg.structures import Progress

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'
CHILDREN = {
    # VideoLights' refinement of clips in front of CG-DETR's dummies.
    'fra_dummies': """
_base_ = '{configs}/cg_detr/qvhl.py'
model = dict(
    refiner=dict(_delete_=True, fra=dict(type='FeatureRefinement'), dummies=_base_.model.refiner),
    negatives=dict(keep=('video',)),
)
""",
    # FlashVTG's pyramid and head behind TaskWeave's streams per task.
    'tdu_tfl': """
_base_ = '{configs}/taskweave/qvhl.py'
_flash = dict({head})
model = dict(
    neck=dict(_delete_=True, tdu=_base_.model.neck, tfl=dict(type='TemporalPyramid')),
    moment_head=dict(_delete_=True, after='neck', **_flash),
)
""",
    'fra_own': """
_base_ = '{configs}/videolights/tr_detr_fra_added.py'
""",
}
MEMBERS = {
    'fra_dummies': ('refiner.fra', 'refiner.dummies', 'fusion'),
    'tdu_tfl': ('neck.tdu', 'neck.tfl', 'moment_head', 'feedback.moment_guided', 'saliency_head'),
    'fra_own': ('refiner.fra', 'refiner.own', 'fusion'),
}


@pytest.fixture(params=CHILDREN)
def chained(request, shaken, tmp_path):
    """The narrow model of a child config, without noise, and the members that it shows."""
    head = dict(load_config(CONFIGS / 'flashvtg/qvhl.py').model.moment_head)
    text = CHILDREN[request.param].format(
        configs=CONFIGS, head=', '.join(f'{key}={value!r}' for key, value in head.items())
    )
    (tmp_path / 'child.py').write_text(text)
    cfg = load_config(tmp_path / 'child.py').model
    cfg.defaults.update(dim=16, num_heads=4, hidden_dim=32)
    cfg.video_projector.in_dim, cfg.text_projector.in_dim = 10, 8
    torch.manual_seed(0)
    model = without_noise(shaken(MODELS.build(cfg), 0.1))
    model.progress = Progress(199, 200)
    return model, MEMBERS[request.param]


def test_order_and_two_steps(chained):
    model, members = chained
    run = [name for name in model.stages if name in model.slots]
    start = run.index(members[0])
    assert tuple(run[start : start + len(members)]) == members
    optimizer = torch.optim.SGD(model.train().parameters(), lr=1e-3)
    before = {name: value.clone() for name, value in model.named_parameters()}
    for _ in range(2):
        losses = model(**model.data_preprocessor(noise_batch(model), True), mode='loss')
        total = sum(value for name, value in losses.items() if 'loss' in name)
        assert total.isfinite()
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
    for member in members:
        own = [name for name in before if name.startswith(f'{member}.')]
        moved = [name for name in own if not model.get_parameter(name).equal(before[name])]
        assert moved or not own, member


def test_padding_does_not_matter(chained, toy):
    model, _ = chained
    batch = toy.batch(clips=(16, 8, 12))
    # A point head gives the cells of the padding a score of 0.
    rows = list(check_padding(model.eval(), batch, real=lambda state: state.span_scores > 0))
    assert len(rows) > 9 and [row for row in rows if row.failed] == []
