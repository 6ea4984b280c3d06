# SPDX-License-Identifier: Apache-2.0
import sys

import vtg.apis.export


def test_what_is_printed(run_tool, monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(
        vtg.apis.export, 'export_onnx', lambda *args: asked.append(args) or {'moments': 2e-6}
    )
    ended = run_tool('export_onnx.py', 'sgdetr/demo', 'w.pth', tmp_path / 'm.onnx')
    assert ended.status == 0 and 'moments    differs by at most 2.0e-06\n' in ended.output
    (cfg, weights, out, name), = asked  # fmt: skip
    assert cfg.model.type == 'Grounder' and (weights, name) == ('w.pth', 'sgdetr/demo')
    assert out == str(tmp_path / 'm.onnx')


def test_mistakes_are_sentences(run_tool, monkeypatch, tmp_path):
    out = tmp_path / 'm.onnx'
    ended = run_tool('export_onnx.py', 'configs/sgdetr/demo.py', out)
    assert ended.status == 1 and 'is a config without weights; give a checkpoint' in ended.errors
    ended = run_tool('export_onnx.py', tmp_path, out)
    assert ended.status == 1 and 'give the folder of a published model' in ended.errors
    monkeypatch.setitem(sys.modules, 'onnxscript', None)
    monkeypatch.setitem(sys.modules, 'onnx', None)
    ended = run_tool('export_onnx.py', 'sgdetr/demo', 'w.pth', out)
    assert ended.status == 1 and '"vtg-toolbox[export]"' in ended.errors
    assert not list(tmp_path.iterdir())
