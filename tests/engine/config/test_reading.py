# SPDX-License-Identifier: Apache-2.0
"""Files that are missing or broken, and copies of what was read."""

import errno
import tempfile
from pathlib import Path

import pytest

from vtg.engine import load_config
from vtg.engine.config import apply_options
from vtg.utils import ConfigError

ROOT = Path(__file__).resolve().parents[3]


def _full(*_, **__):
    raise OSError(errno.ENOSPC, 'No space left on device')


def test_missing_and_broken_files(tmp_path, monkeypatch):
    path = ROOT / 'configs/_base_/default_runtim.py'
    with pytest.raises(ConfigError, match=r'did you mean .*default_runtime\.py'):
        load_config(path)
    broken = tmp_path / 'broken.py'
    broken.write_text('model = dict(\n')
    with pytest.raises(ConfigError, match=r'broken\.py cannot be read'):
        load_config(broken)
    for code, words in (
        ('a = 3\nb = 1 / 0\n', 'ZeroDivisionError in line 2: division by zero'),
        ('import sys\nsys.exit(0)\n', 'SystemExit in line 2: 0'),
        ('raise ValueError\n', 'ValueError in line 1'),
    ):
        broken.write_text(code)
        with pytest.raises(ConfigError, match=rf'broken\.py cannot be read: {words}\.$'):
            load_config(broken)
    (tmp_path / 'broken.txt').touch()
    with pytest.raises(ConfigError, match=r'broken\.txt cannot be read: Only py/yml/yaml/json'):
        load_config(tmp_path / 'broken.txt')
    with monkeypatch.context() as patch:
        patch.setattr('builtins.open', _full)
        with pytest.raises(OSError, match='No space') as full:
            load_config(ROOT / 'configs/qd_detr/demo.py')
    assert full.value.filename == tempfile.gettempdir()
    broken.write_text("_base_ = 'nowhere.py'\n")
    with pytest.raises(ConfigError, match=r'broken\.py cannot be read.*nowhere'):
        load_config(broken)
    broken.write_text("custom_imports = dict(imports=['nowhere'], allow_failed_imports=False)\n")
    with pytest.raises(ConfigError, match=r"broken\.py imports .*'nowhere'.* PYTHONPATH") as error:
        load_config(broken)
    assert len(str(error.value)) < 400


def test_a_copy_shares_nothing(config):
    cfg = load_config(config)
    copied = cfg.copy()
    apply_options(copied, ['model.head.dim=9', 'model.layers.0.dim=7'])
    assert (cfg.model.head.dim, cfg.model.layers[0].dim) == (8, 1)
    assert (copied.model.head.dim, copied.model.layers[0].dim) == (9, 7)
    assert type(copied) is type(cfg) and copied.filename == cfg.filename
