# SPDX-License-Identifier: Apache-2.0
"""A config of two files, without a system behind it."""

import pytest

BASE = """
model = dict(head=dict(type='PointHead', dim=4), layers=[dict(dim=1), dict(dim=2)])
optim_wrapper = dict(type='GroundingOptimWrapper', optimizer=dict(type='AdamW', lr=1e-4),
                     clip_grad=dict(type='norm', max_norm=1))
train_dataloader = dict(num_workers=2, persistent_workers=True, prefetch_factor=4)
"""


@pytest.fixture
def config(tmp_path):
    (tmp_path / 'base.py').write_text(BASE)
    child = tmp_path / 'child.py'
    child.write_text("_base_ = 'base.py'\nmodel = dict(head=dict(dim=8))\n")
    return child
