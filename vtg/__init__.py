# SPDX-License-Identifier: Apache-2.0
"""A modular toolbox for video temporal grounding: moment retrieval and highlight detection."""

from .version import __version__

__all__ = ['__version__']
