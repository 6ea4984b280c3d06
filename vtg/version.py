# SPDX-License-Identifier: Apache-2.0
"""The version of the package, readable without importing torch."""

__version__ = '0.1.0'
DISTRIBUTION = 'vtg-toolbox'
"""The name to install; ``vtg`` in the package index belongs to somebody else."""
