# SPDX-License-Identifier: Apache-2.0
"""Mistakes on a command line are one sentence that says what to write."""

import re
from pathlib import Path

import pytest

from vtg.apis.command_line import ArgumentParser, number, seconds, seeds, whole_number
from vtg.engine import load_config
from vtg.utils import ConfigError

ROOT = Path(__file__).resolve().parents[2]
TOOLS = sorted((ROOT / 'tools').glob('*.py'))
CONFIG = str(ROOT / 'configs/qd_detr/demo.py')


def refused(capsys, words, **options):
    parser = ArgumentParser('tool.py')
    parser.add_argument('config')
    parser.add_argument('--work-dir')
    parser.add_overrides()
    for name, kind in options.items():
        parser.add_argument(f'--{name}', type=kind)
    with pytest.raises(SystemExit) as end:
        parser.parse_args(words)
    assert end.value.code == 2
    output, errors = capsys.readouterr()
    assert output == '' and errors.count('\n') == 1 and errors.endswith(('.\n', '?\n'))
    return errors.removeprefix('error: ').rstrip('\n')


@pytest.mark.parametrize(
    ('words', 'sentence'),
    [
        ('CONFIG --epochs 3', 'write --cfg-options train_cfg.max_epochs=3.'),
        ('--epochs 3 CONFIG', 'write --cfg-options train_cfg.max_epochs=3.'),
        ('CONFIG --lr 1e-3', 'write --cfg-options optim_wrapper.optimizer.lr=1e-3.'),
        ('CONFIG --lr=1e-3', 'write --cfg-options optim_wrapper.optimizer.lr=1e-3.'),
        ('CONFIG --batch-size 8', 'write --cfg-options train_dataloader.batch_size=8.'),
        ('CONFIG --model.fusion.num_layers 3', 'write --cfg-options model.fusion.num_layers=3.'),
        ('CONFIG --wd', 'write --cfg-options optim_wrapper.optimizer.weight_decay=VALUE.'),
        ('CONFIG --workdir x', 'did you mean --work-dir?'),
        ('CONFIG --frobnicate', 'see tool.py --help.'),
        ('absent.py --epochs 3', 'see tool.py --help.'),
        ('CONFIG one two', 'tool.py has no use for one two; see tool.py --help.'),
        ('', 'the following arguments are required: config.'),
    ],
)
def test_an_option_of_the_config_is_named(capsys, words, sentence):
    words = [CONFIG if word == 'CONFIG' else word for word in words.split()]
    assert refused(capsys, words).endswith(sentence)


@pytest.mark.parametrize(
    ('kind', 'text', 'sentence'),
    [
        (whole_number(), '0', "'0' is no whole number, at least 1."),
        (whole_number(), '9' * 5000, 'is no whole number, at least 1.'),
        (whole_number(0, 10), '-1', 'at least 0 and below 10.'),
        (seconds, 'nan', "'nan' is no number above 0."),
        (number(0, 1), '2', "'2' is no number, at least 0 and at most 1."),
        (seeds, '1,x', "'x' is no whole number, at least 0 and below 4294967296."),
    ],
)
def test_a_number_out_of_range_is_refused(capsys, kind, text, sentence):
    assert refused(capsys, ['c.py', '--value', text], value=kind).endswith(sentence)


def test_numbers_are_read():
    assert (seeds('0,3'), seconds('2'), number(0, 1)('0.5')) == ([0, 3], 2.0, 0.5)


@pytest.mark.parametrize('tool', TOOLS, ids=lambda path: path.name)
def test_every_number_of_a_tool_has_a_range(tool):
    text = tool.read_text()
    assert not re.findall(r'type=(?:int|float)\b', text)
    if 'cfg_options' in text or 'type=' in text:
        assert 'argparse.ArgumentParser(' not in text


def test_short_forms_are_overrides():
    parser = ArgumentParser('tool.py')
    parser.add_short_forms()
    parser.add_overrides()
    words = ['--epochs', '3', '--lr', '1e-3', '--batch-size', '8', '--tensorboard']
    found = parser.parse_args([*words, '--cfg-options', 'train_cfg.val_interval=2'])
    cfg = load_config(CONFIG, found.cfg_options)
    assert cfg.train_cfg.max_epochs == 3 and cfg.train_cfg.val_interval == 2
    assert cfg.train_dataloader.batch_size == 8
    assert cfg.optim_wrapper.optimizer.lr == 1e-3
    kinds = [backend.type for backend in cfg.visualizer.vis_backends]
    assert kinds == ['LocalVisBackend', 'TensorboardVisBackend']
    assert parser.parse_args([]).cfg_options == []
    # Which of two values was meant is not guessed.
    found = parser.parse_args([*words, '--cfg-options', 'train_cfg.max_epochs=4'])
    with pytest.raises(ConfigError, match=r"train_cfg\.max_epochs twice, '3' and '4' .short forms"):
        load_config(CONFIG, found.cfg_options)
