# SPDX-License-Identifier: Apache-2.0
"""A missing optional package is one sentence that names the extra."""

import subprocess
import sys

import pytest

from vtg.extraction.optional import EXTRAS, require
from vtg.utils import ConfigError


def test_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, 'av', None)
    with pytest.raises(ConfigError, match=r'decoding needs .*pip install "vtg\[video\]"'):
        require('av', 'decoding')


def test_nothing_optional_is_imported_early():
    code = 'import sys, vtg.extraction, vtg.extraction.encoders, vtg.pretraining\n' + '\n'.join(
        f'assert {name!r} not in sys.modules, {name!r}' for name in EXTRAS
    )
    subprocess.run([sys.executable, '-c', code], check=True)
