# SPDX-License-Identifier: Apache-2.0
"""Evaluation: pure functions in ``functional``, MMEngine metrics over them in ``metrics``.

This package imports neither, so that evaluating a prediction file needs NumPy only.
"""
