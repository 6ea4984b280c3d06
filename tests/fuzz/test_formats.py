# SPDX-License-Identifier: Apache-2.0
"""Damaged files in published formats, and repairs: a sentence, or a file that is read strictly."""

import json
import runpy
from functools import partial
from pathlib import Path

import pytest
from campaign import assert_sentence, mutated_bytes, mutated_json, outcome

from vtg.apis.convert import convert_annotations, lengths_from
from vtg.apis.validate import write_repaired
from vtg.datasets.annotations import read_records
from vtg.datasets.census import Census
from vtg.datasets.repair import Tolerance
from vtg.formats import advice, find_format, read_lengths, recognise

TESTS = Path(__file__).parents[1]
RECORDS = runpy.run_path(str(TESTS / 'fuzz/test_annotations.py'))['RECORDS']
JSON_FILES = runpy.run_path(str(TESTS / 'formats/test_formats.py'))['FILES']
STA = 'AAA 24.3 30.4##person #1 opens.\nBBB 8.0 7.0##x.\nAAA 0 2##a ## b\n'
TABLE = (
    'vid,query,start,end,duration,qid\n'
    'v1,"a dog, it runs",1,2,9,7\nv1,"a dog, it runs",3.5,4,9,7\nv2,x,,,9,8\n'
)
LENGTHS = 'id,subject,length\nAAA,x,30.5\nBBB,y,9\nu.mov,y,27.3\nv1,,9\nv2,,9\n'


def options_of(name: str, rng, lengths: Path) -> dict:
    options: dict = {'windows': rng.choice(('repair', 'repair', 'strict'))}
    options |= {'qid': rng.choice((None, None, 'renumber')), 'clip_length': rng.choice((None, 5.0))}
    if name in ('charades_sta', 'didemo', 'csv') and (name == 'charades_sta' or rng.random() < 0.3):
        options['lengths'] = lengths_from(lengths)
    return options


def check_result(path: Path, records: list, census: Census) -> None:
    """What was written is read strictly, and every query is in it or counted."""
    lines = list(read_records(path, census.clip_length))
    assert [line.problems for line in lines] == [[]] * len(records)
    counts = census.counts()
    left_out = counts['empty_query'] + counts['reversed']
    assert counts['queries'] - left_out <= len(records) <= counts['queries']
    assert all(text.isprintable() for text in census.lines(everything=True))
    assert (census.warning() or '').isprintable() and census.summary().isprintable()


@pytest.mark.parametrize('name', [*JSON_FILES, 'charades_sta', 'csv'])
def test_mutated_files(name, inputs, tmp_path):
    path, out = tmp_path / 'a.json', tmp_path / 'out.jsonl'
    lengths = tmp_path / 'lengths.csv'
    lengths.write_text(LENGTHS)
    text = {'charades_sta': STA, 'csv': TABLE}.get(name)
    for number, rng in inputs(6):
        if text is None and number % 3:
            path.write_text(json.dumps(mutated_json(JSON_FILES[name][0], rng)))
        else:
            content = (text or json.dumps(JSON_FILES[name][0])).encode()
            path.write_bytes(mutated_bytes(content, rng))
        out.unlink(missing_ok=True)
        for said in (advice(path), advice(path, 'not valid JSON')):
            assert not said or assert_sentence(said) is None
        recognise(path)
        try:
            options = options_of(name, rng, lengths)
            found = outcome(partial(convert_annotations, name, path, out, **options))
            assert isinstance(found, str) != out.exists()
            if not isinstance(found, str):
                check_result(out, found.records, found.census)
        except Exception as error:
            raise AssertionError(f'input {number}: {path.read_bytes()!r}') from error


@pytest.mark.parametrize('kind', ['qvhighlights', 'windows', 'ratings', 'custom'])
def test_repairs_of_mutated_records(kind, inputs, tmp_path):
    path, out = tmp_path / 'a.jsonl', tmp_path / 'out.jsonl'
    written = 0
    for number, rng in inputs(6):
        records = [mutated_json(record, rng) for record in RECORDS[kind]]
        # Faults that are mended.
        for record in records[:2]:
            if isinstance(record, dict):
                field = rng.choice(('relevant_windows', 'windows'))
                low, high = rng.choice((-3, 0, 7, 30)), rng.choice((0, 7, 20.01, 40))
                record |= {field: [[low, high]], 'query': rng.choice((' a  dog', '', '\u200b'))}
        path.write_text('\n'.join(map(json.dumps, records)))
        out.unlink(missing_ok=True)
        tolerance = Tolerance('repair', rng.choice(('unique', 'renumber')))
        try:
            found = outcome(partial(write_repaired, path, out, 2.0, tolerance))
            assert isinstance(found, str) != out.exists()
            if not isinstance(found, str):
                written += 1
                count, census = found
                assert count == len(out.read_text().splitlines())
                if kind != 'custom':
                    check_result(out, [None] * count, census)
        except Exception as error:
            raise AssertionError(f'input {number}: {path.read_text()}') from error


def test_mutated_tables_of_lengths(inputs, tmp_path):
    path = tmp_path / 'lengths.csv'
    for _, rng in inputs(8):
        path.write_bytes(mutated_bytes(LENGTHS.encode(), rng))
        found = outcome(partial(read_lengths, path))
        assert isinstance(found, str | dict)


def test_every_format_is_tried():
    names = {find_format(name) for name in (*JSON_FILES, 'charades_sta', 'csv')}
    assert len(names) == len(JSON_FILES) + 2
