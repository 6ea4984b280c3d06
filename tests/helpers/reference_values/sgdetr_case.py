# SPDX-License-Identifier: Apache-2.0
"""The variants of SG-DETR's reference set and the model that should reproduce them."""

import json
import re
from typing import Any

import torch
from torch import Tensor

from vtg.conversion import convert_state_dict
from vtg.models import Grounder
from vtg.models.task_modules import select_collab_anchors
from vtg.registry import MODELS
from vtg.structures import GroundingState

from .common import Step, predict, train_step, without_noise
from .core import ReferenceSet
from .sgdetr_config import model_config, without_quirks


def batch_of(data: ReferenceSet, prefix: str, vids: list[str]) -> dict[str, Any]:
    """Return the stored inputs in the form of a collated batch."""
    spans = data[f'{prefix}in/spans']
    mask = data[f'{prefix}in/src_vid_mask'].bool()
    saliency = data[f'{prefix}in/saliency_all_labels']
    sources = [vid.rsplit('_', 2)[0] for vid in vids]
    return {
        'video': data[f'{prefix}in/src_vid'],
        'video_mask': mask,
        'text': data[f'{prefix}in/src_txt'],
        'text_mask': data[f'{prefix}in/src_txt_mask'].bool(),
        'duration': data[f'{prefix}in/duration'],
        'targets': {
            'spans': spans,
            'span_mask': spans[..., 0] >= 0,
            'saliency': saliency,
            'relevant': saliency > 0,
            'pos_clips': data[f'{prefix}in/saliency_pos_labels'],
            'neg_clips': data[f'{prefix}in/saliency_neg_labels'],
            'source_id': torch.tensor([sources.index(source) for source in sources]),
        },
        'meta': [{'qid': i, 'query': '', 'vid': vid} for i, vid in enumerate(vids)],
    }


class Case:
    """One variant of the reference set and the model that should reproduce it."""

    def __init__(self, data: ReferenceSet, base: dict, prefix: str, clean: bool = False) -> None:
        self.data, self.prefix = data, prefix
        self.learned = prefix == 'norpn/'
        self.inputs = 'nopad/' if self.learned else prefix
        sizes = data.info['sizes']
        self.vids = sizes['vids'] if self.inputs == '' else sizes['nopad']['vids']
        info = data.info
        if self.learned:
            info = {**info, 'loss_weights': {**info['loss_weights'], **_norpn_weights(info)}}
        self.info = info
        cfg = model_config(base, info, self.learned)
        self.model: Grounder = without_noise(MODELS.build(without_quirks(cfg) if clean else cfg))
        weights = data.below('sd/')
        if self.learned:
            weights = {k: v for k, v in weights.items() if not k.startswith('query_selector.')}
            weights |= data.below('norpn/sd/')
        self.model.load_state_dict(convert_state_dict('sgdetr', weights), strict=True)
        self.head = self.model.slots['moment_head']
        self.denoising = self.head.query_head.denoising
        self.head.query_head.denoising = None

    def get(self, key: str) -> Tensor | None:
        """The stored array of this variant, or None."""
        return self.data.get(self.prefix + key)

    def batch(self) -> dict[str, Any]:
        """The inputs in the form of a collated batch."""
        return batch_of(self.data, self.inputs, self.vids)

    def predicted(self) -> GroundingState:
        """The state of an inference run."""
        return predict(self.model, self.batch())[0]

    def trained(self, run: str = '') -> Step:
        """A training step; ``run='dn/'`` adds denoising queries."""
        negatives = self.get(f'{run}in/co_neg_idx')
        self.head.choose_anchors = lambda dense: stored_anchors(dense, negatives)
        self.head.query_head.denoising = self.denoising if run else None
        if run:
            mask = batch_of(self.data, self.inputs, self.vids)['targets']['span_mask']
            noise = _stored_noise(self.get('dn/in/dn_sign'), self.get('dn/in/dn_part'), mask)
            self.denoising._draw = lambda shape, like, generator: noise
        return train_step(self.model, self.batch())


def _norpn_weights(info: dict[str, Any]) -> dict[str, float]:
    """The loss weights of the variant, which its description holds as JSON."""
    return json.loads(re.search(r'\{.*\}', info['norpn']['what'])[0])


def stored_anchors(dense: Any, negatives: Tensor | None) -> tuple[Tensor, Tensor]:
    """Choose the stored negative anchors instead of random ones."""
    positive = dense.assignment.positive
    count = int(positive.sum(dim=1).max())
    order = torch.ones(positive.shape)
    if negatives is not None:
        for row, indices in zip(order, negatives):
            real = indices[indices >= 0]
            row[real] = torch.arange(len(real)) / (len(real) + 1)
    return select_collab_anchors(positive, dense.mask, count, order=order)


def _stored_noise(sign: Tensor, part: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Bring noise stored per group, for all moments of the batch in a row, into padded form."""
    moments = int(mask.sum())
    groups = len(sign) // (2 * moments)
    result = []
    for stored in (sign, part):
        stored = stored.view(groups, 2, moments, 2)
        padded = torch.zeros(len(mask), groups, 2, mask.shape[1], 2)
        padded.permute(0, 3, 1, 2, 4)[mask] = stored.permute(2, 0, 1, 3)
        result.append(padded)
    return tuple(result)
