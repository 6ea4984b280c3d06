# SPDX-License-Identifier: Apache-2.0
"""`vtg check` on a config of the user."""

import sys

import pytest

from vtg.registry import MODELS

COMPONENT = """
from vtg.models.base import Fusion
from vtg.registry import MODELS


@MODELS.register_module()
class MeanOfAll(Fusion):
    requires = ('video', 'text')

    def forward(self, state):
        return {'fused': state.video + state.text.mean(1, keepdim=True)}
"""
CONFIG = """
_base_ = 'ROOT/configs/qd_detr/demo.py'
custom_imports = dict(imports=['mean_of_all'], allow_failed_imports=False)
model = dict(
    defaults=dict(dim=16, hidden_dim=16),
    fusion=dict(_delete_=True, own=dict(type='MeanOfAll')),
    encoder=dict(num_layers=1),
)
"""


@pytest.fixture
def config(tmp_path, monkeypatch):
    from tests.tools.conftest import ROOT

    (tmp_path / 'mean_of_all.py').write_text(COMPONENT)
    (tmp_path / 'own.py').write_text(CONFIG.replace('ROOT', str(ROOT)))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    yield 'own.py'
    sys.modules.pop('mean_of_all', None)
    MODELS.module_dict.pop('MeanOfAll', None)


def test_a_component_of_the_user(config, run_tool):
    status, output, _ = run_tool('check.py', config, 'MeanOfAll')
    assert status == 1
    assert 'FAIL  padding: fusion.own takes padding for clips or words: `fused` differs' in output
    assert output.endswith('9 checks, 1 failed\n')


def test_what_is_not_there(config, run_tool):
    status, output, errors = run_tool('check.py', config, 'fussion')
    assert status == 1 and not output and 'did you mean fusion' in errors
