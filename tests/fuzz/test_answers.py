# SPDX-License-Identifier: Apache-2.0
"""Damaged answers of other code bases: metrics within their range, or one sentence."""

import json
import math
import runpy
import warnings
from functools import partial
from pathlib import Path

import pytest
from campaign import mutated_bytes, mutated_json, outcome

from vtg.apis.evaluation import FileEvaluation, evaluate_files
from vtg.evaluation.reading import FORMATS
from vtg.utils import write_jsonl

TESTS = Path(__file__).parents[1]
READING = runpy.run_path(str(TESTS / 'evaluation/reading/test_reading.py'))
ANSWERS = READING['answers_of']([10, 20])
NLQ = {'results': [{'clip_uid': 'a', 'query': 'A dog runs.', 'predicted_times': [[10, 20]]}]}
FILES = {**ANSWERS, 'nlq': NLQ}


def numbers_in(value):
    if isinstance(value, dict):
        for item in value.values():
            yield from numbers_in(item)
    elif isinstance(value, int | float):
        yield value


def options_of(name: str, rng) -> dict:
    return {
        'windows': rng.choice(('strict', 'repair')),
        'missing': rng.choice((None, 'wrong', 'refuse', 'drop', 'full-video')),
        'order': rng.choice(('score', 'list')),
        'grid': rng.choice((None, 2.0)),
        'qid': rng.choice(('unique', 'unique', 'renumber')),
        'fmt': rng.choice((None, None, name, rng.choice(list(FORMATS)))),
        'extended': rng.choice((False, True)),
    }


@pytest.mark.parametrize('name', FILES)
def test_mutated_answers(name, inputs, tmp_path):
    path, truth = tmp_path / 'answers.json', tmp_path / 'truth.jsonl'
    write_jsonl(truth, READING['QUERIES'])
    path.write_text(json.dumps(FILES[name]))
    assert evaluate_files(path, truth).answered
    for number, rng in inputs(6):
        if number % 4:
            content = mutated_json(FILES[name], rng)
            if rng.random() < 0.3 and isinstance(content, list):
                path.write_text('\n'.join(map(json.dumps, content)))
            else:
                path.write_text(json.dumps(content))
        else:
            path.write_bytes(mutated_bytes(json.dumps(FILES[name]).encode(), rng))
        options = options_of(name, rng)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter('error')
                found = outcome(partial(evaluate_files, path, truth, **options))
            if isinstance(found, FileEvaluation):
                for value in numbers_in(found.result):
                    assert math.isnan(value) or 0 <= value <= 100 + 1e-9
                assert 0 <= found.answered <= found.total
                assert all(text.isprintable() for text in found.notes)
        except Exception as error:
            raise AssertionError(f'input {number}, {options}: {path.read_bytes()!r}') from error


def test_every_format_is_tried():
    assert set(FORMATS) == set(FILES)
