# SPDX-License-Identifier: Apache-2.0
"""Short runs of a toy model on the runtime of every real config."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from programs import Program

HELPERS = Path(__file__).parent / 'helpers'
ROOT = HELPERS.parents[2]


@pytest.fixture
def toy_config(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Any]:
    """``toy_config(options, work_dir='run')``: the toy config with overrides."""
    monkeypatch.syspath_prepend(str(HELPERS))

    def make(options: dict[str, Any] | None = None, work_dir: str = 'run') -> Any:
        from vtg.engine import load_config

        cfg = load_config(HELPERS / 'toy.py', options)
        cfg.work_dir = str(tmp_path / work_dir)
        cfg.log_level = 'WARNING'
        return cfg

    return make


@pytest.fixture
def toy_train(toy_config: Callable[..., Any]) -> Callable[..., Any]:
    """``toy_train(options, work_dir='run')``: train and return the runner."""

    def run(options: dict[str, Any] | None = None, work_dir: str = 'run') -> Any:
        from vtg.apis.train import train

        return train(toy_config(options, work_dir))

    return run


@pytest.fixture
def spawn(tmp_path: Path) -> Callable[..., Program | subprocess.Popen]:
    """``spawn(*arguments, launcher=(), forked=True)``: start run_training.py, or torchrun with
    it; as a fork, or from the beginning."""

    def start(
        *arguments: Any, launcher: tuple[str, ...] = (), forked: bool = True
    ) -> Program | subprocess.Popen:
        return (Program if forked else subprocess.Popen)(
            [sys.executable, *launcher, str(HELPERS / 'run_training.py'), *map(str, arguments)],
            cwd=tmp_path,
            env={**os.environ, 'OMP_NUM_THREADS': '1', 'PYTHONPATH': str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    return start
