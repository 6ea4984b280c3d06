# SPDX-License-Identifier: Apache-2.0
"""Branches that exist in training only."""

from .moment_sentence import MomentSentenceAlignment

__all__ = ['MomentSentenceAlignment']
