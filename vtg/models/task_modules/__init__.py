# SPDX-License-Identifier: Apache-2.0
"""Matchers, assigners, generators, coders and post-processing, usable by any head."""

from .anchors import AnchorGenerator1D
from .atss_assigner import AnchorAssignment, ATSSAssigner, centerness_target
from .box_fusion import WeightedBoxFusion1D
from .denoising import DenoisingGenerator, DenoisingQueries
from .match_costs import (
    ClassCost,
    GIoUCost,
    L1SpanCost,
    MatchInputs,
    QualityCost,
    ReferenceCost,
)
from .matcher import HungarianMatcher, assign_rows, matched_moments
from .nms import (
    SoftNMS,
    TemporalNMS,
    soft_nms,
    sort_moments,
    take_first,
    take_moments,
    temporal_nms,
)
from .points import PointAssigner, PointAssignment, PointGenerator1D, Points
from .post_processing import (
    ClampMoments,
    LimitLengths,
    PostProcessor,
    RoundMoments,
    RoundScores,
)
from .pseudo_events import PseudoEvents
from .query_groups import query_group_mask, select_collab_anchors
from .reference_coders import CentreWidthCoder, PointDistancesCoder, ReferenceCoder
from .span_coder import AnchorDeltaCoder
from .window_merging import MergeWindows

__all__ = [
    'ATSSAssigner',
    'AnchorAssignment',
    'AnchorDeltaCoder',
    'AnchorGenerator1D',
    'CentreWidthCoder',
    'ClampMoments',
    'ClassCost',
    'DenoisingGenerator',
    'DenoisingQueries',
    'GIoUCost',
    'HungarianMatcher',
    'L1SpanCost',
    'LimitLengths',
    'MatchInputs',
    'MergeWindows',
    'PointAssigner',
    'PointAssignment',
    'PointDistancesCoder',
    'PointGenerator1D',
    'Points',
    'PostProcessor',
    'PseudoEvents',
    'QualityCost',
    'ReferenceCoder',
    'ReferenceCost',
    'RoundMoments',
    'RoundScores',
    'SoftNMS',
    'TemporalNMS',
    'WeightedBoxFusion1D',
    'assign_rows',
    'centerness_target',
    'matched_moments',
    'query_group_mask',
    'select_collab_anchors',
    'soft_nms',
    'sort_moments',
    'take_first',
    'take_moments',
    'temporal_nms',
]
