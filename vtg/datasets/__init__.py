# SPDX-License-Identifier: Apache-2.0
"""Datasets, feature stores, saliency labels, the sampler and the collate function."""

from .augment import MomentMix
from .batch_samplers import LengthBatches, VideoBatches
from .collate import collate, collate_text
from .custom import ClipGrades, CustomDataset
from .custom_format import read_custom, read_queries
from .grounding import GroundingDataset
from .limit import keep_first
from .qvhighlights import QVHighlights
from .saliency import AllWindows, AnnotatorSum, ClipRatings, CoveredClips, SingleWindow
from .samplers import EpochSampler, SampleKey, sample_generator
from .simulated import (
    SimulatedDataset,
    SimulatedMoments,
    SimulatedRatings,
    SimulatedText,
    SimulatedVideo,
    rehearse,
)
from .stores import (
    FeatureStore,
    FolderStore,
    GloveStore,
    JoinedStore,
    PackedStore,
    pack_features,
    read_feature_file,
)
from .survey import survey

__all__ = [
    'AllWindows',
    'AnnotatorSum',
    'ClipGrades',
    'ClipRatings',
    'CoveredClips',
    'CustomDataset',
    'EpochSampler',
    'FeatureStore',
    'FolderStore',
    'GloveStore',
    'GroundingDataset',
    'JoinedStore',
    'LengthBatches',
    'MomentMix',
    'PackedStore',
    'QVHighlights',
    'SampleKey',
    'SimulatedDataset',
    'SimulatedMoments',
    'SimulatedRatings',
    'SimulatedText',
    'SimulatedVideo',
    'SingleWindow',
    'VideoBatches',
    'collate',
    'collate_text',
    'keep_first',
    'pack_features',
    'read_custom',
    'read_feature_file',
    'read_queries',
    'rehearse',
    'sample_generator',
    'survey',
]
