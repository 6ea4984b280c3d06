# SPDX-License-Identifier: Apache-2.0
"""Queries with the answers of systems, for the timelines of a page."""

from collections.abc import Sequence

import numpy as np

from vtg.pages import Entry, Track

from .arrays import Answers, Questions
from .errors import OUTCOMES, error_profile
from .values import first_hit, query_values

ORDER = 'IoU'
"""The number by which the worst query is first."""


def entries_of(
    questions: Questions, answers: Sequence[Answers], found: float = 0.5, touching: float = 0.1
) -> list[Entry]:
    """One entry per query; numbers and classes are those of the first of the answers.

    With several answers, ``gain`` is the IoU of the first minus that of the best of the others.
    """
    shown = _numbers(questions, answers, found, touching)
    grades = None if questions.grades is None else questions.grades.mean(2)
    made = []
    for index, record in enumerate(questions.records):
        values = {
            name: column[index]
            for name, column in shown.items()
            if isinstance(column[index], str) or not np.isnan(column[index])
        }
        tracks = [
            Track(
                one.name,
                np.column_stack((one.windows[index], one.scores[index]))[one.mask[index]],
                one.saliency[index, one.scored[index]],
                questions.clip_length,
            )
            for one in answers
        ]
        clips = int(questions.clips[index]) if grades is not None else 0
        known = record.get('relevant_windows') is not None
        made.append(
            Entry(
                query=str(record.get('query', '')),
                duration=float(questions.duration[index]),
                tracks=tracks,
                truth=questions.truth[index, questions.mask[index]] if known else None,
                grades=() if grades is None else grades[index, :clips],
                qid=record['qid'],
                video=str(record.get('vid') or ''),
                values=values,
            )
        )
    return made


def _numbers(
    questions: Questions, answers: Sequence[Answers], found: float, touching: float
) -> dict[str, Sequence[float] | Sequence[str] | np.ndarray]:
    first = answers[0]
    values = query_values(questions, first)
    shown: dict[str, Sequence[float] | Sequence[str] | np.ndarray] = {}
    if 'mIoU' in values:
        counted = ~np.isnan(values['mIoU'])
        profile = error_profile(questions, first, found, touching)
        ranks = first_hit(first, found)
        shown[ORDER] = values['mIoU'] / 100
        shown['best IoU'] = np.where(counted, first.best.max(1), np.nan)
        shown['AP'] = values['mAP'] / 100
        shown['first hit'] = np.where(counted & (ranks > 0), ranks, np.nan)
        shown['error'] = [OUTCOMES[code] for code in profile.outcome]
        if len(answers) > 1:
            others = [query_values(questions, one).get('mIoU') for one in answers[1:]]
            known = [column for column in others if column is not None]
            if known:
                shown['gain'] = (values['mIoU'] - np.max(known, axis=0)) / 100
    if 'HL-mAP' in values:
        shown['HL-AP'] = values['HL-mAP'] / 100
    return shown
