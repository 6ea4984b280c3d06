# SPDX-License-Identifier: Apache-2.0
"""Fixtures shared by all tests."""

import functools
import gc
import os
import pickle
import sys
from collections import defaultdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

if 'PYTEST_XDIST_WORKER' in os.environ:  # a process per core: more threads would only wait
    os.environ.setdefault('OMP_NUM_THREADS', '1')  # read when torch is imported, also by tools

import torch
from mmengine.config import Config
from mmengine.dataset import base_dataset
from mmengine.registry import init_default_scope

ROOT = Path(__file__).resolve().parent.parent
# A test of more cases than this is a matrix, of systems and components or the like. Counting lines
# takes a third to all of the time once more, and behind the first cases they are the same lines.
MATRIX = 40
COUNTED = 20
sys.path.insert(0, str(ROOT / 'tests' / 'helpers'))
from media import (  # noqa: E402, F401
    tiny_blip,
    tiny_blip2,
    tiny_clap,
    tiny_clip,
    tiny_panns,
    two_workers,
    videos,
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        '--fuzz-inputs', type=int, metavar='N', help='inputs of every campaign in tests/fuzz'
    )
    parser.addoption(
        '--fuzz-seed', default='', metavar='S', help='other inputs for every campaign in tests/fuzz'
    )
    parser.addoption(
        '--all-systems',
        action='store_true',
        help='compile and export every system, put every component into all of them, and run every '
        'system in every precision',
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What --all-systems adds is left out without it. Of a matrix the first cases alone are counted
    for the coverage."""
    if not config.getoption('--all-systems'):
        further = [item for item in items if item.get_closest_marker('all_systems')]
        items[:] = [item for item in items if not item.get_closest_marker('all_systems')]
        config.hook.pytest_deselected(items=further)
    tests = defaultdict(list)
    for item in items:
        tests[item.nodeid.partition('[')[0]].append(item)
    for cases in tests.values():
        for item in cases[COUNTED:] if len(cases) > MATRIX else ():
            item.add_marker('no_cover')


READ_FILE = Config._file2dict


@functools.cache
def _packed(path: str, *options: Any) -> bytes:
    return pickle.dumps(READ_FILE(path, *options))


def _read_file(filename: str, *args: Any, **kwargs: Any) -> Any:
    """Read a file below configs/ once per process, in the place of MMEngine's reader.

    Tests load hundreds of configs, each with eight bases that they share, and half of their time
    went there.
    """
    path = os.path.abspath(filename)
    if not Path(path).is_relative_to(ROOT / 'configs'):
        return READ_FILE(filename, *args, **kwargs)
    return pickle.loads(_packed(path, *args, *kwargs.values()))


Config._file2dict = staticmethod(_read_file)


def pytest_collection_finish() -> None:
    """Let the collector skip what stays until the end, and MMEngine not call it per dataset."""
    gc.collect()
    gc.freeze()
    base_dataset.gc = SimpleNamespace(collect=lambda: 0)


@pytest.fixture
def shared() -> Path:
    """The folder with reference data beside the repository; ``VTG_SHARED`` names another place."""
    folder = Path(os.environ.get('VTG_SHARED', ROOT.parent / 'shared'))
    if not folder.is_dir():
        pytest.skip(f'reference data not found at {folder} (set VTG_SHARED)')
    return folder


@pytest.fixture(autouse=True)
def _reproducible() -> None:
    """Every test starts from the same seed and the toolbox's registry scope."""
    torch.manual_seed(0)
    init_default_scope('vtg')
