# SPDX-License-Identifier: Apache-2.0
"""CausalVTG against values of its released code."""

from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from vtg.models.heads import PointOutputs
from vtg.models.layers import cosine
from vtg.models.refiners.front_door import FrontDoorEncoder
from vtg.structures import GroundingState, xx_to_cxw

from .answerability import check_rejections
from .batches import single
from .case import Outputs, Run, SystemCase
from .common import OUTPUT_TOLERANCE, Step, check_padding, predict, train_step
from .core import ReferenceSet, Row, compare
from .detr import width
from .flashvtg import align, decoded, table
from .r2_tuning import check_labels

STREAMS = {'video': 'video', 'query': 'text'}
# What leaks through padding before the pyramid.
ENCODING = {
    'embedding.mask_padding': True,
    'refiner.video.average_over': 'valid',
    'refiner.text.average_over': 'valid',
    'auxiliary.answerability.average_over': 'valid',
}
STILL = {'refiner.video.row_momentum': 1.0, 'refiner.text.row_momentum': 1.0}


class CausalVtgCase(SystemCase):
    """A training step with and without padding, without moving the dictionaries (``kind`` ``val``),
    with each mask of negatives for itself (``masks``), and sample by sample (``single``)."""

    system, config, video = 'causalvtg', 'causalvtg/qvhl_official.py', 'in/video'
    sizes = {
        'defaults.dim': 'config.dims',
        'defaults.num_heads': 'config.heads',
        'defaults.hidden_dim': lambda data: (
            data.fact('config.dims') * data.fact('config.ffn_ratio')
        ),
        'video_projector.in_dim': lambda data: width('video')(data) + 2,
        'text_projector.in_dim': width('query'),
        'refiner.video.num_rows': 'config.num_clusters',
        'refiner.text.num_rows': 'config.num_clusters',
        'neck.strides': 'config.strides',
        'moment_head.num_levels': lambda data: len(data.fact('config.strides')),
        'moment_head.scores.kernel_size': 'config.kernel_size',
        'moment_head.assigner.radius': 'config.sample_radius',
        'moment_head.max_moments': 'config.max_num_moment',
        'moment_head.unit_seconds': lambda data: 1 / data.fact('fps'),
        'moment_head.losses.label.weight': 'loss_weights.loss_cls',
        'moment_head.losses.span.weight': 'loss_weights.loss_reg',
        'auxiliary.nce.weight': 'loss_weights.loss_sal',
        'auxiliary.nce.temperature': 'config.temperature',
        'auxiliary.answerability.weight': 'loss_weights.loss_neg',
        'test_cfg.post_processor.steps.round.grid': lambda data: float(data.fact('unit')),
    }
    clean = {
        **ENCODING,
        'refiner.video.mask_padding': True,
        'refiner.text.mask_padding': True,
        'neck.mask_padding': True,
        'moment_head.mask_padding': True,
    }
    runs = (
        Run('nopad/'),
        Run('nopad_fixneg/', 'nopad/', {'auxiliary.answerability.shared_mask': False}),
        Run(''),
        Run('cleanmask/', '', ENCODING),
        Run('nopad/val/', 'nopad/', STILL, 'val'),
        Run('val/', '', STILL, 'val'),
        # A video alone has no padding, and a level that is coarser than the video has no cell.
        Run('nopad/', None, clean, 'single'),
        Run('', None, clean, 'single'),
    )
    losses = {
        'loss_cls': 'loss_point_label',
        'loss_reg': 'loss_point_span',
        'loss_sal': 'loss_sampled_nce',
        'loss_neg': 'loss_answerability',
    }
    weighted = 'loss/weighted/'
    valid = r'out/(video_map|video_emb|cosine)'
    left_out = {
        r'(?:cleanmask/)?out/evalbatch\d+/.+': 'official-only: padding reaches what is predicted',
        r'out/eval\d+/windows_nms_linear_official': 'official-only: scores in a wrong order',
    }

    @property
    def padded_ends(self) -> bool:
        """Whether temporal endpoints are relative to the padded length."""
        return not self.model.slots['embedding'].mask_padding

    def make_batch(self) -> dict[str, Any]:
        """The inputs as a collated batch; the released model makes the temporal endpoints itself,
        of the padded length."""
        stored = self.data.below(f'{self.inputs}in/')
        mask = stored['video_mask'].bool()
        size, count = mask.shape[1], mask.sum(dim=1)
        if self.padded_ends:
            count = torch.full_like(count, size)
        clip = torch.arange(size) / count[:, None]
        ends = torch.stack((clip, clip + 1 / count[:, None]), dim=-1)
        duration, saliency = stored['duration'].float(), stored['saliency']
        span_mask = stored['boundary'].isfinite().all(dim=-1)
        windows = torch.where(span_mask[..., None], stored['boundary'], torch.tensor((0.0, 1.0)))
        videos = self.data.fact('video_ids')
        return {
            'video': torch.cat((stored['video'], ends), dim=-1),
            'video_mask': mask,
            'text': stored['query'],
            'text_mask': stored['query_mask'].bool(),
            'duration': duration,
            'targets': {
                'spans': xx_to_cxw(windows) / duration[:, None, None],
                'span_mask': span_mask,
                'saliency': saliency,
                'relevant': (saliency > 0) & mask,
                'pos_clips': stored['pos_clip'],
                'neg_clips': stored['pos_clip'],
                'source_id': torch.tensor([videos.index(name) for name in videos]),
            },
            'meta': [{'qid': i, 'query': '', 'vid': name} for i, name in enumerate(videos)],
        }

    def compare(self) -> Iterator[Row]:
        """Compare a training step, or what is predicted for every sample alone."""
        if self.run.kind == 'val':
            yield from self.compare_losses(train_step(self.model, self.batch))
        elif self.run.kind == 'single':
            for index in range(len(self.batch['video'])):
                yield from self.single(single(self.batch, index), 0, f'out/eval{index}/')
        else:
            yield from super().compare()

    def trained(self, step: Step) -> Outputs:
        """What the released model computes in training."""
        state, slots = step.state, self.model.slots
        head, negative = slots['auxiliary.answerability'], state.negative
        size, logits = len(state.duration), head.logits(state.negative)
        sentence = state.sentence.unsqueeze(1)
        found: Outputs = {
            'out/video_map': state.projected_video,
            'out/query_map': state.projected_text,
            'out/video_front_door': state.video,
            'out/query_front_door': state.text,
            'out/query': state.text,
            'out/cqa': slots['fusion.context_query'](state)['fused'],
            'out/memory': state.memory,
            'out/memory_rolled': negative.memory[:size],
            'out/memory_hard': negative.memory[size:],
            'out/hard_negative_index': head.pairs(state)[0][size:],
            'out/relevance_logit': head.logits(state).unsqueeze(-1),
            'out/relevance_logit_rolled': logits[:size].unsqueeze(-1),
            'out/relevance_logit_hard': logits[size:].unsqueeze(-1),
            'out/neg_mask': (~head.wanted(state)[0]).float(),
            'out/video_emb': F.relu(state.memory),
            'out/query_emb': sentence,
            'out/cosine': cosine(F.relu(state.memory), sentence),
        }
        for theirs, ours in STREAMS.items():
            found |= self.dictionary(state, theirs, ours)
        for index, (cells, mask) in enumerate(zip(state.pyramid.features, state.pyramid.masks)):
            found |= {f'out/pyramid_{index}': cells, f'out/pyramid_msk_{index}': mask}
        points: PointOutputs = state.moment_outputs['points']
        grid, assigned = points.points, points.assignment
        return found | {
            'out/point': torch.stack((grid.position, grid.low, grid.high, grid.stride), dim=-1),
            'out/out_class': points.logits.unsqueeze(-1),
            'out/out_coord': points.offsets,
            'out/cls_tgt': assigned.positive.float(),
            'out/reg_tgt': assigned.offsets * assigned.positive.unsqueeze(-1),
        }

    def dictionary(self, state: GroundingState, theirs: str, ours: str) -> Outputs:
        """How a step has moved a dictionary: from the stored one to that which is kept."""
        door: FrontDoorEncoder = self.model.slots[f'refiner.{ours}']
        features = getattr(state, f'{ours}_features')
        values = door.summaries(features, getattr(state, f'{ours}_mask'))
        before = self.data[f'sd/adapter.{theirs}_memory'].squeeze(0)
        return {
            f'out/{theirs}_pooled_mapped': values,
            f'out/{theirs}_dictionary_index': door.nearest(before, values),
            f'out/{theirs}_dictionary_after': door.dictionary.unsqueeze(0),
        }

    def single(self, batch: dict, row: int, folder: str, points: bool = True) -> Iterator[Row]:
        """Compare what is predicted for one sample, before and after suppression."""
        state, _ = predict(self.model, batch)
        clips = int(batch['video_mask'][row].sum())
        relevance = self.model.slots['auxiliary.answerability'].logits(state).sigmoid()
        yield from self.rows(
            {
                f'{folder}memory': state.memory[row : row + 1, :clips],
                f'{folder}saliency': state.saliency[row, :clips],
                f'{folder}relevance': relevance[row : row + 1],
            }
        )
        found: PointOutputs = state.moment_outputs['points']
        if points:
            ranked = decoded(found, found.mask)
            yield from self.rows({f'{folder}class_logit': found.logits[row].unsqueeze(-1)})
            theirs, name = self.get(f'{folder}boundary'), self.name(f'{folder}boundary')
            ours = table(ranked)[row][ranked.mask[row]][: len(theirs)]
            yield compare(name, align(ours, theirs), theirs, self.tolerance(name))
        moments = self.model.slots['moment_head'].predict(state)['points']
        for name, step in self.model.post_processor.steps.items():
            moments = step(moments, state.duration)
            key = {'round': 'windows_prenms', 'nms': 'windows_nms_normal'}.get(name)
            if key is not None:
                ours, theirs = table(moments)[row][moments.mask[row]], self.get(f'{folder}{key}')
                yield from self.windows(f'{folder}{key}', align(ours, theirs), 1e-4)

    @classmethod
    def whole_set(cls, data: ReferenceSet, base: dict) -> Iterator[Row]:
        """Check the first dictionaries, that our padded batch predicts what the released code
        predicts without padding, that padding reaches neither losses nor gradients, the labels and
        the metrics of refusals."""
        case = cls(data, base, Run('', '', cls.clean, 'single'))
        sources = [data[key] for key in sorted(data) if key.startswith('dict/in/video_')]
        typical = {'video': torch.cat(sources, dim=-1), 'query': data['dict/in/query']}
        for theirs, ours in STREAMS.items():
            rows: Tensor = case.model.slots[f'refiner.{ours}'].summary(typical[theirs])
            name = f'dict/out/{theirs}_memory'
            yield compare(name, rows.unsqueeze(0), data[name], OUTPUT_TOLERANCE)
        for index in range(len(case.batch['video'])):
            for row in case.single(case.batch, index, f'out/eval{index}/', points=False):
                yield Row(f'padding/batch/{row.name}', row.error, row.tolerance, row.note)
        real = lambda state: state.moment_outputs['points'].mask  # noqa: E731
        yield from check_padding(case.model, case.batch, real=real)
        yield from check_labels(data)
        yield from check_rejections(data)
