# SPDX-License-Identifier: Apache-2.0
"""Where features come from: folders of files or packed files."""

from .advice import packing_advice
from .base import FeatureStore, check_features
from .blank import BlankStore
from .files import read_feature_file, write_arrays
from .folder import FolderStore
from .glove import GloveStore, tokenize
from .joined import JoinedStore
from .packed import PackedStore
from .packing import PackResult, pack_features

__all__ = [
    'BlankStore',
    'FeatureStore',
    'FolderStore',
    'GloveStore',
    'JoinedStore',
    'PackResult',
    'PackedStore',
    'check_features',
    'pack_features',
    'packing_advice',
    'read_feature_file',
    'tokenize',
    'write_arrays',
]
