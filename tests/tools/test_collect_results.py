# SPDX-License-Identifier: Apache-2.0
"""The page of results replaces nothing but itself."""

import pytest


@pytest.mark.parametrize(
    ('page', 'status', 'sentence'),
    [('a.md', 1, 'a.csv exists and is not a file of results'), ('b.csv', 2, 'a file of Markdown')],
)
def test_files_of_others_are_not_replaced(run_tool, tmp_path, page, status, sentence):
    (tmp_path / 'a.csv').write_text('mine')
    ended = run_tool('collect_results.py', tmp_path, '--page', tmp_path / page)
    assert ended.status == status and sentence in ended.errors
    assert [path.name for path in tmp_path.iterdir()] == ['a.csv']
