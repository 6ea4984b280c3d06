# SPDX-License-Identifier: Apache-2.0
"""The page about own components, followed literally."""

import re
import sys
from pathlib import Path

import pytest
from pages import ROOT, Follower, blocks

from vtg.registry import MODELS

PAGE = ROOT / 'docs/own_components.md'
# Small, and few samples.
SHORTER = {
    "model = dict(\n        fusion=dict(_delete_": (
        'benchmark = dict(splits=dict(train=dict(num_samples=8), val=dict(num_samples=8)))\n    '
        'model = dict(\n        defaults=dict(dim=16, hidden_dim=16),\n        '
        'encoder=dict(num_layers=1),\n        fusion=dict(_delete_'
    )
}  # fmt: skip


@pytest.fixture
def own_components():
    """What the page registers is gone for the tests behind."""
    before = set(sys.modules)
    yield
    for name in [n for n in set(sys.modules) - before if n.startswith(('own_', 'test_own_'))]:
        sys.modules.pop(name)
    own = [n for n, cls in MODELS.module_dict.items() if cls.__module__.startswith('own_')]
    for name in own:
        MODELS.module_dict.pop(name)


def test_the_page(tmp_path, monkeypatch, capsys, own_components):
    (tmp_path / 'vtg').symlink_to(ROOT)
    (tmp_path / 'mine').mkdir()
    monkeypatch.chdir(tmp_path / 'mine')
    page = blocks(PAGE, SHORTER)
    files = [block for block in page if re.match(r'# \w+\.py\n', block)]
    follower = Follower(monkeypatch, capsys, here=True)
    # A page tells its files in the order in which one reads.
    follower.follow(files)
    follower.follow([block for block in page if block not in files])
    tools = [f'../vtg/tools/{name}.py' for name in ('list_components', 'check', 'train')]
    assert follower.commands == ['pytest', *tools]
    assert sorted(MODELS.module_dict) and 'ReachHead' in MODELS.module_dict
    named = set(re.findall(r'own\w*\.py', page[0]))
    assert named == {path.name for path in Path().glob('own*.py')}
