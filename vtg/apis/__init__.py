# SPDX-License-Identifier: Apache-2.0
"""What a user calls: train, test, predict, inference, validate, and evaluation of files."""
