# SPDX-License-Identifier: Apache-2.0
"""Backbones for video and text, captioners and scorers, behind three small interfaces."""

from .audio import AudioEncoder, ClapEncoder, PannsEncoder
from .base import Captioner, Encoder, Scorer, TextFeatures, cosine
from .blip2 import Blip2Encoder, Blip2Similarity
from .captioners import Blip2Captioner, BlipCaptioner
from .clip import ClipEncoder
from .concepts import ConceptEncoder
from .exported import CheckpointEncoder, TorchScriptEncoder
from .internvideo2 import InternVideo2Encoder
from .joined import JoinedEncoder
from .scorers import BlipMatching, CosineScorer
from .siglip import SiglipEncoder
from .slowfast import SlowFastEncoder

__all__ = [
    'AudioEncoder',
    'Blip2Captioner',
    'Blip2Encoder',
    'Blip2Similarity',
    'BlipCaptioner',
    'BlipMatching',
    'Captioner',
    'CheckpointEncoder',
    'ClapEncoder',
    'ClipEncoder',
    'ConceptEncoder',
    'CosineScorer',
    'Encoder',
    'InternVideo2Encoder',
    'JoinedEncoder',
    'PannsEncoder',
    'Scorer',
    'SiglipEncoder',
    'SlowFastEncoder',
    'TextFeatures',
    'TorchScriptEncoder',
    'cosine',
]
