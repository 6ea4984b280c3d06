# SPDX-License-Identifier: Apache-2.0
"""Which published numbers belong to a config."""

from pathlib import Path

import pytest

from vtg.engine import load_config
from vtg.engine.config import config_text, lineage
from vtg.reports.published import load_published, published_for

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'
METAFILES = sorted(CONFIGS.glob('*/metafile.yml'))
DATA = 'QVHighlights'


def names(rows):
    return [(row.config, row.variant) for row in rows]


@pytest.mark.parametrize('path', METAFILES, ids=lambda path: path.parent.name)
def test_rows_name_configs_that_exist(path):
    for row in load_published(path):
        assert row.config and (path.parent / row.config).is_file(), row


def test_the_row_of_the_config_and_its_family():
    cfg = load_config(CONFIGS / 'videolights' / 'qvhl_blip_uni.py')
    assert names(published_for(cfg, DATA, 'val')) == [
        ('qvhl_blip_uni.py', 'VideoLights-B, one direction')
    ]
    family = published_for(cfg, DATA, 'val', family=True)
    assert names(family)[0] == ('qvhl_blip_uni.py', 'VideoLights-B, one direction')
    rows = load_published(CONFIGS / 'videolights' / 'metafile.yml', DATA, 'val')
    assert sorted(names(family)) == sorted(names(rows))


def test_a_config_without_rows_has_those_of_its_base(tmp_path):
    official = load_config(CONFIGS / 'taskweave' / 'qvhl_hd2mr_official.py')
    assert official.lineage == [
        f'taskweave/{name}.py' for name in ('qvhl_hd2mr_official', 'qvhl_official', 'qvhl')
    ]
    assert names(published_for(official, DATA, 'val')) == [('qvhl_hd2mr.py', 'HD2MR')]
    own = tmp_path / 'own.py'
    own.write_text(f'_base_ = {str(CONFIGS / "taskweave" / "qvhl_hd2mr.py")!r}\n')
    assert lineage(own)[0] == 'taskweave/qvhl_hd2mr.py'
    assert names(published_for(load_config(own), DATA, 'val')) == [('qvhl_hd2mr.py', 'HD2MR')]


def test_the_quirks_of_released_code_keep_the_row():
    for folder, config in (('taskweave', 'qvhl_experts_cnn'), ('videolights', 'qvhl_blip_uni')):
        official = load_config(CONFIGS / folder / f'{config}_official.py')
        assert {row.config for row in published_for(official, DATA, 'val')} == {f'{config}.py'}


def test_the_config_beside_the_checkpoints_knows_its_base(tmp_path):
    cfg = load_config(CONFIGS / 'taskweave' / 'qvhl_hd2mr.py')
    kept = tmp_path / 'qvhl_hd2mr.py'
    kept.write_text(config_text(cfg))
    assert lineage(kept) == []
    assert names(published_for(load_config(kept), DATA, 'val')) == [('qvhl_hd2mr.py', 'HD2MR')]


def test_rows_without_configs_belong_to_all(tmp_path):
    (tmp_path / 'metafile.yml').write_text(
        'Results: [{dataset: own, split: val, source: paper, metrics: {HL-mAP: 1}}]'
    )
    config = tmp_path / 'own.py'
    config.write_text(f'_base_ = {str(CONFIGS / "qd_detr" / "demo.py")!r}\n')
    (row,) = published_for(load_config(config), 'own', 'val')
    assert row.source == 'paper'
    assert published_for(load_config(config), 'other', 'val') == []
