# SPDX-License-Identifier: Apache-2.0
"""Moments and saliency curves of several systems for one query, below the truth."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vtg.analysis import Answers, Questions, make_questions
from vtg.apis.analysis import Reading, read_system
from vtg.apis.evaluation import read_annotations
from vtg.apis.prediction_files import sources_of
from vtg.utils import ConfigError, check_clip_length, nearest_names, shown

from .figure import TRUTH, check_picture, label, legend_above, picture, styles

_WIDTH = 9.0
# Inches: the bar of the first window, a thin line of the next ones, and what is free below.
_BAR, _LINE, _STEP, _FREE = 0.15, 0.025, 0.05, 0.1
_CURVES = 1.6
TRUTH_NAME = 'annotation'


def plot_timeline(
    predictions: Sequence[str],
    annotations: str | Path,
    qid: str,
    out: str | Path,
    top: int = 3,
    split: str = 'val',
    clip_length: float = 2.0,
    reading: Reading | None = None,
    title: str = '',
) -> tuple[dict[str, float], list[str]]:
    """Draw what systems answer to a query, as Figure 6 of VideoLights (arXiv 2412.01558) does.

    Args:
        predictions: ``[NAME=]FILE`` or run folders, see
            :func:`vtg.apis.prediction_files.sources_of`; of several runs of a system the first is
            drawn.
        annotations: With or without labels, in the format of QVHighlights or that for own data.
        qid: Id of the query.
        out: Picture to write.
        top: Windows per system that are drawn, the first as a bar.
        split: Of run folders. clip_length: Seconds per clip.
        reading: How files are read.
        title: Of the picture; by default id, query and video.

    Returns:
        IoU of the best window of every system with the annotated window that it fits best, NaN
        without one, and sentences on what was unusual.

    Raises:
        ConfigError: There is no such query, or a system has no prediction file.
        DataError: A file cannot be read, or a record is wrong.
    """
    check_picture(out, [annotations])
    check_clip_length(clip_length, 'the clip length')
    reading = reading or Reading()
    sources = sources_of(predictions, split)
    check_picture(out, [annotations, *(source.files[0] for source in sources)])
    truth = read_annotations(annotations, clip_length, reading.windows)
    questions = make_questions(truth.records, clip_length)
    index = _place(questions, qid, annotations)
    answers, notes = [], []
    for source in sources:
        found, said = read_system(source.name, source.files[0], questions, reading, max(top, 1))
        answers.append(found)
        notes += said
    record = questions.records[index]
    heading = title or f'{record["qid"]}: {record.get("query", "")} ({record.get("vid", "?")})'
    inputs = [annotations, *(source.files[0] for source in sources)]
    _draw(out, questions, answers, index, top, heading, inputs)
    return {one.name: _best_iou(one, questions, index) for one in answers}, notes


def _place(questions: Questions, qid: str, annotations: str | Path) -> int:
    names = [str(name) for name in questions.qids]
    if qid not in names:
        close = nearest_names(qid, names[:10_000])
        hint = f'did you mean {" or ".join(close)}?' if close else f'the first is {names[0]}.'
        raise ConfigError(f'{annotations} has no query with the qid {shown(qid)}; {hint}')
    return names.index(qid)


def _best_iou(answers: Answers, questions: Questions, index: int) -> float:
    if not (answers.mask[index].any() and questions.mask[index].any()):
        return float('nan')
    return float(answers.iou[index, 0].max())


def _draw(
    out: str | Path,
    questions: Questions,
    answers: Sequence[Answers],
    index: int,
    top: int,
    title: str,
    inputs: Sequence[Any],
) -> None:
    windows = questions.truth[index, questions.mask[index]]
    labelled = questions.records[index].get('relevant_windows') is not None
    curves = [one.saliency[index, one.scored[index]] for one in answers]
    grades = _grades(questions, index)
    has_curves = grades is not None or any(len(curve) for curve in curves)
    rows = len(answers) + labelled
    most = max((int(one.mask[index].sum()) for one in answers), default=1)
    row = _BAR + _STEP * (min(top, max(most, 1)) - 1) + _FREE
    heights = [row * rows + 0.1, *([_CURVES] if has_curves else [])]
    look = styles(len(answers), beside_truth=True)
    handles: dict[str, Any] = {}
    with picture(out, _WIDTH, sum(heights) + 1.1, inputs) as figure:
        panels = figure.subplots(
            len(heights), 1, sharex=True, height_ratios=heights, squeeze=False
        ).ravel()
        moments = panels[0]
        names, told = [], []
        if labelled:
            handles[TRUTH_NAME] = _truth(moments, 0, windows, row)
            names.append(TRUTH_NAME)
            told.append('' if len(windows) else 'no moment')
        for one, style in zip(answers, look):
            shown_windows = one.windows[index, one.mask[index]]
            handles[one.name] = _bars(moments, len(names), shown_windows[:top], style['color'], row)
            names.append(one.name)
            overlap = _best_iou(one, questions, index)
            told.append('' if np.isnan(overlap) else f'IoU {overlap:.2f}')
            if not len(shown_windows):
                told[-1] = 'no answer'
        _rows(moments, names, told, row)
        for panel in panels:
            for start, end in windows if labelled else ():
                panel.axvspan(start, end, color=TRUTH, alpha=0.1, linewidth=0, zorder=0)
        if has_curves:
            _curves(panels[1], grades, curves, look, questions.clip_length)
        panels[-1].set_xlabel('seconds')
        panels[-1].set_xlim(0, _end(questions, answers, index, curves))
        legend_above(figure, list(handles.values()), list(handles), _WIDTH, title)


def _bars(panel: Any, place: int, windows: np.ndarray, colour: str, row: float) -> Any:
    """The first window as a bar at the top of a row of ``row`` inches, the next ones as thin lines
    below it."""
    for rank, (start, end) in enumerate(windows):
        height = _LINE if rank else _BAR
        top = _FREE / 2 + (_BAR + rank * _STEP - _LINE if rank else 0)
        panel.barh(
            place - 0.5 + (top + height / 2) / row, max(end - start, 0.05), left=start,
            height=height / row, color=colour, alpha=0.7 if rank else 1.0, zorder=2,
        )  # fmt: skip
    return panel.barh(place, 0, color=colour)


def _truth(panel: Any, place: int, windows: np.ndarray, row: float) -> Any:
    """The annotated windows, all of them as bars."""
    for window in windows:
        _bars(panel, place, window[None], TRUTH, row)
    return panel.barh(place, 0, color=TRUTH)


def _rows(panel: Any, names: Sequence[str], told: Sequence[str], row: float) -> None:
    """Names on the left and what is told on the right, at the height of the first windows."""
    places = np.arange(len(names)) - 0.5 + (_FREE + _BAR) / 2 / row
    panel.set_yticks(places, [label(name, 28) for name in names])
    panel.set_ylim(len(names) - 0.4, -0.6)
    panel.spines['left'].set_visible(False)
    panel.tick_params(axis='y', length=0)
    right = panel.secondary_yaxis('right')
    right.set_yticks(places, told)
    right.tick_params(axis='y', length=0)
    right.spines['right'].set_visible(False)


def _curves(
    panel: Any,
    grades: np.ndarray | None,
    curves: Sequence[np.ndarray],
    look: Sequence[dict[str, Any]],
    clip_length: float,
) -> None:
    """Curves from their lowest to their highest value, over the annotated grades."""
    if grades is not None and len(grades):
        edges = np.arange(len(grades) + 1) * clip_length
        panel.stairs(_scaled(grades, low=0.0), edges, fill=True, color=TRUTH, alpha=0.3)
    for curve, style in zip(curves, look):
        if len(curve):
            centres = (np.arange(len(curve)) + 0.5) * clip_length
            panel.plot(centres, _scaled(curve), color=style['color'], linewidth=1.3, alpha=0.9)
    panel.set_yticks([])
    panel.set_ylim(-0.05, 1.05)
    panel.set_ylabel('saliency, 0 to 1')
    panel.spines['left'].set_visible(False)


def _scaled(values: np.ndarray, low: float | None = None) -> np.ndarray:
    low = values.min() if low is None else low
    high = values.max()
    return (values - low) / (high - low) if high > low else np.full(len(values), 0.0)


def _grades(questions: Questions, index: int) -> np.ndarray | None:
    """Mean grade of every clip; None where nothing is graded."""
    if questions.grades is None or not questions.graded[index]:
        return None
    return np.asarray(questions.grades[index, : questions.clips[index]].mean(1))


def _end(
    questions: Questions, answers: Sequence[Answers], index: int, curves: Sequence[np.ndarray]
) -> float:
    """Seconds that are shown: those of the video, else of what is drawn."""
    if questions.duration[index]:
        return float(questions.duration[index])
    ends = [len(curve) * questions.clip_length for curve in curves]
    ends += [float(one.windows[index].max(initial=0)) for one in answers]
    return max([*ends, float(questions.truth[index].max(initial=0)), questions.clip_length])
