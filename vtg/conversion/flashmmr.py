# SPDX-License-Identifier: Apache-2.0
"""Checkpoints of FlashMMR's released code: those of FlashVTG, without query pooling."""

from dataclasses import replace

from .flashvtg import FLASHVTG

FLASHMMR = replace(FLASHVTG, dropped=(*FLASHVTG.dropped, r'pooling\..+'))
