# SPDX-License-Identifier: Apache-2.0
"""Small helpers that know nothing of the rest of the package."""

from .errors import CheckpointError, ConfigError, DataError, VtgError
from .names import nearest_names

__all__ = ['CheckpointError', 'ConfigError', 'DataError', 'VtgError', 'nearest_names']
