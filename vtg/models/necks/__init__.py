# SPDX-License-Identifier: Apache-2.0
"""Components that make features per scale or per task from the memory."""

from .depthwise_pyramid import DepthwisePyramid

__all__ = ['DepthwisePyramid']
