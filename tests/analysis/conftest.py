# SPDX-License-Identifier: Apache-2.0
import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from predictions import random_records

from vtg.analysis import Answers, Questions, make_answers, make_questions
from vtg.apis.analysis import read_system
from vtg.apis.evaluation import read_annotations


@pytest.fixture
def made() -> Callable[..., tuple[Questions, Answers]]:
    """``made(seed)``: random questions and answers."""

    def make(seed: int, **options: Any) -> tuple[Questions, Answers]:
        annotations, predictions = random_records(seed, **options)
        questions = make_questions(annotations)
        return questions, make_answers('m', predictions, questions)

    return make


@pytest.fixture
def asked() -> Callable[..., tuple[Questions, Answers]]:
    """``asked(truth, predicted)``: one query with these windows, falling scores if none given."""

    def make(truth: list[Any], predicted: list[Any]) -> tuple[Questions, Answers]:
        rows = [[*w, 1 - n / 100] if len(w) == 2 else w for n, w in enumerate(predicted)]
        questions = make_questions(
            [{'qid': 1, 'query': 'q', 'vid': 'v', 'duration': 100, 'relevant_windows': truth}]
        )
        return questions, make_answers('m', [{'qid': 1, 'pred_relevant_windows': rows}], questions)

    return make


@functools.cache
def _real(shared: Path, name: str) -> tuple[Questions, Answers]:
    questions = _questions(shared)
    file = shared / 'data' / 'predictions' / f'{name}_val_preds.jsonl.gz'
    return questions, read_system(name, file, questions)[0]


@functools.cache
def _questions(shared: Path) -> Questions:
    file = shared / 'data' / 'qvhighlights' / 'highlight_val_release.jsonl.gz'
    return make_questions(read_annotations(file).records)


@pytest.fixture
def real(shared: Path) -> Callable[[str], tuple[Questions, Answers]]:
    """``real(name)``: a published prediction file."""
    return lambda name: _real(shared, name)
