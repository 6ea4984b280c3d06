# SPDX-License-Identifier: Apache-2.0
"""Backbones for video and text, captioners and scorers, behind three small interfaces."""

from .base import Captioner, Encoder, Scorer, TextFeatures, cosine
from .blip2 import Blip2Encoder, Blip2Similarity
from .captioners import Blip2Captioner, BlipCaptioner
from .clip import ClipEncoder
from .concepts import ConceptEncoder
from .exported import CheckpointEncoder, TorchScriptEncoder
from .scorers import BlipMatching, CosineScorer
from .siglip import SiglipEncoder
from .slowfast import SlowFastEncoder

__all__ = [
    'Blip2Captioner',
    'Blip2Encoder',
    'Blip2Similarity',
    'BlipCaptioner',
    'BlipMatching',
    'Captioner',
    'CheckpointEncoder',
    'ClipEncoder',
    'ConceptEncoder',
    'CosineScorer',
    'Encoder',
    'Scorer',
    'SiglipEncoder',
    'SlowFastEncoder',
    'TextFeatures',
    'TorchScriptEncoder',
    'cosine',
]
