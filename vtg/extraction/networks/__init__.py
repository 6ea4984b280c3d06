# SPDX-License-Identifier: Apache-2.0
"""Backbones whose weights are published, but no package of theirs that is kept up."""
