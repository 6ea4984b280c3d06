# SPDX-License-Identifier: Apache-2.0
"""The ways of feedback that are compared for TaskWeave are those of its configs."""

import json
from pathlib import Path

import numpy as np
import pytest
from reference_values.case import Run
from reference_values.core import ReferenceSet
from reference_values.taskweave import SCENARIOS, TaskWeaveCase

from vtg.engine.config import load_config
from vtg.registry import MODELS

CONFIGS = Path(__file__).resolve().parents[2] / 'configs/taskweave'


@pytest.mark.parametrize(
    ('name', 'scenario'),
    [
        ('qvhl_official.py', 'mr2hd'),
        ('qvhl_hd2mr_official.py', 'hd2mr'),
    ],
)
def test_the_compared_feedback_is_that_of_the_configs(tmp_path, name, scenario):
    base = load_config(CONFIGS / 'qvhl_official.py').model.to_dict()
    wanted = load_config(CONFIGS / name).model
    sizes = {
        'hidden_dim': 256, 'nheads': 8, 'dim_feedforward': 1024,
        'n_input_proj': 2, 'enc_layers': 2, 'shared_layers': 2, 'dec_layers': 2, 'num_queries': 10,
        'saliency_margin': 0.2, 'eos_coef': 0.1,
        'matcher': {'cost_span': 10, 'cost_giou': 1, 'cost_class': 4},
    }  # fmt: skip
    (tmp_path / 'taskweave.json').write_text(json.dumps({'config': sizes}))
    widths = {'in/src_vid': np.zeros((1, 1, 2818)), 'in/src_txt': np.zeros((1, 1, 512))}
    np.savez(tmp_path / 'taskweave.npz', **widths)
    data = ReferenceSet(tmp_path, 'taskweave')
    cfg = TaskWeaveCase.model_config(base, data, Run('', kind=scenario))
    (feedback,) = (dict(member) for member in wanted.feedback.values() if member)
    (compared,) = (dict(member) for member in cfg.feedback.values())
    defaults = dict(start=0.5, stop=1.0, target=SCENARIOS[scenario][1])
    assert {**defaults, **compared} == {**defaults, **feedback}
    assert MODELS.build(cfg).stages == MODELS.build(wanted).stages
    for key in ('fusion', 'encoder', 'neck', 'saliency_head', 'moment_head', 'defaults'):
        assert cfg[key].to_dict() == wanted[key].to_dict(), key
