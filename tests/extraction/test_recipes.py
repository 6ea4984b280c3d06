# SPDX-License-Identifier: Apache-2.0
"""Recipes fit the benchmarks whose features they make, and find their weights."""

from pathlib import Path

import pytest
from mmengine.config import Config

from vtg.engine import load_config
from vtg.extraction.job import Job, joined
from vtg.extraction.recipes import (
    RECIPES,
    WEIGHTS,
    encoder_of,
    locate_weights,
    recipe_for,
)
from vtg.registry import ENCODERS
from vtg.utils import ConfigError

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'


def facts(stores):
    return [(one['dim'], Path(one['folder']).name, one['pattern']) for one in stores]


def test_recipes_are_those_of_the_benchmarks():
    """Widths, order, folders, names and seconds per clip."""
    used = set()
    for path in sorted((CONFIGS / '_base_/benchmarks').glob('*.py')):
        benchmark = Config.fromfile(path, lazy_import=False).get('benchmark') or {}
        if not benchmark.get('features'):
            continue
        name = recipe_for(benchmark)
        if name is None and path.stem == 'activitynet_lighthouse_resnet':  # of other features
            continue
        recipe = RECIPES[name]
        used.add(name)
        assert recipe.clip_length == benchmark.clip_length, path.name
        for kind in ('video', 'audio', 'text'):
            parts = getattr(recipe, kind)
            widths = [part.dim for part in parts]
            assert widths == [store['dim'] for store in benchmark.get(kind, [])], path.name
            if name == benchmark['features'] and 'folder' in benchmark.get(kind, [{}])[0]:
                wanted = [(part.dim, part.folder, part.pattern) for part in parts]
                assert wanted == facts(benchmark[kind]), path.name
    alone = {'panns', 'concept', 'slowfast_clip_blip2', 'qvhighlights_slowfast_clip_audio'}
    assert used == set(RECIPES) - alone


@pytest.mark.parametrize(
    ('config', 'name'),
    [
        ('flashvtg/qvhl_internvideo2', 'internvideo2_6b_llama'),
        ('videolights/qvhl_blip', 'slowfast_clip_blip2'),
        ('qd_detr/qvhl_audio', 'qvhighlights_slowfast_clip_audio'),
        ('cg_detr/youtube', 'youtube_slowfast_clip'),
        ('qd_detr/charades_vgg', None),
    ],
)
def test_a_config_that_replaces_stores_is_known_by_them(config, name):
    assert recipe_for(load_config(CONFIGS / f'{config}.py').benchmark) == name


def test_what_a_config_names():
    wide = [dict(dim=512, folder='any')]
    assert recipe_for(dict(features='clip', video=wide, text=wide)) == 'clip'
    # Own data state widths alone.
    assert recipe_for(dict(features='concept', video_dim=384, text_dim=384)) == 'concept'
    assert recipe_for(dict(features='concept', video=wide, text=wide)) is None
    with pytest.raises(ConfigError, match="no recipe 'clib' of features; did you mean clip"):
        recipe_for(dict(features='clib'))


def test_recipes_name_registered_encoders_and_known_weights():
    for recipe in RECIPES.values():
        for kind, part in recipe.streams():
            assert ENCODERS.get(part.encoder['type']), part
            assert set(part.needs()) <= set(WEIGHTS)
            assert part.folder and (kind == 'text') == (part.pattern != '{vid}')
        folders = [part.folder for _, part in recipe.streams()]
        assert len(set(folders)) == len(folders) and recipe.origin


def test_weights_by_name_and_by_folder(tmp_path):
    recipe = RECIPES['qvhighlights_slowfast_clip']
    (tmp_path / 'slowfast.pyth').touch()
    with pytest.raises(ConfigError, match=r"'clip': CLIP ViT-B/32.* --weights clip=PATH, see"):
        locate_weights(recipe, 'r', [str(tmp_path)])
    (tmp_path / 'clip').mkdir()
    found = locate_weights(recipe, 'r', [str(tmp_path)])
    assert found == {'slowfast': f'{tmp_path}/slowfast.pyth', 'clip': f'{tmp_path}/clip'}
    # A name comes before the folder, and need not be a file here.
    given = [str(tmp_path), 'clip=openai/clip-vit-base-patch32']
    assert locate_weights(recipe, 'r', given)['clip'] == 'openai/clip-vit-base-patch32'
    (tmp_path / 'clip.pt').touch()
    for texts, message in (
        ([str(tmp_path)], 'holds 2 entries called'),
        (['klip=x'], "no weights 'klip'; they need slowfast and clip|no weights 'klip'"),
        ([f'{tmp_path}/nothing'], 'neither NAME=PATH nor a folder'),
    ):
        with pytest.raises(ConfigError, match=message):
            locate_weights(recipe, 'r', texts)


def test_options_reach_the_encoders_that_take_them():
    recipe = joined(RECIPES['slowfast_clip_blip2'])
    assert [part.dim for part in recipe.video] == [2304 + 512 + 768]
    config = encoder_of(
        recipe.video[0], dict(slowfast='s', clip='c', blip2='b'), amp='bf16', device=None
    )
    assert config == dict(
        type='JoinedEncoder',
        encoders=[
            dict(type='SlowFastEncoder', weights='s', amp='bf16'),
            dict(type='ClipEncoder', weights='c', amp='bf16'),
            dict(type='Blip2Encoder', weights='b'),
        ],
    )


def test_an_option_of_no_encoder_is_refused(tmp_path):
    job = Job(RECIPES['clip'], dict(clip='c'), tmp_path, dict(device='cpu', frame_size=3))
    with pytest.raises(ConfigError, match=r'has an option frame_size; options are .*batch_size'):
        job.run(['v.mp4'])


def test_the_page_names_every_recipe_and_all_weights():
    page = (CONFIGS.parent / 'docs/extraction.md').read_text(encoding='utf-8')
    assert [name for name in (*RECIPES, *WEIGHTS) if f'`{name}`' not in page] == []
