# SPDX-License-Identifier: Apache-2.0
"""VideoLights against values of its released code."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from vtg.models.extras import Context
from vtg.structures import GroundingState, Progress

from .case import Outputs, Run
from .common import Step, set_options, train_step
from .core import ReferenceSet, Row, compare_relative
from .detr import DETECTION, SIZES, DetrCase, depth, loss_sizes, scaled
from .qd_detr import STRAIGHT

# Our losses by the stored summand of the saliency loss.
SUMMANDS = {
    'margin': 'loss_saliency_margin',
    'rank_contrastive': 'loss_saliency_rank',
    'neg_pair': 'loss_saliency_negative',
    'cos_sim_weighted': 'loss_saliency_cosine',
    'mr2hd_cos_weighted': 'loss_moment_saliency_cosine',
    'hard_pos_weighted': 'loss_saliency_hard_positive',
    'hard_neg_weighted': 'loss_saliency_hard_negative',
}
ALIGNED = ('loss_align', 'loss_clip_text_cosine')


def shifted_by(scope: str) -> Callable[[Any], Any]:
    """A change of a part of a config: ``shift_by`` wherever it is."""

    def change(node: Any) -> Any:
        for key, value in node.items() if isinstance(node, dict) else ():
            if key == 'shift_by':
                node[key] = scope
            else:
                change(value)
        return node

    return change


class VideoLightsCase(DetrCase):
    """Without padding, scores shifted by batch and by sample, and with it, as released and under
    the right mask layout. Losses depend on the epoch."""

    system, config = 'videolights', 'videolights/qvhl_official.py'
    sizes = {
        **SIZES,
        **loss_sizes('loss_weights'),
        'fusion.num_layers': depth('transformer.t2v_encoder'),
        'encoder.num_layers?': depth('transformer.encoder'),
        'moment_head.queries.num_queries': 'config.num_queries',
        'moment_head.decoder.num_layers': depth('transformer.decoder'),
        'test_cfg.post_processor.steps.round.grid': 'post_processor.clip_length',
        'test_cfg.post_processor.steps.clamp.low': lambda d: d.fact('post_processor.clip_ts')[0],
        'test_cfg.post_processor.steps.clamp.high': lambda d: d.fact('post_processor.clip_ts')[1],
        'saliency_head.losses.cosine.weight': scaled(
            'config.cos_sim_loss_coef', 'loss_weights.loss_saliency'
        ),
        'auxiliary.moment_saliency.losses.cosine.weight': scaled(
            'config.mr_to_hd_loss_coef', 'loss_weights.loss_saliency', exact=True
        ),
        'saliency_head.losses.hard_positive.coef': 'config.hard_pos_neg_loss_coef',
        'saliency_head.losses.hard_negative.coef': 'config.hard_pos_neg_loss_coef',
        'auxiliary.clip_text.losses.cosine.weight': 'loss_weights.loss_contrastive_align',
    }
    del sizes['saliency_head.losses.*.weight']
    sizes |= {
        f'saliency_head.losses.{name}.weight': scaled('loss_weights.loss_saliency')
        for name in ('margin', 'rank', 'negative', 'hard_positive', 'hard_negative')
    }
    clean = {
        **STRAIGHT,
        **dict.fromkeys(('saliency_head', 'auxiliary', 'moment_head'), shifted_by('sample')),
        'refiner.mask_padding': True,
        'auxiliary.moment_saliency?.length': 'own',
        'auxiliary.clip_text?.average_over': 'valid',
        'moment_head.losses.align?.mask_padding': True,
    }
    runs = (
        Run('nopad/'),
        Run('nopad_persample/', 'nopad/', clean),
        Run(''),
        Run('cleanmask/', '', STRAIGHT),
    )
    aux, match = 'out/aux{layer}/', ('out/aux{layer}/match_{sample}', 'out/match_{sample}')
    weighted = 'loss/weighted/'
    losses = {**DETECTION, 'loss_contrastive_align': ALIGNED}
    valid = r'out/mid_(bicmf|memory)(_neg)?'
    left_out = {
        r'out/proj_vid_mem': 'official-only: no loss reads it',
        r'out/mid_(hs|references)_neg': (
            'official-only: its decoder runs on negatives and the result is thrown away'
        ),
    }

    @classmethod
    def model_config(cls, base: dict, data: ReferenceSet, run: Run | None = None) -> Any:
        """The config with sizes, without the parts that are off."""
        cfg, sizes = super().model_config(base, data, run), data.info['config']
        off = {
            'hard_pos_neg_loss': ('saliency_head.losses.hard_positive',
                                  'saliency_head.losses.hard_negative'),
            'mr_to_hd_loss': ('auxiliary.moment_saliency',),
            'contrastive_align_loss': ('auxiliary.clip_text', 'moment_head.alignment'),
        }  # fmt: skip
        for name, places in off.items():
            if not sizes[name]:
                set_options(cfg, dict.fromkeys(places))
        return cfg

    @torch.no_grad()
    def predicted(self, state: GroundingState, records: list[dict[str, Any]]) -> Outputs:
        """Tokens, memory, decoder layers, predictions and scores."""
        outputs = state.moment_outputs['queries']
        found: Outputs = {
            'out/mid_vid_proj': state.projected_video,
            'out/mid_txt_proj': state.projected_text,
            'out/src_txt': state.projected_text,
            'out/mid_pos_vid': state.video_pos,
            'out/mid_fra': state.video,
            'out/src_vid': state.video,
            'out/mid_hs': outputs.normed,
            'out/mid_references': outputs.predictions.references,
            'out/saliency_scores': state.saliency,
            'out/video_mask': state.video_mask,
            **self.sequences(state),
            **self.queries(state),
        }
        branch = self.model.slots.get('auxiliary.moment_saliency')
        if branch is not None:
            inputs = (state.projected_video, state.video_mask, state.spans, state.span_scores)
            found |= {
                'out/saliency_scores_mr': branch.saliency(state),
                'out/mid_mr2hd_slice': branch.summary.rows(*inputs)[0],
                'out/mid_mr2hd_gru': branch.summary.summarize(*inputs),
            }
        if 'align' in self.head.losses:
            queries, words = self.head.losses['align'].embed(outputs.normed, state)
            found |= {**self.layers('proj_queries', queries), 'out/proj_txt_mem': words}
        return self.copies(found)

    def trained(self, step: Step) -> Outputs:
        """What the negatives give."""
        negative = step.state.negative
        scores = {'out/saliency_scores_neg': negative.saliency}
        return self.copies({**scores, **self.sequences(negative, '_neg')})

    def copies(self, found: Outputs) -> Outputs:
        """The outputs together with those that are stored a second time."""
        if self.prefix == 'cleanmask/':
            found |= {f'/out/cleanmask/{key[4:]}': value for key, value in found.items()}
        return found

    def sequences(self, state: GroundingState, suffix: str = '') -> Outputs:
        """Fused and encoded clips; one token of context stands in front of them."""
        stop, key = 1 + state.video_mask.shape[1], f'out/mid_memory{suffix}'
        return {
            f'out/mid_bicmf{suffix}': (state.fused, lambda stored: stored[:, 1:stop]),
            key: (state.memory, lambda stored: stored[:, 1:stop]),
            f'{key} context': (state.extras[Context].token, lambda stored: stored[:, 0]),
        }

    def reported(self, state: GroundingState, records: list[dict[str, Any]]) -> Iterator[Row]:
        """Compare moments before and after post-processing, and clip scores."""
        ranked = self.head.ranked(state)
        table = torch.cat((ranked.spans, ranked.scores.unsqueeze(-1)), dim=-1)
        yield from self.windows('out/post/windows_ranked', table, 1e-3)
        windows = torch.tensor([record['pred_relevant_windows'] for record in records])
        yield from self.windows('out/post/windows_final', windows, 1e-4)
        yield from self.scores('out/post/saliency_fp16', records)

    def compare_losses(self, step: Step, folder: str = 'loss/') -> Iterator[Row]:
        """Compare the losses in every stored epoch."""
        keys = list(self.data.below(f'{self.prefix}loss/'))
        for epoch in sorted({int(e) for key in keys for e in re.findall(r'^total_e(\d+)$', key)}):
            self.model.progress = Progress(epoch, self.data.info['config']['n_epoch'])
            self.epoch = epoch
            yield from super().compare_losses(train_step(self.model, self.batch), folder)

    def find_loss(self, step: Step, name: str) -> tuple[Tensor | None, float] | None:
        """Also summands of the saliency loss, of this epoch if they belong to one."""
        other = re.search(r'(?:^|/|_)e(\d+)', name)
        if other and int(other[1]) != self.epoch:
            return None
        weights, losses = self.data.info['loss_weights'], step.losses
        kind, _, rest = name.partition('/')
        if name.startswith('total_e'):
            return step.total, 1.0
        if name.endswith('/loss_saliency'):
            values = [losses[ours] for ours in SUMMANDS.values() if ours in losses]
            return sum(values), weights['loss_saliency']
        if kind == 'sal':
            ours = losses.get(SUMMANDS[rest.rpartition('/')[-1]])
            return ours, 0.0 if ours is None else weights['loss_saliency']
        if kind == 'align':
            ours = losses.get(ALIGNED[rest == 'vt_align_sum'])
            return ours, 0.0 if ours is None else weights.get('loss_contrastive_align', 0)
        return super().find_loss(step, name)

    def weight(self, name: str) -> float:
        """The weight of a stored loss; alignments may be off."""
        if name.startswith('loss_contrastive') and 'align' not in self.head.losses:
            return 0.0
        return super().weight(name)

    def loss_row(self, name: str, ours: Tensor, theirs: Tensor, tolerance: float) -> Row:
        """Losses are compared relative to the stored ones."""
        return compare_relative(name, ours.detach(), theirs, tolerance)
