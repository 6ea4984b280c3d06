# SPDX-License-Identifier: Apache-2.0
"""Moment heads with one moment per anchor, point or clip."""

from .atss_head import ATSSHead, DenseOutputs
from .base import DenseHead, PyramidDenseHead
from .boundary import PointOutputs
from .centre_head import CentreHead, CentreOutputs
from .clip_offset_head import ClipOffsetHead, ClipOutputs
from .point_head import PointHead
from .saliency_curve import SaliencyCurveHead

__all__ = [
    'ATSSHead',
    'CentreHead',
    'CentreOutputs',
    'ClipOffsetHead',
    'ClipOutputs',
    'DenseHead',
    'DenseOutputs',
    'PointHead',
    'PointOutputs',
    'PyramidDenseHead',
    'SaliencyCurveHead',
]
