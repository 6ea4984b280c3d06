# SPDX-License-Identifier: Apache-2.0
"""Inference on videos that are longer than those a model was trained on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from vtg.registry import MODELS, TASK_UTILS
from vtg.structures import GroundingState, MomentList
from vtg.utils import ConfigError

from .grounder import Grounder
from .task_modules.post_processing import moments_to_lists

# What stands in an empty list of moments.
NOTHING = [0.0, 0.0, 0.0]


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
        options = {'overlap': None, 'tef': (-2,), 'batch_size': 32, 'merge': {}, **windows}
        self.window_clips = options.pop('clips', 0)
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
        mode: str = 'tensor',
    ) -> GroundingState | dict[str, Tensor] | list[dict[str, Any]]:
        """See :meth:`Grounder.forward`; ``mode='predict'`` goes by windows."""
        if mode != 'predict' or video_mask.shape[1] <= self.window_clips:
            inputs = (video, video_mask, text, text_mask, duration, meta, targets)
            return super().forward(*inputs, mode=mode)
        self._check_tef(video, video_mask)
        num_clips = video_mask.sum(dim=1)
        windows = self._windows(num_clips, duration)
        records: list[dict[str, Any]] = []
        for part in torch.arange(len(windows.owner), device=video.device).split(self.window_batch):
            owner = windows.owner[part]
            features, mask = self._cut(video, num_clips, windows, part)
            seconds = windows.seen[part].diff(dim=1)[:, 0].to(duration)
            inputs = (features, mask, text[owner], text_mask[owner], seconds)
            records += super().forward(*inputs, mode='predict')
        return self._join(records, windows, num_clips, duration, meta)

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
        self, video: Tensor, num_clips: Tensor, windows: Windows, part: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Features ``(w, clips, Dv)`` and mask ``(w, clips)`` of some windows."""
        owner, length = windows.owner[part], windows.length[part]
        clip = torch.arange(self.window_clips, device=video.device)
        mask = clip < length[:, None]
        index = (windows.start[part, None] + clip).clamp(max=video.shape[1] - 1)
        features = video[owner[:, None], index].masked_fill(~mask[..., None], 0)
        cut = (length < num_clips[owner])[:, None] & mask
        step = 1 / length.to(video.dtype)[:, None]
        low = clip / length.to(video.dtype)[:, None]
        for column in self.window_tef:
            for offset, values in ((0, low), (1, low + step)):
                old = features[..., column + offset]
                features[..., column + offset] = torch.where(cut, values, old)
        return features, mask

    @torch.no_grad()
    def _join(
        self,
        records: list[dict[str, Any]],
        windows: Windows,
        num_clips: Tensor,
        duration: Tensor,
        meta: list[dict[str, Any]] | None,
    ) -> list[dict[str, Any]]:
        """Turn one record per window into one per sample."""
        meta = meta or [{} for _ in range(len(duration))]
        joined = [{key: item.get(key) for key in ('qid', 'query', 'vid')} for item in meta]
        first = records[0]
        if 'pred_relevant_windows' in first:
            lists = {None: [record['pred_relevant_windows'] for record in records]}
            for name in first['alternatives']:
                lists[name] = [record['alternatives'][name] for record in records]
            clip = duration.double() / num_clips
            merged = {name: self._merge_lists(rows, windows, clip) for name, rows in lists.items()}
            for index, record in enumerate(joined):
                found = {name: rows[index] or [NOTHING] for name, rows in merged.items()}
                record['pred_relevant_windows'] = found.pop(None)
                record['alternatives'] = found
        if 'pred_saliency_scores' in first:
            scores = [record['pred_saliency_scores'] for record in records]
            for record, row in zip(joined, _mean_scores(scores, windows, num_clips)):
                record['pred_saliency_scores'] = row
        return joined

    def _merge_lists(
        self, lists: list[list[list[float]]], windows: Windows, clip: Tensor
    ) -> list[list[list[float]]]:
        """Merge the lists ``[[start, end, score], ...]`` of all windows, sample by sample."""
        owners, seen = windows.owner.tolist(), windows.seen.tolist()
        rows: list[list[list[float]]] = [[] for _ in range(len(clip))]
        for owner, (left, right), found in zip(owners, seen, lists):
            rows[owner] += [
                [start + left, end + left, score, left, right]
                for start, end, score in found
                if [start, end, score] != NOTHING
            ]
        tables = [torch.tensor(row, dtype=torch.float64).view(-1, 5) for row in rows]
        table = pad_sequence(tables, batch_first=True).to(clip.device)  # (B, K, 5)
        counts = torch.tensor([len(row) for row in rows], device=clip.device)
        mask = torch.arange(table.shape[1], device=clip.device) < counts[:, None]
        moments = MomentList(table[..., :2], table[..., 2], mask)
        merged = self.merge(moments, table[..., 3:], clip)
        return moments_to_lists(merged, self.test_cfg['score_digits'])


def _mean_scores(
    scores: list[list[float]], windows: Windows, num_clips: Tensor
) -> list[list[float]]:
    """Mean clip scores of a video; a window counts less towards its borders."""
    counts = num_clips.tolist()
    totals = torch.zeros(2, len(counts), max(counts), dtype=torch.float64)
    for owner, start, row in zip(windows.owner.tolist(), windows.start.tolist(), scores):
        values = torch.tensor(row, dtype=torch.float64)
        place = torch.arange(1, len(row) + 1)
        weight = torch.minimum(place, place.flip(0)).double()
        totals[:, owner, start : start + len(row)] += torch.stack((weight * values, weight))
    mean = totals[0] / totals[1].clamp(min=1)
    return [row[:count].tolist() for row, count in zip(mean, counts)]
