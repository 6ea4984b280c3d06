# SPDX-License-Identifier: Apache-2.0
"""The page that shows the systems by slot agrees with their configs."""

import re
from pathlib import Path

import pytest

from vtg.engine.config import read_config

ROOT = Path(__file__).resolve().parents[2]
SYSTEMS = {
    'Moment-DETR': 'moment_detr',
    'QD-DETR': 'qd_detr',
    'CG-DETR': 'cg_detr',
    'TR-DETR': 'tr_detr',
    'UniVTG': 'univtg',
    'VideoLights': 'videolights',
    'FlashVTG': 'flashvtg',
    'FlashMMR': 'flashmmr',
    'LA-DETR': 'la_detr',
    'TaskWeave': 'taskweave',
    'SG-DETR': 'sgdetr',
    'EaTR': 'eatr',
    'LD-DETR': 'ld_detr',
    'UVCOM': 'uvcom',
    'UMT': 'umt',
    'R2-Tuning': 'r2_tuning',
    'BAM-DETR': 'bam_detr',
    'CausalVTG': 'causalvtg',
}


def page() -> dict[str, dict[str, set[str]]]:
    """The components named on the page, by system and slot."""
    found: dict[str, dict[str, set[str]]] = {}
    header: list[str] = []
    for line in (ROOT / 'docs' / 'systems.md').read_text(encoding='utf-8').splitlines():
        cells = [cell.strip() for cell in line.strip('|').split('|')]
        if line.startswith('| slot'):
            header = cells[1:]
        elif line.startswith('| ') and '---' not in line:
            for name, cell in zip(header, cells[1:]):
                found.setdefault(name, {})[cells[0]] = set(re.findall(r'`(\w+)`', cell))
    return found


def test_every_system_is_on_the_page():
    models = {path.stem for path in (ROOT / 'configs' / '_base_' / 'models').glob('*.py')}
    assert set(SYSTEMS.values()) == models
    assert set(page()) == set(SYSTEMS)


@pytest.mark.parametrize('name', SYSTEMS)
def test_the_page_names_the_components_of_the_config(name):
    model = read_config(ROOT / 'configs' / '_base_' / 'models' / f'{SYSTEMS[name]}.py').model
    for slot, components in page()[name].items():
        cfg = model.get('video_projector' if slot == 'projectors' else slot) or {}
        parts = [cfg] if 'type' in cfg else cfg.values()
        assert components == {part['type'] for part in parts}, slot
