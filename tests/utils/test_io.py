# SPDX-License-Identifier: Apache-2.0
"""Files are read with clear errors and written whole or not at all."""

import gzip

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
from vtg.utils import io as files


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


@pytest.mark.parametrize(
    ('line', 'reason'),
    [
        (b'{"x": ' + b'9' * 5000 + b'}', 'thousands of digits'),
        (b'[' * 100_000 + b']' * 100_000, 'nested deeper than 64'),
        (b'{"x": ' + b'[' * 100 + b']' * 100 + b'}', 'nested deeper than 64'),
        (b'{"x": "\xff"}', 'not valid UTF-8'),
        (b'{"x": "\\ud800"}', 'half of a surrogate pair'),
        ('{"x": 1}'.encode('utf-16'), 'not valid UTF-8'),
        # Of two values every parser keeps the last one in silence.
        (b'{"x": 1, "y": 2, "x": 3}', "the key 'x' stands twice in one object"),
        (b'{"a": [[1], {"x" :{}, "\\u0078":"\\": {"}]}', "the key 'x' stands twice"),
    ],
)
def test_odd_lines_are_named(tmp_path, line, reason):
    path = tmp_path / 'a.jsonl'
    path.write_bytes(b'{"qid": 1}\n' + line)
    with pytest.raises(DataError, match=f'line 2: .*{reason}'):
        read_jsonl(path)
    path.write_bytes(line)
    with pytest.raises(DataError, match=f'not a valid JSON file .*{reason}'):
        read_json(path)


def test_a_byte_order_mark_and_other_line_ends_are_fine(tmp_path):
    path = tmp_path / 'a.jsonl'
    path.write_bytes(b'\xef\xbb\xbf{"qid": 1}\r\n{"qid": "\xc3\xbc\\u00fc"}\r\n')
    assert read_jsonl(path) == [{'qid': 1}, {'qid': 'üü'}]


def test_damaged_and_bursting_archives(tmp_path, monkeypatch):
    write_jsonl(tmp_path / 'a.jsonl.gz', [{'qid': n} for n in range(1000)])
    content = bytearray((tmp_path / 'a.jsonl.gz').read_bytes())
    for at in range(12, len(content), 7):
        damaged = content.copy()
        damaged[at] ^= 0x10
        (tmp_path / 'b.jsonl.gz').write_bytes(damaged)
        try:
            assert len(read_jsonl(tmp_path / 'b.jsonl.gz')) == 1000
        except DataError as error:
            assert 'b.jsonl.gz' in str(error)
    monkeypatch.setattr('vtg.utils.io._SMALL', 1 << 16)
    for content in (b'\n' * (1 << 20), b'{"x": ' + b' ' * (1 << 20) + b'}'):
        (tmp_path / 'c.jsonl.gz').write_bytes(gzip.compress(content))
        for read in (read_jsonl, read_json):
            with pytest.raises(DataError, match='more than 100 times its size'):
                read(tmp_path / 'c.jsonl.gz')


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


@pytest.mark.parametrize(
    'text',
    [
        '{"a": [1, -0, 2.5, 1e-7, 123456789012345678, 0.1], "b": "\\u00e9\\ud83d\\ude00"}',
        '[12345678901234567890, 123456789012345678901234567890, -9223372036854775809]',
        '[NaN, Infinity, 1e999]',
        '{"a": 1, "a": 2}',
        '{"a": "\\"x\\": {", "b\\\\": {"a": 1}, "c" : [{"a": 1}, {"a": 2}]}',
        '[1.7976931348623157e308, 5e-324, 0.30000000000000004]',
        '["\\ud800"]',
        '[' * 100 + ']' * 100,
        '[' + '9' * 5000 + ']',
        '{"a": 1,}',
        '',
    ],
)
def test_the_fast_parser_gives_the_same(text, monkeypatch):
    pytest.importorskip('orjson')

    def outcome():
        try:
            value = files.parse_json(text)
        except ValueError as error:
            return str(error)
        return repr(value)

    fast = outcome()
    monkeypatch.setattr(files, '_fast_loads', lambda: None)
    assert outcome() == fast
