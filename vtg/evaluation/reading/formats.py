# SPDX-License-Identifier: Apache-2.0
"""How code bases write their answers: which fields hold windows, texts, scores and the query."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .times import Span, first_span_in, spans_in

WINDOWS, SCORES = 'pred_relevant_windows', 'pred_saliency_scores'
EXISTENCE = 'pred_exist_score'
KEY_SEPARATOR = '>>>'
"""TimeLens and Time-R1 name an answer ``video>>>query>>>span``."""

QID = ('qid', 'id', 'query_id', 'question_id')
VIDEO = ('vid', 'vname', 'video', 'video_id', 'video_path', 'clip_uid', 'video_uid')
QUERY = ('query', 'question', 'sentence', 'caption')
EXISTENCE_FIELDS = (EXISTENCE, 'relavent_score', 'relevant_score', 'pred_class')
TEXTS = ('answer', 'answers', 'response', 'output', 'prediction', 'generated_text', 'model_output')


@dataclass(frozen=True)
class AnswerFormat:
    """One way to write answers.

    Attributes:
        name: For ``--format``.
        title: What it is, in a few words.
        recognises: Whether a record, and the key it stands under (``''`` without), look like it.
        windows: Fields with windows, the first that holds a list counts.
        texts: Fields with a text that names times, read where there are no windows.
        scores: Fields with a score for every window.
        spans: Reads the text.
        swaps: Windows the wrong way round are turned, as in its own evaluation.
    """

    name: str
    title: str
    recognises: Callable[[Mapping[str, Any], str], bool]
    windows: Sequence[str] = ()
    texts: Sequence[str] = ()
    scores: Sequence[str] = ()
    spans: Callable[[str], list[Span]] = spans_in
    swaps: bool = False


def _has(*names: str) -> Callable[[Mapping[str, Any], str], bool]:
    return lambda record, key: all(name in record for name in names)


def _speaks(record: Mapping[str, Any], key: str) -> bool:
    """Whether a text of a language model stands in a record."""
    values = [record.get(name) for name in (*TEXTS, 'pred', 'text')]
    values = [value[0] if isinstance(value, list) and value else value for value in values]
    return any(isinstance(value, str) for value in values)


FORMATS: dict[str, AnswerFormat] = {
    one.name: one
    for one in (
        AnswerFormat(
            'vtg',
            f'`{WINDOWS}` or `{SCORES}`, the format of QVHighlights and of this toolbox',
            lambda record, key: WINDOWS in record or SCORES in record,
            windows=(WINDOWS,),
        ),
        AnswerFormat(
            'timechat_raw',
            'texts of TimeChat in `generated_cap`',
            _has('generated_cap', 'vname'),
            texts=('generated_cap',),
            spans=first_span_in,
            swaps=True,
        ),
        AnswerFormat(
            'timechat',
            'an object by query with `timestamp`, `query` and `vid`, as TimeChat evaluates',
            lambda record, key: 'timestamp' in record and ('query' in record or bool(key)),
            windows=('timestamp',),
            swaps=True,
        ),
        AnswerFormat(
            'nlq',
            'the challenge of Ego4D-NLQ: `results` with `predicted_times`',
            _has('predicted_times'),
            windows=('predicted_times',),
        ),
        AnswerFormat(
            'videomind',
            'windows in `pred` and their confidence in `conf`, as VideoMind writes them',
            _has('pred', 'conf'),
            windows=('pred',),
            scores=('conf',),
            swaps=True,
        ),
        AnswerFormat(
            'timelens',
            f'an object by `video{KEY_SEPARATOR}query{KEY_SEPARATOR}span`, or `pred` beside the '
            'text in `answer`, as TimeLens and Time-R1 write them',
            lambda record, key: KEY_SEPARATOR in key or _has('pred', 'answer')(record, key),
            windows=('timestamps', 'timestamp', 'pred'),
            texts=TEXTS,
        ),
        AnswerFormat(
            'text',
            'a text such as "from 12.5 to 30 seconds" in `answer`, `response`, `output`, '
            '`prediction` or `pred`',
            _speaks,
            texts=(*TEXTS, 'pred', 'text'),
        ),
        AnswerFormat(
            'windows',
            'windows in `pred`, `predictions`, `pred_windows` or `windows`',
            lambda record, key: any(
                isinstance(record.get(name), list)
                for name in ('pred', 'predictions', 'pred_windows', 'windows')
            ),
            windows=('pred', 'predictions', 'pred_windows', 'windows'),
            scores=('scores', 'conf'),
        ),
    )
}
"""By name, those with the plainest marks first."""


def named(record: Mapping[str, Any], names: Sequence[str]) -> Any:
    """The first of the fields that is there."""
    return next((record[name] for name in names if record.get(name) is not None), None)


def video_of(record: Mapping[str, Any]) -> str | None:
    """The id of the video that an answer names, as a text."""
    value = named(record, VIDEO)
    return value if isinstance(value, str) else None
