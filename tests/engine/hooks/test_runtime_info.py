# SPDX-License-Identifier: Apache-2.0
"""Log histories."""

import torch

from vtg.engine import read_checkpoint


def test_histories_are_complete_and_bounded(toy_train, tmp_path):
    runner = toy_train({'train_cfg.max_epochs': 5})
    history = runner.message_hub.get_scalar('train/loss').data[0]
    assert len(history) == 20  # every step, although values were transferred in pairs
    runner = toy_train(
        {'train_cfg.max_epochs': 5, 'default_hooks.runtime_info.keep': 6}, work_dir='short'
    )
    scalars = runner.message_hub.log_scalars
    assert list(scalars['train/loss'].data[0]) == list(history[-6:])
    assert all(len(item.data[0]) <= 6 for item in scalars.values())
    saved = read_checkpoint(tmp_path / 'short/epoch_5.pth')['message_hub']['log_scalars']
    assert saved['train/loss']['__history__'][0].dtype == torch.float64
    assert len(saved['train/grad_norm']['__history__'][0]) == 6
