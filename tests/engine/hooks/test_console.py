# SPDX-License-Identifier: Apache-2.0
"""The terminal gets what runs, a line per validation and warnings; the log file gets everything."""

import io
import logging
import re
from pathlib import Path

import pytest
from mmengine.logging import print_log
from rich.console import Console

from vtg.engine.console import is_brief, print_whole_log
from vtg.engine.hooks import ConsoleHook


@pytest.fixture
def train(toy_config, capsys):
    """``train(prepare, **options)``: train two epochs; the output and the log file's text."""

    def run(prepare=lambda cfg: None, **options):
        from vtg.apis.train import train

        cfg = toy_config({'train_cfg.max_epochs': 2, **options})
        cfg.log_level = 'INFO'
        prepare(cfg)
        runner = train(cfg)
        log = Path(runner.log_dir, f'{runner.timestamp}.log').read_text()
        return capsys.readouterr().out, log

    return run


def test_a_few_lines(train):
    output, log = train()
    lines = output.splitlines()
    assert re.search(r'toy\.py: \d+ parameters on cpu \(\d+ threads?\), seed 0', lines[0])
    assert re.fullmatch(r'\d+ samples to train, \d+ to validate; 2 epochs of \d+ steps', lines[1])
    assert lines[2].startswith('log: ') and lines[2].endswith('.log')
    assert [line.split()[1] for line in lines[3:5]] == ['1/2', '2/2']
    for line in lines[3:5]:
        assert re.match(r'epoch ./2  loss [\d.e+-]+.*  score -?[\d.]+', line)
    assert sum('(best)' in line for line in lines) >= 1 and '(best)' in lines[3]
    assert re.fullmatch(r'trained in \d+ s', lines[5]) and len(lines) == 6
    for text in ('System environment', 'Config:', 'Epoch(train)', 'Epoch(val)', 'CPU threads'):
        assert text in log and text not in output


def test_the_whole_log(train):
    output, _ = train(print_whole_log)
    assert 'System environment' in output and 'Config:' in output and 'Epoch(val)' in output
    assert 'trained in' not in output


def test_notes_and_warnings_pass(train):
    def speak(cfg):
        cfg.default_hooks.speak = dict(type='SpeakHook')

    from mmengine.hooks import Hook

    from vtg.registry import HOOKS

    @HOOKS.register_module(force=True)
    class SpeakHook(Hook):
        def before_train(self, runner):
            print_log('a note\x1b[2J', 'current')
            print_log('look out', 'current', logging.WARNING)
            runner.logger.info('for the file', extra={'brief': False})

    output, log = train(speak)
    assert 'a note\\x1b[2J\n' in output and 'warning: look out\n' in output
    assert 'for the file' in log and 'for the file' not in output


def test_deprecations_of_mmengine_are_for_the_file():
    record = logging.LogRecord('x', logging.WARNING, __file__, 1, 'x will be deprecated', (), None)
    assert not is_brief(record)


def test_a_bar_where_the_output_is_a_terminal(toy_config):
    from vtg.engine.runner import GroundingRunner

    cfg = toy_config({'train_cfg.max_epochs': 2})
    cfg.default_hooks.console = None
    runner = GroundingRunner.from_cfg(cfg)
    hook = ConsoleHook(num_losses=1)
    screen = io.StringIO()
    hook._console = Console(file=screen, force_terminal=True, width=120)
    runner.register_hook(hook, priority='LOWEST')
    runner.train()
    text = re.sub(r'\x1b\[[\d;?]*[A-Za-z]', '', screen.getvalue())
    assert f'{runner.max_iters}/{runner.max_iters}' in text
    assert 'epoch 2/2' in text and re.search(r'loss [\d.]+', text)
    assert hook._bar is None
