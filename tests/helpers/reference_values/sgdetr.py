# SPDX-License-Identifier: Apache-2.0
"""SG-DETR against values of its released code."""

import re
from collections.abc import Iterator
from pathlib import Path

from torch import Tensor

from vtg.models.layers import amplify
from vtg.structures import GroundingState

from .common import check_gradients, check_padding
from .core import ReferenceSet, Row, compare, compare_exact
from .sgdetr_case import Case, stored_anchors
from .sgdetr_lists import check_lists, check_long

TOLERANCE = 2e-4

# Stored arrays that are not compared, by the end of their name, and why.
LEFT_OUT = {
    r'loss/enc_loss_vfl': 'weight 0',
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


def check(folder: str | Path, base: dict) -> Iterator[Row]:
    """Compare every variant of the set ``sgdetr``.

    Args:
        folder: Where ``sgdetr.npz`` and ``sgdetr.json`` lie.
        base: The model config with all official quirks.
    """
    data = ReferenceSet(folder, 'sgdetr')
    for prefix in ('nopad/', '', 'norpn/'):
        case = Case(data, base, prefix)
        yield from check_outputs(case)
        for run in ('',) if case.learned else ('', 'dn/'):
            yield from check_training(case, run)
        if not case.learned:
            yield from check_lists(case)
    yield from check_long(data, base)
    clean = Case(data, base, '', clean=True)
    clean.head.choose_anchors = lambda dense: stored_anchors(dense, None)
    yield from check_padding(clean.model, clean.batch())


def check_outputs(case: Case) -> Iterator[Row]:
    """Compare everything an inference run computes."""
    state = case.predicted()
    mask = state.video_mask
    dense = state.moment_outputs['dense']
    outputs = state.moment_outputs['queries']
    last = outputs.predictions.last()
    found = {
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
        'dec/logits': outputs.predictions.logits,
        'dec/spans': outputs.predictions.spans,
        'dec/quality': outputs.predictions.quality.unsqueeze(-1),
        'dec/ref': outputs.predictions.references,
        'dec/offset': outputs.predictions.spans - outputs.predictions.references,
    }
    if outputs.proposals.logits is not None:
        found |= {
            'sel/pred_logits': outputs.proposals.logits,
            'sel/pred_quality_scores': outputs.proposals.quality.unsqueeze(-1),
            'sel/pred_spans': outputs.proposals.spans,
        }
    sizes = [m.shape[1] for m in state.pyramid.masks]
    anchors = dense.anchors.split(sizes)
    for level, features in enumerate(state.pyramid.features):
        found[f'fpn{level}'] = features
        found[f'atss/cls{level}'] = dense.logits.split(sizes, 1)[level].unsqueeze(-1)
        found[f'atss/ctr{level}'] = dense.centerness.split(sizes, 1)[level].unsqueeze(-1)
        found[f'atss/anchors{level}'] = anchors[level]
        raw = case.get(f'out/atss/reg{level}')
        if raw is not None:
            decoded = case.head.dense_head.coder.decode(anchors[level], raw)
            ours = dense.spans.split(sizes, 1)[level]
            yield compare(f'{case.prefix}out/atss/reg{level} (decoded)', ours, decoded, TOLERANCE)
    for name, ours in found.items():
        theirs = case.get(f'out/{name}')
        if theirs is None:
            continue
        if ours.shape[:2] == mask.shape:  # ours is 0 on padding, theirs is not
            ours, theirs = ours[mask], theirs[mask]
        yield compare(f'{case.prefix}out/{name}', ours, theirs, TOLERANCE)


def check_training(case: Case, run: str) -> Iterator[Row]:
    """Compare assignment, matches, losses and gradients of a training run."""
    prefix = case.prefix + run
    step = case.trained(run)
    state, losses = step.state, step.losses
    if not run:
        yield from _check_targets(case, state, step.matches[0])
    outputs = state.moment_outputs['queries']
    for kind, short in (('collab', 'co/'), ('denoising', 'dn_')):
        if kind not in outputs.extra or case.get(f'{run}out/{short}logits') is None:
            continue
        predictions, _ = outputs.extra[kind]
        for name in ('logits', 'spans'):
            theirs = case.get(f'{run}out/{short}{name}')
            yield compare(
                f'{prefix}out/{short}{name}', getattr(predictions, name), theirs, TOLERANCE
            )
    yield from _check_losses(case, run, losses)
    yield from check_gradients(case.model, 'sgdetr', case.data, prefix)


def _check_targets(case: Case, state: GroundingState, query_index: Tensor) -> Iterator[Row]:
    prefix, dense = case.prefix, state.moment_outputs['dense']
    labels = case.get('out/atss/labels')
    if labels is not None:
        yield compare_exact(f'{prefix}out/atss/labels', dense.assignment.positive, labels.bool())
        positive = labels.bool()
        matched = case.get('out/atss/matched_gt')
        yield compare(
            f'{prefix}out/atss/matched_gt', dense.moments[positive], matched[positive], 1e-5
        )
    rows = state.negative_valid
    if case.get('out/real_neg_mask') is not None:
        stored = case.get('out/real_neg_mask').bool()
        yield compare_exact(f'{prefix}out/real_neg_mask', rows, stored)
    for name, ours in (
        ('local_saliency_scores_neg', state.negative.local_saliency),
        ('saliency_scores_neg', state.negative.saliency),
    ):
        theirs = case.get(f'out/{name}')
        if theirs is not None:
            mask = state.video_mask[rows]
            yield compare(f'{prefix}out/{name}', ours[rows][mask], theirs[mask], TOLERANCE)
    if case.get('out/moment_token') is not None:
        moment, clips, sentence = case.model.slots['auxiliary.alignment'].encode(state)
        mask = state.video_mask
        yield compare(f'{prefix}out/moment_token', moment, case.get('out/moment_token'), TOLERANCE)
        yield compare(
            f'{prefix}out/sent_txt_token', sentence, case.get('out/sent_txt_token'), TOLERANCE
        )
        yield compare(
            f'{prefix}out/moment_frames',
            clips[mask],
            case.get('out/moment_frames')[mask],
            TOLERANCE,
        )
    supervised = case.head.query_head.queries.supervised
    layers = query_index.shape[0] - supervised
    names = ['encoder'] * supervised + [f'layer{i}' for i in range(layers - 1)] + ['final']
    for stage, name in zip(query_index, names):
        for sample, index in enumerate(stage):
            stored = case.get(f'out/match/{name}/{sample}')
            if stored is None:
                continue
            ours = {(int(q), g) for g, q in enumerate(index) if q >= 0}
            theirs = {(int(q), int(g)) for q, g in stored.T}
            yield compare_exact(f'{prefix}out/match/{name}/{sample}', ours, theirs)


def _check_losses(case: Case, run: str, losses: dict[str, Tensor]) -> Iterator[Row]:
    weights, prefix = case.info['loss_weights'], case.prefix + run
    layers = case.info['config']['num_decoder_layers']
    pairs: dict[str, tuple[str, float]] = {
        'loss_ms_align': ('loss_moment_sentence', weights['loss_ms_align']),
        'loss_momcls': ('loss_moment_clips', weights['loss_momcls']),
    }
    for theirs, ours in (
        ('label', 'label'),
        ('giou', 'giou'),
        ('span', 'span'),
        ('ctrness', 'centerness'),
    ):
        pairs[f'aux_loss_{theirs}'] = (f'loss_dense_{ours}', weights[f'aux_loss_{theirs}'])
    terms = {name: f'loss_{name}' for name in ('span', 'giou', 'label', 'quality')}
    terms |= {'centre_offset': 'center_l1_ref', 'width_offset': 'width_l1_ref'}
    for ours, theirs in terms.items():
        for kind, stored in (
            ('', ''),
            ('proposal_', 'enc_'),
            ('collab_', 'co_'),
            ('denoising_', 'dn_'),
        ):
            for layer in ('', *(f'_{i}' for i in range(layers - 1))):
                pairs[f'{stored}{theirs}{layer}'] = (f'loss_{kind}{ours}{layer}', weights[theirs])
    logged = dict(
        bce='saliency_bce',
        margin='margin_saliency',
        rank='saliency_contrastive',
        negative='saliency_neg_pair',
    )
    for ours, theirs in logged.items():
        for place, head in (('local', 'local_saliency'), ('global', 'saliency')):
            name = f'log_{theirs}_{place}'
            pairs[name] = (f'loss_{head}_{ours}', weights['loss_saliency'])

    for theirs, (ours, weight) in pairs.items():
        stored = case.get(f'{run}loss/{theirs}')
        if stored is None:
            continue
        name = f'{prefix}loss/{theirs}'
        if weight == 0:
            yield Row(name, None, note='weight 0')
        elif theirs.startswith('co_') and case.learned:
            yield Row(name, None, note='official-only: its random anchors are not stored')
        else:
            yield compare(name, losses[ours] / weight, stored, TOLERANCE)
    for theirs, stored in case.data.below(f'{prefix}loss/').items():
        # Losses of earlier systems that the released code keeps and switches off.
        if re.fullmatch(r'log_\w+_attn|log_saliency_attn_bce|loss_orthogonal', theirs):
            yield compare(f'{prefix}loss/{theirs}', 0.0, stored, 0.0)
    yield from _check_totals(case, run, losses)


def _check_totals(case: Case, run: str, losses: dict[str, Tensor]) -> Iterator[Row]:
    prefix, weight = case.prefix + run, case.info['loss_weights']['loss_saliency']
    saliency = sum(value for name, value in losses.items() if 'saliency' in name) / weight
    for name, ours in (('loss_saliency', saliency), ('total', sum(losses.values()))):
        yield compare(f'{prefix}loss/{name}', ours, case.get(f'{run}loss/{name}'), TOLERANCE)
