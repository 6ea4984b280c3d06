# SPDX-License-Identifier: Apache-2.0
"""Saliency labels: how an annotation becomes one number per clip and pairs of clips to rank.

A component is called as ``labels(record, num_clips, clip_length, rng)`` and returns

* ``saliency`` ``(L,)`` float32: the label of every clip,
* ``relevant`` ``(L,)`` bool: the clips that belong to a moment,
* ``pos_clips``, ``neg_clips`` ``(P,)`` int64: the first has to score higher than the second.

Its ``fields`` are what a record needs to be labelled; without windows among them the data is for
highlights only and has no spans.
"""

import math
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from vtg.registry import TRANSFORMS
from vtg.utils import ConfigError

Labels = dict[str, np.ndarray]


def _labels(
    saliency: np.ndarray,
    relevant: np.ndarray,
    pos: Sequence[int] | np.ndarray,
    neg: Sequence[int] | np.ndarray,
) -> Labels:
    return {
        'saliency': saliency.astype(np.float32),
        'relevant': relevant,
        'pos_clips': np.asarray(pos, dtype=np.int64),
        'neg_clips': np.asarray(neg, dtype=np.int64),
    }


def _random_pairs(relevant: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Two random clips inside and two outside, without repetition where there are enough.

    Without any inside, the pairs are clips with themselves: nothing to rank.
    """
    inside, outside = np.flatnonzero(relevant), np.flatnonzero(~relevant)
    if not len(inside):
        return np.zeros(2, dtype=np.int64), np.zeros(2, dtype=np.int64)
    pos = rng.choice(inside, 2, replace=len(inside) < 2)
    return pos, rng.choice(outside, 2, replace=len(outside) < 2) if len(outside) else pos


def _hard_easy_pairs(
    clips: np.ndarray, scores: np.ndarray, relevant: np.ndarray, rng: np.random.Generator
) -> tuple[list[int], list[int]]:
    """The best against the worst of the labelled ``clips``, and a random one of them against a
    random clip outside; without a clip outside the first pair again."""
    order = np.argsort(scores, kind='stable')
    pos, neg = [clips[order[-1]]], [clips[order[0]]]
    others = np.flatnonzero(~relevant)
    pos.append(rng.choice(clips) if len(others) else pos[0])
    neg.append(rng.choice(others) if len(others) else neg[0])
    return pos, neg


def _spread(scores: np.ndarray, top: float) -> np.ndarray:
    """Bring scores ``(n,)`` linearly to 1 at the lowest and ``top`` at the highest."""
    low, high = scores.min(), scores.max()
    if high == low:
        return np.full_like(scores, top)
    return 1 + (top - 1) * (scores - low) / (high - low)


@TRANSFORMS.register_module()
class AnnotatorSum:
    """Sum of the annotators' scores at the relevant clips, 0 elsewhere (QVHighlights: 0 to 12).

    Two pairs: *hard* is the best against the worst relevant clip, *easy* a random relevant clip
    against a random other one, drawn anew each epoch; without any other clip it repeats the hard
    pair. Lei et al., "Detecting Moments and Highlights in Videos via Natural Language Queries",
    2021, section 4.

    Args:
        out_of_range: What happens to annotated clips beyond the last one of the features:
            ``'drop'`` them, or ``'clamp'`` them to the last clip (official SG-DETR code).
        top: Spread the sums of a record evenly over 1 to ``top``, for scores that are no grades,
            such as similarities: ranking losses count from 1 to 12. Equal sums all become ``top``.
            None keeps them.
        easy: The first clip of the easy pair is any ``'relevant'`` one, or one that is ``'rated'``
            above 0, also where there is no other clip (R2-Tuning, CausalVTG).
    """

    fields = ('relevant_windows', 'relevant_clip_ids', 'saliency_scores')

    def __init__(
        self,
        out_of_range: Literal['drop', 'clamp'] = 'drop',
        top: float | None = None,
        easy: Literal['relevant', 'rated'] = 'relevant',
    ) -> None:
        self.out_of_range = out_of_range
        self.top = top
        self.easy = easy

    def note(self, records: Sequence[dict[str, Any]]) -> str | None:
        """What is remarkable about the scores of all records: labels too low for ranking losses."""
        if self.top is not None:
            return None
        sums = (
            np.asarray(record['saliency_scores'], dtype=np.float64).reshape(
                len(record['saliency_scores']), -1
            ).sum(1)
            for record in records
            if record.get('saliency_scores')
        )  # fmt: skip
        best = max((rows.max() for rows in sums if len(rows)), default=0.0)
        if best == 0 or best >= 1:
            return None
        return (
            f'the highest saliency is {best:.3g}, but ranks are counted from 1, so that '
            'RankContrastiveLoss would be 0 throughout; set top=12 in labels.saliency of '
            'the dataset to spread the scores, or take another loss'
        )

    def __call__(
        self, record: dict[str, Any], num_clips: int, clip_length: float, rng: np.random.Generator
    ) -> Labels:
        clips = np.asarray(record['relevant_clip_ids'], dtype=np.int64)
        grades = np.asarray(record['saliency_scores'], dtype=np.float64)
        scores = grades.reshape(len(clips), -1).sum(1) if len(clips) else np.zeros(0)
        if self.out_of_range == 'clamp':
            clips = np.minimum(clips, num_clips - 1)
        else:
            kept = clips < num_clips
            clips, scores = clips[kept], scores[kept]
        if self.top is not None and len(scores):
            scores = _spread(scores, self.top)
        saliency = np.zeros(num_clips)
        relevant = np.zeros(num_clips, dtype=bool)
        saliency[clips] = scores
        relevant[clips] = True
        if not len(clips):
            # A pair of a clip with itself has a constant loss: nothing to rank here.
            return _labels(saliency, relevant, [0, 0], [0, 0])

        pos, neg = _hard_easy_pairs(clips, scores, relevant, rng)
        rated = clips[scores > 0]
        if self.easy == 'rated' and len(rated):
            pos[-1] = rng.choice(rated)
        return _labels(saliency, relevant, pos, neg)


@TRANSFORMS.register_module()
class SingleWindow:
    """1 on the clips of the first window, 0 elsewhere, for data without graded saliency.

    Two pairs of random clips inside and outside the window, without repetition where there are
    enough of them. A window has the clips from ``start / c`` to before ``end / c``, both rounded,
    and at least one.

    Args:
        clip_from: The clip length ``c``: ``'clip_length'`` as configured, or ``'duration'``, the
            annotated duration over the number of clips.
        rounding: ``'floor'`` of both ends, ``'ceil'`` (R2-Tuning, CausalVTG), or ``'nearest'``: the
            clips whose centre lies in the window, ends included (UniVTG).
        relevant: Clips that count as relevant: the ``'labelled'`` ones, or all that are
            ``'touched'`` by the window (TR-DETR in line/lighthouse).
    """

    fields = ('relevant_windows',)

    def __init__(
        self,
        clip_from: Literal['clip_length', 'duration'] = 'clip_length',
        rounding: Literal['floor', 'ceil', 'nearest'] = 'floor',
        relevant: Literal['labelled', 'touched'] = 'labelled',
    ) -> None:
        self.clip_from = clip_from
        self.rounding = rounding
        self.relevant = relevant

    def __call__(
        self, record: dict[str, Any], num_clips: int, clip_length: float, rng: np.random.Generator
    ) -> Labels:
        labelled = np.zeros(num_clips, dtype=bool)
        if not record['relevant_windows']:
            return _labels(labelled, labelled, *_random_pairs(labelled, rng))
        length = clip_length if self.clip_from == 'clip_length' else record['duration'] / num_clips
        touched = np.zeros(num_clips, dtype=bool)
        for start, end in self.windows(record):
            start, end = start / length, end / length
            first, last = self._ends(start, end, num_clips)
            labelled[first : last + 1] = True
            first = max(0, min(math.floor(start), num_clips - 1))
            touched[first : max(math.ceil(end), first + 1)] = True
        relevant = touched if self.relevant == 'touched' else labelled
        return _labels(labelled, relevant, *self.pairs(labelled, rng))

    def _ends(self, start: float, end: float, num_clips: int) -> tuple[int, int]:
        """The first and the last clip of a window whose ends are given in clips."""
        if self.rounding == 'nearest':
            first, stop = math.ceil(start - 0.5), math.floor(end + 0.5)
            if first >= min(stop, num_clips):  # no centre inside
                first = max(0, min(int(start), num_clips - 1))
                return first, first
        else:
            to_whole = math.ceil if self.rounding == 'ceil' else int
            first, stop = to_whole(start), to_whole(end)
        last = max(0, min(stop, num_clips) - 1)
        return max(0, min(first, last)), last

    @staticmethod
    def windows(record: dict[str, Any]) -> Sequence[Sequence[float]]:
        """The windows whose clips are relevant."""
        return record['relevant_windows'][:1]

    def pairs(
        self, relevant: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Two clips inside and two outside."""
        return _random_pairs(relevant, rng)


@TRANSFORMS.register_module()
class AllWindows(SingleWindow):
    """1 on the clips of all windows, 0 elsewhere: :class:`SingleWindow` for queries with several.

    FlashMMR's labels of QV-M2 (Cao et al., "When One Moment Isn't Enough", NeurIPS 2025).

    Args:
        clip_from, rounding, relevant: See :class:`SingleWindow`.
        min_outside: With fewer clips outside, the pairs are of clips with themselves: nothing to
            rank. 2 in the released code.
    """

    def __init__(
        self,
        clip_from: Literal['clip_length', 'duration'] = 'duration',
        min_outside: int = 1,
        rounding: Literal['floor', 'ceil', 'nearest'] = 'floor',
        relevant: Literal['labelled', 'touched'] = 'labelled',
    ) -> None:
        super().__init__(clip_from, rounding, relevant)
        self.min_outside = min_outside

    @staticmethod
    def windows(record: dict[str, Any]) -> Sequence[Sequence[float]]:
        """Every window."""
        return record['relevant_windows']

    def pairs(
        self, relevant: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Two clips inside and two outside, or the former twice."""
        pos, neg = _random_pairs(relevant, rng)
        return pos, neg if np.count_nonzero(~relevant) >= self.min_outside else pos


@TRANSFORMS.register_module()
class CoveredClips:
    """1 on the clips of which more than a share lies inside a window, 0 elsewhere.

    SG-DETR's rule for data without graded saliency (Gordeev et al., 2024): more than half. Where no
    clip qualifies, the one that is covered most is taken.

    Args:
        share: The share of a clip, 0 to 1; any of the windows counts.
        pairs: ``'random'`` as in :class:`SingleWindow`, or ``'hard_easy'`` as in
            :class:`AnnotatorSum`, whose hard pair then is the last against the first relevant clip
            (official SG-DETR code).
    """

    fields = ('relevant_windows',)

    def __init__(
        self, share: float = 0.5, pairs: Literal['random', 'hard_easy'] = 'random'
    ) -> None:
        if not 0 <= share < 1:
            raise ConfigError(f'share of CoveredClips is from 0 to less than 1, got {share!r}.')
        self.share = share
        self.pairs = pairs

    def __call__(
        self, record: dict[str, Any], num_clips: int, clip_length: float, rng: np.random.Generator
    ) -> Labels:
        relevant = np.zeros(num_clips, dtype=bool)
        if not record['relevant_windows']:
            return _labels(relevant, relevant, *_random_pairs(relevant, rng))
        windows = np.asarray(record['relevant_windows'], dtype=np.float64) / clip_length
        clip = np.arange(num_clips)[:, None]
        covered = np.minimum(clip + 1, windows[:, 1]) - np.maximum(clip, windows[:, 0])
        covered = covered.max(1)  # (L,) at most 1, negative where no window is near
        relevant = covered > self.share + 1e-9
        if not relevant.any():
            relevant[covered.argmax()] = True
        if self.pairs == 'hard_easy':
            clips = np.flatnonzero(relevant)
            pairs = _hard_easy_pairs(clips, np.ones(len(clips)), relevant, rng)
            return _labels(relevant, relevant, *pairs)
        return _labels(relevant, relevant, *_random_pairs(relevant, rng))


@TRANSFORMS.register_module()
class ClipRatings:
    """Labels for data that rates every clip: ``scale * sum_k (rating_k - offset)``.

    TVSum (20 raters, 1 to 5) uses offset 1 and scale 12 / 80 to reach the range 0 to 12 (UMT and
    R2-Tuning: 1 / 80; UniVTG: offset ``'mean'``, scale 1 / 20); YouTube Highlights (one rater, 0 or
    1) offset 0 and scale 1. Clips without ratings get 0 and take part in no pair.

    Args:
        offset: Subtracted from every rating; ``'mean'`` is the mean of all ratings of the video.
        scale: Factor on the sum.
        relevant: ``'half'``: the better half of the clips counts as relevant; ``'above_median'``:
            those with a label above the lower median (R2-Tuning); ``'positive'``: above 0.
        pair: ``'extremes'``: the best against the worst clip; ``'random'``: a random relevant clip
            against a random other one, drawn anew each epoch.
    """

    fields = ('label',)

    def __init__(
        self,
        offset: float | Literal['mean'] = 1.0,
        scale: float = 12.0 / 80.0,
        relevant: Literal['half', 'above_median', 'positive'] = 'half',
        pair: Literal['extremes', 'random'] = 'extremes',
    ) -> None:
        self.offset = offset
        self.scale = scale
        self.relevant = relevant
        self.pair = pair

    def __call__(
        self, record: dict[str, Any], num_clips: int, clip_length: float, rng: np.random.Generator
    ) -> Labels:
        ratings = np.asarray(record['label'], dtype=np.float64)
        offset = ratings.mean() if self.offset == 'mean' else self.offset
        summed = (ratings[:num_clips] - offset).sum(1)
        order = np.argsort(summed, kind='stable')
        saliency = np.zeros(num_clips)
        saliency[: len(summed)] = summed * self.scale
        relevant = np.zeros(num_clips, dtype=bool)
        if self.relevant == 'half':
            relevant[order[len(order) // 2 :]] = True
        elif self.relevant == 'above_median':
            relevant[: len(summed)] = summed > summed[order[(len(order) - 1) // 2]]
        else:
            relevant = saliency > 0
        pos, neg = [order[-1]], [order[0]]
        inside, outside = np.flatnonzero(relevant), np.flatnonzero(~relevant[: len(summed)])
        if self.pair == 'random' and len(inside) and len(outside):
            pos, neg = [rng.choice(inside)], [rng.choice(outside)]
        return _labels(saliency, relevant, pos, neg)
