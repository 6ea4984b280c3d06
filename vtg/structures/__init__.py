# SPDX-License-Identifier: Apache-2.0
"""The typed objects that travel between the parts, and the arithmetic of spans."""

from .answering import Answering
from .batches import SHARED, chosen, joined, per_sample, separated, spread
from .extras import EXTRAS, FROM_TEXT, Extra, Extras, text_of
from .metric_table import MAIN, MetricTable, Quantity, flatten_table, unflatten_table
from .precision import full_precision, in_float32
from .prediction import Prediction, join_predictions
from .spans import (
    cxw_to_xx,
    generalized_iou_aligned,
    generalized_iou_pairwise,
    iou_aligned,
    iou_pairwise,
    xx_to_cxw,
)
from .state import PROGRESS_KEY, FeaturePyramid, GroundingState, MomentList, Progress, RunStages
from .targets import GroundingTargets

__all__ = [
    'EXTRAS',
    'FROM_TEXT',
    'MAIN',
    'PROGRESS_KEY',
    'SHARED',
    'Answering',
    'Extra',
    'Extras',
    'FeaturePyramid',
    'GroundingState',
    'GroundingTargets',
    'MetricTable',
    'MomentList',
    'Prediction',
    'Progress',
    'Quantity',
    'RunStages',
    'chosen',
    'cxw_to_xx',
    'flatten_table',
    'full_precision',
    'generalized_iou_aligned',
    'generalized_iou_pairwise',
    'in_float32',
    'iou_aligned',
    'iou_pairwise',
    'join_predictions',
    'joined',
    'per_sample',
    'separated',
    'spread',
    'text_of',
    'unflatten_table',
    'xx_to_cxw',
]
