# SPDX-License-Identifier: Apache-2.0
"""The evaluation of prediction files, of this or any other code base."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import compress
from pathlib import Path
from typing import Any, Literal

from vtg.evaluation.functional import (
    RecordError,
    evaluate_grounding,
    evaluate_qvhighlights,
    survey_predictions,
)
from vtg.evaluation.functional.survey import LEFT_OUT
from vtg.evaluation.reading import Completed, RawFile, complete, read_answers, read_raw
from vtg.evaluation.reading.answers import check_qids
from vtg.utils import ConfigError, DataError, Record, check_clip_length, nearest_names, shown

# What brings PyTorch with it is imported where it is used: the official formats need not wait.

_OWN_FIELDS = ('video', 'windows', 'saliency')
ANSWERED_ONLY = 'answered-only'
"""Names numbers that leave out what was not answered."""


@dataclass(frozen=True)
class AnnotationFile(RawFile):
    """The annotations of a file, of records in the format for own data with the internal names.

    Attributes:
        own_format: Whether the records are in the format for own data.
        notes: What was mended, with its count.
    """

    own_format: bool = False
    notes: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class FileEvaluation:
    """What an evaluation of files found.

    Attributes:
        result: The unrounded nested result; ``brief`` holds what is shown.
        notes: What is unusual about the files, with its count.
        answered: How many of the annotated queries were answered; total: of how many.
        format: The format that the predictions were in.
        baselines: Further columns: the numbers of the answered queries alone where some were not
            answered, and values of constant predictions by their name.
        headlines: The names that a metric shows first; all where it says nothing.
    """

    result: dict[str, Any]
    notes: dict[str, int]
    answered: int = 0
    total: int = 0
    format: str = 'vtg'
    baselines: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    headlines: tuple[str, ...] = ()


def evaluate_files(
    predictions: str | Path,
    annotations: str | Path,
    *,
    extended: bool = False,
    missing: Literal['wrong', 'refuse', 'drop', 'full-video'] | None = None,
    metric: str | Mapping[str, Any] | None = None,
    fmt: str | None = None,
    windows: Literal['strict', 'repair'] = 'strict',
    qid: Literal['unique', 'renumber'] = 'unique',
    order: Literal['score', 'list'] = 'score',
    grid: float | None = None,
    clip_length: float = 2.0,
) -> FileEvaluation:
    """Evaluate a prediction file against an annotation file.

    Both are JSON lines, one JSON list or one JSON object, plain or ``.gz``. Annotations in the
    format of QVHighlights are evaluated as the official evaluator does, those in the format for own
    data (:mod:`vtg.datasets.custom_format`) as ``GroundingMetric`` does, unless ``metric`` says
    otherwise. Numbers must be numbers, unless ``windows`` says otherwise. What the official
    evaluator takes but a reader should know is counted in the notes.

    Args:
        predictions: In any format of :data:`vtg.evaluation.reading.FORMATS`.
        annotations: Labelled records.
        extended: Add mIoU and R@1 from IoU 0.3 to the official result.
        missing, order, grid: See :func:`vtg.evaluation.reading.complete`.
        metric: Name of a benchmark or metric, or the config of one; see :func:`find_metric`.
        fmt: Format of the predictions; None recognises it.
        windows: ``'repair'`` mends the known faults of published annotations, and windows of
            predictions that are reversed, out of range or no numbers.
        qid: ``'renumber'`` pairs both files by position, for ids that repeat.
        clip_length: Seconds per clip.

    Raises:
        DataError: A file cannot be read, a record is wrong (names file and line), the queries
            differ, or nothing is labelled.
        ConfigError: An option is unknown, or the clip length is no number of seconds.
    """
    check_clip_length(clip_length, 'the clip length')
    cfg = None if metric is None else find_metric(metric)
    truth = read_annotations(annotations, clip_length, windows, qid)
    try:
        answers = read_answers(predictions, fmt)
    except DataError:
        _name_format(predictions)
        raise
    completed = complete(
        answers, truth.records, missing, windows=windows, order=order, grid=grid,
        by_position=qid == 'renumber', empty_is_answer=_takes_empty(cfg),
    )  # fmt: skip
    try:
        evaluation = _evaluated(completed, cfg, truth.own_format, extended)
        answered = _answered(completed)
        usual = survey_predictions(answered.predictions, answered.annotations, clip_length)
        beside = dict(evaluation.baselines)
        if answered.predictions and not all(completed.whole):
            with suppress(DataError):  # perhaps no query that is answered is labelled
                only = _evaluated(answered, cfg, truth.own_format, extended, remarks=False)
                beside = {ANSWERED_ONLY: only.result['brief'], **beside}
    except RecordError as error:
        side = answers if error.field.startswith('pred_') else truth
        place = f'{side.where(error.qid)} (qid {shown(error.qid)})'
        raise DataError(f'{place}: `{error.field}` {error.problem}{_help(error)}') from None
    if _takes_empty(cfg):
        usual.pop(LEFT_OUT, None)
    if missing == 'drop':
        brief = evaluation.result['brief']
        evaluation.result['brief'] = {f'{ANSWERED_ONLY}/{k}': v for k, v in brief.items()}
    return replace(
        evaluation,
        notes={**truth.notes, **completed.notes, **usual},
        answered=completed.answered,
        total=completed.total,
        format=answers.format,
        baselines=beside,
    )


def _evaluated(
    completed: Completed,
    cfg: dict[str, Any] | None,
    own_format: bool,
    extended: bool,
    remarks: bool = True,
) -> FileEvaluation:
    """Evaluate with a metric, as the official evaluator, or as own data."""
    if cfg is not None:
        return _by_metric(cfg, completed, remarks)
    pairs = completed.predictions, completed.annotations
    if own_format:
        return FileEvaluation(evaluate_grounding(*pairs, rounded=False), {})
    return FileEvaluation(evaluate_qvhighlights(*pairs, rounded=False, extended=extended), {})


def find_metric(metric: str | Mapping[str, Any]) -> dict[str, Any]:
    """The config of a metric by the name of a benchmark (``'nlq'``), of itself
    (``'RecallMetric'``), or of its prefix (``'GMR'``).

    Raises:
        ConfigError: There is none; names the nearest.
    """
    if not isinstance(metric, str):
        return dict(metric)
    known: dict[str, dict[str, Any]] = {}
    for name, cls in metrics().items():
        known |= {name: {'type': name}, str(cls.default_prefix): {'type': name}}
        known |= {key: {'type': name, **options} for key, options in cls.benchmarks.items()}
    by_case = {name.lower().replace('-', '_'): name for name in known}
    key = metric.lower().replace('-', '_')
    if key not in by_case:
        close = nearest_names(metric, known) or [
            n for cls in metrics().values() for n in cls.benchmarks
        ]
        raise ConfigError(f'there is no metric {metric!r}; choose {" or ".join(close)}.')
    return known[by_case[key]]


def metrics() -> dict[str, Any]:
    """Every registered metric over records, by name."""
    from vtg.evaluation.metrics import RecordMetric
    from vtg.registry import METRICS

    METRICS.import_from_location()
    return {
        name: cls
        for name, cls in METRICS.module_dict.items()
        if isinstance(cls, type) and issubclass(cls, RecordMetric)
    }


def read_annotations(
    path: str | Path,
    clip_length: float = 2.0,
    windows: Literal['strict', 'repair'] = 'strict',
    qid: Literal['unique', 'renumber'] = 'unique',
) -> AnnotationFile:
    """Read annotations in the format of QVHighlights or that for own data.

    Args:
        path: JSON lines or a JSON list.
        clip_length: Seconds per clip.
        windows, qid: See :class:`vtg.datasets.repair.Tolerance`.

    Raises:
        DataError: The file cannot be read, or a record is wrong.
    """
    try:
        return _annotations_of(Path(path), clip_length, windows, qid)
    except DataError:
        _name_format(path)
        raise


def _annotations_of(path: Path, clip_length: float, windows: Any, qid: Any) -> AnnotationFile:
    raw = read_raw(path)
    records, places = raw.records, raw.places
    own = any('vid' not in record and set(_OWN_FIELDS) & set(record) for record in records)
    if own:
        records = list(_own_records(raw, clip_length))
    notes: dict[str, int] = {}
    if (windows, qid) != ('strict', 'unique'):
        records, places, notes = _settled(replace(raw, records=records), clip_length, windows, qid)
    found = AnnotationFile(raw.path, records, places, raw.keys, raw.lines, own, notes)
    check_qids(found, '; --qid renumber takes ids that repeat')
    return found


def _settled(
    raw: RawFile, clip_length: float, windows: Any, qid: Any
) -> tuple[list[Record], list[str], dict[str, int]]:
    """Mended records, their places, and what was mended."""
    from vtg.datasets.census import Reading
    from vtg.datasets.repair import FAULTS, Tolerance

    reading = Reading(clip_length, Tolerance(windows, qid))
    pairs = [(reading.settle(record), place) for record, place in zip(raw.records, raw.places)]
    kept = [(record, place) for record, place in pairs if record is not None]
    counts = reading.census.counts()
    done = {
        f'annotations: {FAULTS[name][0]} ({reading.tolerance.done(name)})': int(counts[name])
        for name in FAULTS
        if counts[name] and windows == 'repair'
    }
    return [record for record, _ in kept], [place for _, place in kept], done


def _name_format(path: str | Path) -> None:
    """Raise :class:`DataError` where a file is in a published format of annotations that another
    tool reads; says which."""
    from vtg.formats import formats, recognise

    name = recognise(path)
    if name not in (None, 'jsonl'):
        raise DataError(
            f'{path} looks like {formats()[str(name)].title}: '
            f'tools/convert_annotations.py {name} {path} OUT.jsonl turns it into JSON lines.'
        )


def _by_metric(cfg: dict[str, Any], completed: Completed, remarks: bool) -> FileEvaluation:
    """Evaluate with a registered metric."""
    from vtg.evaluation.metrics import gather
    from vtg.registry import METRICS

    metric = METRICS.build(cfg)
    metric.remarks = remarks
    metric.add(completed.predictions, completed.annotations)
    found = gather([metric], metric.evaluate(len(completed.predictions)))
    if not found.table:
        raise DataError(
            f'nothing can be evaluated: the annotations lack what {cfg["type"]} compares with; use '
            'a labelled split, or another --metric.'
        )
    result = {'brief': found.table['main'], **found.details.get('main', {})}
    order = [quantity.name for quantity in found.quantities]
    values = found.table['main']
    result['brief'] = {name: values[name] for name in [*order, *values] if name in values}
    headlines = tuple(q.name for q in found.quantities if q.headline)
    return FileEvaluation(result, {}, baselines=found.baselines, headlines=headlines)


def _takes_empty(cfg: dict[str, Any] | None) -> bool:
    return cfg is not None and bool(metrics()[cfg['type']].empty_is_answer)


def _answered(completed: Completed) -> Completed:
    """The pairs whose prediction is one as it stands."""
    return replace(
        completed,
        predictions=list(compress(completed.predictions, completed.whole)),
        annotations=list(compress(completed.annotations, completed.whole)),
        whole=[True] * sum(completed.whole),
    )


def _help(error: RecordError) -> str:
    """Which option of the tool helps."""
    if not error.field.startswith('pred_'):
        return ' Or mend it with --windows repair.' if 'does not end' in error.problem else ''
    if 'must hold' in error.problem:
        return ' Or count it as a miss with --missing wrong.'
    return ' Or leave out what is no number with --windows repair.'


def _own_records(raw: RawFile, clip_length: float) -> Iterator[Record]:
    from vtg.datasets.custom_format import problems_of, to_record

    stem = raw.path.name.split('.')[0]
    for record, place in zip(raw.records, raw.places):
        for problem in problems_of(record, clip_length):
            raise DataError(f'{raw.path}, {place}: {problem}')
        yield to_record(record, record.get('qid', f'{stem}-{place.split()[1]}'))
