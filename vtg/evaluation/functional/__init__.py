# SPDX-License-Identifier: Apache-2.0
"""Metrics as pure, vectorised NumPy functions over the official record formats."""

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

__all__ = [
    'LENGTH_RANGES',
    'average_precision',
    'clip_labels',
    'evaluate_highlights',
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
]
