# SPDX-License-Identifier: Apache-2.0
"""Averaging once per epoch, against a computation by hand."""

from types import SimpleNamespace

import torch
from torch import nn

from vtg.engine import EpochEMAHook, read_checkpoint


def test_average_by_hand():
    model = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3))
    runner = SimpleNamespace(model=model, _resume=False)
    hook = EpochEMAHook(decay=0.9)
    hook.before_run(runner)
    nn.init.normal_(model[0].weight)  # the Runner initialises and loads after before_run
    hook.before_train(runner)
    average = {key: value.clone() for key, value in model.state_dict().items()}
    for _ in range(3):
        for _ in range(2):
            with torch.no_grad():
                model(torch.randn(4, 3))
                model[0].weight.add_(torch.randn(3, 3))
            hook.after_train_iter(runner, 0)
        hook.after_train_epoch(runner)
        for key, value in model.state_dict().items():
            if value.is_floating_point():
                average[key] = 0.9 * average[key] + 0.1 * value
            else:
                average[key] = value.clone()
    weights = {key: value.clone() for key, value in model.state_dict().items()}
    hook.before_val_epoch(runner)
    for key, value in model.state_dict().items():
        assert torch.allclose(value, average[key], rtol=1e-6, atol=1e-7), key
    assert not torch.allclose(average['1.running_mean'], weights['1.running_mean'])
    hook.after_val_epoch(runner)
    assert all(torch.equal(value, weights[key]) for key, value in model.state_dict().items())


def test_saved_and_resumed(toy_train, tmp_path):
    ema = {'default_hooks.ema': {'_delete_': True, 'type': 'EpochEMAHook', 'decay': 0.5}}
    whole = toy_train(ema, 'whole')
    toy_train(ema, 'part')
    for path in (tmp_path / 'part').glob('epoch_3.pth'):
        path.unlink()
    (tmp_path / 'part/last_checkpoint').unlink()
    resumed = toy_train({**ema, 'resume': 'auto'}, 'part')
    assert resumed.iter == whole.iter == 12
    a, b = (read_checkpoint(tmp_path / name / 'epoch_3.pth') for name in ('whole', 'part'))
    for part in ('state_dict', 'ema_state_dict'):
        assert all(torch.equal(a[part][key], b[part][key]) for key in a[part])
    # `state_dict` holds the average, which is what evaluation saw
    key = 'net.0.weight'
    assert not torch.equal(a['state_dict'][key], a['ema_state_dict'][f'module.{key}'])
