# SPDX-License-Identifier: Apache-2.0
"""Stored inputs as collated batches, and the same batches with other padding."""

import re
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from vtg.structures import xx_to_cxw

from .core import ReferenceSet


def pad_spans(rows: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Spans of every sample ``(n, 2)``, of any number, to ``(B, G, 2)`` and their mask."""
    rows = [row.reshape(-1, 2).float() for row in rows]
    counts = torch.tensor([len(row) for row in rows], dtype=torch.long)
    spans = pad_sequence(rows, batch_first=True, padding_value=0.5)
    return spans, torch.arange(spans.shape[1]) < counts[:, None]


def stored_spans(stored: dict[str, Tensor], duration: Tensor) -> tuple[Tensor, Tensor]:
    """Spans of a batch ``(B, G, 2)`` centre and width, and their mask, in whatever form they lie.

    A set without any of the known forms has no moments.
    """
    if 'spans' in stored:  # padded with negative numbers
        return stored['spans'], stored['spans'][..., 0] >= 0
    if 'relevant_windows' in stored:  # seconds, padded with infinity
        windows = stored['relevant_windows']
        mask = windows.isfinite().all(dim=-1)
        windows = torch.where(mask.unsqueeze(-1), windows, windows.new_tensor([0.0, 1.0]))
        return xx_to_cxw(windows) / duration[:, None, None], mask
    if 'span_labels' in stored:  # all in a row
        counts = stored['span_labels_count'].long().tolist()
        return pad_spans(stored['span_labels'].reshape(-1, 2).split(counts))
    rows = [torch.zeros(0, 2) for _ in duration]
    for key, value in stored.items():
        match = re.fullmatch(r'(span_labels[_/]|spans_|windows_sec_)(\d+)', key)
        if match:
            row, value = int(match[2]), value.reshape(-1, 2)
            seconds = match[1].startswith('windows')
            rows[row] = xx_to_cxw(value / duration[row]) if seconds else value
    return pad_spans(rows)


def batch_of(data: ReferenceSet, prefix: str = '', sources: Sequence[Any] | None = None) -> dict:
    """Return stored inputs in the form of a collated batch; labels that are absent are 0.

    Args:
        data: The set.
        prefix: Of the keys, e.g. ``'nopad/'``.
        sources: Source video of every sample; None makes all different.
    """
    stored = data.below(f'{prefix}in/')
    video, mask = stored['src_vid'], stored['src_vid_mask'].bool()
    if 'src_aud' in stored:
        video = torch.cat((video, stored['src_aud']), dim=-1)
    duration = stored.get('duration', stored.get('durations', mask.sum(dim=1) * 2)).float()
    spans, span_mask = stored_spans(stored, duration)
    blank = torch.zeros(mask.shape)
    saliency = stored.get('saliency_all_labels', stored.get('saliency_scores', blank)).float()
    positive = stored.get('saliency_pos_labels', torch.zeros(len(mask), 1, dtype=torch.long))
    sources = range(len(mask)) if sources is None else sources
    relevant = stored['src_pos_mask'] > 0 if 'src_pos_mask' in stored else saliency > 0
    if 'timestamp_window' in stored:
        relevant = relevant | (stored['timestamp_window'] > 0)
    return {
        'video': video,
        'video_mask': mask,
        'text': stored['src_txt'],
        'text_mask': stored['src_txt_mask'].bool(),
        'duration': duration,
        'targets': {
            'spans': spans,
            'span_mask': span_mask,
            'saliency': saliency,
            'relevant': relevant,
            'pos_clips': positive,
            'neg_clips': stored.get('saliency_neg_labels', positive),
            'source_id': torch.tensor([list(sources).index(source) for source in sources]),
        },
        'meta': [{'qid': i, 'query': '', 'vid': str(source)} for i, source in enumerate(sources)],
    }


def extend_padding(batch: dict, clips: int = 3, words: int = 2, seed: int = 0) -> dict:
    """The same batch with more padding, all of it filled with noise instead of zeros."""
    generator = torch.Generator().manual_seed(seed)
    wider = dict(batch)
    audio = [('audio', 'video_mask', clips)] if 'audio' in batch else []
    for name, masked, count in (
        ('video', 'video_mask', clips),
        ('text', 'text_mask', words),
        *audio,
    ):
        features, mask = batch[name], batch[masked]
        more = mask.new_zeros(len(mask), count)
        wider[masked] = torch.cat((mask, more), dim=1)
        noise = torch.randn((*wider[masked].shape, *features.shape[2:]), generator=generator)
        noise[:, : features.shape[1]][mask] = features[mask]
        wider[name] = noise
    targets = dict(batch['targets'])
    for name in ('saliency', 'relevant'):
        value = targets[name]
        targets[name] = torch.cat((value, value.new_zeros(len(value), clips)), dim=1)
    wider['targets'] = targets
    return wider


def single(batch: dict, index: int) -> dict:
    """Sample ``index`` of a batch alone, without padding."""
    clips, words = (int(batch[f'{name}_mask'][index].sum()) for name in ('video', 'text'))
    moments = int(batch['targets']['span_mask'][index].sum())
    lengths = dict.fromkeys(('video', 'video_mask', 'audio', 'saliency', 'relevant'), clips)
    lengths |= dict.fromkeys(('text', 'text_mask'), words)
    lengths |= dict.fromkeys(('spans', 'span_mask'), moments)

    def cut(name: str, value: Any) -> Any:
        row = value[index : index + 1]
        return row[:, : lengths[name]] if name in lengths else row

    alone = {name: cut(name, value) for name, value in batch.items() if name != 'targets'}
    alone['targets'] = {name: cut(name, value) for name, value in batch['targets'].items()}
    return alone


def in_double(value: Any) -> Any:
    """A batch with all real numbers in double precision."""
    if isinstance(value, dict):
        return {key: in_double(item) for key, item in value.items()}
    return value.double() if isinstance(value, Tensor) and value.is_floating_point() else value
