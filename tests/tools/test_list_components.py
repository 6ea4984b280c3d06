# SPDX-License-Identifier: Apache-2.0
"""The listing of components, and what is said about one."""

import sys

import pytest

from vtg.engine.components import find_component, list_components
from vtg.engine.describing import describe_component
from vtg.registry import MODELS


def test_every_component_has_a_description():
    listing = list_components()
    assert 'NanGuardHook' in listing['hook']
    missing = [
        f'{slot}: {name}'
        for slot, components in listing.items()
        for name, description in components.items()
        if not description and not name.lower().startswith('toy')
    ]
    assert missing == []


def test_one_slot(run_tool):
    status, output, _ = run_tool('list_components.py', 'hook')
    assert status == 0 and 'EpochEMAHook' in output and 'GroundingOptimWrapper' not in output


def test_an_unknown_slot(run_tool):
    status, _, errors = run_tool('list_components.py', 'hok')
    assert status == 1 and 'hook' in errors


def test_one_component_in_sentences(run_tool):
    status, output, _ = run_tool('list_components.py', 'SGCA')
    text = ' '.join(output.split())
    assert status == 0 and 'drop_path: float = 0.15' in text and 'Saliency-guided' in text
    for sentence in (
        'It goes to model.fusion, alone or as one of several that run in order.',
        'Its config must give `dim`, unless model.defaults does.',
        'It reads `video`, `text`, `video_pos` and `text_pos`.',
        'It reads `local_saliency` too, unless its config says gate=False.',
        '`video_pos` is set by what is of the kind embedding (TokenEmbedding).',
        'It sets `fused`.',
    ):
        assert sentence in text, sentence


def test_everything_that_is_listed_is_told_about():
    for components in list_components().values():
        for name in components:
            if not name.lower().startswith('toy'):
                text = describe_component(name)
                assert text.startswith(find_component(name).__name__ + '(')
                assert '``' not in text and ':class:' not in text


OWN = """
from vtg.models.base import Fusion
from vtg.registry import MODELS


@MODELS.register_module()
class OwnGate(Fusion):
    \"\"\"Opens and closes.\"\"\"

    requires = ('video', 'sentence')
    provides = ('fused', 'own_gates')
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    (tmp_path / 'own_gate.py').write_text(OWN)
    (tmp_path / 'own.py').write_text(
        "custom_imports = dict(imports=['own_gate'], allow_failed_imports=False)\n"
        "model = dict(fusion=dict(gate=dict(type='OwnGate')))\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    yield
    sys.modules.pop('own_gate', None)
    MODELS.module_dict.pop('OwnGate', None)


@pytest.mark.parametrize('way', [('--import', 'own_gate'), ('--config', 'own.py')])
def test_one_of_the_user(own, run_tool, way):
    status, output, errors = run_tool('list_components.py', 'OwnGate', *way)
    text = ' '.join(output.split())
    assert status == 0, errors
    assert 'Opens and closes.' in text and 'own_gate.py' in text
    assert '`sentence` is set by what is of the kind local_saliency_head' in text
    assert '`own_gates` is no field of the state' in text
    assert ('it stands at `model.fusion.gate`' in text) == (way[0] == '--config')


def test_what_is_not_there(run_tool):
    status, output, errors = run_tool('list_components.py', 'SCGA')
    assert status == 1 and not output and 'did you mean SGCA' in errors
    status, _, errors = run_tool('list_components.py', '--import', 'no_such_module')
    assert status == 1 and 'PYTHONPATH=.' in errors and errors.count('\n') == 1
