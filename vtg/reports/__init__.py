# SPDX-License-Identifier: Apache-2.0
"""A run beside published numbers, how its epoch was chosen, and submission files."""
