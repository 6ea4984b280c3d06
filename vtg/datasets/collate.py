# SPDX-License-Identifier: Apache-2.0
"""From samples to one padded, masked batch; runs in the loader's workers."""

from collections.abc import Sequence
from typing import Any, TypedDict

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from vtg.registry import FUNCTIONS
from vtg.utils import ConfigError


class PadTo(TypedDict, total=False):
    """Fixed lengths of every batch."""

    clips: int
    words: int
    moments: int


def _pad(arrays: Sequence[np.ndarray], size: int | None = None, name: str = '') -> Tensor:
    """Zero-pad ``(n_b, ...)`` arrays to ``(B, max n_b, ...)``, or to ``(B, size, ...)``."""
    padded = pad_sequence([torch.from_numpy(array) for array in arrays], batch_first=True)
    if size is None:
        return padded
    if padded.shape[1] > size:
        raise ConfigError(
            f'a sample has {padded.shape[1]} {name}, but collate_fn.pad_to.{name} is {size}; '
            f'set it to the most {name} of any sample, or leave it away.'
        )
    rest = padded.new_zeros(len(padded), size - padded.shape[1], *padded.shape[2:])
    return torch.cat((padded, rest), dim=1)


def _mask(lengths: Sequence[int], size: int) -> Tensor:
    """``(B, size)``, True on the first ``lengths[b]`` entries of row b."""
    return torch.arange(size)[None, :] < torch.tensor(lengths)[:, None]


def _collate_targets(
    targets: Sequence[dict[str, Any]], num_clips: int, num_moments: int | None
) -> dict[str, Tensor]:
    batch = {
        name: _pad([target[name] for target in targets]) for name in ('pos_clips', 'neg_clips')
    }
    batch['spans'] = _pad([target['spans'] for target in targets], num_moments, 'moments')
    counts = [len(target['spans']) for target in targets]
    batch['span_mask'] = _mask(counts, batch['spans'].shape[1])
    for name in ('saliency', 'relevant'):
        padded = _pad([target[name] for target in targets])
        batch[name] = torch.nn.functional.pad(padded, (0, num_clips - padded.shape[1]))
    _, source_id = np.unique([target['source'] for target in targets], return_inverse=True)
    batch['source_id'] = torch.from_numpy(source_id.reshape(-1).astype(np.int64))
    return batch


def collate_text(
    samples: Sequence[dict[str, Any]], num_words: int | None = None
) -> dict[str, Tensor]:
    """Return ``text (B, N, Dt)`` and ``text_mask (B, N)`` of samples; N is ``num_words`` if set."""
    text = _pad([sample['text'] for sample in samples], num_words, 'words')
    return {
        'text': text,
        'text_mask': _mask([len(sample['text']) for sample in samples], text.shape[1]),
    }


@FUNCTIONS.register_module()
def collate(samples: Sequence[dict[str, Any]], pad_to: PadTo | None = None) -> dict[str, Any]:
    """Pad and stack the samples of :class:`vtg.datasets.GroundingDataset`.

    Name it ``'vtg.collate'`` in a config: MMEngine looks functions up without the default scope.

    Samples that hold the same array as video, and the same duration, share one row of ``video``,
    ``video_mask``, ``duration`` and ``audio``; ``video_index (B,)`` says which, and is there only
    then.

    Args:
        samples: Of one batch.
        pad_to: Fixed numbers of ``clips``, ``words`` and ``moments``, so that all batches have one
            shape, as CUDA graphs need it; what is not named is that of the longest sample.

    Returns:
        video ``(B, L, Dv)``, video_mask ``(B, L)``, text ``(B, N, Dt)``, text_mask ``(B, N)``,
        duration ``(B,)`` in seconds, meta (a list of dicts), audio ``(B, L, Da)`` where there is
        some and, if every sample is labelled,
        targets: the fields of :class:`vtg.structures.GroundingTargets`. Masks are True on real
        entries. ``source_id`` is equal for samples cut from the same source video.

    Raises:
        ConfigError: A sample is longer than ``pad_to``.
    """
    sizes = pad_to or {}
    rows: dict[tuple[int, float], int] = {}
    index = [rows.setdefault((id(s['video']), s['duration']), len(rows)) for s in samples]
    videos = [samples[index.index(row)] for row in range(len(rows))]
    video = _pad([sample['video'] for sample in videos], sizes.get('clips'), 'clips')
    batch = {
        'video': video,
        'video_mask': _mask([sample['meta']['num_clips'] for sample in videos], video.shape[1]),
        **collate_text(samples, sizes.get('words')),
        'duration': torch.tensor([sample['duration'] for sample in videos], dtype=torch.float32),
        'meta': [sample['meta'] for sample in samples],
    }
    if 'audio' in samples[0]:
        batch['audio'] = _pad([sample['audio'] for sample in videos], sizes.get('clips'), 'clips')
    if len(videos) < len(samples):
        batch['video_index'] = torch.tensor(index)
    if all('targets' in sample for sample in samples):
        targets = [sample['targets'] for sample in samples]
        batch['targets'] = _collate_targets(targets, video.shape[1], sizes.get('moments'))
    return batch
