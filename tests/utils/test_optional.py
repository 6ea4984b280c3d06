# SPDX-License-Identifier: Apache-2.0
"""A missing optional package is one sentence that names the extra."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from vtg.utils import ConfigError
from vtg.utils.optional import EXTRAS, folder_of, require
from vtg.version import DISTRIBUTION

PACKAGE = Path(__file__).resolve().parents[2] / 'vtg'


def test_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, 'av', None)
    with pytest.raises(ConfigError, match=r'decoding needs .*pip install "vtg-toolbox\[video\]"'):
        require('av', 'decoding')


def test_nothing_optional_is_imported_early():
    code = 'import sys, vtg.extraction, vtg.extraction.encoders, vtg.pretraining\n' + '\n'.join(
        f'assert {name!r} not in sys.modules, {name!r}' for name in EXTRAS
    )
    subprocess.run([sys.executable, '-c', code], check=True)


def test_every_other_import_is_of_what_is_always_installed():
    """What an extra brings is imported by ``require`` alone, so that its absence is a sentence."""
    always = {'mmengine', 'numpy', 'rich', 'scipy', 'terminaltables', 'torch', 'vtg', 'yaml'}
    always |= sys.stdlib_module_names
    always |= {'orjson'}  # reads the same files faster where it is there
    for path in sorted(PACKAGE.rglob('*.py')):
        for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module]
            others = {name.split('.')[0] for name in names} - always
            assert not others, f'{path.relative_to(PACKAGE)} imports {", ".join(others)}'


def test_every_hint_names_a_distribution_that_is_ours():
    """The name `vtg` in the package index belongs to somebody else."""
    root = PACKAGE.parent
    pages = [root / 'README.md', root / 'setup.py']
    for folder in ('vtg', 'tools', 'configs', 'docs', 'requirements', 'tests', '.ci'):
        pages += [path for path in (root / folder).rglob('*') if path.is_file()]
    hint = re.compile(r'pip install [^\n]*?(?<![\w/.-])vtg\[')
    wrong = [
        str(path.relative_to(root)) for path in pages
        if path.suffix in ('.py', '.md', '.txt', '.yml', '.toml', '')
        and hint.search(path.read_text(encoding='utf-8', errors='replace'))
    ]  # fmt: skip
    assert not wrong, wrong
    assert hint.search("pip install 'v" + "tg[video]'")
    assert f"name='{DISTRIBUTION}'" in (root / 'setup.py').read_text(encoding='utf-8')


def test_a_package_that_is_there_for_its_files_is_not_executed():
    assert folder_of('av', 'decoding').name == 'av'
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, 'path', [])
        patch.delitem(sys.modules, 'all_minilm_l6_v2', raising=False)  # where another test used it
        with pytest.raises(ConfigError, match=r'find needs .*\[offline\]'):
            folder_of('all_minilm_l6_v2', 'find')
