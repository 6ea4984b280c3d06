# SPDX-License-Identifier: Apache-2.0
"""Every value knows the file that set it."""

from pathlib import Path

from vtg.engine.config import origins, read_config
from vtg.engine.tree import flatten, tree


def test_origins(config):
    files = origins(config)
    assert Path(files['model.head.dim']).name == 'child.py'
    assert Path(files['model.layers.1.dim']).name == 'base.py'
    assert set(files) == set(dict(flatten(tree(read_config(config)))))
