# SPDX-License-Identifier: Apache-2.0
"""The metrics of TVSum and YouTube Highlights against those of the official evaluators."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from vtg.evaluation.functional import clip_ranking, evaluate_clip_ranking
from vtg.evaluation.functional.clip_ranking import above_median

from .core import ReferenceSet, Row, compare, compare_exact

TOLERANCE = 1e-9
# Domain means are reported with so many decimals.
DIGITS = 5


def _records(data: ReferenceSet) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Predictions and annotations of all videos, in the stored order."""
    videos = data.info['result']['videos']
    predictions = [
        {'qid': vid, 'pred_saliency_scores': data[f'in/pred/{vid}'].tolist()} for vid in videos
    ]
    annotations = [
        {'qid': vid, 'label': data[f'in/label/{vid}'].tolist(), 'domain': entry['domain']}
        for vid, entry in videos.items()
    ]
    return predictions, annotations


def _check_domains(
    result: dict[str, Any], stored: dict[str, dict[str, float]], field: str
) -> Iterator[Row]:
    """Compare the means of the domains, exact and as they are reported."""
    theirs = {domain: values[field] for domain, values in stored.items()}
    reported = {domain: values[f'{field}_reported'] for domain, values in stored.items()}
    yield compare_exact(f'{field} domains', sorted(result['domains']), sorted(theirs))
    ours = {domain: result['domains'].get(domain, np.nan) / 100 for domain in theirs}
    yield compare(field, list(ours.values()), list(theirs.values()), TOLERANCE)
    rounded = {domain: round(value, DIGITS) for domain, value in ours.items()}
    yield compare_exact(f'{field}_reported', rounded, reported)


def check_tvsum(folder: str | Path) -> Iterator[Row]:
    """Compare the set ``tvsum_metric``: the best clips, many raters, one video per domain."""
    data = ReferenceSet(folder, 'tvsum_metric')
    result, options = data.info['result'], {'top': data.info['config']['k'], 'highlight': 'median'}
    predictions, annotations = _records(data)
    area, _ = clip_ranking(predictions, annotations, **options)
    for record, ours in zip(annotations, area):
        yield compare(f'out/ap/{record["qid"]}', ours, data[f'out/ap/{record["qid"]}'], TOLERANCE)
    whole = evaluate_clip_ranking(predictions, annotations, **options)
    theirs = [entry['mAP'] for entry in result['videos'].values()]
    ours = [whole['videos'][vid] / 100 for vid in result['videos']]
    yield compare('videos', ours, theirs, TOLERANCE)
    yield from _check_domains(whole, result['domains'], 'all5_mAP')
    yield compare('all_videos_mAP', area.mean(), result['all_videos_mAP'], TOLERANCE)

    kept = [entry['split'] == 'val' for entry in result['videos'].values()]
    chosen = (
        [record for record, keep in zip(part, kept) if keep] for part in (predictions, annotations)
    )
    val = evaluate_clip_ranking(*chosen, **options)
    yield from _check_domains(val, result['domains'], 'val_mAP')
    stored = result['val_average_over_domains']
    yield compare('val_average_over_domains', val['HL-mAP'] / 100, stored, TOLERANCE)

    empty = 0
    for record in annotations:
        ratings = np.array(record['label'])[None]
        empty += int((~above_median(ratings, np.ones(ratings.shape[:2], bool)).any(1)).sum())
    stored = result['n_annotator_columns_without_positive']
    yield compare_exact('n_annotator_columns_without_positive', empty, stored)


def check_youtube(folder: str | Path) -> Iterator[Row]:
    """Compare the set ``youtube_metric``: all clips, one rater, both ways of empty videos."""
    data = ReferenceSet(folder, 'youtube_metric')
    result, top = data.info['result'], data.info['config']['k']
    predictions, annotations = _records(data)
    area, positives = clip_ranking(predictions, annotations, top)
    yield compare('out/ap', area[:, 0], data['out/ap'], TOLERANCE)
    theirs = [entry['n_pos_retrievable'] for entry in result['videos'].values()]
    yield compare_exact('n_pos_retrievable', positives[:, 0].tolist(), theirs)
    for rule, field in (('zero', 'mAP'), ('skip', 'mAP_dropping_empty')):
        ours = evaluate_clip_ranking(predictions, annotations, top=top, without_positives=rule)
        yield from _check_domains(ours, result['domains'], field)
        if rule == 'zero':
            stored = result['average_over_domains']
            yield compare('average_over_domains', ours['HL-mAP'] / 100, stored, TOLERANCE)
