# SPDX-License-Identifier: Apache-2.0
"""The command ``vtg``."""

from .main import main

__all__ = ['main']
