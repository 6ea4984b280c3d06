# SPDX-License-Identifier: Apache-2.0
"""Components that change tokens before fusion, or add tokens to it."""

from .dummy_encoder import DummyEncoder

__all__ = ['DummyEncoder']
