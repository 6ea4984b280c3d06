# SPDX-License-Identifier: Apache-2.0
"""Optimizer wrappers."""

from .wrappers import AutocastOptimWrapper, GroundingOptimWrapper

__all__ = ['AutocastOptimWrapper', 'GroundingOptimWrapper']
