# SPDX-License-Identifier: Apache-2.0
"""Comparison of the toolbox with reference values, set by set; see tools/check_golden.py."""
