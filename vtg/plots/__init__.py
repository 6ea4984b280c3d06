# SPDX-License-Identifier: Apache-2.0
"""Pictures of trainings, models and predictions as files, drawn by matplotlib."""
