# SPDX-License-Identifier: Apache-2.0
"""Models as ONNX files; most systems with --all-systems (each takes 5 to 20 s of CPU time)."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from tests.helpers.matrix import first
from tests.helpers.systems import SYSTEMS, small_system
from vtg.apis import export
from vtg.structures import Progress
from vtg.utils import ConfigError

# Exported in every run, where the packages are installed.
ALWAYS = ('moment_detr',)
# Systems with a part that ONNX lacks, and what the sentence names.
REFUSED = {'uvcom': 'linalg_solve'}


def built(name, change=None):
    model = small_system(name, change=change).eval()
    model.progress = Progress(9, 10)  # what begins late is on
    return model


@pytest.mark.parametrize('name', first(ALWAYS, SYSTEMS))
def test_a_file_gives_what_the_model_gives(name, tmp_path):
    onnxruntime = pytest.importorskip('onnxruntime', reason='needs the extra [export]')
    model, out = built(name), tmp_path / 'm.onnx'
    if name in REFUSED:
        with pytest.raises(ConfigError, match=f'ONNX has no operator .*{REFUSED[name]}'):
            export.write_onnx(model, out, {})
        assert not list(tmp_path.iterdir())
        return
    worst = export.write_onnx(model, out, {'config': name})
    assert set(worst) <= {'moments', 'saliency', 'existence'} and max(worst.values()) < 1e-4
    session = onnxruntime.InferenceSession(str(out))
    facts = session.get_modelmeta().custom_metadata_map
    assert facts['format'] == export.FORMAT and facts['config'] == name
    assert json.loads(facts['outputs']) == [item.name for item in session.get_outputs()]
    inputs = export.example(model, (4, 40, 2))
    assert {item.name for item in session.get_inputs()} <= inputs.keys()
    shape = [*model.row_shape('video'), model.input_width('video')]
    assert json.loads(facts['inputs'])['video'] == shape
    with torch.no_grad():
        expected = export.answers(model, model(**inputs, mode='tensor'))
    found = session.run(['saliency'], export.feed(session, inputs))[0]
    mask = inputs['video_mask'].numpy()
    np.testing.assert_allclose(found[mask], expected['saliency'].numpy()[mask], atol=1e-4)


@pytest.mark.parametrize('name', SYSTEMS)
def test_padding_inside_changes_nothing(name):
    model = built(name)
    exported, inputs = export.ExportedGrounder(model).eval(), export.example(model, (3, 13, 4))
    with torch.no_grad():
        found = dict(zip(('moments', 'saliency', 'existence'), exported(**inputs)))
        expected = export.answers(model, model(**inputs, mode='tensor'))
    assert exported.outputs == tuple(expected) and exported.multiple % 8 == 0
    assert found['saliency'].shape == inputs['video_mask'].shape
    for key, mask in (('moments', None), ('saliency', inputs['video_mask'].numpy())):
        assert export._difference(expected[key].numpy(), found[key].numpy(), mask) < 1e-5


def test_a_graph_serves_all_sizes():
    # What is traced, without the packages that make an ONNX file of it.
    model = built('univtg')
    graph = export.traced(export.ExportedGrounder(model).eval()).module()
    for sizes in export.CHECKED:
        inputs = export.example(model, sizes)
        with torch.no_grad():
            moments, saliency = graph(**inputs)
            expected = export.answers(model, model(**inputs, mode='tensor'))
        mask = inputs['video_mask'].numpy()
        assert export._difference(expected['moments'].numpy(), moments.numpy(), None) < 1e-5
        assert export._difference(expected['saliency'].numpy(), saliency.numpy(), mask) < 1e-5


@pytest.mark.parametrize('name', ['moment_detr', 'univtg', 'sgdetr'])
def test_moments_are_those_of_the_list(name):
    model = built(name)
    inputs = export.example(model, (2, 12, 4))
    with torch.no_grad():
        state = model(**inputs, mode='tensor')
        moments = export.answers(model, state)['moments']
        lists = model.slots['moment_head'].predict(state)
    reported = lists['detr' if name == 'sgdetr' else model.output]
    for row, (ours, mask) in enumerate(zip(moments, reported.mask)):
        ours = ours[ours[:, 2].argsort(descending=True, stable=True)][: int(mask.sum())]
        torch.testing.assert_close(ours[:, 2], reported.scores[row, mask], atol=1e-4, rtol=0)
        spans = reported.spans[row, mask].clamp(min=0).minimum(inputs['duration'][row])
        torch.testing.assert_close(ours[:, :2], spans, atol=1e-4, rtol=1e-4)


def test_differences_by_hand():
    ours = np.array([[[0, 200, 0.5], [0, 1, 0]]])
    other = np.array([[[9, 9, 0], [0, 200.2, 0.6], [3, 3, 0]]])
    assert export._difference(ours, other, None) == pytest.approx(0.1)
    assert export._difference(ours, other[:, :1], None) == float('inf')
    mask = np.array([[True, False]])
    assert export._difference(np.array([[1, 2.0]]), np.array([[1, 9.0]]), mask) == 0


@pytest.fixture
def runtime(monkeypatch):
    """``runtime(answer)``: onnxruntime gives this, or raises it."""

    def answers(answer):
        class Session:
            get_inputs = staticmethod(lambda: [])

            def run(self, *_):
                if isinstance(answer, Exception):
                    raise answer
                return answer

        module = SimpleNamespace(
            SessionOptions=SimpleNamespace, InferenceSession=lambda *_: Session()
        )
        program = SimpleNamespace(
            model=SimpleNamespace(metadata_props={}), save=lambda path: Path(path).touch()
        )
        monkeypatch.setattr(export, 'require', lambda *_: module)
        monkeypatch.setattr(export, '_converted', lambda exported: program)

    return answers


def test_a_file_that_says_something_else_is_not_written(runtime, tmp_path):
    model = built('moment_detr')
    runtime([np.ones((1, 10, 3)), np.zeros((1, 7))])
    with pytest.raises(ConfigError, match=r'is not written as ONNX: moments of the file differ'):
        export.write_onnx(model, tmp_path / 'm.onnx', {})
    runtime(RuntimeError('Reshape failed\nmore'))
    place = (
        r'head QueryHead is not .* run with 7 clips and 3 words \(RuntimeError: Reshape failed\)'
    )
    with pytest.raises(ConfigError, match=place):
        export.write_onnx(model, tmp_path / 'm.onnx', {})
    assert not list(tmp_path.iterdir())


def test_results_that_depend_on_padding_are_refused(runtime, tmp_path):
    def change(cfg):
        cfg['encoder']['mask_padding'] = False

    model = built('taskweave', change)
    exported = export.ExportedGrounder(model).eval()
    inputs = export.example(model, export.CHECKED[0])
    with torch.no_grad():
        runtime([value.numpy() for value in exported(**inputs)])
    with pytest.raises(ConfigError, match='an option that lets results depend on padding'):
        export.write_onnx(model, tmp_path / 'm.onnx', {})


def test_what_cannot_be_traced_is_one_sentence(monkeypatch, tmp_path):
    def refuse(*_, **__):
        raise TypeError('no such\nthing') from ValueError('a reason.')

    monkeypatch.setattr(torch.export, 'export', refuse)
    with pytest.raises(ConfigError, match=r'PyTorch cannot trace it \(ValueError: a reason\)\.$'):
        export.write_onnx(built('moment_detr'), tmp_path / 'm.onnx', {})
    assert not list(tmp_path.iterdir())


def test_places(tmp_path):
    with pytest.raises(ConfigError, match=r'does not end in \.onnx'):
        export.export_onnx({}, 'w.pth', tmp_path / 'm.pt')
    weights = tmp_path / 'm.onnx'
    weights.write_bytes(b'weights')
    with pytest.raises(ConfigError, match='is also the input'):
        export.export_onnx({}, weights, weights)
    with pytest.raises(ConfigError, match='exists and is not an ONNX file of this tool'):
        export.export_onnx({}, 'w.pth', weights)
