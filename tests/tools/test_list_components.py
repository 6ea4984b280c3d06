# SPDX-License-Identifier: Apache-2.0
"""The listing of components."""

from vtg.engine.components import list_components


def test_every_component_has_a_description():
    listing = list_components()
    assert 'NanGuardHook' in listing['hook']
    missing = [
        f'{slot}: {name}'
        for slot, components in listing.items()
        for name, description in components.items()
        if not description and not name.lower().startswith('toy')
    ]
    assert missing == []


def test_one_slot(run_tool):
    status, output, _ = run_tool('list_components.py', 'hook')
    assert status == 0 and 'EpochEMAHook' in output and 'GroundingOptimWrapper' not in output


def test_an_unknown_slot(run_tool):
    status, _, errors = run_tool('list_components.py', 'hok')
    assert status == 1 and 'hook' in errors
