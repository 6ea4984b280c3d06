# SPDX-License-Identifier: Apache-2.0
"""Encoders of the fused sequence."""

from .transformer_encoder import TransformerEncoder

__all__ = ['TransformerEncoder']
