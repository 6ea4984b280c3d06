# SPDX-License-Identifier: Apache-2.0
"""What follows from the facts of a benchmark, and what a config says itself."""

from pathlib import Path

import pytest

from vtg.engine import load_config
from vtg.engine.config import read_config, settle_benchmark
from vtg.utils import ConfigError

CONFIGS = Path(__file__).parents[3] / 'configs'
MODEL = """
model = dict(
    video_projector=dict(type='LinearProjector'),
    text_projector=dict(type='LinearProjector'),
    test_cfg=dict(post_processor=dict(steps=dict(
        clamp=dict(type='ClampMoments'), round=dict(type='RoundMoments'),
        length=dict(type='LimitLengths')))),
)
"""
# The one file with which a benchmark of one's own gets every system.
BENCHMARK = """
train_dataloader = dict(batch_size=8)
val_dataloader = dict(batch_size=4, num_workers=0)
benchmark = dict(
    name='mine',
    dataset=dict(type='GroundingDataset', labels=dict(saliency=dict(type='CoveredClips'))),
    splits=dict(train=dict(ann_file='train.jsonl'), val=dict(ann_file='val.jsonl')),
    evaluator=dict(type='MomentRetrievalMetric'),
    video=[dict(type='FolderStore', folder='a', pattern='{vid}', dim=30),
           dict(type='FolderStore', folder='b', pattern='{vid}', dim=12)],
    text=[dict(type='FolderStore', folder='t', pattern='{qid}', dim=7)],
    clip_length=1.5,
    duration_limit=60.0,
)
"""


@pytest.fixture
def load(tmp_path):
    def write(extra='', options=(), base=MODEL + BENCHMARK):
        (tmp_path / 'base.py').write_text(base)
        path = tmp_path / 'config.py'
        path.write_text("_base_ = './base.py'\n" + extra)
        return load_config(path, options)

    return write


def test_everything_follows_from_the_benchmark(load):
    cfg = load()
    assert cfg.model.video_projector.in_dim == 30 + 12 + 2
    assert cfg.model.text_projector.in_dim == 7
    steps = cfg.model.test_cfg.post_processor.steps
    assert steps.clamp.high == 60 and steps.round.grid == 1.5
    assert (steps.length.min_length, steps.length.max_length) == (1.5, 60)
    train, val, test = (cfg[f'{split}_dataloader'] for split in ('train', 'val', 'test'))
    assert train.batch_size == 8 and 'test_mode' not in train.dataset
    assert val == test and val.batch_size == 4 and val.dataset.test_mode
    assert (train.dataset.ann_file, val.dataset.ann_file) == ('train.jsonl', 'val.jsonl')
    assert train.dataset.clip_length == 1.5 and len(train.dataset.video) == 2
    assert cfg.val_evaluator == cfg.test_evaluator == dict(type='MomentRetrievalMetric')


def test_an_evaluator_may_be_several_metrics(load):
    several = [dict(type='MomentRetrievalMetric'), dict(type='RecallMetric', ranks=(1, 5))]
    cfg = load(f'benchmark = dict(evaluator={several})')
    assert cfg.val_evaluator == cfg.test_evaluator == several
    own = load(f"benchmark = dict(evaluator={several})\nval_evaluator = dict(type='RecallMetric')")
    assert own.val_evaluator == dict(type='RecallMetric') and own.test_evaluator == several


def test_what_the_config_says_stays(load):
    cfg = load(
        'model = dict(video_projector=dict(in_dim=5), test_cfg=dict(post_processor=dict(steps=dict('
        'clamp=dict(high=9.0), round=dict(grid=None)))))\n'
        "train_dataloader = dict(dataset=dict(ann_file='other.jsonl', labels=dict(saliency=dict("
        "_delete_=True, type='SingleWindow'))))\n"
        'test_dataloader = dict(batch_size=1)\n'
    )
    assert cfg.model.video_projector.in_dim == 5
    steps = cfg.model.test_cfg.post_processor.steps
    assert steps.clamp.high == 9 and steps.round.grid is None
    assert cfg.train_dataloader.dataset.ann_file == 'other.jsonl'
    assert cfg.train_dataloader.dataset.labels.saliency == dict(type='SingleWindow')
    assert cfg.test_dataloader.batch_size == 1 and cfg.test_dataloader.num_workers == 0


def test_widths_follow_the_positions(load):
    for tef, width in ((False, 42), ((0, 1), 46)):
        cfg = load(f'benchmark = dict(dataset=dict(features=dict(tef={tef})))')
        assert cfg.model.video_projector.in_dim == width


def test_options_reach_what_follows(load):
    cfg = load(options=['benchmark.clip_length=2.0', 'train_dataloader.dataset.clip_length=3.0'])
    assert cfg.model.test_cfg.post_processor.steps.round.grid == 2
    assert cfg.val_dataloader.dataset.clip_length == 2
    assert cfg.train_dataloader.dataset.clip_length == 3


def test_a_resolved_config_is_read_as_it_is(load, tmp_path):
    cfg = load(options=['train_dataloader.dataset.ann_file=x.jsonl'])
    cfg.dump(tmp_path / 'resolved.py')
    assert load_config(tmp_path / 'resolved.py')._cfg_dict == cfg._cfg_dict


@pytest.mark.parametrize(
    ('extra', 'words'),
    [
        ('benchmark = dict(gird=2.0)', r'benchmark has no gird; did you mean grid\?'),
        ('benchmark = dict(splits=dict(valid=dict()))', 'benchmark.splits has no valid'),
        ("benchmark = dict(text=['t'])", 'width of the text features is not known'),
    ],
)
def test_mistakes_are_named(load, extra, words):
    with pytest.raises(ConfigError, match=words):
        load(extra)


def test_a_name_alone_is_refused(load):
    with pytest.raises(ConfigError, match=r'benchmark is .mine.; expected a dict'):
        load(base="benchmark = 'mine'\n")


def test_reasons_are_given():
    cfg = read_config(CONFIGS / 'qd_detr/qvhl.py')
    reasons = settle_benchmark(cfg)
    assert reasons['model.video_projector.in_dim'].endswith('2304 + 512 + 2')
    assert reasons['model.test_cfg.post_processor.steps.clamp.high'] == 'benchmark.duration_limit'
    assert settle_benchmark(cfg) == {}  # nothing is left to fill in


def test_no_config_of_a_system_states_a_width():
    files = [path for path in CONFIGS.rglob('*.py') if 'in_dim' in path.read_text()]
    assert not files
