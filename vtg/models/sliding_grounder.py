# SPDX-License-Identifier: Apache-2.0
"""Inference on videos that are longer than those a model was trained on."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypedDict

import torch
from torch import Tensor

from vtg.registry import MODELS, TASK_UTILS
from vtg.structures import GroundingState, MomentList, Prediction
from vtg.utils import ConfigError

from .grounder import Grounder
from .sharing import EncodedVideos, join_states
from .task_modules.nms import take_first, take_moments


@dataclass(frozen=True)
class Windows:
    """The windows of a batch, sample after sample.

    Attributes:
        owner: ``(W,)`` the sample of every window.
        start: ``(W,)`` its first clip.
        length: ``(W,)`` its clips.
        seen: ``(W, 2)`` the seconds of the video that it shows.
    """

    owner: Tensor
    start: Tensor
    length: Tensor
    seen: Tensor


@dataclass(frozen=True)
class EncodedWindows(EncodedVideos):
    """Videos of which at least one is longer than a window.

    Attributes:
        windows: What every row of the state shows.
        video_mask: ``(V, L)`` of the videos.
        duration: ``(V,)`` seconds of the videos.
    """

    windows: Windows
    video_mask: Tensor
    duration: Tensor


def window_starts(num_clips: int, clips: int, overlap: int) -> list[int]:
    """First clips of windows of ``clips`` clips; the last one ends with the video."""
    last = max(0, num_clips - clips)
    return [*range(0, last, clips - overlap), last]


class WindowOptions(TypedDict, total=False):
    """How :class:`SlidingGrounder` cuts videos and merges results."""

    clips: int
    overlap: int | None
    tef: Sequence[int]
    batch_size: int
    merge: dict


@MODELS.register_module()
class SlidingGrounder(Grounder):
    """A :class:`Grounder` that predicts on long videos window by window.

    Training and videos of one window are those of ``Grounder``, and so are the weights: only
    ``model.type`` and ``model.windows`` of a config change. A longer video is cut into overlapping
    windows of equal length, each with its own temporal endpoint feature and duration. Moments are
    merged by ``merge``, clip scores by a mean that weighs a clip by its distance from the border of
    the window.

    Args:
        args, kwargs: See :class:`Grounder`.
        windows: ``clips``: clips of a window, as long as the videos of the training. ``overlap``:
            clips that neighbours share, half of a window by default; moments up to this length lie
            in one window as a whole. ``tef``: first column of every temporal endpoint feature in
            the video features, the last two columns by default; ``()`` where there is none.
            ``batch_size``: windows that run together. ``merge``: config of the merging.
    """

    def __init__(self, *args: Any, windows: WindowOptions | None = None, **kwargs: Any) -> None:
        if not windows:
            raise ConfigError(
                'SlidingGrounder cuts long videos into windows: set model.windows=dict(clips=...) '
                "to the clips of a training video, or model.type='Grounder'."
            )
        super().__init__(*args, **kwargs)
        options: dict[str, Any] = {
            'overlap': None,
            'tef': (-2,),
            'batch_size': 32,
            'merge': {},
            **windows,
        }
        self.window_clips: int = options.pop('clips', 0)
        overlap = options.pop('overlap')
        self.window_overlap = self.window_clips // 2 if overlap is None else overlap
        if self.window_clips < 2 or not 0 <= self.window_overlap < self.window_clips:
            raise ConfigError(
                f'model.windows has clips={self.window_clips} and overlap={self.window_overlap}; '
                'expected at least 2 clips, and an overlap from 0 to less than that.'
            )
        self.window_tef: Sequence[int] = options.pop('tef')
        self.window_batch = options.pop('batch_size')
        self.merge = TASK_UTILS.build({'type': 'MergeWindows', **options.pop('merge')})
        if options:
            raise ConfigError(f'model.windows has no option {next(iter(options))!r}.')

    def forward(
        self,
        video: Tensor,
        video_mask: Tensor,
        text: Tensor,
        text_mask: Tensor,
        duration: Tensor,
        meta: list[dict[str, Any]] | None = None,
        targets: Any = None,
        video_index: Tensor | None = None,
        mode: str = 'tensor',
        audio: Tensor | None = None,
    ) -> GroundingState | dict[str, Tensor] | Prediction:
        """See :meth:`Grounder.forward`; ``mode='predict'`` goes by windows."""
        if mode == 'predict' and video_index is None and video_mask.shape[1] > self.window_clips:
            video_index = torch.arange(len(video), device=video.device)
        return super().forward(
            video, video_mask, text, text_mask, duration, meta, targets, video_index, mode, audio
        )

    @torch.no_grad()
    def encode(
        self,
        video: Tensor,
        video_mask: Tensor,
        duration: Tensor,
        audio: Tensor | None = None,
    ) -> EncodedVideos:
        """See :meth:`Grounder.encode`; a batch with longer videos becomes one of windows."""
        if video_mask.shape[1] <= self.window_clips:
            return super().encode(video, video_mask, duration, audio)
        self._check_tef(video, video_mask)
        num_clips = video_mask.sum(dim=1)
        windows = self._windows(num_clips, duration)
        states = []
        for part in torch.arange(len(windows.owner), device=video.device).split(self.window_batch):
            features, mask = self._cut(video, num_clips, windows, part)
            seconds = windows.seen[part].diff(dim=1)[:, 0].to(duration)
            sound = None if audio is None else self._cut(audio, num_clips, windows, part, ())[0]
            states.append(self._encoded(features, mask, seconds, sound))
        rows = torch.bincount(windows.owner, minlength=len(video))
        return EncodedWindows(join_states(states), rows, windows, video_mask, duration)

    @torch.no_grad()
    def ground(
        self,
        videos: EncodedVideos,
        text: Tensor,
        text_mask: Tensor,
        video_index: Tensor | None = None,
        meta: Sequence[dict[str, Any]] | None = None,
    ) -> Prediction:
        """See :meth:`Grounder.ground`; windows of all queries run ``windows.batch_size`` at a time,
        and the lists of all queries are merged together."""
        if not isinstance(videos, EncodedWindows):
            return super().ground(videos, text, text_mask, video_index, meta)
        query = torch.arange(len(text), device=text.device)
        video = torch.zeros_like(query) if video_index is None else video_index
        counts = videos.rows[video]
        owner = query.repeat_interleave(counts)  # (P,) the query of every pair
        first = (videos.rows.cumsum(0) - videos.rows)[video] - (counts.cumsum(0) - counts)
        row = torch.arange(len(owner), device=text.device) + first[owner]
        texts = self._read(videos, text, text_mask)
        found = self._answer(videos, texts, row, owner, self.window_batch)
        windows = videos.windows
        pairs = Windows(owner, windows.start[row], windows.length[row], windows.seen[row])
        return self._join(found, pairs, videos.video_mask[video], videos.duration[video], meta)

    def _check_tef(self, video: Tensor, mask: Tensor) -> None:
        """Refuse columns that do not count from 0 to 1, which a window would overwrite."""
        for column in self.window_tef:
            # The first clip starts at 0 and ends where the second one starts.
            starts, ends = video[:, :2, column], video[:, 0, column + 1]
            first = (starts[:, 0] == 0) & (ends > 0)
            second = torch.isclose(starts[:, 1], ends, atol=1e-5) | ~mask[:, 1]
            if not (first & second).all():
                raise ConfigError(
                    f'model.windows.tef names column {column} of the video features, which holds '
                    'no temporal endpoint feature; name the first of its two columns, or set '
                    'tef=() where the dataset appends none.'
                )

    def _windows(self, num_clips: Tensor, duration: Tensor) -> Windows:
        starts = [
            window_starts(count, self.window_clips, self.window_overlap)
            for count in num_clips.tolist()
        ]
        counts = torch.tensor([len(item) for item in starts], device=num_clips.device)
        owner = torch.arange(len(starts), device=num_clips.device).repeat_interleave(counts)
        start = torch.tensor([first for item in starts for first in item], device=num_clips.device)
        length = num_clips[owner].clamp(max=self.window_clips)
        clip = (duration.double() / num_clips)[owner]
        # A video of one window keeps its duration to the last digit.
        whole = duration[owner].double()
        end = torch.where(length == num_clips[owner], whole, (start + length) * clip)
        return Windows(owner, start, length, torch.stack((start * clip, end), dim=1))

    def _cut(
        self,
        video: Tensor,
        num_clips: Tensor,
        windows: Windows,
        part: Tensor,
        endpoints: Sequence[int] | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Features ``(w, clips, Dv)`` and mask ``(w, clips)`` of some windows.

        ``endpoints`` are the columns of temporal endpoint features, by default those of the video.
        """
        owner, length = windows.owner[part], windows.length[part]
        clip = torch.arange(self.window_clips, device=video.device)
        mask = clip < length[:, None]
        index = (windows.start[part, None] + clip).clamp(max=video.shape[1] - 1)
        features = video[owner[:, None], index]  # (w, clips, ..., Dv)
        per_clip = (*mask.shape, *[1] * (video.ndim - 2))
        features = features.masked_fill(~mask.view(per_clip), 0)
        cut = (length < num_clips[owner])[:, None] & mask
        step = 1 / length.to(video.dtype)[:, None]
        low = clip / length.to(video.dtype)[:, None]
        for column in self.window_tef if endpoints is None else endpoints:
            for offset, values in ((0, low), (1, low + step)):
                old = features[..., column + offset]
                features[..., column + offset] = torch.where(
                    cut.view(per_clip[:-1]), values.view(per_clip[:-1]), old
                )
        return features, mask

    @torch.no_grad()
    def _join(
        self,
        found: Prediction,
        windows: Windows,
        video_mask: Tensor,
        duration: Tensor,
        meta: Sequence[dict[str, Any]] | None,
    ) -> Prediction:
        """Turn the prediction of all windows into that of the videos."""
        clip = duration.double() / video_mask.sum(dim=1)
        saliency = found.saliency
        if saliency is not None:
            saliency = mean_scores(saliency, windows, video_mask)
        existence = found.existence
        if existence is not None:
            # A video has a moment if one of its windows has.
            none = existence.new_zeros(len(duration))
            existence = none.scatter_reduce(0, windows.owner, existence, 'amax')
        return replace(
            found,
            video_mask=video_mask,
            duration=duration,
            meta=meta or [{} for _ in range(len(duration))],
            lists={name: self._merge(item, windows, clip) for name, item in found.lists.items()},
            saliency=saliency,
            existence=existence,
        )

    def _merge(self, moments: MomentList, windows: Windows, clip: Tensor) -> MomentList:
        """Merge the moments of all windows ``(W, K)`` to those of the videos ``(B, K')``.

        Args:
            moments: In seconds of their window.
            windows: Those of the batch.
            clip: ``(B,)`` seconds of a clip.
        """
        spans = moments.spans.double() + windows.seen[:, None, :1]
        seen = windows.seen[:, None].expand(spans.shape)
        spans, seen, scores = (
            by_video(values, windows.owner, len(clip))
            for values in (spans, seen, moments.scores.double())
        )
        mask = by_video(moments.mask, windows.owner, len(clip))
        order = (~mask).to(torch.uint8).argsort(dim=1, stable=True)
        count = int(mask.sum(dim=1).max())
        packed = take_first(take_moments(MomentList(spans, scores, mask), order), count)
        seen = take_moments(MomentList(seen, scores, mask), order).spans[:, :count]
        return self.merge(packed, seen, clip)


def by_video(values: Tensor, owner: Tensor, count: int) -> Tensor:
    """Lay the entries of all windows ``(W, K, ...)`` side by side: ``(B, V * K, ...)``, zero where
    a video has fewer than V windows.

    Args:
        values: One row per window, sample after sample.
        owner: ``(W,)`` the sample of every window.
        count: B.
    """
    per_video = torch.bincount(owner, minlength=count)
    first = per_video.cumsum(0) - per_video
    rank = torch.arange(len(owner), device=owner.device) - first[owner]
    table = values.new_zeros(count, int(per_video.max()), *values.shape[1:])
    table[owner, rank] = values
    return table.flatten(1, 2)


def mean_scores(scores: Tensor, windows: Windows, video_mask: Tensor) -> Tensor:
    """Mean clip scores ``(B, L)`` of videos; a window counts less towards its borders.

    Args:
        scores: ``(W, l)`` of all windows.
        windows: Those of the batch.
        video_mask: ``(B, L)`` True where a clip is real.
    """
    clip = torch.arange(scores.shape[1], device=scores.device)
    real = clip < windows.length[:, None]
    weight = torch.minimum(clip + 1, windows.length[:, None] - clip)[real].double()
    # The place of every clip among those of all videos.
    place = (windows.owner * video_mask.shape[1] + windows.start)[:, None] + clip
    totals = weight.new_zeros(2, video_mask.numel())
    totals.index_add_(1, place[real], torch.stack((weight * scores[real].double(), weight)))
    return (totals[0] / totals[1].clamp(min=1)).view(video_mask.shape)
