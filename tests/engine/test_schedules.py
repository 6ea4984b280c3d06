# SPDX-License-Identifier: Apache-2.0
"""The learning rates of the schedules, epoch by epoch (specification of SG-DETR, section 5)."""

from pathlib import Path

import pytest
import torch

from vtg.engine.config import read_config
from vtg.registry import OPTIM_WRAPPERS, PARAM_SCHEDULERS

SCHEDULES = Path(__file__).resolve().parents[2] / 'configs/_base_/schedules'

EXPECTED = {
    'adamw_160e': {
        0: 5e-6, 1: 1.6e-5, 19: 2.14e-4, 22: 2.47e-4, 44: 4.89e-4, 45: 5e-4, 99: 5e-4,
        100: 2.5e-4, 124: 2.5e-4, 125: 1.25e-4, 159: 1.25e-4,
    },
    'adamw_50e_finetune': {
        0: 1e-5, 1: 1.08e-4, 4: 4.02e-4, 5: 5e-4, 9: 5e-4, 10: 2.5e-4, 29: 2.5e-4, 30: 1.25e-4,
        36: 1.25e-4, 39: 1e-5, 49: 1e-5,
    },
    'adamw_30e_pretrain': {
        0: 1e-5, 1: 1.325e-4, 3: 3.775e-4, 4: 5e-4, 19: 5e-4, 20: 5e-5, 26: 5e-5, 27: 5e-6,
    },
    'adamw_100e': {0: 5e-6, 10: 2.525e-4, 20: 5e-4, 39: 5e-4, 40: 2.5e-4, 50: 1.25e-4, 99: 1.25e-4},
    'adamw_120e': {0: 5e-6, 20: 5e-4, 69: 5e-4, 70: 2.5e-4, 85: 1.25e-4, 119: 1.25e-4},
    'adamw_200e_warmup': {0: 1e-5, 12: 3.04e-4, 20: 5e-4, 199: 5e-4},
    'adamw_200e_short_warmup': {0: 5e-6, 5: 5e-4, 13: 5e-4, 14: 2.5e-4, 22: 1.25e-4, 199: 1.25e-4},
    'adamw_200e_constant': {0: 1e-4, 199: 1e-4},
    'adamw_200e_drop40': {0: 2e-4, 39: 2e-4, 40: 2e-5, 80: 2e-6, 160: 2e-8},
    'adamw_200e_drop80': {0: 1e-5, 4: 5e-5, 9: 1e-4, 79: 1e-4, 80: 1e-5, 160: 1e-6, 199: 1e-6},
    'adamw_200e_step80': {0: 1e-4, 79: 1e-4, 80: 1e-5, 160: 1e-6, 199: 1e-6},
    'adamw_2000e_constant': {0: 1e-3, 1999: 1e-3},
    'adam_200e_constant': {0: 1e-3, 199: 1e-3},
    'adamw_200e_drop100': {0: 1e-4, 99: 1e-4, 100: 1e-5, 199: 1e-5},
    'adamw_200e_drop150': {0: 1e-4, 149: 1e-4, 150: 1e-5, 199: 1e-5},
    'adamw_250e_cosine': {0: 1e-4, 125: 5e-5},
    'adamw_50e': {0: 2e-5, 3: 2e-4, 39: 2e-4, 40: 2e-5, 49: 2e-5},
}  # fmt: skip
EPOCHS = {
    'adamw_160e': 160, 'adamw_50e_finetune': 50, 'adamw_30e_pretrain': 30, 'adamw_100e': 100,
    'adamw_120e': 120, 'adamw_200e_warmup': 200, 'adamw_200e_short_warmup': 200,
    'adamw_200e_constant': 200, 'adamw_200e_iter_warmup': 200, 'adamw_200e_drop40': 200,
    'adamw_200e_drop80': 200, 'adamw_200e_step80': 200, 'adamw_2000e_constant': 2000,
    'adam_200e_constant': 200, 'adamw_200e_drop100': 200, 'adamw_200e_drop150': 200,
    'adamw_250e_cosine': 250, 'adamw_120e_drop80': 120, 'adamw_400e_constant': 400,
    'adamw_50e': 50, 'adamw_50e_drop30': 50,
}  # fmt: skip


def rates(cfg, epochs, steps_per_epoch):
    """Learning rate of every step, with the schedulers stepped as the Runner steps them."""
    settings = {key: value for key, value in cfg.optim_wrapper.optimizer.items() if key != 'type'}
    optimizer = torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))], **settings)
    wrapper = OPTIM_WRAPPERS.build({'type': cfg.optim_wrapper.type, 'optimizer': optimizer})
    schedulers = [
        PARAM_SCHEDULERS.build({**item, 'optimizer': wrapper}) for item in cfg.param_scheduler
    ]
    rates = []
    for _ in range(epochs):
        for _ in range(steps_per_epoch):
            rates.append(wrapper.param_groups[0]['lr'])
            wrapper.step()
            for scheduler in schedulers:
                if not scheduler.by_epoch:
                    scheduler.step()
        for scheduler in schedulers:
            if scheduler.by_epoch:
                scheduler.step()
    return rates


@pytest.mark.parametrize('name', EXPECTED)
def test_rates_by_epoch(name):
    cfg = read_config(SCHEDULES / f'{name}.py')
    got = rates(cfg, EPOCHS[name], 1)
    for epoch, expected in EXPECTED[name].items():
        assert got[epoch] == pytest.approx(expected, rel=1e-9), (name, epoch)


def test_warm_up_by_iteration():
    got = rates(read_config(SCHEDULES / 'adamw_200e_iter_warmup.py'), 102, 20)
    assert got[:999] == pytest.approx([1e-4 * (i + 1) / 1000 for i in range(999)], rel=1e-9)
    assert got[999:2000] == pytest.approx([1e-4] * 1001, rel=1e-9)
    assert got[2000:] == pytest.approx([1e-5] * 40, rel=1e-9)


@pytest.mark.parametrize('file', sorted(SCHEDULES.glob('*_*e*.py')), ids=lambda file: file.stem)
def test_no_scheduler_takes_its_end_from_the_run(file):
    cfg = read_config(file)
    assert cfg.train_cfg.max_epochs == EPOCHS[file.stem]
    assert all('end' in item and 'begin' in item for item in cfg.param_scheduler)
