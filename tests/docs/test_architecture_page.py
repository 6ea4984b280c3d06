# SPDX-License-Identifier: Apache-2.0
"""The page about the architecture names what exists."""

import pkgutil
import re
from pathlib import Path

import pytest

from vtg.engine.config import FACTS
from vtg.models import base
from vtg.models.base import SLOT_TYPES
from vtg.structures import GroundingState

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / 'docs/architecture.md').read_text(encoding='utf-8')
SPANS = sorted(set(re.findall(r'`([^`\n]+)`', re.sub(r'^ {4}.*$', '', TEXT, flags=re.MULTILINE))))
# `configs/<system>/<dataset>.py` and the like stand for many.
PATHS = [s.split()[0] for s in SPANS if re.match(r'(vtg|configs|tests|tools|docs)/', s)]
NAMES = [span for span in SPANS if re.fullmatch(r'vtg(\.\w+)+', span)]


def rows(title: str) -> list[list[str]]:
    """The cells of the table in a section."""
    section = TEXT.split(f'## {title}\n')[1].split('\n## ')[0]
    lines = [line for line in section.splitlines() if line.startswith('| ')][2:]
    return [[cell.strip() for cell in line.strip('|').split('|')] for line in lines]


@pytest.mark.parametrize('path', PATHS)
def test_a_path_exists(path):
    pattern = re.sub(r'<\w+>', '*', path)
    assert list(ROOT.glob(pattern.rstrip('/'))), path


@pytest.mark.parametrize('name', NAMES)
def test_a_name_can_be_imported(name):
    assert pkgutil.resolve_name(name) is not None


def test_every_kind_of_change_has_one_folder():
    kinds = {
        row[0]: re.findall(r'`(\w+/[\w./]+)`', row[1]) for row in rows('What to touch for what')
    }
    wanted = {
        'fusion', 'dataset', 'metric', 'feature store', 'encoder of raw video and text', 'hook',
        'column of the report', 'converter of published weights', 'benchmark, feature set',
    }  # fmt: skip
    assert wanted <= set(kinds)
    for kind, places in kinds.items():
        assert all((ROOT / place).exists() for place in places), kind
    # No folder of the models is left out.
    folders = {path.parent.name for path in ROOT.glob('vtg/models/*/__init__.py')}
    named = {place.strip('/') for places in kinds.values() for place in places}
    assert {f'vtg/models/{folder}' for folder in folders} <= named


def test_every_slot_is_in_the_table_with_its_class():
    named = {}
    for slots, kind, *_ in rows('Slots and stages'):
        named |= dict.fromkeys(re.findall(r'`(\w+)`', slots), kind.split('`')[1])
    assert set(named) == {*SLOT_TYPES, 'loss_balancer'}
    for slot, kind in named.items():
        assert getattr(base, kind) is SLOT_TYPES.get(slot, base.LossBalancer)


def test_fields_in_the_table_are_declared():
    cells = ' '.join(cell for row in rows('Slots and stages') for cell in row[2:])
    known = {*GroundingState.field_names(), 'for_moments', 'for_saliency'}
    assert set(re.findall(r'`(\w+)`', cells)) <= known


def test_facts_of_a_benchmark_are_known():
    for fact in re.findall(r'`(?:benchmark)?\.(\w+)`', TEXT.split('## What to touch')[0]):
        assert fact in FACTS, fact


def test_every_room_of_the_package_is_named():
    rooms = {path.parent.name for path in ROOT.glob('vtg/*/__init__.py')}
    assert rooms <= set(re.findall(r'`(\w+)`', TEXT.split('## Dependencies')[1]))
