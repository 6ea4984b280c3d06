# SPDX-License-Identifier: Apache-2.0
"""The analysis of prediction files and run folders: a page, Markdown, JSON and tables."""

import contextlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from vtg.analysis import (
    OFFICIAL,
    ORDER,
    TOP,
    Answers,
    Options,
    Published,
    Questions,
    Study,
    System,
    as_records,
    entries_of,
    make_answers,
    make_questions,
    markdown_of,
    parts_of,
    summary_table,
)
from vtg.analysis.plain import as_plain
from vtg.evaluation.functional import RecordError
from vtg.evaluation.reading import Answers as FileAnswers
from vtg.evaluation.reading import RawFile, complete, read_answers
from vtg.evaluation.reading.complete import MISS
from vtg.evaluation.reading.formats import WINDOWS
from vtg.pages import write_page
from vtg.reports.published import CONFIGS, load_published
from vtg.utils import (
    ConfigError,
    DataError,
    check_clip_length,
    check_output,
    nearest_names,
    read_json,
    shown,
    write_json,
    write_jsonl,
    write_text,
)

from .evaluation import read_annotations
from .prediction_files import sources_of

_FILES = ('index.html', 'analysis.md', 'tables.tex', 'queries.csv', 'analysis.json',
          'ensemble_predictions.jsonl.gz')  # fmt: skip
RAW = 200
"""Windows per query among which a post-processing is searched."""


@dataclass(frozen=True)
class Reading:
    """How files are read.

    Attributes:
        missing: What queries without an answer count as, see
            :func:`vtg.evaluation.reading.complete`.
        windows: ``'repair'`` mends windows of predictions and annotations that cannot be.
        format: Of the predictions; None recognises it.
    """

    missing: Literal['wrong', 'refuse', 'full-video'] = 'wrong'
    windows: Literal['strict', 'repair'] = 'strict'
    format: str | None = None


def published_rows(systems: Sequence[str], dataset: str, split: str) -> list[Published]:
    """Published numbers of systems, by the names of their config folders.

    Raises:
        ConfigError: There is no such folder.
    """
    known = sorted(path.parent.name for path in CONFIGS.glob('*/metafile.yml'))
    rows = []
    for system in systems:
        if system not in known:
            close = nearest_names(system, known) or known
            raise ConfigError(f'--published names {shown(system)}; choose {", ".join(close)}.')
        for entry in load_published(CONFIGS / system / 'metafile.yml', dataset, split):
            metrics = {OFFICIAL[k]: v for k, v in entry.metrics.items() if k in OFFICIAL}
            if metrics:
                rows.append(Published(f'{system}, {entry.label}', metrics))
    return rows


def make_study(
    predictions: str,
    annotations: str | Path,
    against: Sequence[str] = (),
    *,
    options: Options | None = None,
    published: Sequence[Published] = (),
    split: str = 'val',
    clip_length: float = 2.0,
    title: str = '',
    reading: Reading | None = None,
) -> Study:
    """Read systems and what was asked of them.

    Args:
        predictions: The system that others are compared with, see :func:`sources_of`.
        annotations: In the format of QVHighlights or that for own data.
        against: Other systems.
        options: See :class:`vtg.analysis.Options`.
        published: Rows beside those of the systems, see :func:`published_rows`.
        split: Of run folders. clip_length: Seconds per clip. title: Of the report.
        reading: How files are read.

    Raises:
        DataError: A file cannot be read, or a record is wrong. ConfigError: See :func:`sources_of`.
    """
    check_clip_length(clip_length, 'the clip length')
    reading = reading or Reading()
    truth = read_annotations(annotations, clip_length, reading.windows)
    try:
        questions = make_questions(truth.records, clip_length)
    except RecordError as error:
        raise _placed(error, truth) from None
    systems: list[System] = []
    notes = [f'{text}: {count}' for text, count in truth.notes.items()]
    for source in sources_of([predictions, *against], split):
        runs = []
        for file in source.files:
            label = source.name if len(source.files) == 1 else f'{source.name}, {file}'
            answers, said = read_system(label, file, questions, reading)
            runs.append(answers)
            notes += said
        systems.append(System(source.name, questions, runs))
    if not any(system.values for system in systems):
        raise DataError(
            'nothing can be analysed: the annotations have neither `relevant_windows` for '
            'predicted windows nor graded clips for predicted scores; use a labelled split.'
        )
    options, raw = options or Options(), None
    if options.searched:
        first = sources_of([predictions], split)[0]
        raw, _ = read_system(first.name, first.files[0], questions, reading, RAW)
    title = title or f'Analysis of {systems[0].name}'
    return Study(title, systems, options, published, notes, raw)


def read_system(
    name: str, path: Path, questions: Questions, reading: Reading | None = None, top: int = TOP
) -> tuple[Answers, list[str]]:
    """Read the answers of a file to the queries of the annotations; ``top`` windows are kept.

    Returns:
        The answers, an absent one without a window, and sentences on what was unusual.

    Raises:
        DataError: The file is unreadable, a record is wrong, or no query is answered.
    """
    reading = reading or Reading()
    file = read_answers(path, reading.format)
    found = complete(file, questions.records, reading.missing, windows=reading.windows)
    records = [
        record | {WINDOWS: []} if _is_miss(record.get(WINDOWS)) else record
        for record in found.predictions
    ]
    notes = [f'{name}: {text}: {count}' for text, count in found.notes.items()]
    if found.answered < found.total:
        notes.append(
            f'{name}: answered {found.answered} of {found.total} queries; the others count as '
            f'{"misses" if reading.missing == "wrong" else "the whole video"}.'
        )
    try:
        return make_answers(name, records, questions, top), notes
    except RecordError as error:
        raise _placed(error, file) from None


def _is_miss(windows: Any) -> bool:
    """Whether a window only stands for none, which is no error of a model."""
    return isinstance(windows, list) and windows == [list(MISS)]


def _placed(error: RecordError, file: RawFile | FileAnswers) -> DataError:
    place = f'{file.where(error.qid)} (qid {shown(error.qid)})'
    mended = error.field in (WINDOWS, 'relevant_windows')
    hint = ' --windows repair leaves out or mends such windows.' if mended else ''
    return DataError(f'{place}: `{error.field}` {error.problem}{hint}')


def check_report_folder(out: str | Path) -> None:
    """Raise :class:`ConfigError` where files in a folder would be replaced that are no earlier
    report."""
    taken = [name for name in _FILES if os.path.lexists(Path(out, name))]
    known: Any = None
    with contextlib.suppress(DataError):
        known = read_json(Path(out, 'analysis.json'))
    if taken and not (isinstance(known, dict) and {'title', 'queries', 'systems'} <= known.keys()):
        raise ConfigError(
            f'{out} holds {taken[0]}, but no earlier analysis, so it is not overwritten; choose '
            'another folder or remove it yourself.'
        )


def write_study(study: Study, out: str | Path) -> list[Path]:
    """Write ``index.html``, ``analysis.md``, ``analysis.json``, ``tables.tex``, ``queries.csv``.

    With an ensemble, its answers are written as ``ensemble_predictions.jsonl.gz``.
    """
    out = Path(out)
    parts = parts_of(study)
    page, texts = out / 'index.html', {
        'analysis.md': markdown_of(study, parts),
        'tables.tex': summary_table(study).latex(),
        'queries.csv': study.query_csv(),
    }  # fmt: skip
    note = f'{len(study.questions)} queries. ' + ' '.join(study.notes)
    entries = entries_of(
        study.questions,
        [system.first for system in study.systems],
        study.options.found,
        study.options.touching,
    )
    sections = [part.section() for part in parts]
    order = ORDER if study.has_moments else 'HL-AP'
    write_page(page, study.title, entries, sections, order=order, note=note)
    for name, text in texts.items():
        write_text(out / name, text)
    write_json(out / 'analysis.json', as_plain(study))
    written = [page, *(out / name for name in texts), out / 'analysis.json']
    if study.ensemble is not None:
        written.append(out / 'ensemble_predictions.jsonl.gz')
        write_jsonl(written[-1], as_records(study.ensemble, study.questions))
    return written


def analyse(
    predictions: str,
    annotations: str | Path,
    out: str | Path,
    against: Sequence[str] = (),
    training: str | Path | None = None,
    options: Options | None = None,
    **more: Any,
) -> tuple[Study, list[Path]]:
    """Read, analyse and write; see :func:`make_study` and :func:`write_study`.

    Args:
        predictions, annotations, against: See :func:`make_study`, as ``more``.
        out: Folder of the report.
        training: Annotations of the training split, for the prior that ignores the video.
        options: See :class:`vtg.analysis.Options`.
    """
    inputs = [annotations, training]
    inputs += [file for source in sources_of([predictions, *against], more.get('split', 'val'))
               for file in source.files]  # fmt: skip
    check_output(out, inputs)
    check_report_folder(out)
    options = options or Options()
    if training:
        windows = (more.get('reading') or Reading()).windows
        records = read_annotations(training, more.get('clip_length', 2.0), windows).records
        options = replace(options, training=records)
    study = make_study(predictions, annotations, against, options=options, **more)
    return study, write_study(study, out)
