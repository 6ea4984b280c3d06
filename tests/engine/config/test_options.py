# SPDX-License-Identifier: Apache-2.0
"""Overrides are read, checked against the config and applied."""

import pytest

from vtg.engine import load_config
from vtg.engine.config import parse_options
from vtg.utils import ConfigError


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
