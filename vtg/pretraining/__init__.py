# SPDX-License-Identifier: Apache-2.0
"""Making pre-training data from raw videos: VideoLights' synthetic pairs and InterVid-MR."""

from .intervid import CaptionFilter, MomentLabels, crop_window, filter_captions, label_moments
from .intervid_mr import CaptionRow, make_intervid_mr, read_rows
from .shards import Statistics, run_shards
from .videolights import make_synthetic_pairs

__all__ = [
    'CaptionFilter',
    'CaptionRow',
    'MomentLabels',
    'Statistics',
    'crop_window',
    'filter_captions',
    'label_moments',
    'make_intervid_mr',
    'make_synthetic_pairs',
    'read_rows',
    'run_shards',
]
