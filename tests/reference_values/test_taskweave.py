# SPDX-License-Identifier: Apache-2.0
"""TaskWeave gives the stored values through converter and config."""

from pathlib import Path

import numpy as np
import pytest
from reference_values.taskweave import check
from reference_values.taskweave_cases import SCENARIOS, model_config

from vtg.engine.config import load_config

CONFIGS = Path(__file__).resolve().parents[2] / 'configs/taskweave'


def test_everything_is_within_the_tolerance(shared):
    model = load_config(CONFIGS / 'qvhl_official.py').model.to_dict()
    rows = {row.name: row for row in check(shared / 'golden', model)}
    assert [row for row in rows.values() if row.failed] == []
    assert not any(row.skipped for row in rows.values())
    compared = {name.removesuffix(' seconds').removesuffix(' scores') for name in rows}
    compared |= {name.rsplit('/', 1)[0] for name in rows if 'saliency_half' in name}
    kinds = ('out', 'mid', 'loss', 'match', 'pred', 'grad')
    for key in np.load(shared / 'golden/taskweave.npz').files:
        parts = key.split('/')
        if parts[0] in kinds or (len(parts) > 1 and parts[1] in kinds):
            assert key in compared or key == 'grad/param_names', key


@pytest.mark.parametrize(
    ('name', 'scenario'),
    [
        ('qvhl_official.py', 'mr2hd'),
        ('qvhl_hd2mr_official.py', 'hd2mr'),
    ],
)
def test_the_compared_feedback_is_that_of_the_configs(name, scenario):
    base = load_config(CONFIGS / 'qvhl_official.py').model.to_dict()
    wanted = load_config(CONFIGS / name).model
    sizes = {
        'hidden_dim': 256, 'nheads': 8, 'dim_feedforward': 1024, 'video_dim': 2818, 'text_dim': 512,
        'n_input_proj': 2, 'enc_layers': 2, 'shared_layers': 2, 'dec_layers': 2, 'num_queries': 10,
        'saliency_margin': 0.2, 'eos_coef': 0.1,
        'matcher': {'cost_span': 10, 'cost_giou': 1, 'cost_class': 4},
    }  # fmt: skip
    cfg = model_config(base, {'config': sizes}, scenario)
    (feedback,) = (dict(member) for member in wanted.feedback.values() if member)
    (compared,) = (dict(member) for member in cfg.feedback.values())
    defaults = dict(start=0.5, stop=1.0, target=SCENARIOS[scenario][1])
    assert {**defaults, **compared} == {**defaults, **feedback}
    assert tuple(cfg.stages) == tuple(wanted.stages)
    for key in ('fusion', 'encoder', 'neck', 'saliency_head', 'moment_head', 'defaults'):
        assert cfg[key].to_dict() == wanted[key].to_dict(), key
