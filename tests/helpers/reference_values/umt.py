# SPDX-License-Identifier: Apache-2.0
"""UMT against values of its released code."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from vtg.models.heads.dense.centre_head import centre_targets
from vtg.structures import GroundingState, xx_to_cxw

from .case import Outputs, Run, SystemCase
from .common import Step, check_padding
from .core import ReferenceSet, Row, compare, compare_relative
from .detr import width

# The released code with the clip mask handed to the decoder.
MASKED = {'encoder.mask_padding': True}


def _layers(pattern: str) -> Any:
    """How many layers of a name with ``{}`` for their number the weights have."""

    def count(data: ReferenceSet) -> int:
        number = 0
        while any(key.startswith(f'sd/{pattern.format(number)}.') for key in data):
            number += 1
        return number

    return count


class UmtCase(SystemCase):
    """Both tasks with and without padding, moments alone with clips of 1/6 s (``charades``),
    highlights alone (``hd``), and these without text (``notext``)."""

    system, config, video = 'umt', 'umt/qvhl_official.py', 'in/video'
    sizes = {
        'defaults.dim': 'dims.d',
        'defaults.num_heads': 'dims.heads',
        'defaults.hidden_dim': lambda data: data.fact('dims.d') * data.fact('dims.ratio'),
        'defaults.max_clips': 'dims.max_len',
        'fusion.num_tokens': 'dims.tokens',
        'fusion.num_layers': _layers('cross_enc.encoder.encoder.{}'),
        'encoder.num_layers': _layers('query_dec.decoder.{}'),
        'video_projector.in_dim': width('video'),
        'audio_projector.in_dim': width('audio'),
        'text_projector.in_dim': width('query'),
        # Stored labels reach from 0 to 1.
        'saliency_head.losses.bce.max_label': lambda data: 1.0,
    }
    clean = {
        'encoder.mask_padding': True,
        'saliency_head.losses.bce.average_over': 'valid',
        'moment_head.mask_padding': True,
        'moment_head.unit_seconds': None,
    }
    runs = (
        Run('nopad/'),
        Run(''),
        Run('cleanmask/', '', MASKED),
        Run('clean/', '', clean),
        Run(
            'charades/',
            'nopad/',
            {
                'saliency_head': None,
                'moment_head.unit_seconds': 1 / 6,
                'moment_head.losses.width.weight': 0.05,
                'moment_head.losses.offset.weight': 0.5,
            },
            'moments',
        ),
        Run(
            'hd/',
            'nopad/',
            {'moment_head': None, 'saliency_head.losses.bce.weight': 1.0},
            'highlights',
        ),
        Run(
            'notext/',
            'nopad/',
            {
                'moment_head': None,
                'saliency_head.losses.bce.weight': 1.0,
                'text_projector': None,
                'encoder.queries': 'clips',
            },
            'notext',
        ),
    )
    losses = {
        'saliency_loss': 'loss_saliency_bce',
        'center_loss': 'loss_centre_label',
        'window_loss': 'loss_centre_width',
        'offset_loss': 'loss_centre_offset',
    }
    weighted = 'loss/'
    valid = r'out/(?!mid\.query_dec|mid\.bottleneck_tokens)[\w.]+'
    left_out = {
        r'out/mid\.bottleneck_\w+': 'no output of ours: the norm of the sum of both is compared '
        'as mid.cross_enc',
    }

    def stored_weights(self) -> dict[str, Tensor]:
        """The weights of the parts of this variant."""
        without = {'moments': ('saliency_pred',), 'highlights': ('center', 'window', 'offset')}
        without['notext'] = (*without['highlights'], 'query_gen')
        drop = without.get(self.run.kind, ())
        weights = super().stored_weights()
        return {
            key: value for key, value in weights.items()
            if not any(key.startswith(name) or f'.{name}' in key for name in drop)
        }  # fmt: skip

    @property
    def unit(self) -> float:
        """Seconds per clip."""
        return 1 / 6 if self.run.kind == 'moments' else 2.0

    def make_batch(self) -> dict[str, Any]:
        """The inputs as a collated batch."""
        stored = self.data.below(f'{self.inputs}in/')
        # Variants without text have the labels of those that rate clips only.
        own = 'hd/in/' if self.run.kind in ('highlights', 'notext') else f'{self.prefix}in/'
        stored |= self.data.below(own)
        mask = stored['mask'].bool()
        duration = mask.sum(dim=1) * self.unit
        span_mask = stored['boundary'][..., 0] >= 0
        ends = torch.where(span_mask[..., None], stored['boundary'], torch.tensor((0.0, 1.0)))
        saliency = stored['saliency'].clamp(min=0)
        blank = torch.zeros(len(mask), 1, dtype=torch.long)
        return {
            'video': stored['video'],
            'audio': stored['audio'],
            'video_mask': mask,
            'text': stored['query'],
            'text_mask': stored['query_mask'].bool(),
            'duration': duration,
            'targets': {
                'spans': xx_to_cxw(ends) / duration[:, None, None],
                'span_mask': span_mask,
                'saliency': saliency,
                'relevant': (saliency > 0) & mask,
                'pos_clips': blank,
                'neg_clips': blank,
                'source_id': torch.arange(len(mask)),
            },
            'meta': [{'qid': i, 'query': '', 'vid': str(i)} for i in range(len(mask))],
        }

    def weight(self, name: str) -> float:
        """Stored losses are weighted."""
        return 1.0

    def tolerance(self, name: str) -> float:
        """As the set states."""
        return super().tolerance(name) if 'loss' in name else 2e-5

    def loss_row(self, name: str, ours: Tensor, theirs: Tensor, tolerance: float) -> Row:
        """Losses are compared relative to the stored ones."""
        return compare_relative(name, ours.detach(), theirs, tolerance)

    def trained(self, step: Step) -> Outputs:
        """What the released model computes."""
        state = step.state
        found: Outputs = {
            'out/mid.video_enc': state.video,
            'out/mid.audio_enc': state.audio,
            'out/mid.cross_enc': state.fused,
            'out/mid.query_dec': (state.memory, lambda theirs: theirs[-1]),
        }
        encoder = self.model.slots['encoder']
        if encoder.generator is not None:
            words = (state.text, state.text, state.text_mask)
            found['out/mid.query_gen'] = encoder.generator(state.fused, *words)
        if state.saliency is not None:
            found['out/saliency_logits'] = state.saliency
            found['out/saliency'] = state.saliency.sigmoid() * state.video_mask
        if 'moment_head' in self.model.slots:
            outputs = state.moment_outputs['centres']
            found['out/center'] = state.span_scores
            found['out/window'], found['out/offset'] = outputs.window, outputs.offset
            head, size = self.model.slots['moment_head'], state.video_mask.shape[1]
            clips = state.video_mask.sum(dim=1)
            clips = clips if head.mask_padding else torch.full_like(clips, size)
            wanted = centre_targets(state.targets, outputs.unit, clips, size)
            found |= {
                'out/center_target': wanted.heat,
                'out/window_target': wanted.window,
                'out/offset_target': wanted.offset,
                'out/center_weight': wanted.middle.float(),
                'out/num_windows': wanted.count.float(),
            }
        return found

    def reported(self, state: GroundingState, records: list[dict[str, Any]]) -> Iterator[Row]:
        """Compare the ranked moments of real clips."""
        theirs = self.get('out/boundary')
        for index in range(len(records) if theirs is not None else 0):
            ours = torch.tensor(records[index]['pred_relevant_windows'])
            stored = theirs[index, : int(state.video_mask[index].sum())]
            # Reports hold doubles; the rows of the released code are float32.
            for name, part in (('seconds', slice(0, 2)), ('scores', slice(2, 3))):
                yield self.row(f'out/boundary/{index} {name}', ours[:, part], stored[:, part])

    def row(self, key: str, ours: Tensor, theirs: Tensor) -> Row:
        """Compare absolutely, with the tolerance of outputs."""
        return compare(self.name(key), ours, theirs, 2e-5)

    @classmethod
    def whole_set(cls, data: ReferenceSet, base: dict) -> Iterator[Row]:
        """Check that padding reaches no sample."""
        case = cls(data, base, Run('', '', cls.clean))
        real = lambda state: state.video_mask  # noqa: E731
        yield from check_padding(case.model, case.batch, real=real)
