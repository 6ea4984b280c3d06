# SPDX-License-Identifier: Apache-2.0
"""The wheel holds what the commands need, and the names of the package are ours."""

import importlib.util
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from vtg.version import DISTRIBUTION

ROOT = Path(__file__).resolve().parents[1]


def test_the_wheel_is_complete(tmp_path):
    for module in ('pip', 'setuptools'):
        if importlib.util.find_spec(module) is None:
            pytest.skip(f'{module} is not installed here')
    # A copy: building leaves folders behind.
    source = tmp_path / 'source'
    caches = shutil.ignore_patterns('__pycache__')
    for name in ('vtg', 'configs', 'tools', 'requirements'):
        shutil.copytree(ROOT / name, source / name, ignore=caches)
    for name in ('setup.py', 'pyproject.toml', 'README.md', 'LICENSE'):
        shutil.copy(ROOT / name, source)
    options = ['--no-deps', '--no-build-isolation', '--quiet', '--disable-pip-version-check']
    subprocess.run(
        [sys.executable, '-m', 'pip', 'wheel', *options, '-w', str(tmp_path), str(source)],
        check=True,
    )
    (wheel,) = tmp_path.glob('*.whl')
    assert wheel.name.startswith(f'{DISTRIBUTION.replace("-", "_")}-')
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        entry = next(name for name in names if name.endswith('entry_points.txt'))
        assert b'vtg = vtg.cli:main' in archive.read(entry)
    for folder in ('vtg', 'configs', 'tools'):
        inside = '' if folder == 'vtg' else 'vtg/'
        files = (path for path in (ROOT / folder).rglob('*') if path.is_file())
        wanted = {
            f'{inside}{path.relative_to(ROOT).as_posix()}' for path in files
            if '__pycache__' not in path.parts and path.parent.name != 'benchmark'
        }  # fmt: skip
        assert wanted <= names, sorted(wanted - names)[:5]
    assert 'vtg/py.typed' in names
