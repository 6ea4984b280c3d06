# SPDX-License-Identifier: Apache-2.0
"""Components that bring the text into the video tokens."""

from .sgca import SGCA

__all__ = ['SGCA']
