# SPDX-License-Identifier: Apache-2.0
"""MMEngine metrics over the pure functions."""

from .qvhighlights_metric import QVHighlightsMetric

__all__ = ['QVHighlightsMetric']
