# SPDX-License-Identifier: Apache-2.0
"""Files are read with clear errors and written whole or not at all."""

import pytest

from vtg.utils import (
    DataError,
    atomic_write,
    nearest_names,
    read_json,
    read_jsonl,
    write_json,
    write_jsonl,
)


@pytest.mark.parametrize('name', ['a.jsonl', 'a.jsonl.gz'])
def test_jsonl_round_trip(tmp_path, name):
    records = [{'qid': 1, 'query': 'ein Hund läuft'}, {'qid': 'b', 'windows': [[0, 2.5]]}]
    write_jsonl(tmp_path / name, records)
    assert read_jsonl(tmp_path / name) == records
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_json_has_no_nan(tmp_path):
    value = {'a': [1.5, float('nan')], 'b': (float('inf'), {'c': float('-inf')}), 'd': 'NaN'}
    write_json(tmp_path / 'a.json', value)
    assert read_json(tmp_path / 'a.json') == {
        'a': [1.5, None],
        'b': [None, {'c': None}],
        'd': 'NaN',
    }


def test_broken_line_is_named(tmp_path):
    path = tmp_path / 'a.jsonl'
    path.write_text('{"qid": 1}\n{"qid": 2\n')
    with pytest.raises(DataError, match=r'a\.jsonl, line 2: not valid JSON'):
        read_jsonl(path)
    path.write_text('{"qid": 1}\n\n[1]\n')
    with pytest.raises(DataError, match='line 3: expected a JSON object, got list'):
        read_jsonl(path)


def test_missing_and_truncated_files(tmp_path):
    with pytest.raises(DataError, match=r'none\.jsonl does not exist'):
        read_jsonl(tmp_path / 'none.jsonl')
    write_jsonl(tmp_path / 'a.jsonl.gz', [{'qid': n} for n in range(1000)])
    whole = (tmp_path / 'a.jsonl.gz').read_bytes()
    (tmp_path / 'a.jsonl.gz').write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r'a\.jsonl\.gz cannot be read'):
        read_jsonl(tmp_path / 'a.jsonl.gz')
    (tmp_path / 'b.json').write_text('{')
    with pytest.raises(DataError, match=r'b\.json is not a valid JSON file'):
        read_json(tmp_path / 'b.json')


def test_failed_write_keeps_the_old_file(tmp_path):
    path = tmp_path / 'a.txt'
    path.write_text('old')
    with pytest.raises(RuntimeError), atomic_write(path) as temporary:
        temporary.write_text('half')
        raise RuntimeError
    assert path.read_text() == 'old'
    assert len(list(tmp_path.iterdir())) == 1


def test_nearest_names():
    assert nearest_names('bicmf', ['BiCMF', 'ACA', 'SGCA'])[0] == 'BiCMF'
    assert nearest_names('zzz', ['BiCMF']) == []
