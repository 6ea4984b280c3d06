# SPDX-License-Identifier: Apache-2.0
"""Components that let one task's result change the other's input."""

from .add_foreground import AddForeground
from .highlight_guided import HighlightGuidedFeedback, highlight_mask
from .moment_guided import MomentGuidedFeedback, moment_coverage, moment_gain
from .moment_summary import MomentSummaryFeedback
from .saliency_amplifier import SaliencyAmplifier
from .saliency_reencoding import SaliencyReencoding
from .schedule import ScheduledFeedback

__all__ = [
    'AddForeground',
    'HighlightGuidedFeedback',
    'MomentGuidedFeedback',
    'MomentSummaryFeedback',
    'SaliencyAmplifier',
    'SaliencyReencoding',
    'ScheduledFeedback',
    'highlight_mask',
    'moment_coverage',
    'moment_gain',
]
