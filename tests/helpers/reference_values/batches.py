# SPDX-License-Identifier: Apache-2.0
"""Stored inputs as collated batches, and the same batches with other padding."""

from typing import Any

import torch
from torch import Tensor

from .core import ReferenceSet


def pad_spans(flat: Tensor, counts: Tensor) -> tuple[Tensor, Tensor]:
    """Spans of a batch in a row ``(sum of counts, 2)`` to ``(B, G, 2)`` and their mask."""
    mask = torch.arange(int(counts.max()))[None] < counts[:, None]
    spans = torch.full((*mask.shape, 2), 0.5)
    spans[mask] = flat.float()
    return spans, mask


def _stored_spans(stored: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
    """Spans of a batch in a row, stored as such or sample by sample, and their numbers."""
    if 'span_labels' in stored:
        return stored['span_labels'], stored['span_labels_count']
    spans = [stored[f'span_labels_{index}'] for index in range(len(stored['src_vid']))]
    return torch.cat(spans), torch.tensor([len(item) for item in spans])


def batch_of(
    data: ReferenceSet,
    prefix: str = '',
    sources: list[Any] | None = None,
    spans: tuple[Tensor, Tensor] | None = None,
) -> dict:
    """Return stored inputs in the form of a collated batch.

    Args:
        data: The set.
        prefix: Of the keys, e.g. ``'nopad/'``.
        sources: Source video of every sample; None makes all different.
        spans: ``(B, G, 2)`` and their mask where they are not stored in a row.
    """
    stored = data.below(f'{prefix}in/')
    video, mask = stored['src_vid'], stored['src_vid_mask'].bool()
    if 'src_aud' in stored:
        video = torch.cat((video, stored['src_aud']), dim=-1)
    if spans is None:
        spans = pad_spans(*_stored_spans(stored))
    saliency = stored.get('saliency_all_labels', torch.zeros(mask.shape)).float()
    batch = len(video)
    sources = list(range(batch)) if sources is None else sources
    return {
        'video': video,
        'video_mask': mask,
        'text': stored['src_txt'],
        'text_mask': stored['src_txt_mask'].bool(),
        'duration': stored.get('duration', stored.get('durations', mask.sum(dim=1) * 2)).float(),
        'targets': {
            'spans': spans[0],
            'span_mask': spans[1],
            'saliency': saliency,
            'relevant': stored['src_pos_mask'] > 0 if 'src_pos_mask' in stored else saliency > 0,
            'pos_clips': stored['saliency_pos_labels'],
            'neg_clips': stored['saliency_neg_labels'],
            'source_id': torch.tensor([sources.index(source) for source in sources]),
        },
        'meta': [{'qid': i, 'query': '', 'vid': str(sources[i])} for i in range(batch)],
    }


def extend_padding(batch: dict, clips: int = 3, words: int = 2, seed: int = 0) -> dict:
    """The same batch with more padding, all of it filled with noise instead of zeros."""
    generator = torch.Generator().manual_seed(seed)
    wider = dict(batch)
    for name, count in (('video', clips), ('text', words)):
        features, mask = batch[name], batch[f'{name}_mask']
        more = mask.new_zeros(len(mask), count)
        wider[f'{name}_mask'] = mask = torch.cat((mask, more), dim=1)
        noise = torch.randn((*mask.shape, features.shape[-1]), generator=generator)
        noise[:, : features.shape[1]][mask[:, : features.shape[1]]] = features[
            mask[:, : features.shape[1]]
        ]
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
    lengths = {
        'video': clips,
        'video_mask': clips,
        'text': words,
        'text_mask': words,
        'spans': moments,
        'span_mask': moments,
        'saliency': clips,
        'relevant': clips,
    }

    def cut(name: str, value: Any) -> Any:
        row = value[index : index + 1]
        return row[:, : lengths[name]] if name in lengths else row

    alone = {name: cut(name, value) for name, value in batch.items() if name != 'targets'}
    alone['targets'] = {name: cut(name, value) for name, value in batch['targets'].items()}
    return alone
