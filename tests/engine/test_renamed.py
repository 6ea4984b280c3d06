# SPDX-License-Identifier: Apache-2.0
"""Old names in configs."""

import pytest
import torch

from vtg.engine.checkpoint import weights_of
from vtg.engine.components import check_components
from vtg.engine.renamed import MOVED_KEYS, RENAMED, RENAMED_KEYS
from vtg.registry import MODELS
from vtg.utils import ConfigError


def test_the_one_spelling_of_a_loss_weight():
    losses = dict(margin=dict(type='MarginPairLoss', loss_weight=4.0))
    cfg = dict(model=dict(saliency_head=dict(type='LinearSaliencyHead', losses=losses)))
    expected = (
        r'^model\.saliency_head\.losses\.margin\.loss_weight is called weight now; write '
        r'model\.saliency_head\.losses\.margin\.weight, or .*\.$'
    )
    with pytest.raises(ConfigError, match=expected):
        check_components(cfg)


def test_an_argument_of_that_name_may_be_somebody_elses():
    @MODELS.register_module(name='_WithLossWeight', force=True)
    class _WithLossWeight:
        def __init__(self, loss_weight: float = 1.0) -> None:
            self.loss_weight = loss_weight

    cfg = dict(part=dict(type='_WithLossWeight', loss_weight=2.0))
    check_components(cfg)
    assert MODELS.build(cfg['part']).loss_weight == 2.0 and cfg['part']['loss_weight'] == 2.0
    MODELS.module_dict.pop('_WithLossWeight')


@pytest.mark.parametrize('old', sorted(RENAMED))
def test_old_types_are_refused(old):
    with pytest.raises(ConfigError, match=f'is called {RENAMED[old]!r} now'):
        check_components(dict(model=dict(head=dict(type=old))))
    assert MODELS.get(old) is None and MODELS.get(RENAMED[old]) is not None


@pytest.mark.parametrize('name', sorted(set(RENAMED_KEYS) - {'*'}))
def test_old_arguments_are_refused(name):
    for old, new in RENAMED_KEYS[name].items():
        with pytest.raises(ConfigError) as info:
            check_components(dict(model=dict(part={'type': name, old: {}})))
        assert f'model.part.{old} is called {new} now' in str(info.value)


@pytest.mark.parametrize('name', sorted(MOVED_KEYS))
def test_arguments_that_moved_are_refused(name):
    for old, new in MOVED_KEYS[name].items():
        expected = rf'^val_evaluator\.{old} has moved; write {new} in its stead\.$'
        with pytest.raises(ConfigError, match=expected):
            check_components(dict(val_evaluator={'type': name, old: dict(type='TemporalNMS')}))


def test_weights_of_older_checkpoints_get_their_names():
    old = {
        f'{head}alignment.query_proj.bias': torch.ones(1)
        for head in ('module.moment_head.', 'moment_head.query_head.')
    }
    kept = {'auxiliary.alignment.moment_encoder.token': torch.ones(1)}
    assert set(weights_of({'state_dict': old | kept}, 'old.pth')) == {
        'moment_head.losses.align.query_proj.bias',
        'moment_head.query_head.losses.align.query_proj.bias',
        *kept,
    }
