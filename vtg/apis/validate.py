# SPDX-License-Identifier: Apache-2.0
"""Validation of the data of a config, or of an annotation file with folders of features."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config

from vtg.datasets.annotations import (
    Line,
    UsedIds,
    find_annotations,
    read_lines,
    record_problems,
)
from vtg.datasets.census import Census, Reading
from vtg.datasets.custom import CustomDataset, folder_store
from vtg.datasets.custom_format import problems_of, settled_line
from vtg.datasets.grounding import GroundingDataset
from vtg.datasets.repair import Tolerance
from vtg.datasets.validation import Problem, Validation, validate_dataset
from vtg.registry import DATASETS
from vtg.utils import (
    ConfigError,
    DataError,
    Record,
    check_output,
    check_replaceable,
    read_jsonl,
    write_jsonl,
)

SPLITS = ('train', 'val', 'test')
_TEF = 2


def validate_config(
    cfg: Config, splits: Sequence[str] = SPLITS, **options: Any
) -> dict[str, Validation]:
    """Validate the splits of a config and compare the features with the model.

    Args:
        cfg: A complete config.
        splits: Of ``'train'``, ``'val'`` and ``'test'``; those the config lacks are left out.
        options: See :func:`vtg.datasets.validation.validate_dataset`.

    Raises:
        ConfigError: The config has none of the splits, or its data does not come from files.
    """
    results: dict[str, Validation] = {}
    for split in splits:
        loader = cfg.get(f'{split}_dataloader')
        if not loader:
            continue
        dataset = DATASETS.build({**loader.dataset, 'lazy_init': True})
        if not isinstance(dataset, GroundingDataset) or not dataset.ann_file:
            raise ConfigError(
                f'{split}_dataloader.dataset is {loader.dataset.type}, which reads no annotation '
                'file; there is nothing to validate.'
            )
        result = validate_dataset(dataset, **options)
        result.problems += _width_problems(cfg, dataset, result)
        results[split] = result
    if not results:
        raise ConfigError(f'the config has no data for {" or ".join(splits)}.')
    return results


def _width_problems(cfg: Config, dataset: GroundingDataset, result: Validation) -> list[Problem]:
    problems = []
    for kind, width in result.widths.items():
        endpoints = dataset.assembly.tef_after(len(dataset.reader.video))
        extra = _TEF * len(endpoints) if kind == 'video' else 0
        projector = (cfg.get('model') or {}).get(f'{kind}_projector') or {}
        expected = projector.get('in_dim', width + extra)
        if width and width + extra != expected:
            ends = f' and {extra} temporal endpoint features' if extra else ''
            text = (
                f'{kind} features have {width} columns{ends}, but model.{kind}_projector.in_dim is '
                f'{expected}; set it to {width + extra}.'
            )
            problems.append(Problem(text, result.name))
    return problems


def validate_files(
    annotations: str,
    video: Sequence[str],
    text: Sequence[str],
    clip_length: float = 2.0,
    labelled: bool = True,
    text_pattern: str = 'qid{qid}',
    tolerance: Tolerance | None = None,
    **options: Any,
) -> Validation:
    """Validate an annotation file, in the format for own data or in that of the benchmarks.

    Args:
        annotations: ``.jsonl`` or ``.jsonl.gz``.
        video, text: Folders of features, packed or one file each; without any of them only the
            annotation is looked at.
        clip_length: Seconds per clip.
        labelled: Every query needs its windows.
        text_pattern: Names of the text features.
        tolerance: How strictly the file is read.
        options: See :func:`vtg.datasets.validation.validate_dataset`.
    """
    tolerance = tolerance or Tolerance()
    features = bool(video or text)
    unread = [folder_store('', '{vid}')]
    shared: dict[str, Any] = {
        'windows': tolerance.windows,
        'qid': tolerance.qid,
        'unusable': tolerance.unusable,
        'video': [folder_store(folder, '{vid}') for folder in video] if features else unread,
        'text': [folder_store(folder, text_pattern) for folder in text] if features else unread,
        'clip_length': clip_length,
        'test_mode': not labelled,
        'lazy_init': True,
    }
    dataset: GroundingDataset
    if _is_benchmark(annotations):
        labels = {'saliency': {'type': 'CoveredClips'}}
        dataset = GroundingDataset(ann_file=annotations, labels=labels, **shared)
    else:
        dataset = CustomDataset(annotations, data_root='', **shared)
    return validate_dataset(dataset, features=features, **options)


def write_repaired(
    annotations: str | Path, out: str | Path, clip_length: float, tolerance: Tolerance
) -> tuple[int, Census]:
    """Write a mended copy of an annotation file, which strict reading takes as it is.

    What evaluation and training need is kept for both: windows without length stay, marked as
    ``unreachable``, and are widened when training reads them.

    Args:
        annotations: In the format for own data or in that of the benchmarks.
        out: The copy; an earlier file is only replaced by the same records.
        clip_length: Seconds per clip.
        tolerance: What to mend.

    Returns:
        The number of records in the copy, and what the file held.

    Raises:
        DataError: A line has a fault that is not mended; names it. Nothing is written.
        ConfigError: ``out`` is the file itself.
    """
    path = find_annotations(annotations) or Path(annotations)
    out = check_output(out, [path])
    records, census = mended_records(path, read_lines(path), clip_length, tolerance)
    check_replaceable(out, lambda found: read_jsonl(found) == records, 'the same copy')
    write_jsonl(out, records)
    return len(records), census


def mended_records(
    path: Path,
    lines: Iterable[Line],
    clip_length: float,
    tolerance: Tolerance,
    unit: str = 'line',
) -> tuple[list[Record], Census]:
    """Mend the lines of a file, or its records (``unit``), and check the result.

    See :func:`write_repaired`.
    """
    reading, used = Reading(clip_length, tolerance), UsedIds()
    records: list[Record] = []
    for number, raw, problems in lines:
        record = raw
        if raw is not None and 'video' in raw and 'vid' not in raw:
            raw = {'qid': f'{path.name.split(".")[0]}-{number}', **raw}
            record = settled_line(raw, reading)
            problems = [] if record is None else list(problems_of(record, clip_length))
        elif raw is not None:
            record = reading.settle(raw)
            problems = [] if record is None else list(record_problems(record, (), clip_length))
        if record is not None:
            problems = [*problems, *used.problems(record.get('qid'), number, unit)]
            records.append(record)
        if problems:
            raise DataError(f'{path}, {unit} {number}: {problems[0]} Nothing was written.')
    if not records:
        raise DataError(f'{path} holds no record that can be kept; nothing was written.')
    return records, reading.census


def _is_benchmark(path: str) -> bool:
    """Whether the first readable line has the fields of the benchmarks."""
    if not Path(path).is_file():
        return False
    try:
        first = next((line.record for line in read_lines(path) if line.record), {})
    except DataError:
        return False
    return 'vid' in first and 'video' not in first
