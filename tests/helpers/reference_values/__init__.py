# SPDX-License-Identifier: Apache-2.0
"""Comparison of the toolbox with reference values, set by set; see docs/verification.md."""
