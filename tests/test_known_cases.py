# SPDX-License-Identifier: Apache-2.0
"""Small inputs that once went wrong, given to the commands that met them.

Here are those that no other test opens; annotations, features, packs, videos, queries and
predictions are tried beside the code that reads them.
"""

import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from vtg.engine import load_config
from vtg.registry import MODELS
from vtg.utils import read_json, read_jsonl

ROOT = Path(__file__).resolve().parents[1]
TOY = ROOT / 'tests/engine/helpers/toy.py'


@pytest.fixture
def tool(monkeypatch, capsys, tmp_path):
    """``tool(script, *arguments)``: run a script here; its status, output and errors."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(TOY.parent))
    # Formatting the config for the log takes most of the time of a short run.
    monkeypatch.setattr('yapf.yapflib.yapf_api.FormatCode', lambda text, **_: (text, False))

    def run(script, *arguments):
        monkeypatch.setattr(sys, 'argv', [str(script), *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            runpy.run_path(str(script), run_name='__main__')
            raise SystemExit(0)
        return end.value.code or 0, *capsys.readouterr()

    return run


def test_code_in_a_checkpoint_does_not_run(shared, tool, tmp_path):
    train = ROOT / 'tools/train.py'
    options = ('--cfg-options', 'train_cfg.max_epochs=2')
    status, _, errors = tool(train, TOY, '--work-dir', 'run', *options)
    assert status == 0, errors
    make = shared / 'cases/make_checkpoint_config_rce.py'
    for kind in ('plain', 'counter'):
        assert tool(make, 'run/epoch_1.pth', f'{kind}.pth', kind, tmp_path / 'mark')[0] == 0
        status, _, errors = tool(
            train, TOY, '--work-dir', kind, '--resume', f'{kind}.pth', *options
        )
        assert not (tmp_path / 'mark').exists()
        assert status == (kind == 'counter') and errors.count('error: ') == status, errors
        assert (tmp_path / kind / 'epoch_2.pth').is_file() != bool(status)


def test_a_query_without_a_moment_is_evaluated_and_predicted(shared, tool, tmp_path):
    lines = (shared / 'cases/custom_windows_empty_list_test_split.jsonl').read_text()
    (tmp_path / 'test.jsonl').write_text(lines)
    for name, shape in (('video_features/v0', (10, 4)), ('text_features/qidtest-1', (5, 3))):
        (tmp_path / name).parent.mkdir()
        np.savez(tmp_path / f'{name}.npz', features=np.ones(shape, np.float32))
    (tmp_path / 'small.py').write_text(
        f"_base_ = '{ROOT}/configs/moment_detr/custom.py'\n"
        "benchmark = dict(video_dim=4, text_dim=3, dataset=dict(data_root=''))\n"
        'model = dict(defaults=dict(dim=16, num_heads=2, hidden_dim=16))\n'
        'test_dataloader = dict(num_workers=0)\n'
    )
    model = MODELS.build(load_config(tmp_path / 'small.py').model)
    torch.save({'state_dict': model.state_dict()}, tmp_path / 'weights.pth')
    status, _, errors = tool(ROOT / 'tools/test.py', 'small.py', 'weights.pth', '--out', 'out')
    assert status == 0, errors
    assert read_json(tmp_path / 'out/report_test.json')['metrics']
    words = ('small.py', 'weights.pth', 'test.jsonl', 'predicted.jsonl', '--work-dir', 'log')
    status, _, errors = tool(ROOT / 'tools/predict.py', *words)
    assert status == 0, errors
    (record,) = read_jsonl(tmp_path / 'predicted.jsonl')
    assert record['query'] == 'a dog' and len(record['pred_saliency_scores']) == 10
