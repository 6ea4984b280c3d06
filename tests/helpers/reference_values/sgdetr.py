# SPDX-License-Identifier: Apache-2.0
"""SG-DETR against values of its released code."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from vtg.models.layers import amplify
from vtg.models.task_modules import select_collab_anchors
from vtg.structures import GroundingState

from .batches import batch_of
from .case import Outputs, Run, SystemCase
from .common import Step, check_gradients, check_padding, set_options, train_step
from .core import ReferenceSet, Row
from .detr import scaled, width
from .sgdetr_lists import check_lists, check_long

QUERIES, DENSE = 'moment_head.query_head.', 'moment_head.dense_head.'
QUERY_TERMS = {
    'loss_span': 'span',
    'loss_giou': 'giou',
    'loss_label': 'label',
    'loss_quality': 'quality',
    'center_l1_ref': 'centre_offset',
    'width_l1_ref': 'width_offset',
}
KINDS = {'': '', 'enc_': 'proposal_', 'co_': 'collab_', 'dn_': 'denoising_'}
DENSE_TERMS = {'label': 'label', 'giou': 'giou', 'span': 'span', 'ctrness': 'centerness'}
SALIENCY = {
    'saliency_bce': 'bce',
    'margin_saliency': 'margin',
    'saliency_contrastive': 'rank',
    'saliency_neg_pair': 'negative',
}


def offset(ours: str, theirs: str) -> Callable[[ReferenceSet], dict[str, Any] | None]:
    """A penalty of corrections of the references, where the set weighs it."""

    def loss(data: ReferenceSet) -> dict[str, Any] | None:
        weight = data.fact(f'loss_weights.{theirs}_l1_ref')
        if not weight:
            return None
        margin = data.fact(f'criterion.{theirs}_offset_margin')
        return dict(type='ReferenceOffsetLoss', part=ours, margin=margin, weight=weight)

    return loss


def _losses() -> dict[str, str | tuple[str, ...]]:
    found: dict[str, str | tuple[str, ...]] = {
        'loss_ms_align': 'loss_moment_sentence',
        'loss_momcls': 'loss_moment_clips',
    }
    found |= {f'aux_loss_{theirs}': f'loss_dense_{ours}' for theirs, ours in DENSE_TERMS.items()}
    for theirs, ours in QUERY_TERMS.items():
        found |= {f'{short}{theirs}': f'loss_{kind}{ours}' for short, kind in KINDS.items()}
    for place, head in (('local', 'local_saliency'), ('global', 'saliency')):
        found |= {f'log_{t}_{place}': f'loss_{head}_{ours}' for t, ours in SALIENCY.items()}
    every = [name for key, name in found.items() if key.startswith('log_')]
    return found | {'loss_saliency': tuple(every)}


class SgDetrCase(SystemCase):
    """With selected queries, and with learned ones (``kind='learned'``)."""

    system, config = 'sgdetr', 'sgdetr/qvhl_official.py'
    sizes = {
        'defaults.dim': 'config.model_dim',
        'defaults.num_heads': 'config.heads',
        'defaults.hidden_dim': 'config.ffn',
        'video_projector.in_dim': width('src_vid'),
        'text_projector.in_dim': width('src_txt'),
        'video_projector.num_layers': 'config.num_input_proj_layers',
        'text_projector.num_layers': 'config.num_input_proj_layers',
        'local_saliency_head.num_layers': 'config.local_saliency_head.num_aggregation_layers',
        'embedding.temperature': lambda data: float(data.fact('config.pos_temp')),
        'fusion.num_layers': 'config.num_t2v_layers',
        'fusion.gate': 'config.weight_attn_with_saliency',
        'encoder.num_layers': 'config.num_encoder_layers',
        'auxiliary.alignment.num_layers': 'config.num_moment_layers',
        'auxiliary.alignment.sentence_layers': 'config.num_sentence_layers',
        'auxiliary.alignment.align_weight': 'loss_weights.loss_ms_align',
        'auxiliary.alignment.clip_weight': 'loss_weights.loss_momcls',
        **{
            f'{head}.losses.{name}': source
            for head in ('local_saliency_head', 'saliency_head')
            for name, source in (
                ('margin.margin', 'criterion.saliency_margin'),
                ('rank.weight', 'criterion.contrastive_reducer'),
                ('*.weight', scaled('loss_weights.loss_saliency')),
            )
        },
        f'{DENSE}num_convs': 'config.atss.num_convs',
        f'{DENSE}prior': 'config.prior_prob',
        f'{DENSE}anchors.strides': 'config.atss.fpn_strides',
        f'{DENSE}anchors.sizes': 'config.atss.anchor_sizes',
        f'{DENSE}assigner.topk': 'config.atss.top_k_positive_anchors',
        **{
            f'{DENSE}losses.{ours}.weight': f'loss_weights.aux_loss_{theirs}'
            for theirs, ours in DENSE_TERMS.items()
        },
        f'{QUERIES}prior': 'config.prior_prob',
        f'{QUERIES}decoder.num_layers': 'config.num_decoder_layers',
        f'{QUERIES}losses.centre_offset': offset('centre', 'center'),
        f'{QUERIES}losses.width_offset': offset('width', 'width'),
        **{
            f'{QUERIES}losses.{ours}.weight': f'loss_weights.{theirs}'
            for theirs, ours in QUERY_TERMS.items()
            if not ours.endswith('_offset')
        },
        f'{QUERIES}losses.quality.targets': 'criterion.quality_scoring_mode',
        f'{QUERIES}losses.label.background_weight': 'criterion.background_weight',
        f'{QUERIES}stage_weights': lambda data: dict(proposals=data.fact('criterion.encoder_coef')),
        f'{QUERIES}extras': lambda data: dict(
            collab=dict(weight=data.fact('criterion.colab_ref_reducer')),
            denoising=dict(
                weight=data.fact('criterion.denoise_reducer'),
                sees_unused=True,
                generator=dict(
                    type='DenoisingGenerator',
                    num_queries=data.fact('config.denoise.num_groups'),
                    noise_scale=data.fact('config.denoise.span_noise_scale'),
                    negative_offset=data.fact('config.denoise.negative_offset'),
                ),
            ),
        ),
        f'{QUERIES}queries.num_queries': 'config.num_queries',
        f'{QUERIES}queries.widths': 'config.default_widths',
        f'{QUERIES}queries.prior': 'config.prior_prob',
    }
    runs = (Run('nopad/'), Run(''), Run('norpn/', 'nopad/', kind='learned'))
    clean = {
        'neck.mask_padding': True,
        'auxiliary.alignment.average_over': 'valid',
        f'{DENSE}mask_padding': True,
        f'{DENSE}unit_seconds': None,
        f'{DENSE}truncate_targets': False,
        f'{DENSE}clamp_length': True,
        f'{QUERIES}extras.denoising.sees_unused': False,
        f'{QUERIES}ranking': None,
        f'{QUERIES}queries.use_ineligible': False,
        f'{QUERIES}decoder.positions.min_width': 1e-3,
        f'{QUERIES}losses.giou.eps': 1e-6,
        'local_saliency_head.losses.rank.min_alone': 1,
        'saliency_head.losses.rank.min_alone': 1,
    }
    losses = _losses()
    valid = (
        r'out/(proj_vid|(local_)?saliency_scores|t2v_vid|enc_memory|memory_(local|global)|fpn0|'
        r'atss/(cls|ctr)0|moment_frames)'
    )
    left_out = {
        r'loss/log_only_\w+': 'a value for the log',
        r'out/match/cost_final/\w+': 'a value for the log; the matches are compared',
        r'out/(?:non_moment_token|t2v_txt)': 'no part of the model and no loss reads it',
        r'out/sel/(?:cls|iou|score|mask|proposal_logit|span_logit|topk|ref_logits)': (
            'before the selection; the selected queries are compared'
        ),
        r'out/dec/hs': 'inside the decoder; what the heads make of it is compared',
        r'out/atss/(?:reg_targets|gt_clip_units)': (
            'the moment of every positive anchor and the loss on it are compared'
        ),
        r'out/co/(?:labels|gt_spans)': 'follows from the assignment; the loss is compared',
        r'out/(?:extra_content|extra_ref_logits|attn_mask)': (
            'goes into the decoder; what comes out is compared'
        ),
    }

    @classmethod
    def model_config(cls, base: dict, data: ReferenceSet, run: Run | None = None) -> Any:
        """The config with sizes, and the costs and queries of a variant."""
        learned = run is not None and run.kind == 'learned'
        info = dict(data.info)
        if learned:  # its description holds its weights as JSON
            norpn = json.loads(re.search(r'\{.*\}', info['norpn']['what'])[0])
            info['loss_weights'] = {**info['loss_weights'], **norpn}
        cfg = super().model_config(base, data.described_by(info), run)
        matcher = (info['norpn'] if learned else info)['matcher']
        reference = dict(type='ReferenceCost', weight=matcher['cost_reference'])
        options: dict[str, Any] = {
            f'{QUERIES}matcher.costs': dict(
                label=dict(type='ClassCost', weight=matcher['cost_class']),
                span=dict(type='L1SpanCost', weight=matcher['cost_span']),
                giou=dict(type='GIoUCost', weight=matcher['cost_giou'], eps=0.0),
                quality=dict(type='QualityCost', weight=matcher['cost_iou']),
                reference=reference if matcher['cost_reference'] else None,
            )
        }
        if learned:
            count = info['config']['num_queries']
            options[f'{QUERIES}queries'] = dict(type='LearnedQueries', num_queries=count)
        return set_options(cfg, options)

    def __init__(self, data: ReferenceSet, base: dict, run: Run) -> None:
        super().__init__(data, base, run)
        self.learned, self.part = run.kind == 'learned', ''
        self.head = self.model.slots['moment_head']
        self.denoising, self.head.query_head.denoising = self.head.query_head.denoising, None
        self.choose(None)

    def stored_weights(self) -> dict[str, Tensor]:
        """The weights; learned queries have their own."""
        weights = super().stored_weights()
        if self.run.kind == 'learned':
            weights = {k: v for k, v in weights.items() if not k.startswith('query_selector.')}
            weights |= self.data.below('norpn/sd/')
        return weights

    def make_batch(self) -> dict[str, Any]:
        """The inputs; ids of videos are cut at the last underscore but one."""
        sizes = self.data.info['sizes']
        vids = sizes['nopad']['vids'] if self.inputs else sizes['vids']
        return batch_of(self.data, self.inputs, [vid.rsplit('_', 2)[0] for vid in vids])

    def weight(self, name: str) -> float:
        """The weight of a stored loss; earlier layers and other queries have that of the last."""
        weights = self.data.info['loss_weights']
        if self.learned:
            norpn = json.loads(re.search(r'\{.*\}', self.data.info['norpn']['what'])[0])
            weights = {**weights, **norpn}
        name = re.sub(r'_\d+$', '', 'loss_saliency' if name.startswith('log_') else name)
        short = re.sub('^(enc|co|dn)_', '', name)
        return weights[short if short in QUERY_TERMS else name]

    def tolerance(self, name: str) -> float:
        """The largest error."""
        return 1e-5 if 'matched_gt' in name else 2e-4

    def uncomparable(self, name: str) -> str | None:
        """Learned queries: the random anchors of the released run are not stored."""
        if self.learned and '/co_' in name:
            return 'official-only: its random anchors are not stored'
        return None

    def find_loss(self, step: Step, name: str) -> tuple[Tensor | None, float] | None:
        """Also losses of earlier systems, which the released code keeps and switches off."""
        if re.fullmatch(r'log_\w+_attn|log_saliency_attn_bce|loss_orthogonal', name):
            return torch.tensor(0.0), 1.0
        if name == 'enc_loss_vfl' or name.startswith('log_only_'):
            return None if name.startswith('log_only_') else (None, 0.0)
        return super().find_loss(step, name)

    def predicted(self, state: GroundingState, records: list[dict[str, Any]]) -> Outputs:
        """Everything an inference run computes."""
        dense, outputs = state.moment_outputs['dense'], state.moment_outputs['queries']
        layers, last = outputs.predictions, outputs.predictions.last()
        found: Outputs = {
            'proj_vid': state.projected_video,
            'proj_txt': state.projected_text,
            'sent_emb': state.sentence,
            'local_saliency_scores': state.local_saliency,
            'saliency_scores': state.saliency,
            't2v_vid': state.fused,
            'enc_memory': state.memory,
            'memory_local': amplify(state.memory, state.local_saliency),
            'memory_global': state.moment_memory,
            'pred_logits': last.logits,
            'pred_spans': last.spans,
            'pred_quality_scores': last.quality.unsqueeze(-1),
            'offset': last.spans - last.references,
            'dec/logits': layers.logits,
            'dec/spans': layers.spans,
            'dec/quality': layers.quality.unsqueeze(-1),
            'dec/ref': layers.references,
            'dec/offset': layers.spans - layers.references,
        }
        if outputs.proposals.logits is not None:
            found |= {
                'sel/pred_logits': outputs.proposals.logits,
                'sel/pred_quality_scores': outputs.proposals.quality.unsqueeze(-1),
                'sel/pred_spans': outputs.proposals.spans,
            }
        sizes = [mask.shape[1] for mask in state.pyramid.masks]
        anchors, coder = dense.anchors.split(sizes), self.head.dense_head.coder
        for level, features in enumerate(state.pyramid.features):
            found |= {
                f'fpn{level}': features,
                f'atss/cls{level}': dense.logits.split(sizes, 1)[level].unsqueeze(-1),
                f'atss/ctr{level}': dense.centerness.split(sizes, 1)[level].unsqueeze(-1),
                f'atss/anchors{level}': anchors[level],
                f'atss/reg{level} (decoded)': (
                    dense.spans.split(sizes, 1)[level],
                    lambda raw, level=level: coder.decode(anchors[level], raw),
                ),
            }
        return {f'out/{key}': value for key, value in found.items()}

    def reported(self, state: GroundingState, records: list[dict[str, Any]]) -> Iterator[Row]:
        """Compare the three result lists of three data sets."""
        if not self.learned:
            yield from check_lists(self, state)

    def trained(self, step: Step) -> Outputs:
        """Assignment, negatives, alignment and further queries of a training step."""
        state, found = step.state, {}
        for kind, short in (('collab', 'co/'), ('denoising', 'dn_')):
            if kind in state.moment_outputs['queries'].extra:
                predictions, _ = state.moment_outputs['queries'].extra[kind]
                for name in ('logits', 'spans'):
                    found[f'{self.part}out/{short}{name}'] = getattr(predictions, name)
        if self.part:
            return found
        dense, rows, mask = state.moment_outputs['dense'], state.negative_valid, state.video_mask
        positive = dense.assignment.positive
        moment, clips, sentence = self.model.slots['auxiliary.alignment'].encode(state)
        return found | {
            'out/atss/labels': positive,
            'out/atss/matched_gt': (dense.moments[positive], lambda stored: stored[positive]),
            'out/real_neg_mask': rows,
            'out/local_saliency_scores_neg': (
                state.negative.local_saliency[rows][mask[rows]],
                lambda stored: stored[mask[rows]],
            ),
            'out/saliency_scores_neg': (
                state.negative.saliency[rows][mask[rows]],
                lambda stored: stored[mask[rows]],
            ),
            'out/moment_token': moment,
            'out/sent_txt_token': sentence,
            'out/moment_frames': clips,
        }

    def stages(self, step: Step) -> dict[str, Tensor]:
        """The proposals, if they are supervised, come first."""
        if self.part:
            return {}
        matches = step.matches[0]
        supervised = self.head.query_head.queries.supervised
        layers = len(matches) - supervised
        names = ['encoder'] * supervised + [f'layer{i}' for i in range(layers - 1)] + ['final']
        return {f'out/match/{name}/{{sample}}': m for name, m in zip(names, matches)}

    def choose(self, negatives: Tensor | None) -> None:
        """Let training take stored negative anchors instead of random ones."""
        self.head.choose_anchors = lambda dense: stored_anchors(dense, negatives)

    def compare(self) -> Iterator[Row]:
        """Compare with the stored anchors, and a second training step with denoising queries."""
        self.choose(self.get('in/co_neg_idx'))
        yield from super().compare()
        if self.learned or self.get('dn/in/dn_sign') is None:
            return
        self.part = 'dn/'
        self.choose(self.get('dn/in/co_neg_idx'))
        mask = self.batch['targets']['span_mask']
        noise = stored_noise(self.get('dn/in/dn_sign'), self.get('dn/in/dn_part'), mask)
        self.head.query_head.denoising = self.denoising
        self.denoising._draw = lambda shape, like, generator: noise
        step = train_step(self.model, self.batch)
        yield from self.rows(self.trained(step))
        yield from self.compare_losses(step, 'dn/loss/')
        yield from check_gradients(self.model, self.system, self.data, f'{self.prefix}dn/grad/')

    @classmethod
    def whole_set(cls, data: ReferenceSet, base: dict) -> Iterator[Row]:
        """Compare the dense head at full length, and check padding."""
        if 'atss_long/in/spans' in data:
            yield from check_long(data, base)
        case = cls(data, base, Run('', cls.padded(data), cls.clean))
        yield from check_padding(case.model, case.batch)


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


def stored_noise(sign: Tensor, part: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Bring noise stored per group, for all moments of the batch in a row, into padded form."""
    moments = int(mask.sum())
    groups = len(sign) // (2 * max(moments, 1))
    result = []
    for stored in (sign, part):
        stored = stored.view(groups, 2, moments, 2)
        padded = torch.zeros(len(mask), groups, 2, mask.shape[1], 2)
        padded.permute(0, 3, 1, 2, 4)[mask] = stored.permute(2, 0, 1, 3)
        result.append(padded)
    return tuple(result)
