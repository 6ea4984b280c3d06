# SPDX-License-Identifier: Apache-2.0
"""Saliency labels and span targets against those of the official dataset classes."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from vtg.datasets import AnnotatorSum, ClipRatings, SingleWindow
from vtg.datasets.labelling import Labelling
from vtg.evaluation.functional import clip_ranking

from .core import ReferenceSet, Row, compare, compare_exact, largest

# Random choices are drawn this many times and have to be admissible every time.
DRAWS = 8
TOLERANCE = 1e-6
Arrays = dict[str, np.ndarray]


def _arrays(data: ReferenceSet, case: str) -> tuple[Arrays, Arrays]:
    """Inputs and outputs of a case by name."""
    return tuple(
        {key: value.numpy() for key, value in data.below(f'{side}/{case}/').items()}
        for side in ('in', 'out')
    )


def _admissible(name: str, found: Any, allowed: np.ndarray) -> Row:
    """Every clip found has to be one of the allowed ones."""
    return compare_exact(name, bool(np.isin(found, allowed).all()), True)


def _draw(labels: Any, record: dict[str, Any], clips: int, seconds: float) -> Iterator[dict]:
    for seed in range(DRAWS):
        yield labels(record, clips, seconds, np.random.default_rng(seed))


def check_annotated(case: str, data: ReferenceSet) -> Iterator[Row]:
    """Compare labels and pairs of one annotated query.

    The pairs are checked in two ways of treating clips beyond the last one, as the official code
    does both: the hard pair moves them to the last clip, labels and the easy pair leave them out.
    """
    inputs, outputs = _arrays(data, case)
    clips, seconds = int(inputs['ctx_l']), data.info['config']['clip_len']
    names = ('relevant_clip_ids', 'saliency_scores', 'relevant_windows')
    record = {name: inputs[name].tolist() for name in names}
    inside = (inputs['relevant_clip_ids'] < clips).any()
    for labels in _draw(AnnotatorSum('clamp'), record, clips, seconds):
        pos, neg = labels['pos_clips'], labels['neg_clips']
        yield _admissible('hard_pos', pos[0], outputs['hard_pos'])
        yield _admissible('hard_neg', neg[0], outputs['hard_neg'])
        if not outputs['easy_from_pool']:
            yield compare_exact('easy_pos', pos[1], pos[0])
            yield compare_exact('easy_neg', neg[1], neg[0])
    for labels in _draw(AnnotatorSum('drop'), record, clips, seconds):
        stored = outputs['saliency_all_labels'][:clips]
        yield compare('saliency_all_labels', labels['saliency'], stored, TOLERANCE)
        if outputs['easy_from_pool'] and inside:
            yield _admissible('easy_pos', labels['pos_clips'][1], outputs['easy_pos'])
            yield _admissible('easy_neg', labels['neg_clips'][1], outputs['easy_neg'])
        if (inputs['relevant_clip_ids'] < clips).all():
            stored = outputs['tr_detr_pos_mask'].astype(bool)
            yield compare_exact('tr_detr_pos_mask', labels['relevant'], stored)


def check_spans(case: str, data: ReferenceSet) -> Iterator[Row]:
    """Compare the span targets of one query; of too many windows any choice is fine."""
    inputs, outputs = _arrays(data, case)
    config = data.info['config']
    labelling = Labelling(dict(type='AnnotatorSum'), max_windows=config['max_windows'])
    clips, stored = int(inputs['ctx_l']), outputs['span_labels']
    names = ('relevant_clip_ids', 'saliency_scores', 'relevant_windows')
    record = {'vid': case} | {name: inputs[name].tolist() for name in names}
    for seed in range(DRAWS):
        rng = np.random.default_rng(seed)
        spans = labelling.targets(record, clips, config['clip_len'], rng)['spans']
        yield compare_exact('n_kept', len(spans), int(outputs['n_kept']))
        if len(spans) == len(stored):
            yield compare('span_labels', spans, stored, TOLERANCE)
            continue
        distance = np.abs(spans[:, None] - stored[None]).max(-1)
        # All different windows of the record, each of them stored.
        yield compare_exact('span_labels', len(set(distance.argmin(1))), len(spans))
        yield compare('span_labels', distance.min(1), np.zeros(len(spans)), TOLERANCE)


def check_window(case: str, data: ReferenceSet) -> Iterator[Row]:
    """Compare labels and pairs of a query with one window and no grades."""
    inputs, outputs = _arrays(data, case)
    record = {'relevant_windows': [inputs['window'].tolist()]}
    clips, seconds = int(inputs['ctx_l']), data.info['config']['clip_len']
    for labels in _draw(SingleWindow(), record, clips, seconds):
        stored = outputs['saliency_all_labels']
        yield compare('saliency_all_labels', labels['saliency'], stored, TOLERANCE)
        for name in ('pos', 'neg'):
            found = labels[f'{name}_clips']
            yield _admissible(name, found, outputs[name])
            count = min(len(found), len(outputs[name]))
            yield compare_exact(name, len(set(found.tolist())), count)


def check_ratings(case: str, data: ReferenceSet) -> Iterator[Row]:
    """Compare labels of a video whose clips are all rated, 1 to 5, by many."""
    inputs, outputs = _arrays(data, case)
    clips = int(inputs['ctx_l'])
    raters = inputs['label'].shape[1]
    component = ClipRatings(offset=1.0, scale=12.0 / (4 * raters))
    record = {'label': inputs['label'].tolist()}
    labels = component(record, clips, 2.0, np.random.default_rng(0))
    stored = outputs['saliency_all_labels']
    yield compare('saliency_all_labels', labels['saliency'], stored, TOLERANCE)
    yield _admissible('hard_pos', labels['pos_clips'][0], outputs['hard_pos'])
    yield _admissible('hard_neg', labels['neg_clips'][0], outputs['hard_neg'])
    # Clips at the threshold may be on either side.
    summed = (inputs['label'][:clips] - 1).sum(1)
    clear = ~np.isclose(summed, outputs['tr_detr_pos_threshold'])
    stored = outputs['tr_detr_pos_mask'].astype(bool)
    yield compare_exact('tr_detr_pos_mask', labels['relevant'][clear], stored[clear])
    for name, stored in outputs.items():
        if match := re.fullmatch(r'mAP_top(\d+)', name):
            scores = {'qid': case, 'pred_saliency_scores': inputs['pred'].tolist()}
            rated = {'qid': case, 'label': inputs['label'][:clips].tolist()}
            area, _ = clip_ranking([scores], [rated], int(match[1]), 'median')
            # Stored with five decimals.
            yield compare(name, area.mean(), stored, 0.51e-5)


SKIPPED = {
    'numpy_hard': 'depends on how NumPy orders ties; hard_pos and hard_neg hold what is admissible',
    'span_labels_ce': 'spans as classes of clips are not offered',
    'tr_detr_pos_mask': 'official-only: clips beyond the last one empty the mask',
    'easy_from_pool': 'says how the easy pair is compared',
    'tr_detr_pos_threshold': 'says how the mask is compared',
}


def check(folder: str | Path) -> Iterator[Row]:
    """Compare the set ``saliency_labels``, one row per case and quantity."""
    data = ReferenceSet(folder, 'saliency_labels')
    for case in sorted({key.split('/')[1] for key in data}):
        if case.startswith('sub'):
            rows = list(check_window(case, data))
        elif case.startswith('tvsum'):
            rows = list(check_ratings(case, data))
        else:
            rows = [*check_annotated(case, data), *check_spans(case, data)]
        seen = dict.fromkeys(row.name for row in rows)
        for name in seen:
            yield largest(f'out/{case}/{name}', [row for row in rows if row.name == name])
        for name in data.below(f'out/{case}/'):
            if name in seen:
                continue
            if name in SKIPPED:
                yield Row(f'out/{case}/{name}', None, note=SKIPPED[name])
            else:
                yield Row(f'out/{case}/{name}', float('inf'), 0.0, 'no rule for this output')
