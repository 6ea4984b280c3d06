# SPDX-License-Identifier: Apache-2.0
"""Published TaskWeave checkpoints: the averaged weights are taken, and feedback is on."""

from argparse import Namespace
from pathlib import Path

import torch
from reference_values.core import ReferenceSet
from reference_values.taskweave import TaskWeaveCase

from vtg.conversion import convert_checkpoint
from vtg.engine import load_weights
from vtg.engine.config import load_config
from vtg.registry import MODELS

CONFIG = Path(__file__).resolve().parents[2] / 'configs/taskweave/qvhl_official.py'


def test_the_average_is_converted(shared, tmp_path):
    data = ReferenceSet(shared / 'golden', 'taskweave')
    average = data.below('sd/')
    content = {
        'model': {key: value + 1 for key, value in average.items()},
        'state_dict_ema': average,
        'epoch': 179,
        'opt': Namespace(n_epoch=200),
    }
    torch.save(content, tmp_path / 'published.ckpt')
    written = convert_checkpoint('taskweave', tmp_path / 'published.ckpt', tmp_path / 'ours.pth')
    assert torch.equal(written['moment_head.class_head.weight'], average['class_embed.weight'])
    assert written['loss_balancer.log_variances.saliency'] == average['hd_log_var'][0]

    base = load_config(CONFIG).model.to_dict()
    model = MODELS.build(TaskWeaveCase.model_config(base, data))
    load_weights(model, tmp_path / 'ours.pth')
    assert model.slots['feedback.moment_guided'].active(model.progress)
    unused = {key for key in average if key.startswith('txt_position_embed')}
    assert len(written) == len(average) - len(unused)
