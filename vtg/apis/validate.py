# SPDX-License-Identifier: Apache-2.0
"""Validation of the data of a config, or of an annotation file with folders of features."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config

from vtg.datasets.annotations import read_lines
from vtg.datasets.custom import CustomDataset, folder_store
from vtg.datasets.grounding import GroundingDataset
from vtg.datasets.validation import Problem, Validation, validate_dataset
from vtg.registry import DATASETS
from vtg.utils import ConfigError, DataError

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
    **options: Any,
) -> Validation:
    """Validate an annotation file, in the format for own data or in that of the benchmarks.

    Args:
        annotations: ``.jsonl`` or ``.jsonl.gz``.
        video, text: Folders of features, packed or one file each.
        clip_length: Seconds per clip.
        labelled: Every query needs its windows.
        text_pattern: Names of the text features.
        options: See :func:`vtg.datasets.validation.validate_dataset`.
    """
    shared: dict[str, Any] = {
        'video': [folder_store(folder, '{vid}') for folder in video],
        'text': [folder_store(folder, text_pattern) for folder in text],
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
    return validate_dataset(dataset, **options)


def _is_benchmark(path: str) -> bool:
    """Whether the first readable line has the fields of the benchmarks."""
    if not Path(path).is_file():
        return False
    try:
        first = next((line.record for line in read_lines(path) if line.record), {})
    except DataError:
        return False
    return 'vid' in first and 'video' not in first
