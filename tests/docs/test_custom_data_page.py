# SPDX-License-Identifier: Apache-2.0
"""The page about own data, followed literally."""

import re
import runpy
import shlex
import sys
from pathlib import Path

import pytest

from vtg.utils import read_jsonl

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / 'docs/custom_data.md'
# One epoch is enough to see that everything runs.
SHORTER = {'max_epochs=60, val_interval=20': 'max_epochs=1, val_interval=1', 'epoch_60': 'epoch_1'}


def blocks() -> list[str]:
    """The indented blocks of the page, in order."""
    text = PAGE.read_text()
    for old, new in SHORTER.items():
        assert old in text
        text = text.replace(old, new)
    found, current = [], []
    for line in [*text.splitlines(), 'end']:
        if line.startswith('    ') or (current and not line):
            current.append(line[4:])
        elif current:
            found.append('\n'.join(current).strip('\n'))
            current = []
    return [part for block in found for part in split(block)]


def split(block: str) -> list[str]:
    """A block may hold a command and, after a blank line, its output."""
    return block.split('\n\n') if block.startswith('python ') else [block]


def same(line: str, exact: bool) -> str:
    """A line to compare: single blanks, and any number in place of those of a trained model."""
    line = ' '.join(line.split())
    return line if exact else re.sub(r'-?\d+(\.\d+)?', 'N', line)


def run(command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> str:
    script, *arguments = shlex.split(command.replace('\\\n', ' '))[1:]
    monkeypatch.setattr(sys, 'argv', [script, *arguments])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(ROOT / script), run_name='__main__')
    output = capsys.readouterr()
    assert ended.value.code == 0, f'{command}\n{output.out}\n{output.err}'
    return output.out


def test_the_page(tmp_path, monkeypatch, capsys):
    for name in ('configs', 'tools'):
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.chdir(tmp_path)
    output, exact, commands = '', True, []
    for block in blocks():
        file = re.match(r'# (\w+\.py)\n', block)
        if file:
            (tmp_path / file[1]).write_text(block)
        elif block.startswith('python '):
            output = run(block, monkeypatch, capsys)
            exact = 'make_simulated' in block or 'validate_dataset' in block
            commands.append(block.split()[1])
        elif commands:
            printed = {same(line, exact) for line in output.splitlines()}
            for line in block.splitlines():
                if not line.startswith('+'):
                    assert same(line, exact) in printed, f'{line!r} is not in\n{output}'
    assert commands == [
        f'tools/{name}.py'
        for name in (
            'make_simulated', 'validate_dataset', 'validate_dataset', 'train', 'test', 'predict',
            'eval_predictions', 'demo', 'test',
        )
    ]  # fmt: skip
    predictions = read_jsonl('predictions.jsonl')
    assert [record['qid'] for record in predictions] == [
        record['qid'] for record in read_jsonl('data/custom/queries.jsonl')
    ]
    assert all(record['pred_relevant_windows'] for record in predictions)
    check_records(tmp_path)


def check_records(folder: Path) -> None:
    """The example lines of the page are correct, its other config loads."""
    from vtg.datasets.custom_format import problems_of
    from vtg.engine import load_config

    lines = [block for block in blocks() if block.startswith('{')]
    assert lines
    for line in lines:
        (folder / 'line.jsonl').write_text(line)
        assert not list(problems_of(read_jsonl(folder / 'line.jsonl')[0], 2.0, labelled=True))
    cfg = load_config(folder / 'other_data.py')
    assert cfg.val_dataloader.dataset.clip_length == 1.0
