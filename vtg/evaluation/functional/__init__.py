# SPDX-License-Identifier: Apache-2.0
"""Metrics as pure, vectorised NumPy functions over the official record formats."""

from .answering import best_scores, choose_threshold, fit_logistic, has_moment
from .chunks import evaluate_chunk_ranking
from .clip_ranking import (
    above_median,
    clip_ranking,
    evaluate_clip_ranking,
    trapezoid_average_precision,
)
from .generalized import evaluate_generalized
from .grounding import OPEN_RANGES, evaluate_grounding
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
    has_windows,
    iou_matrix,
    top1_iou,
)
from .multi_moment import evaluate_multi_moment
from .padding import RecordError, pack_rows, pad_rows
from .qvhighlights import evaluate_qvhighlights, round_percent
from .recall import evaluate_recall
from .records import match_records, official_record
from .retrieval import evaluate_moment_retrieval
from .survey import survey_predictions
from .unanswerable import answered_queries, evaluate_unanswerable

__all__ = [
    'LENGTH_RANGES',
    'OPEN_RANGES',
    'RecordError',
    'above_median',
    'answered_queries',
    'average_precision',
    'best_scores',
    'choose_threshold',
    'clip_labels',
    'clip_ranking',
    'evaluate_chunk_ranking',
    'evaluate_clip_ranking',
    'evaluate_generalized',
    'evaluate_grounding',
    'evaluate_highlights',
    'evaluate_moment_retrieval',
    'evaluate_moments',
    'evaluate_multi_moment',
    'evaluate_qvhighlights',
    'evaluate_recall',
    'evaluate_unanswerable',
    'fit_logistic',
    'grouped_average_precision',
    'has_moment',
    'has_windows',
    'highlight_hits',
    'iou_matrix',
    'match_records',
    'official_record',
    'pack_rows',
    'pad_rows',
    'round_percent',
    'survey_predictions',
    'top1_iou',
    'trapezoid_average_precision',
]
