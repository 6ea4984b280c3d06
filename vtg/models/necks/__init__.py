# SPDX-License-Identifier: Apache-2.0
"""Components that make features per scale or per task from the memory."""

from .boundary_convs import BoundaryConvs
from .depthwise_pyramid import DepthwisePyramid
from .task_decoupled_unit import TaskDecoupledUnit
from .task_experts import (
    ConvExpert,
    IdentityExpert,
    LinearExpert,
    TaskExpert,
    TransformerExpert,
)
from .temporal_pyramid import TemporalPyramid

__all__ = [
    'BoundaryConvs',
    'ConvExpert',
    'DepthwisePyramid',
    'IdentityExpert',
    'LinearExpert',
    'TaskDecoupledUnit',
    'TaskExpert',
    'TemporalPyramid',
    'TransformerExpert',
]
