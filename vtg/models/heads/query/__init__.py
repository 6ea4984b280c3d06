# SPDX-License-Identifier: Apache-2.0
"""Moment heads that decode queries."""

from .dual_path_decoder import DualPathDecoder
from .event_slots import EventSlots
from .grouped_queries import GroupedQueries
from .outputs import ExtraQueries, ExtraTargets, QueryOutputs, QueryPredictions
from .query_head import QueryHead
from .sentence_queries import SentenceQueries
from .sources import (
    LearnedPoints,
    LearnedQueries,
    LearnedSlots,
    PyramidQuerySelector,
    QueryProposals,
    QuerySource,
)

__all__ = [
    'DualPathDecoder',
    'EventSlots',
    'ExtraQueries',
    'ExtraTargets',
    'GroupedQueries',
    'LearnedPoints',
    'LearnedQueries',
    'LearnedSlots',
    'PyramidQuerySelector',
    'QueryHead',
    'QueryOutputs',
    'QueryPredictions',
    'QueryProposals',
    'QuerySource',
    'SentenceQueries',
]
