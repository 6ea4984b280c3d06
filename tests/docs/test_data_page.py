# SPDX-License-Identifier: Apache-2.0
"""What the page about data says that one should see is what the published files give."""

import gzip
import json
import re

import pytest
from pages import ROOT, Follower, blocks

PAGE = ROOT / 'docs' / 'data.md'
FILES = {'highlight': 'qvhighlights', 'charades': 'charades_sta'}


def test_what_the_validator_prints(shared, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    page = blocks(PAGE)
    start = next(i for i, block in enumerate(page) if 'highlight_val_release' in block
                 and block.startswith('python '))  # fmt: skip
    (tmp_path / 'tools').symlink_to(ROOT / 'tools')
    folder = tmp_path / 'data/qvhighlights'
    folder.mkdir(parents=True)
    source = shared / 'data/qvhighlights/highlight_val_release.jsonl.gz'
    (folder / 'highlight_val_release.jsonl').write_bytes(gzip.decompress(source.read_bytes()))
    follower = Follower(monkeypatch, capsys, exact=('validate_dataset',))
    follower.follow(page[start : start + 2])
    assert follower.commands == ['tools/validate_dataset.py']


ROWS = re.findall(
    r'^\| `((?:highlight|charades)\w+\.jsonl)` \| (\d+) \| (\d+) \| (\d+) \|',
    PAGE.read_text(encoding='utf-8'), re.MULTILINE,
)  # fmt: skip


@pytest.mark.parametrize(('name', 'queries', 'videos', 'windows'), ROWS)
def test_counts_of_published_files(shared, name, queries, videos, windows):
    assert len(ROWS) == 5
    file = shared / 'data' / FILES[name.partition('_')[0]] / f'{name}.gz'
    records = [json.loads(line) for line in gzip.decompress(file.read_bytes()).splitlines()]
    found = (len(records), len({r['vid'] for r in records}),
             sum(len(r['relevant_windows']) for r in records))  # fmt: skip
    assert found == (int(queries), int(videos), int(windows))
