# SPDX-License-Identifier: Apache-2.0
"""Every block of commands and of Python in README and docs is executed, or says why it is not.

A block that needs downloads, a GPU or hours has ``<!-- not run: why -->`` in front of it; its
command lines are parsed by the tools all the same. All others run here, in one folder and one
process, with the small files of :func:`kitchen` in place of the page's names. Pages that tell one
story from their first to their last block are followed by tests of their own.
"""

import argparse
import ast
import os
import re
import runpy
import shlex
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from pages import ROOT

from vtg.apis.command_line import ArgumentParser
from vtg.cli.main import OWN, SHORT
from vtg.engine import load_config
from vtg.registry import MODELS
from vtg.utils import find_config

FOLLOWED = ('custom_data', 'new_paper', 'own_components', 'your_idea')
# The page of the committed table of trainings; tests/docs/test_demos_page.py holds it.
TABLES = ('demos',)
PAGES = [ROOT / 'README.md', *sorted(ROOT.glob('docs/*.md'))]
COMMAND = re.compile(r'(python|vtg|torchrun) ')
REASON = re.compile(r'<!-- not run: (.+?) -->', re.DOTALL)


@dataclass(frozen=True)
class Block:
    """Lines of a page that are set as code; ``reason`` says why they are not executed."""

    page: str
    line: int
    text: str
    reason: str | None
    language: str = ''

    @property
    def commands(self) -> list[str]:
        """Command lines, each with those it goes on in; installations are no commands."""
        lines: list[str] = []
        for line in re.sub(r' *\\\n *', ' ', self.text).splitlines():
            if lines and lines[-1].count("'") % 2:  # in the middle of a quoted value
                lines[-1] += f' {line.strip()}'
            else:
                lines.append(line)
        parts = [part.strip() for line in lines for part in line.split(' && ')]
        return [part.split('  #')[0].strip() for part in parts if COMMAND.match(part)]

    def __str__(self) -> str:
        return f'{self.page}:{self.line}'


def code_of(page: Path) -> list[Block]:
    """All blocks of a page: indented ones, those in lists included, and fenced ones."""
    found: list[Block] = []
    reason, lines, start, fence, blank = None, [], 0, '', True
    for number, line in enumerate([*page.read_text(encoding='utf-8').splitlines(), 'end'], 1):
        if line.startswith('```'):
            if fence and not fence.startswith('{'):
                found.append(Block(page.stem, start, '\n'.join(lines), reason, fence))
            fence, lines, start = ('' if fence else line[3:] or 'text'), [], number
            reason = reason if fence else None
            continue
        if fence:
            lines.append(line)
        elif (re.match(r' {4,}\S', line) and (lines or blank)) or (lines and not line):
            start = start if lines else number
            lines.append(line)
        elif lines:
            found.append(Block(page.stem, start, dedented(lines), reason))
            lines, reason = [], None
        if not fence and not lines and line:
            said = REASON.fullmatch(line.strip())
            reason = said[1] if said else None
        blank = not line
    return [block for block in found if block.text]


def dedented(lines: list[str]) -> str:
    margin = min(len(line) - len(line.lstrip()) for line in lines if line)
    return '\n'.join(line[margin:] for line in lines).strip('\n')


BLOCKS = [block for page in PAGES for block in code_of(page)]


class Parsed(Exception):
    """Carries the options out of a tool that would go on with them."""


@cache
def tools() -> dict[str, Path]:
    """The scripts by the names that ``vtg`` has for them."""
    names = {file.stem.replace('_', '-'): file for file in ROOT.glob('tools/*.py')}
    return names | {short: names[full] for short, full in SHORT.items()}


def script_of(words: list[str]) -> tuple[Any, list[str]]:
    """What a command line starts, and the arguments behind it."""
    if words[0] == 'vtg':
        return OWN.get(words[1]) or tools()[words[1]], words[2:]
    place = next(index for index, word in enumerate(words) if word.endswith('.py'))
    return ROOT / words[place], words[place + 1 :]


def parse(command: str, patch: pytest.MonkeyPatch) -> None:
    """Let the tool itself read the options of a command line."""

    def parsed(original: Any) -> Any:
        def read(parser: Any, *args: Any, **kwargs: Any) -> None:
            original(parser, *args, **kwargs)
            raise Parsed

        return read

    # What is optional is left away, and `...` says that there may be more.
    plain = re.sub(r'\[[^\[\]]*(\[[^\[\]]*\])?[^\[\]]*\]', '', command).replace('...', '')
    script, arguments = script_of(shlex.split(plain))
    patch.setattr(sys, 'argv', [str(script), *arguments])
    for parser in (ArgumentParser, argparse.ArgumentParser):
        patch.setattr(parser, 'parse_args', parsed(parser.parse_args))
    intermixed = argparse.ArgumentParser.parse_intermixed_args
    patch.setattr(argparse.ArgumentParser, 'parse_intermixed_args', parsed(intermixed))
    with pytest.raises((Parsed, SystemExit)) as ended:
        if callable(script):
            script()
        else:
            patch.syspath_prepend(str(script.parent))
            names = runpy.run_path(str(script))
            names.get('parse_args', names['main'])()
    assert isinstance(ended.value, Parsed), command


@pytest.mark.parametrize('page', sorted({block.page for block in BLOCKS}))
def test_tools_take_every_command_line(page, monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    for command in (c for block in BLOCKS if block.page == page for c in block.commands):
        if page in FOLLOWED and ('-m pytest' in command or '../vtg' in command):
            continue  # executed from another folder
        with monkeypatch.context() as patch:
            try:
                parse(command, patch)
            except BaseException as error:  # the failure of pytest.raises is none of Exception
                raise AssertionError(f'{page}: {command}\n{capsys.readouterr().err}') from error
        for config in re.findall(r'(?<![\w./*])configs/\w+/\w+\.py', command):
            assert find_config(config).is_file(), command


def test_extras_that_are_installed_exist():
    extras = {file.stem for file in ROOT.glob('requirements/*.txt')}
    for block in BLOCKS:
        for names in re.findall(r'pip install -e "\.\[([\w,]+)\]"', block.text):
            assert set(names.split(',')) <= extras, f'{block}: {names}'


# What the names of the pages stand for. Keys are looked for as they stand, in this order.
SMALL = {
    'configs/sgdetr/demo.py': 'configs/sgdetr/demo.py --epochs 1 --limit 8',
    'tools/train.py my_config.py': 'tools/train.py my_config.py --epochs 1 --limit 8',
    'PREDICTIONS ANNOTATIONS': 'predictions.jsonl annotations.jsonl --resamples 100',
    'fmt_charades_test_result.json charades_sta_test.jsonl': 'predictions.jsonl annotations.jsonl',
    'soccer_gmr_test.jsonl': 'annotations.jsonl',
    'FORMAT IN OUT.jsonl': 'jsonl published.jsonl converted.jsonl',
    '--annotations FILE': '--annotations published.jsonl',
    'data/qvhighlights/internvideo2_video': 'data/custom/video_features',
    'CONFIG --rehearsal': 'custom.py --rehearsal --epochs 1 --limit 4',
    'CONFIG CHECKPOINT OUT': 'custom.py model.pth published_model',
    'CONFIG --cfg-options load_from=FILE': 'custom.py --epochs 1 --limit 4 --work-dir work_dirs/b '
    '--cfg-options load_from=model.pth',
    'IN OUT --trust': 'model.pth plain.pth --trust',
    'RUNS ': 'work_dirs/custom ',
    'tests/data/reference_values': 'tests/data/reference_values recorded_qd_detr',
    "'OUT'": "'published_model'",
}  # fmt: skip


def small(text: str) -> str:
    for name, stand_in in SMALL.items():
        text = text.replace(name, stand_in)
    return text


KITCHEN = """
_base_ = 'configs/qd_detr/custom.py'
benchmark = dict(video_dim=64, text_dim=64)
model = dict(defaults=dict(dim=16, num_heads=2, hidden_dim=16))
train_dataloader = dict(batch_size=4)
default_hooks = dict(checkpoint=dict(save_best=None))
"""


@pytest.fixture
def kitchen(tmp_path, monkeypatch):
    """A folder with a small trained model, its predictions, and files of every kind."""
    for name in ('configs', 'tools', 'tests'):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / 'docs').mkdir()
    for name in ('results.csv', 'results.md'):
        (tmp_path / 'docs' / name).write_bytes((ROOT / 'docs' / name).read_bytes())
    monkeypatch.chdir(tmp_path)
    for name in ('RANK', 'WORLD_SIZE'):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / 'custom.py').write_text(KITCHEN)
    start(monkeypatch, 'python tools/make_simulated.py data/custom --videos 8')
    start(monkeypatch, 'python tools/train.py custom.py --epochs 1 --limit 4 '
                       '--work-dir work_dirs/custom')  # fmt: skip
    os.replace('work_dirs/custom/epoch_1.pth', 'model.pth')
    start(monkeypatch, 'python tools/predict.py custom.py model.pth data/custom/test.jsonl '
                       'predictions.jsonl')  # fmt: skip
    (tmp_path / 'annotations.jsonl').write_bytes(Path('data/custom/test.jsonl').read_bytes())
    (tmp_path / 'published.jsonl').write_text(
        '{"qid": 1, "query": "A dog", "vid": "v", "duration": 10, "relevant_windows": [[2, 10.5]],'
        ' "relevant_clip_ids": [1, 2, 3, 4], "saliency_scores": [[1], [2], [3], [4]]}\n'
    )
    return monkeypatch


def start(patch: pytest.MonkeyPatch, command: str) -> None:
    """Run a tool to its end, in this process."""
    script, arguments = script_of(shlex.split(command))
    with patch.context() as inner, pytest.raises(SystemExit) as ended:
        inner.setattr(sys, 'argv', [str(script), *arguments])
        inner.syspath_prepend(str(Path(script).parent))
        runpy.run_path(str(script), run_name='__main__')
    assert not ended.value.code, command


def test_blocks_run(kitchen, capsys):
    run = []
    for block in BLOCKS:
        if block.reason or block.page in (*FOLLOWED, *TABLES):
            continue
        file = re.match(r'# (\w+\.py)\n_base_', block.text)
        if file:
            Path(file[1]).write_text(block.text.split('\n\npython ')[0])
        for command in block.commands:
            # Synopses are parsed above; what they say without their options is run.
            plain = re.sub(r' *\[[^\[\]]*(\[[^\[\]]*\])?[^\[\]]*\]', '', command)
            try:
                start(kitchen, small(plain.replace(' ...', '')))
            except BaseException as error:
                raise AssertionError(f'{block}: {command}\n{capsys.readouterr()}') from error
            run.append(command)
        if block.language == 'python':
            exec(compile(small(block.text), str(block), 'exec'), {})
            run.append(str(block))
    assert len(run) > 15


# The configs that fragments of a page are merged into; those of other pages into the demo.
BASES = {
    'data': 'qd_detr/qvhl.py', 'evaluation': 'qd_detr/qvhl.py', 'speed': 'qd_detr/qvhl.py',
    'SimulatedDataset': 'qd_detr/demo.py', '_base_.model.refiner': 'cg_detr/demo.py',
}  # fmt: skip
SLOTS = ('refiner', 'feedback', 'saliency_head', 'fusion')
FACTS = ('video', 'text', 'dataset', 'evaluator')


def fragments() -> list[Block]:
    """Blocks that are part of a config."""
    return [
        block for block in BLOCKS
        if not block.reason and not block.commands and block.page not in FOLLOWED
        and re.match(r'(# my_config\.py\n)?(_base_|model|benchmark|\w+_dataloader|visualizer|'
                     rf'{"|".join(SLOTS + FACTS)}) ?=', block.text)
    ]  # fmt: skip


@pytest.mark.parametrize('block', fragments(), ids=str)
def test_parts_of_configs_fit(block, tmp_path):
    text = block.text
    name = re.match(r'(?:#.*\n)?(\w+)', text)[1]
    if name in SLOTS + FACTS:
        # Arguments one below the other; the page leaves out the commas between.
        arguments = re.sub(r',?\n(?=\w+=)', ',\n', text)
        text = f'{"model" if name in SLOTS else "benchmark"} = dict(\n{arguments})'
    keys = [key for key in BASES if key == block.page or key in text]
    base = ROOT / 'configs' / (BASES[keys[-1]] if keys else 'qd_detr/demo.py')
    if name == '_base_':
        # One change after another stands in such a block; each is a config.
        place = base.parent.as_posix()
        head, *changes = re.split(r'\n(?=model = )', re.sub(r"'\.\./", f"'{place}/../", text))
        texts = [f'{head}\n{change}' for change in changes] or [text]
    else:
        texts = [f'_base_ = {base.as_posix()!r}\n{text}']
    for number, part in enumerate(texts):
        (tmp_path / f'{number}.py').write_text(part)
        cfg = load_config(tmp_path / f'{number}.py')
        if name not in SLOTS:  # which are shown without what they need
            MODELS.build(cfg.model)


def test_python_is_executed_or_says_why():
    executed = {str(block) for block in fragments()}
    for block in BLOCKS:
        if block.page in FOLLOWED or block.commands or block.reason or str(block) in executed:
            continue
        assert block.language == 'python' or not is_python(block.text), (
            f'{block}: write ```python around it, so that it is run, or <!-- not run: why --> above'
        )


def is_python(text: str) -> bool:
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return False
    return any(not isinstance(node, ast.Expr) for node in tree.body)
