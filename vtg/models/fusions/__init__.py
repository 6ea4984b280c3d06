# SPDX-License-Identifier: Apache-2.0
"""Components that bring the text into the video tokens."""

from .aca import ACA
from .bicmf import BiCMF
from .bottleneck import BottleneckFusion
from .cluster_integration import ClusterIntegration
from .concatenation import Concatenation
from .context_query import ContextQueryFusion, TemporalFusion
from .cross_attention import TextToVideoAttention
from .reversed_recurrent import ReversedRecurrentFusion
from .saliency_token import MomentAdaptiveToken
from .sgca import SGCA

__all__ = [
    'ACA',
    'SGCA',
    'BiCMF',
    'BottleneckFusion',
    'ClusterIntegration',
    'Concatenation',
    'ContextQueryFusion',
    'MomentAdaptiveToken',
    'ReversedRecurrentFusion',
    'TemporalFusion',
    'TextToVideoAttention',
]
