# SPDX-License-Identifier: Apache-2.0
"""Every loss of a moment head in every moment head.

The cases come from the registry: a new loss joins with a config in ``CONFIGS``. What fits takes two
steps in which the loss reaches the head; the rest is refused with a sentence that names the loss.
"""

import copy

import pytest
import torch
from systems import small_system

from vtg.models.losses import MomentLoss
from vtg.models.rehearsal import noise_batch
from vtg.registry import MODELS
from vtg.utils import ConfigError

# What a loss cannot do without; `dim` of a part follows from the model.
CONFIGS = {
    'L1SpanLoss on offsets': dict(type='L1SpanLoss', on='offsets'),
    'SmoothL1SpanLoss on ends': dict(type='SmoothL1SpanLoss', on='ends', reduction='sum'),
    'ReferenceOffsetLoss': dict(type='ReferenceOffsetLoss', part='width', margin=0.0),
    'QueryTextAlignment': dict(type='QueryTextAlignment', text='projected', embed_dim=8),
}
HEADS = {
    'query': ('qd_detr', 'moment_head'),
    'slots': ('moment_detr', 'moment_head'),
    'clips': ('univtg', 'moment_head'),
    'points': ('flashvtg', 'moment_head'),
    'centres': ('umt', 'moment_head'),
    'anchors': ('sgdetr', 'moment_head.dense_head'),
    'selected': ('sgdetr', 'moment_head.query_head'),
}
QUERIES = {'query', 'slots', 'selected'}
DENSE = {'clips', 'points', 'centres', 'anchors'}
EVERY = QUERIES | DENSE
# Where a loss that does not fit all heads belongs.
FITS = {
    'SoftmaxClassLoss': {'query', 'slots'},
    'QualityLoss': {'selected'},
    'CenternessLoss': {'anchors'},
    'GaussianFocalLoss': {'centres'},
    'ReferenceOffsetLoss': {'query', 'selected'},
    'QueryTextAlignment': QUERIES,
    'BestOverlapLoss': QUERIES,
    'ClipScoreLoss': DENSE,
    'ClipLabelLoss': DENSE,
    'L1SpanLoss on offsets': {'points'},
}


def registered():
    """A config of every registered loss, by name."""
    MODELS.import_from_location()
    found = {
        name for name, cls in MODELS.module_dict.items()
        if isinstance(cls, type) and issubclass(cls, MomentLoss)
    }  # fmt: skip
    return {name: dict(type=name) for name in sorted(found - set(CONFIGS))} | CONFIGS


LOSSES = registered()
CASES = [(head, loss) for head in HEADS for loss in LOSSES]


def model_with(head, losses):
    """A system whose head has further losses."""
    system, place = HEADS[head]

    def change(model):
        for part in place.split('.'):
            model = model[part]
        model['losses'] = {**model['losses'], **copy.deepcopy(losses)}

    return small_system(system, change=change)


def steps(model):
    """Take two steps; return the losses of the second and the gradients."""
    torch.manual_seed(0)
    model.train()
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-2)
    batch = noise_batch(model)
    for _ in range(2):
        optimizer.zero_grad()
        losses = model(**model.data_preprocessor(batch, True), mode='loss')
        assert all(value.isfinite() for value in losses.values()), losses
        sum(losses.values()).backward()
        optimizer.step()
    grads = [p.grad for p in model.parameters() if p.grad is not None]
    assert all(grad.isfinite().all() for grad in grads)
    return losses


@pytest.mark.parametrize(('head', 'loss'), CASES)
def test_every_loss_in_every_head(head, loss):
    further = {'further': LOSSES[loss]}
    if head not in FITS.get(loss, EVERY):
        kind = LOSSES[loss]['type']
        with pytest.raises(ConfigError, match=rf'losses\.further \({kind}\) (needs|compares)') as e:
            model_with(head, further)
        assert str(e.value).endswith('.') and 'losses.further=' in str(e.value)
        return
    losses = steps(model_with(head, further))
    names = [name for name in losses if 'further' in name]
    assert names and all(losses[name].requires_grad for name in names)


def test_the_clip_aware_score_of_flashvtg_in_sgdetr():
    score = dict(type='ClipScoreLoss', weight=4.0)
    losses = steps(model_with('anchors', {'clip_score': score}))
    assert losses['loss_clip_score'] > 0


def test_cross_entropy_for_focal_in_atss():
    label = dict(type='SigmoidClassLoss', background_weight=1.0, weight=2.0)
    plain = steps(model_with('anchors', {}))
    losses = steps(model_with('anchors', {'label': label}))
    assert set(losses) == set(plain)
    assert losses['loss_dense_label'] > plain['loss_dense_label']  # focal weighs the easy down
