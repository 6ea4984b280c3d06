# SPDX-License-Identifier: Apache-2.0
"""Configs and overrides are checked before anything is built."""

import errno
import importlib.util
import tempfile
from pathlib import Path

import pytest

from vtg.engine import load_config
from vtg.engine.config import apply_options, flatten, origins, parse_options, read_config
from vtg.engine.runner import LOADER_TIMEOUT, GroundingRunner
from vtg.utils import ConfigError

ROOT = Path(__file__).resolve().parents[2]

BASE = """
model = dict(head=dict(type='PointHead', dim=4), layers=[dict(dim=1), dict(dim=2)])
optim_wrapper = dict(type='GroundingOptimWrapper', optimizer=dict(type='AdamW', lr=1e-4),
                     clip_grad=dict(type='norm', max_norm=1))
train_dataloader = dict(num_workers=2, persistent_workers=True, prefetch_factor=4)
"""


@pytest.fixture
def config(tmp_path):
    (tmp_path / 'base.py').write_text(BASE)
    child = tmp_path / 'child.py'
    child.write_text("_base_ = 'base.py'\nmodel = dict(head=dict(dim=8))\n")
    return child


def test_options_are_parsed():
    options = parse_options(
        [
            'a=1',
            'b.c=1e-4',
            'd=True',
            'e=None',
            'f=[1,2]',
            'g=1,2',
            'h=text',
            'i={"x": [1, null]}',
            'j=[{"x": 1, "y": "a,b"}, {"z": []}]',
        ]
    )
    assert options == {
        'a': 1, 'b.c': 1e-4, 'd': True, 'e': None, 'f': [1, 2], 'g': [1, 2], 'h': 'text',
        'i': {'x': [1, None]}, 'j': [{'x': 1, 'y': 'a,b'}, {'z': []}],
    }  # fmt: skip


@pytest.mark.parametrize('option', ['a', 'a={"x": ', 'a=[1,2', 'a=[{"x": 1}'])
def test_unreadable_option(option):
    with pytest.raises(ConfigError, match='--cfg-options'):
        parse_options([option])


@pytest.mark.parametrize(
    'options', [['a=1', 'a=2'], ['a.b=1', '+a.b=1'], ['a={"x": [{"y": 1, "y": 2}]}']]
)
def test_a_key_given_twice(options):
    with pytest.raises(ConfigError, match=r'twice, .* give it once'):
        parse_options(options)


def test_overrides_apply(config):
    cfg = load_config(
        config,
        [
            'model.head.dim=16',
            'model.layers.1.dim=5',
            '+model.new.key=3',
            'train_dataloader.num_workers=0',
        ],
    )
    assert cfg.model.head.dim == 16 and cfg.model.layers[1].dim == 5
    assert cfg.model.new.key == 3
    # torch refuses both without workers
    assert cfg.train_dataloader.persistent_workers is False
    assert 'prefetch_factor' not in cfg.train_dataloader


def test_a_json_object_merges_or_replaces(config):
    merged = load_config(config, ['model.head={"dim": 2}'])
    assert merged.model.head == {'type': 'PointHead', 'dim': 2}
    replaced = load_config(config, ['model.head={"_delete_": true, "type": "torch.nn.Identity"}'])
    assert replaced.model.head == {'type': 'torch.nn.Identity'}


@pytest.mark.parametrize(
    ('option', 'hint'),
    [
        ('model.haed.dim=1', 'model.head'),
        ('modle.head.dim=1', 'model'),
        ('model.head.dims=1', 'model.head.dim'),
        ('model.layers.7.dim=1', '0, 1'),
        ('optim_wrapper.optimizer.lr.x=1', 'is 0.0001'),
    ],
)
def test_a_misspelled_key_is_refused(config, option, hint):
    with pytest.raises(ConfigError, match='the config has no') as caught:
        load_config(config, [option])
    assert hint in str(caught.value)


def test_an_unknown_component_is_named_with_its_place(config):
    config.write_text(config.read_text() + "hooks = [dict(type='NanGardHook')]\n")
    with pytest.raises(ConfigError) as caught:
        load_config(config)
    assert "hooks.0.type is 'NanGardHook'" in str(caught.value)
    assert 'did you mean NanGuardHook' in str(caught.value)


def test_a_function_needs_its_scope(config):
    loader = "val_dataloader = dict(collate_fn=dict(type='collate'))\n"
    config.write_text(config.read_text() + loader)
    with pytest.raises(ConfigError, match=r"write 'vtg\.collate'"):
        load_config(config)
    config.write_text(config.read_text().replace("'collate'", "'vtg.collate'"))
    load_config(config)


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


def test_a_missing_package_is_named(config, monkeypatch):
    visualizer = "visualizer = dict(vis_backends=[dict(type='TensorboardVisBackend')])\n"
    config.write_text(config.read_text() + visualizer)
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, 'find_spec', lambda name: None if name == 'tensorboard' else find(name)
    )
    with pytest.raises(ConfigError, match=r"pip install 'vtg-toolbox\[optional\]'"):
        load_config(config)


def test_origins(config):
    files = origins(config)
    assert Path(files['model.head.dim']).name == 'child.py'
    assert Path(files['model.layers.1.dim']).name == 'base.py'
    assert set(files) == set(dict(flatten(read_config(config)._cfg_dict)))


def test_every_base_file_loads():
    schedules = sorted((ROOT / 'configs/_base_/schedules').glob('*.py'))
    parts = {'optim_wrapper', 'train_cfg', 'param_scheduler'}
    assert schedules and all(parts & load_config(file).keys() for file in schedules)
    assert 'checkpoint' in load_config(ROOT / 'configs/_base_/default_runtime.py').default_hooks


def test_loader_workers_are_not_waited_for_without_end(toy_config):
    cfg = toy_config({'train_dataloader.num_workers': 1})
    assert GroundingRunner.build_dataloader(cfg.train_dataloader).timeout == LOADER_TIMEOUT
    cfg = toy_config({'train_dataloader.num_workers': 1, '+train_dataloader.timeout': 7})
    assert GroundingRunner.build_dataloader(cfg.train_dataloader).timeout == 7
    cfg = toy_config({'train_dataloader.num_workers': 0, '+train_dataloader.timeout': 7})
    assert GroundingRunner.build_dataloader(cfg.train_dataloader).timeout == 0


@pytest.mark.parametrize(
    ('option', 'meant'),
    [
        ('lr=1e-3', 'optim_wrapper.optimizer.lr'),
        ('epochs=3', 'train_cfg.max_epochs'),
        ('max_epochs=3', 'train_cfg.max_epochs'),
        ('batch_size=3', 'train_dataloader.batch_size'),
        ('seed=3', 'randomness.seed'),
        ('+lr=1e-3', 'optim_wrapper.optimizer.lr'),
    ],
)
def test_a_short_name_is_answered_with_the_place(option, meant):
    with pytest.raises(ConfigError) as caught:
        load_config(ROOT / 'configs/qd_detr/demo.py', [option])
    assert f'did you mean {meant}' in str(caught.value)


@pytest.mark.parametrize(
    ('option', 'sentence'),
    [
        (
            'model.encoder.num_layers=-1',
            'model.encoder.num_layers is -1; TransformerEncoder',
        ),
        ('model.defaults.dropout=2', 'model.defaults.dropout is 2'),
        ('+model.encoder.x=5', 'model.encoder.x is no argument of TransformerEncoder'),
        ('model.encoder.type=None', 'model.encoder.type is None'),
        ('+model.defaults.num_head=4', 'model.defaults has no num_head; did you mean num_heads'),
        ('+model.test_cfg.outptu=detr', 'test_cfg has no outptu; did you mean output'),
        ('+model.test_cfg.saliency_dtype=float15', "did you mean 'float16'"),
        ('+model.negatives.stage=fusion', 'has no stage; did you mean stages'),
        ('+model.moment_head.stage_weights.layer=1', 'has no layer; did you mean layers'),
        (
            '+model.moment_head.ranking.by=clas',
            "model.moment_head.ranking.by is 'clas'; did you mean",
        ),
        ('train_dataloader.batch_size=0', 'train_dataloader.batch_size is 0'),
        ('train_dataloader.num_workers=-1', 'train_dataloader.num_workers is -1'),
        ('+train_dataloader.batchsize=4', 'has no batchsize; did you mean batch_size'),
        ('train_dataloader.sampler.type=EpochSampeler', 'did you mean EpochSampler'),
        ('randomness.seed=-1', 'randomness.seed is -1'),
        ('train_cfg.val_interval=0', 'train_cfg.val_interval is 0'),
        ('train_cfg.max_epochs=0', 'train_cfg.max_epochs is 0'),
        ('model.moment_head.queries.num_queries=1000000', 'num_queries is 1000000'),
        ('optim_wrapper.optimizer.lr=abc', "optim_wrapper.optimizer.lr is 'abc'"),
        ('+optim_wrapper.optimizer.momentm=1', 'optim_wrapper.optimizer.momentm is no argument'),
        ('param_scheduler.0.start_factor=x', "param_scheduler.0.start_factor is 'x'"),
        ('work_dir=5', 'work_dir is 5'),
        ('default_hooks.checkpoint.interval=x', "default_hooks.checkpoint.interval is 'x'"),
        ('val_evaluator=5', 'val_evaluator is 5'),
        ('default_scope=mm', "default_scope is 'mm'"),
    ],
)
def test_a_wrong_value_is_named_with_its_place(option, sentence):
    from vtg.registry import MODELS

    with pytest.raises(ConfigError) as caught:
        key = '+work_dir=5' if option == 'work_dir=5' else option
        MODELS.build(load_config(ROOT / 'configs/qd_detr/demo.py', [key]).model)
    assert sentence in str(caught.value)


def test_a_copy_shares_nothing(config):
    cfg = load_config(config)
    copied = cfg.copy()
    apply_options(copied, ['model.head.dim=9', 'model.layers.0.dim=7'])
    assert (cfg.model.head.dim, cfg.model.layers[0].dim) == (8, 1)
    assert (copied.model.head.dim, copied.model.layers[0].dim) == (9, 7)
    assert type(copied) is type(cfg) and copied.filename == cfg.filename
