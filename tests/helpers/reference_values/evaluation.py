# SPDX-License-Identifier: Apache-2.0
"""The metrics against results of the official evaluators."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from vtg.evaluation.functional import (
    LENGTH_RANGES,
    evaluate_moments,
    evaluate_qvhighlights,
    round_percent,
)
from vtg.utils import read_json, read_jsonl

from .core import Row, compare, compare_exact

TOLERANCE = 1e-9
Records = list[dict[str, Any]]


def flatten(value: Any, path: str = '') -> dict[str, float]:
    """Turn a nested dict of numbers into ``{'a/b/c': number}``."""
    if not isinstance(value, dict):
        return {path: float(value)}
    items = {}
    for key, item in value.items():
        items |= flatten(item, f'{path}/{key}' if path else str(key))
    return items


def compare_results(name: str, ours: dict, theirs: dict, tolerance: float) -> Row:
    """Compare nested results key by key; other keys or another order of keys fail."""
    ours, theirs = flatten(ours), flatten(theirs)
    if list(ours) != list(theirs):
        differing = sorted(set(ours) ^ set(theirs)) or ['the order']
        return Row(name, float('inf'), tolerance, f'keys differ: {", ".join(differing[:3])}')
    errors = {key: abs(value - theirs[key]) for key, value in ours.items()}
    worst = max(errors, key=errors.get)
    note = f'at {worst}' if errors[worst] > tolerance else ''
    return Row(name, errors[worst], tolerance, note)


def compare_evaluation(
    name: str, predictions: Records, annotations: Records, stored: dict[str, dict]
) -> Iterator[Row]:
    """Compare every ``result_*`` of a stored evaluation, rounded ones to the last digit."""
    results = {}
    for kind, theirs in stored.items():
        if not kind.startswith('result_'):
            continue
        extended = 'MR-mIoU' in theirs.get('full', {})
        if extended not in results:
            results[extended] = evaluate_qvhighlights(
                predictions, annotations, rounded=False, extended=extended
            )
        rounded = 'unrounded' not in kind
        ours = round_percent(results[extended]) if rounded else results[extended]
        yield compare_results(f'{name}{kind}', ours, theirs, 0.0 if rounded else TOLERANCE)


def _check_edge(folder: str | Path, name: str) -> Iterator[Row]:
    stored = read_json(Path(folder) / f'{name}.json')
    predictions, annotations = stored['submission'], stored['ground_truth']
    yield from compare_evaluation('', predictions, annotations, stored)
    by_qid = {str(record['qid']): record for record in predictions}
    truth = {str(record['qid']): record for record in annotations}
    ours = [
        list(evaluate_moments([by_qid[qid]], [truth[qid]])['full']['MR-mAP'].values())[:-1]
        for qid in stored['ap_per_query']
    ]
    theirs = list(stored['ap_per_query'].values())
    yield compare('ap_per_query', np.array(ours) / 100, theirs, TOLERANCE, scaled=False)


def check_edge_qvhighlights(folder: str | Path) -> Iterator[Row]:
    """Compare the corner cases of both tasks, set ``eval_edge_qvhighlights``."""
    return _check_edge(folder, 'eval_edge_qvhighlights')


def check_edge_moment_retrieval(folder: str | Path) -> Iterator[Row]:
    """Compare queries without saliency, set ``eval_edge_moment_retrieval``."""
    return _check_edge(folder, 'eval_edge_moment_retrieval')


def _data_file(data: Path, name: str) -> Path | None:
    """Find a file by its name below the data folder, plain or compressed."""
    names = (name, f'{name}.gz')
    return next((path for path in sorted(data.rglob('*')) if path.name in names), None)


def _count_ranges(annotations: Records) -> dict[str, int]:
    """Queries per range of window length."""
    counts = dict.fromkeys(LENGTH_RANGES, 0)
    for record in annotations:
        lengths = [end - start for start, end in record['relevant_windows']]
        for name, limits in LENGTH_RANGES.items():
            low, high = limits or (-np.inf, np.inf)
            counts[name] += any(low < length <= high for length in lengths)
    return counts


# The annotation files of the splits whose queries are counted.
SPLITS = {'val': 'highlight_val_release.jsonl', 'test': 'highlight_test_with_gt.jsonl'}


def check_real_files(folder: str | Path) -> Iterator[Row]:
    """Compare published prediction files, set ``eval_real_files``.

    The files are looked for below the folder ``data`` beside ``folder``; comparisons whose files
    are absent are skipped.
    """
    stored = read_json(Path(folder) / 'eval_real_files.json')
    data = Path(folder).resolve().parent / 'data'
    truths: dict[str, Records] = {}

    def truth(name: str) -> Records | None:
        path = _data_file(data, name)
        if path is not None and name not in truths:
            truths[name] = read_jsonl(path)
        return truths.get(name)

    for split, counts in stored.get('range_counts', {}).items():
        annotations = truth(SPLITS[split])
        if annotations is None:
            yield _absent(f'range_counts/{split}', [SPLITS[split]], data)
        else:
            ours = _count_ranges(annotations)
            yield compare_exact(f'range_counts/{split}', {k: ours[k] for k in counts}, counts)
    for name, entry in stored['files'].items():
        path, annotations = _data_file(data, name), truth(entry['ground_truth'])
        if path is None or annotations is None:
            yield _absent(name, [name, entry['ground_truth']], data)
            continue
        predictions = read_jsonl(path)
        yield compare_exact(f'{name}/records', len(predictions), entry['records'])
        yield from compare_evaluation(f'{name}/', predictions, annotations, entry)


def _absent(name: str, files: Iterable[str], data: Path) -> Row:
    return Row(name, None, note=f'needs {" and ".join(files)} below {data}')
