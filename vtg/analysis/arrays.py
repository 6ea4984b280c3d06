# SPDX-License-Identifier: Apache-2.0
"""Questions and answers as arrays.

Q queries, K predicted and G annotated windows, L clips (all padded), A annotators. Windows are
start and end in seconds.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from vtg.evaluation.functional import clip_labels, iou_matrix, pad_rows
from vtg.evaluation.functional.grounding import graded_clips
from vtg.utils import DataError, Record, is_number

TOP = 10
"""Windows per query that are looked at, the first of the list, as for mAP."""
PREDICTED, SCORED, TRUTH = 'pred_relevant_windows', 'pred_saliency_scores', 'relevant_windows'
EXISTENCE = 'pred_exist_score'


@dataclass(frozen=True)
class Questions:
    """What is asked and what is right.

    Attributes:
        records: The annotations.
        duration: ``(Q,)`` seconds; 0 where unknown.
        truth: ``(Q, G, 2)``. mask: ``(Q, G)`` True on windows.
        grades: ``(Q, L, A)``, 0 to 4; None without graded clips.
        clips: ``(Q,)`` clips of every video, with grades.
        graded: ``(Q,)`` True where clips are graded.
        clip_length: Seconds per clip.
    """

    records: Sequence[Record]
    duration: np.ndarray
    truth: np.ndarray
    mask: np.ndarray
    grades: np.ndarray | None = None
    clips: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    graded: np.ndarray = field(default_factory=lambda: np.zeros(0, bool))
    clip_length: float = 2.0

    def __len__(self) -> int:
        return len(self.records)

    @property
    def count(self) -> np.ndarray:
        """``(Q,)`` annotated windows."""
        return self.mask.sum(1)

    @property
    def asked(self) -> np.ndarray:
        """``(Q,)`` True where there is an annotated window."""
        return np.asarray(self.mask.any(1))

    @property
    def qids(self) -> list[Any]:
        """Ids of the queries."""
        return [record['qid'] for record in self.records]

    @property
    def videos(self) -> list[str]:
        """Names of the videos."""
        return [str(record.get('vid', '')) for record in self.records]

    @property
    def queries(self) -> list[str]:
        """The sentences."""
        return [str(record.get('query', '')) for record in self.records]


@dataclass(frozen=True)
class Answers:
    """The answers of one model, best first.

    Attributes:
        name: The model.
        windows: ``(Q, K, 2)``. scores: ``(Q, K)``. mask: ``(Q, K)`` True on windows.
        iou: ``(Q, K, G)``, 0 on padding and between windows without length.
        saliency: One score per clip, ``(Q, L')``. scored: ``(Q, L')`` True on scores.
        stated: ``(Q,)`` probability of a moment where the model states one, else NaN.
    """

    name: str
    windows: np.ndarray
    scores: np.ndarray
    mask: np.ndarray
    iou: np.ndarray
    saliency: np.ndarray
    scored: np.ndarray
    stated: np.ndarray | None = None

    @property
    def existence(self) -> np.ndarray:
        """``(Q,)``: probability of a moment, else the highest score of a window, else 0."""
        highest = np.where(self.mask, self.scores, 0.0).max(1, initial=0)
        if self.stated is None:
            return highest
        return np.where(np.isnan(self.stated), highest, self.stated)

    @property
    def best(self) -> np.ndarray:
        """``(Q, K)``: IoU of every window with its best annotated one."""
        return self.iou.max(2, initial=0)


def make_questions(annotations: Sequence[Record], clip_length: float = 2.0) -> Questions:
    """Read annotations in the format of QVHighlights, or with ``saliency`` of own data.

    Raises:
        DataError: There are none, or one is malformed.
    """
    if not annotations:
        raise DataError('there are no queries to analyse; check the files.')
    qids = [record.get('qid') for record in annotations]
    lists = [record.get(TRUTH) or [] for record in annotations]
    truth, mask = pad_rows(lists, qids, TRUTH, 2)
    duration = np.array([d if is_number(d := r.get('duration'), 0) else 0.0 for r in annotations])
    graded, labelled = _graded(annotations)
    if not any(graded):
        return Questions(annotations, duration, truth, mask, clip_length=clip_length)
    own = annotations[graded.index(True)].get('saliency') is not None
    some, clips = clip_labels(labelled, 1.0 if own else clip_length)
    places = np.flatnonzero(graded)
    grades = np.zeros((len(annotations), *some.shape[1:]), np.int8)
    grades[places] = some
    counts = np.zeros(len(annotations), np.int64)
    counts[places] = clips
    return Questions(
        annotations, duration, truth, mask, grades, counts, np.array(graded), clip_length
    )


def _graded(annotations: Sequence[Record]) -> tuple[list[bool], list[Record]]:
    """Which annotations have grades, and these in the fields of QVHighlights."""
    graded, labelled = [], []
    for record in annotations:
        official = record.get('saliency_scores') and is_number(record.get('duration'), 0)
        graded.append(bool(official or record.get('saliency')))
        if graded[-1]:
            labelled.append(record if official else graded_clips(record))
    return graded, labelled


def make_answers(
    name: str, predictions: Sequence[Record], questions: Questions, top: int = TOP
) -> Answers:
    """Read predictions, pair by pair with the questions.

    Args:
        name: The model.
        predictions: Official records; an absent or empty list is an answer without a window.
        questions: What was asked.
        top: Windows that are kept: the first of the list, then sorted by score (equal scores in
            the order of the list).

    Raises:
        DataError: A record is malformed.
    """
    qids = questions.qids
    lists = [_rows(record.get(PREDICTED), top) for record in predictions]
    table, mask = pad_rows(lists, qids, PREDICTED, 3)  # (Q, K, 3)
    order = np.argsort(np.where(mask, -table[..., 2], np.inf), axis=1, kind='stable')
    table = np.take_along_axis(table, order[..., None], 1)
    curves = [_rows(record.get(SCORED)) for record in predictions]
    saliency, scored = pad_rows(curves, qids, SCORED)
    windows = table[..., :2]
    iou = overlaps(windows, mask, questions)
    stated = [record.get(EXISTENCE) for record in predictions]
    exists = np.array([value if is_number(value) else np.nan for value in stated])
    return Answers(name, windows, table[..., 2], mask, iou, saliency, scored, exists)


def overlaps(windows: np.ndarray, mask: np.ndarray, questions: Questions) -> np.ndarray:
    """IoU ``(Q, K, G)`` with the annotated windows, 0 on padding and without length."""
    iou = np.nan_to_num(iou_matrix(windows, questions.truth))
    return np.where(mask[..., None] & questions.mask[:, None], iou, 0.0)


def _rows(values: Any, most: int | None = None) -> Any:
    """A list that may be absent; anything else is refused where it is read."""
    return [] if values is None else values[:most] if isinstance(values, list) else values


def as_records(answers: Answers, questions: Questions) -> list[Record]:
    """Answers as official records."""
    table = np.concatenate((answers.windows, answers.scores[..., None]), -1).round(4)
    records: list[Record] = []
    for index, qid in enumerate(questions.qids):
        record = questions.records[index]
        made: Record = {'qid': qid, 'query': record.get('query'), 'vid': record.get('vid')}
        made[PREDICTED] = table[index, answers.mask[index]].tolist()
        if answers.scored[index].any():
            made[SCORED] = answers.saliency[index, answers.scored[index]].round(4).tolist()
        records.append(made)
    return records
