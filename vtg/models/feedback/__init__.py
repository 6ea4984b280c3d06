# SPDX-License-Identifier: Apache-2.0
"""Components that let one task's result change the other's input."""

from .saliency_amplifier import SaliencyAmplifier, amplify

__all__ = ['SaliencyAmplifier', 'amplify']
