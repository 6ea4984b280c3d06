# SPDX-License-Identifier: Apache-2.0
"""The mutations change what they get, and the same seed brings the same input back."""

import random

import pytest
from campaign import mutated_bytes, mutated_json, outcome

from vtg.utils import DataError

RECORD = {'qid': 1, 'query': 'a dog', 'windows': [[2, 8], [10, 12]]}


def test_mutations_are_seeded_and_leave_the_original_alone():
    made = [mutated_json(RECORD, random.Random(seed)) for seed in range(50)]
    again = [mutated_json(RECORD, random.Random(seed)) for seed in range(50)]
    assert list(map(repr, made)) == list(map(repr, again))
    assert sum(repr(item) != repr(RECORD) for item in made) > 40
    assert RECORD == {'qid': 1, 'query': 'a dog', 'windows': [[2, 8], [10, 12]]}


def test_bytes_are_changed():
    content = bytes(range(200))
    made = [mutated_bytes(content, random.Random(seed)) for seed in range(50)]
    assert made == [mutated_bytes(content, random.Random(seed)) for seed in range(50)]
    assert sum(item != content for item in made) > 40


def test_outcome_passes_results_and_sentences_only():
    def refuse(message):
        raise DataError(message)

    def crash():
        raise ValueError('x')

    assert outcome(lambda: 3) == 3
    assert outcome(lambda: refuse('a.jsonl: wrong.')) == 'a.jsonl: wrong.'
    with pytest.raises(AssertionError):
        outcome(lambda: refuse('two\nlines.'))
    with pytest.raises(ValueError, match='x'):
        outcome(crash)
