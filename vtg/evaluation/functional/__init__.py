# SPDX-License-Identifier: Apache-2.0
"""Metrics as pure, vectorised NumPy functions over the official record formats."""

from .clip_ranking import (
    above_median,
    clip_ranking,
    evaluate_clip_ranking,
    trapezoid_average_precision,
)
from .highlights import (
    clip_labels,
    evaluate_highlights,
    grouped_average_precision,
    highlight_hits,
)
from .moment_retrieval import (
    LENGTH_RANGES,
    average_precision,
    evaluate_moments,
    iou_matrix,
    top1_iou,
)
from .padding import pad_rows
from .qvhighlights import evaluate_qvhighlights, round_percent
from .records import match_records, official_record
from .retrieval import evaluate_moment_retrieval

__all__ = [
    'LENGTH_RANGES',
    'above_median',
    'average_precision',
    'clip_labels',
    'clip_ranking',
    'evaluate_clip_ranking',
    'evaluate_highlights',
    'evaluate_moment_retrieval',
    'evaluate_moments',
    'evaluate_qvhighlights',
    'grouped_average_precision',
    'highlight_hits',
    'iou_matrix',
    'match_records',
    'official_record',
    'pad_rows',
    'round_percent',
    'top1_iou',
    'trapezoid_average_precision',
]
