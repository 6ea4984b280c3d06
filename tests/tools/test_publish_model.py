# SPDX-License-Identifier: Apache-2.0
"""The command line of publishing."""

import torch

from vtg.engine import load_config
from vtg.engine.published import read_published
from vtg.registry import MODELS


def test_publishes_and_refuses_in_one_sentence(run_tool, tmp_path):
    config = 'configs/qd_detr/demo.py'
    model = MODELS.build(load_config(config).model)
    torch.save({'state_dict': model.state_dict()}, tmp_path / 'x.pth')
    arguments = (config, tmp_path / 'x.pth', tmp_path / 'model', '--encoder', 'clip=some/clip')
    for wrong in ('clop=some/clip', 'clip=', '{"type": 3}'):
        done = run_tool('publish_model.py', *arguments[:-1], wrong)
        assert done.status == 1 and done.errors.startswith('error: the encoder ')
        assert not (tmp_path / 'model').exists()
    done = run_tool('publish_model.py', *arguments)
    assert done.status == 0 and done.output == f'written: {tmp_path / "model"}\n'
    assert read_published(tmp_path / 'model')['encoders'] == ['clip=some/clip']
    done = run_tool('publish_model.py', *arguments)
    assert done.status == 1 and done.errors.count('\n') == 1
    assert done.errors.startswith(f'error: {tmp_path / "model"} exists')
