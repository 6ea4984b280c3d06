# SPDX-License-Identifier: Apache-2.0
"""The synthetic pairs of VideoLights: pure functions from intervals and scores to records.

Paul et al., "VideoLights: Feature Refinement and Cross-Task Alignment Transformer for Joint Video
Highlight Detection and Moment Retrieval", 2024, Algorithm 1.
"""

from typing import Any

import numpy as np

from vtg.utils import ConfigError

RULES = ('fixed', 'even')
SALIENCY = ('similarity', 'exponential')


def split_intervals(duration: float, length: float = 10.0, rule: str = 'fixed') -> np.ndarray:
    """Split a video into intervals ``(K, 2)`` in seconds.

    Args:
        duration: Seconds of the video.
        length: Seconds per interval.
        rule: ``'fixed'``: intervals of ``length``, the last one shorter, as the paper says;
            ``'even'``: ``round(duration / length)`` equal ones, as the released code does.
    """
    if rule not in RULES:
        raise ConfigError(f'the rule for intervals is one of {", ".join(RULES)}, got {rule!r}.')
    if rule == 'even':
        count = max(1, int(duration / length + 0.5))
        edges = np.linspace(0.0, duration, count + 1)
    else:
        count = max(1, int(np.ceil(duration / length - 1e-9)))
        edges = np.append(np.arange(count) * length, duration)
    return np.stack([edges[:-1], edges[1:]], axis=1)


def representative_clips(intervals: np.ndarray, num_clips: int, clip_length: float) -> np.ndarray:
    """The clip ``(K,)`` at the middle of every interval, whose frame is the one captioned."""
    middles = intervals.mean(axis=1)
    return np.minimum((middles / clip_length).astype(int), num_clips - 1)


def interval_clips(
    start: float, end: float, num_clips: int, clip_length: float, drop_last: bool = False
) -> np.ndarray:
    """The clips that an interval touches, at least one.

    Args:
        drop_last: Leave out the last clip of the video, as the released code does.
    """
    first = min(int(start / clip_length + 1e-9), num_clips - 1)
    last = min(int(np.ceil(end / clip_length - 1e-9)), num_clips)
    if drop_last and last == num_clips:
        last -= 1
    return np.arange(first, max(last, first + 1))


def saliency_of(scores: np.ndarray, kind: str = 'similarity') -> np.ndarray:
    """Turn scores ``(n,)`` into saliency.

    Args:
        scores: Similarity of caption and frames, or the probability that they match.
        kind: ``'similarity'``: the scores themselves, as the paper says; ``'exponential'``:
            ``exp(max(2.5 p, 1))``, 2.72 to 12.18, as the released code does with probabilities.
    """
    if kind not in SALIENCY:
        raise ConfigError(f'the kind of saliency is one of {", ".join(SALIENCY)}, got {kind!r}.')
    scores = np.asarray(scores, dtype=np.float64)
    return scores if kind == 'similarity' else np.exp(np.maximum(2.5 * scores, 1.0))


def make_record(
    vid: str,
    duration: float,
    interval: tuple[float, float],
    caption: str,
    clips: np.ndarray,
    saliency: np.ndarray,
) -> dict[str, Any]:
    """One record in the annotation format of the toolbox, with one score per relevant clip."""
    start, end = (round(float(edge), 3) for edge in interval)
    return {
        'qid': f'{vid}_{start:g}_{end:g}',
        'query': caption,
        'vid': vid,
        'duration': duration,
        'split': 'train',
        'relevant_windows': [[start, end]],
        'relevant_clip_ids': clips.tolist(),
        'saliency_scores': [[round(float(value), 6)] for value in saliency],
    }
