# SPDX-License-Identifier: Apache-2.0
"""The formats in which benchmarks were published; ``tools/convert_annotations.py`` reads them."""

from .base import AnnotationFormat
from .common import AudioMoments, CausalVtg, CommonFormat, Didemo, NaVmr, SoccerGmr, TvgBench
from .nested import (
    ActivityNetCaptions,
    CharadesCD,
    CharadesCG,
    Ego4dNlq,
    Mad,
    Ratsg,
    Snag,
    Tacos,
    TimeLens,
)
from .recognition import advice, find_format, formats, recognise
from .text import CharadesSta, Csv, read_lengths

__all__ = [
    'ActivityNetCaptions',
    'AnnotationFormat',
    'AudioMoments',
    'CausalVtg',
    'CharadesCD',
    'CharadesCG',
    'CharadesSta',
    'CommonFormat',
    'Csv',
    'Didemo',
    'Ego4dNlq',
    'Mad',
    'NaVmr',
    'Ratsg',
    'Snag',
    'SoccerGmr',
    'Tacos',
    'TimeLens',
    'TvgBench',
    'advice',
    'find_format',
    'formats',
    'read_lengths',
    'recognise',
]
