# SPDX-License-Identifier: Apache-2.0
"""Registries that import their packages on demand and name what was meant."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from mmengine import registry as root
from mmengine.registry import Registry as RootRegistry

from vtg import registry
from vtg.registry import MODELS, TASK_UTILS, Registry, registered_names
from vtg.utils import ConfigError

OURS = {name: item for name, item in vars(registry).items() if isinstance(item, Registry)}


@pytest.mark.parametrize('name', OURS)
def test_every_registry_is_a_child_of_its_root(name):
    assert OURS[name].parent is getattr(root, name, None) and OURS[name].scope == 'vtg'


def test_no_root_registry_is_left_without_a_child():
    # MMEngine warns for each that it looks up without one.
    named = {name for name, item in vars(root).items() if isinstance(item, RootRegistry)}
    used = named - {'RUNNER_CONSTRUCTORS', 'WEIGHT_INITIALIZERS', 'MODEL_WRAPPERS', 'EVALUATOR',
                    'INFERENCERS', 'LOG_PROCESSORS', 'STRATEGIES'}  # fmt: skip
    assert used <= set(OURS), used - set(OURS)


def test_components_are_found_without_importing_their_package():
    code = (
        'import vtg, sys; from vtg.registry import DATASETS, METRICS, MODELS, TASK_UTILS\n'
        'assert "vtg.models" not in sys.modules and "vtg.datasets" not in sys.modules\n'
        'assert MODELS.get("Grounder") and TASK_UTILS.get("HungarianMatcher")\n'
        'assert DATASETS.get("SimulatedDataset") and METRICS.get("QVHighlightsMetric")\n'
    )
    path = str(Path(__file__).resolve().parents[1])
    done = subprocess.run(
        [sys.executable, '-c', code], env={**os.environ, 'PYTHONPATH': path},
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_unknown_names_get_the_nearest_ones():
    with pytest.raises(ConfigError, match=r"'SGAC' is not a registered model .*did you mean SGCA"):
        MODELS.build(dict(type='SGAC', dim=16))
    with pytest.raises(ConfigError, match='list them with'):
        TASK_UTILS.build(dict(type='qqqqqqqq'))


def test_components_of_the_parent_can_be_built_and_are_listed():
    names = registered_names(MODELS)
    assert 'Grounder' in names and set(root.MODELS.module_dict) <= set(names)
    from torch import nn

    assert isinstance(MODELS.build(dict(type='torch.nn.Linear', in_features=2, out_features=1)),
                      nn.Linear)  # fmt: skip


def test_a_class_may_stand_for_its_name():
    from vtg.models.losses import SigmoidClassLoss

    built = MODELS.build(dict(type=SigmoidClassLoss, background_weight=0.3))
    assert built.background_weight == 0.3


def test_wrong_arguments_are_not_hidden():
    with pytest.raises(ConfigError, match='colour is no argument of SigmoidClassLoss'):
        MODELS.build(dict(type='SigmoidClassLoss', colour='red'))
