# SPDX-License-Identifier: Apache-2.0
"""The documentation site: what is found without building it, which CI does."""

import re
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[2] / 'docs'


def test_every_page_is_in_the_index():
    listed = re.findall(r'^([\w/]+)$', (DOCS / 'index.md').read_text(encoding='utf-8'), re.M)
    pages = {path.stem for path in DOCS.glob('*.md')} - {'index'}
    assert {name for name in listed if not name.startswith('reference/')} == pages
    assert len(listed) == len(set(listed))


def test_generated_pages(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(DOCS))
    sys.modules.pop('generated', None)
    import generated

    generated.write(tmp_path)
    zoo = (tmp_path / 'model_zoo.md').read_text(encoding='utf-8')
    assert '## SG-DETR' in zoo and '| qvhl.py' in zoo
    components = (tmp_path / 'components.md').read_text(encoding='utf-8')
    assert '| `BiCMF` |' in components and '``' not in components.split('```')[0]
    assert 'vtg.models.fusions' in (tmp_path / 'api.md').read_text(encoding='utf-8')
    before = (tmp_path / 'api.md').stat().st_mtime_ns
    generated.write(tmp_path)  # pages that are the same are not read anew
    assert (tmp_path / 'api.md').stat().st_mtime_ns == before


@pytest.mark.parametrize('page', sorted(DOCS.glob('*.md')), ids=lambda path: path.stem)
def test_links_stay_inside_the_site(page):
    links = re.findall(r'\]\(([^)#\s]+)', page.read_text(encoding='utf-8'))
    own = [link for link in links if '://' not in link and not link.startswith('mailto:')]
    assert [link for link in own if not (DOCS / link).is_file()] == []
    assert [link for link in own if link.startswith('..')] == []
