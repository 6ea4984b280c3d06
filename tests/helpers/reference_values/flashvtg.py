# SPDX-License-Identifier: Apache-2.0
"""FlashVTG against values of its released code."""

from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from vtg.models.extras import Attention, Dummies
from vtg.models.fusions.aca import text_share
from vtg.models.heads import PointOutputs
from vtg.models.task_modules.nms import SoftNMS, sort_moments
from vtg.models.task_modules.post_processing import round_scores
from vtg.structures import MomentList

from .batches import single
from .case import Outputs, Run
from .cg_detr import ATTENTION_SIZES, WHOLE_SALIENCY, PairedCase, saliency_terms
from .common import Step, check_gradients, check_padding, predict, set_options, train_step
from .core import ReferenceSet, Row, compare
from .detr import SIZES
from .qd_detr import STRAIGHT

PARTS = {'margin': 'margin', 'negpair': 'negative', 'rank': 'rank', 'bce': 'bce'}
SILENT = {
    'saliency_head.losses.*.weight': 0.0,
    'fusion.losses.*.weight': 0.0,
}
WITHOUT_PAIRS = {
    'saliency_head.losses.negative.weight': 0.0,
    'fusion.losses.negative.weight': 0.0,
}


def align(ours: Tensor, theirs: Tensor) -> Tensor:
    """Bring ranked rows ``(..., K, 3)`` into the order of others: that of equal scores is
    undefined."""
    if ours.shape != theirs.shape:
        return ours
    if ours.dim() == 3:
        return torch.stack([align(*rows) for rows in zip(ours, theirs)])
    distance = torch.cdist(theirs.double(), ours.detach().double(), p=1)
    return ours[linear_sum_assignment(distance.numpy())[1]]


def table(moments: MomentList) -> Tensor:
    """``(B, K, 3)`` start, end, score."""
    return torch.cat((moments.spans, moments.scores.unsqueeze(-1)), dim=-1)


def decoded(points: PointOutputs, mask: Tensor) -> MomentList:
    """Points as moments in seconds, not cut to the video, best first, those of ``mask (B, P)``."""
    seconds = points.spans * points.unit[:, None, None]
    return sort_moments(MomentList(seconds, points.logits.sigmoid(), mask))


class FlashVtgCase(PairedCase):
    """Every variant of the set: with all negatives true, without any, without saliency terms, for
    highlights only (``kind`` ``hd/`` and ``hd_youtube/``), and sample by sample."""

    system, config = 'flashvtg', 'flashvtg/qvhl_official.py'
    sizes = {
        **SIZES,
        **ATTENTION_SIZES,
        'neck.strides': 'model_cfg.strides',
        'moment_head.num_levels': lambda data: len(data.fact('model_cfg.strides')),
        'moment_head.scores.kernel_size': 'config.kernel_size',
        'moment_head.scores.num_convs': 'config.num_conv_layers',
        'moment_head.scores.num_linear': 'config.num_mlp_layers',
        'moment_head.unit_seconds': lambda data: float(data.fact('config.clip_length')),
        'moment_head.losses.label.weight': 'loss_weights.loss_cls',
        'moment_head.losses.span.weight': 'loss_weights.loss_reg',
        'moment_head.losses.clip_score.weight': 'loss_weights.loss_label',
        'moment_head.max_moments': 'model_cfg.max_num_moment',
        'moment_head.assigner.radius': 'model_cfg.loss_cfg.sample_radius',
        'auxiliary.nce.weight': 'loss_weights.loss_sal',
        'test_cfg.post_processor.steps.round.grid': lambda d: float(d.fact('config.clip_length')),
    }
    clean = {
        **STRAIGHT,
        'fusion.losses.bce.average_over': 'valid',
        'saliency_head.context': 'mean',
        'neck.mask_padding': True,
        'moment_head.mask_padding': True,
        'moment_head.losses.clip_score.over': 'sample',
    }
    per_sample = {'moment_head.losses.clip_score.over': 'sample'}
    runs = (
        Run('nopad/'),
        Run(''),
        Run('cleanmask/', '', STRAIGHT),
        *(
            Run(f'{prefix}{kind}', inputs, options, kind)
            for kind in ('hd/', 'hd_youtube/')
            for prefix, inputs, options in (
                ('nopad/', 'nopad/', {}),
                ('', '', {}),
                ('cleanmask/', '', STRAIGHT),
            )
        ),
        Run('nopad_persample/', 'nopad/', per_sample),
        # A video alone has no padding, and a level that is coarser than the video has no cell.
        Run('nopad/', None, clean, 'single'),
        Run('', None, clean, 'single'),
    )
    losses = {
        'loss_cls': 'loss_point_label',
        'loss_reg': 'loss_point_span',
        'loss_sal': 'loss_sampled_nce',
        'loss_label': 'loss_clip_score',
        'loss_saliency': WHOLE_SALIENCY,
        **{f'saliency_part/{theirs}': ours for theirs, ours in saliency_terms(PARTS).items()},
    }
    weighted, valid = 'loss/weighted/', '-'
    left_out = {
        r'saliency_part/\w+_rank_(real|false)': 'a part of the rank term, which is compared'
    }

    @classmethod
    def model_config(cls, base: dict, data: ReferenceSet, run: Run | None = None) -> Any:
        """The config with sizes, and what highlights alone need."""
        cfg = super().model_config(base, data, run)
        if data.info['postprocessor'] not in ('hl', 'charadesSTA'):
            set_options(cfg, {'test_cfg.post_processor.steps.clamp': None})
        if run is not None and run.kind.startswith('hd'):
            strides = tuple(data.fact('hd_model_cfg.strides'))
            highlights = {
                'neck.strides': strides,
                'moment_head.num_levels': len(strides),
                'moment_head.losses.label': dict(
                    type='ClipLabelLoss', weight=cfg.moment_head.losses.label.weight
                ),
                'moment_head.losses.span': None,
                'auxiliary.nce.across': False,
            }
            set_options(cfg, highlights | (WITHOUT_PAIRS if 'youtube' in run.kind else {}))
        return cfg

    def stored_weights(self) -> dict[str, Tensor]:
        """The weights, those of a single level for highlights."""
        weights = super().stored_weights()
        if self.run.kind.startswith('hd'):
            levels = len(self.data.fact('hd_model_cfg.strides'))
            weights = {k: v for k, v in weights.items() if not k.startswith('pyramid.')}
            weights['coef'] = weights['coef'][:levels]
        return weights

    def names(self) -> list[str]:
        """The names of the videos of this run."""
        info = self.data.info
        return info['nopad']['video_names'] if self.inputs else info['in_vid']

    def make_batch(self, names: list[str] | None = None) -> dict[str, Any]:
        """The inputs, with the labels of the variant for highlights."""
        batch = super().make_batch(names)
        if self.run.kind.startswith('hd'):
            labels = self.data.below(f'{self.inputs}hd/in/')
            labels |= self.data.below(f'{self.inputs}{self.run.kind}in/')
            batch['targets'] |= {
                'saliency': labels['saliency_all_labels'],
                'relevant': labels['saliency_all_labels'] > 0,
                'pos_clips': labels['saliency_pos_labels'],
                'neg_clips': labels['saliency_neg_labels'],
            }
        return batch

    def weight(self, name: str) -> float:
        """The weight of a stored loss."""
        if not name.startswith('saliency_part'):
            return super().weight(name)
        factor = self.data.info['config']['lw_wattn'] if '/attn' in name else 1.0
        return factor * super().weight('loss_saliency')

    def compare(self) -> Iterator[Row]:
        """Compare a training step, or what is predicted for every sample alone."""
        if self.run.kind == 'single':
            for index in range(len(self.batch['video'])):
                yield from self.single(single(self.batch, index), 0, f'out/eval{index}/')
        else:
            yield from super().compare()

    def trained(self, step: Step, folder: str = 'out/') -> Outputs:
        """What the released model computes in training."""
        state, slots = step.state, self.model.slots
        points: PointOutputs = state.moment_outputs['points']
        scores, nce, grid = slots['moment_head'].scores, slots['auxiliary.nce'], points.points
        every = table(decoded(points, torch.ones_like(points.mask)))
        found: Outputs = {
            'vid_proj': state.projected_video,
            'txt_proj': state.projected_text,
            'dummy_tokens': state.extras[Dummies].tokens,
            'aca': state.fused,
            'aca_attn': state.extras[Attention].weights,
            'memory': state.memory,
            'saliency_scores': state.saliency,
            't2vattnvalues': text_share(state),
            'point': torch.stack((grid.position, grid.low, grid.high, grid.stride), dim=-1),
            'video_emb': F.relu(state.memory),
            'query_emb': nce.pooling(state.text, state.text_mask).unsqueeze(1),
            'video_msk': state.video_mask,
            'out_class': points.logits.unsqueeze(-1),
            'out_coord': points.offsets,
            'pred_spans': (every.detach(), lambda theirs: align(theirs, every.detach())),
            'inter_logit': scores.score_across(state.pyramid).unsqueeze(-1),
        }
        levels = list(zip(state.pyramid.features, state.pyramid.masks))
        found['intra_logit'] = torch.cat([scores.within(*lv) for lv in levels], 1).unsqueeze(-1)
        for index, (cells, mask) in enumerate(levels):
            found |= {f'pyramid_{index}': cells, f'pyramid_msk_{index}': mask}
        if points.assignment is not None:
            found['cls_tgt'] = points.assignment.positive.float()
            found['reg_tgt'] = points.assignment.offsets
        found = {folder + key: value for key, value in found.items()}
        negatives = self.negatives(state)
        return found | {folder + key.removeprefix('out/'): v for key, v in negatives.items()}

    def more(self) -> Iterator[Row]:
        """Compare gradients without the saliency terms, true negatives only, and none."""
        if self.run.kind:
            return
        names = self.data.info['in_vid_all_distinct']
        if self.data.below(f'{self.prefix}grad_without_loss_saliency/'):
            yield from self.without_saliency()
        if self.prefix == 'nopad_persample/' or not self.data.below(f'{self.prefix}loss/allreal/'):
            return
        step = self.retrained(names)
        yield from self.rows(self.trained(step, 'out/allreal/'))
        yield from self.compare_losses(step, 'loss/allreal/')
        yield from self.norms('grad_allreal/')
        stages, self.model.negative_stages = self.model.negative_stages, ()
        yield from self.compare_losses(self.retrained(names), 'loss/noneg/')
        self.model.negative_stages = stages
        self.batch = self.make_batch()

    def norms(self, folder: str) -> Iterator[Row]:
        """Compare gradient norms that are stored in another folder."""
        yield from check_gradients(self.model, self.system, self.data, f'{self.prefix}{folder}')

    def without_saliency(self) -> Iterator[Row]:
        """Compare gradients of the other terms."""
        silent = Run(self.prefix, self.inputs, {**self.run.options, **SILENT}, 'silent')
        case = type(self)(self.data, self.base, silent)
        train_step(case.model, case.batch)
        yield from case.norms('grad_without_loss_saliency/')

    def single(self, batch: dict, row: int, folder: str, points: bool = True) -> Iterator[Row]:
        """Compare what is predicted for one sample, before and after suppression."""
        post = self.model.post_processor
        nms = post.steps.pop('nms')
        state, records = predict(self.model, batch)
        post.steps['nms'] = nms
        theirs = self.get(f'{folder}boundary')
        if points and theirs is not None:
            found = state.moment_outputs['points']
            ranked = decoded(found, found.mask)
            ours = table(ranked)[row][ranked.mask[row]][: len(theirs)]
            name = self.name(f'{folder}boundary')
            yield compare(name, align(ours, theirs), theirs, self.tolerance(name))
        scores = torch.tensor(records[row]['pred_saliency_scores'])
        yield from self.rows({f'{folder}saliency': scores})
        moments = torch.tensor(records[row]['pred_relevant_windows'])
        yield from self.windows(f'{folder}windows_prenms', moments, 1e-4)
        listed = MomentList(
            moments[None, :, :2], moments[None, :, 2], torch.ones(1, len(moments)).bool()
        )
        for theirs, decay in (('normal', 'zeroing'), ('linear', 'linear')):
            ours = table(SoftNMS(**{**nms.options, 'decay': decay})(listed))[0]
            ours[:, 2] = round_scores(ours[:, 2], 4) if decay == 'zeroing' else ours[:, 2]
            yield from self.windows(f'{folder}windows_nms_{theirs}', ours, 1e-4)

    def windows(self, key: str, ours: Tensor, seconds: float) -> Iterator[Row]:
        """The order among equal scores is not defined."""
        theirs = self.get(key)
        if theirs is not None:
            yield from super().windows(key, align(ours, theirs), seconds)

    @classmethod
    def whole_set(cls, data: ReferenceSet, base: dict) -> Iterator[Row]:
        """Check that our padded batch predicts what the released code predicts without padding, and
        that padding reaches neither losses nor gradients."""
        case = cls(data, base, Run('', cls.padded(data), cls.clean, 'single'))
        for index in range(len(case.batch['video'])):
            for row in case.single(case.batch, index, f'out/eval{index}/', points=False):
                yield Row(f'padding/batch/{row.name}', row.error, row.tolerance, row.note)
        yield from check_padding(
            case.model, case.batch, real=lambda state: state.moment_outputs['points'].mask
        )
