# SPDX-License-Identifier: Apache-2.0
"""From video files and sentences to features: decoding, encoders and the work on many files."""

from vtg.datasets.stores import write_arrays

from .decoding import VideoClips, iter_clips, read_clips
from .executor import RayOptions, run_work
from .files import check_kind, find_videos, keep_settings
from .media import VideoInfo, probe
from .pipeline import extract_texts, extract_videos
from .report import ExtractionReport
from .sampling import GridSampler, Sampler, SourceSampler, count_clips

__all__ = [
    'ExtractionReport',
    'GridSampler',
    'RayOptions',
    'Sampler',
    'SourceSampler',
    'VideoClips',
    'VideoInfo',
    'check_kind',
    'count_clips',
    'extract_texts',
    'extract_videos',
    'find_videos',
    'iter_clips',
    'keep_settings',
    'probe',
    'read_clips',
    'run_work',
    'write_arrays',
]
