# SPDX-License-Identifier: Apache-2.0
"""VideoLights against values of its released code."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vtg.structures import GroundingState, MomentList, Progress

from .common import (
    LOSS_TOLERANCE,
    SCORE_TOLERANCE,
    Step,
    check_matches,
    check_padding,
    copy_config,
    train_step,
)
from .core import ReferenceSet, Row, compare, compare_exact, compare_relative
from .detr import DETECTION, DetrCase, resize_detr

SYSTEM = 'videolights'
# Our losses by the stored summand of the saliency loss; {e} is the epoch.
SALIENCY = {
    'margin': 'loss_saliency_margin',
    'rank_contrastive': 'loss_saliency_rank',
    'neg_pair': 'loss_saliency_negative',
    'cos_sim_weighted': 'loss_saliency_cosine',
    'mr2hd_cos_weighted': 'loss_moment_saliency_cosine',
    'e{e}/hard_pos_weighted': 'loss_saliency_hard_positive',
    'e{e}/hard_neg_weighted': 'loss_saliency_hard_negative',
}
UNUSED_NEGATIVE = 'official-only: its decoder runs on negatives and the result is thrown away'


def model_config(base: dict, data: ReferenceSet) -> Any:
    """Give the model of a config the sizes and weights of a reference set."""
    data.info['weights'] = weights = data.info['loss_weights']
    sizes = data.info['config']
    cfg = resize_detr(base, data)
    steps, stored = cfg.test_cfg.post_processor.steps, data.info['post_processor']
    steps.round.grid = float(stored['clip_length'])
    steps.clamp.update(low=stored['clip_ts'][0], high=stored['clip_ts'][1])
    losses = cfg.saliency_head.losses
    losses.cosine.weight *= sizes['cos_sim_loss_coef']
    branch = cfg.auxiliary.moment_saliency.losses.cosine
    branch.weight = sizes['mr_to_hd_loss_coef'] * weights['loss_saliency']
    for name in ('hard_positive', 'hard_negative'):
        losses[name].coef = sizes['hard_pos_neg_loss_coef']
        if not sizes['hard_pos_neg_loss']:
            losses[name] = None
    if not sizes['mr_to_hd_loss']:
        cfg.auxiliary.moment_saliency = None
    if sizes['contrastive_align_loss']:
        cfg.auxiliary.clip_text.losses.cosine.weight = weights['loss_contrastive_align']
    else:
        cfg.auxiliary.clip_text = cfg.moment_head.alignment = None
    return cfg


def shifted_by(cfg: Any, scope: str) -> Any:
    """The config with another ``shift_by`` in every loss that has it."""

    def change(node: Any) -> None:
        for key, value in node.items():
            if key == 'shift_by':
                node[key] = scope
            elif isinstance(value, dict):
                change(value)

    cfg = copy_config(cfg)
    change(cfg)
    return cfg


def without_quirks(cfg: Any) -> Any:
    """Switch off all quirks that let padding or neighbours reach a sample."""
    cfg = shifted_by(cfg, 'sample')
    cfg.refiner.mask_padding = True
    cfg.fusion.mask_layout = 'correct'
    if cfg.auxiliary.moment_saliency is not None:
        cfg.auxiliary.moment_saliency.length = 'own'
    if cfg.auxiliary.clip_text is not None:
        cfg.auxiliary.clip_text.average_over = 'valid'
        cfg.moment_head.alignment.mask_padding = True
    return cfg


def check(folder: str | Path, base: dict) -> Iterator[Row]:
    """Compare the set ``videolights``: without padding, with scores shifted by batch and by sample,
    and with padding, as released and with the right mask layout.

    Args:
        folder: Where the set lies.
        base: The model config with all official quirks.
    """
    data = ReferenceSet(folder, SYSTEM)
    cfg = model_config(base, data)
    right_mask, meant = copy_config(cfg), without_quirks(cfg)
    right_mask.fusion.mask_layout = 'correct'
    for prefix, inputs, model_cfg in (
        ('nopad/', 'nopad/', cfg),
        ('nopad_persample/', 'nopad/', meant),
        ('', '', cfg),
        ('cleanmask/', '', right_mask),
    ):
        case = EpochCase(data, model_cfg, SYSTEM, prefix, inputs)
        yield from case.check_outputs()
        yield from case.check_decoded()
        yield from case.check_epochs()
        yield from case.check_rest()
    case = EpochCase(data, meant, SYSTEM, '')
    yield from check_padding(case.model, case.batch)


class EpochCase(DetrCase):
    """A case whose losses depend on the epoch."""

    def check_outputs(self) -> Iterator[Row]:
        """Compare tokens, memory, decoder layers, predictions and scores of an inference run."""
        state, outputs = self.state, self.outputs
        negative = self.step.state.negative
        predictions = outputs.predictions
        for name, ours in (
            ('out/mid_vid_proj', state.projected_video),
            ('out/mid_txt_proj', state.projected_text),
            ('out/src_txt', state.projected_text),
            ('out/mid_pos_vid', state.video_pos),
            ('out/mid_fra', state.video),
            ('out/src_vid', state.video),
            ('out/mid_hs', outputs.normed),
            ('out/mid_references', predictions.references),
        ):
            yield from self.row(name, ours)
        yield from self._streams('', state)
        yield from self._streams('_neg', negative)
        for name in ('hs', 'references'):
            yield from self.skip(f'out/mid_{name}_neg', UNUSED_NEGATIVE)
        yield from self._predictions('out/')
        if self.prefix == '':
            for key in self.data.below('out/cleanmask/'):
                self.compared.add(f'out/cleanmask/{key}')  # compared with the right layout
        elif self.prefix == 'cleanmask/':
            for key, theirs in self.data.below('out/cleanmask/').items():
                # Copies of what is compared above.
                stored = self.data[f'cleanmask/out/{key}']
                yield compare(f'out/cleanmask/{key}', stored, theirs, LOSS_TOLERANCE)
        stored = self.get('out/video_mask')
        if stored is not None:
            yield compare_exact(f'{self.prefix}out/video_mask', self.mask, stored.bool())

    def _streams(self, suffix: str, state: GroundingState) -> Iterator[Row]:
        """Compare fused and encoded clips and the context token in front of them."""
        clips = slice(1, 1 + self.mask.shape[1])
        for key, ours in (('bicmf', state.fused), ('memory', state.memory)):
            theirs = self.get(f'out/mid_{key}{suffix}')
            if theirs is None:
                continue
            name = f'{self.prefix}out/mid_{key}{suffix}'
            yield compare(name, ours[self.mask], theirs[:, clips][self.mask], 1e-5)
            if key == 'memory':
                yield compare(f'{name} context', state.context, theirs[:, 0], 1e-5)

    @torch.no_grad()
    def _predictions(self, place: str) -> Iterator[Row]:
        state, predictions = self.state, self.outputs.predictions
        yield from self.row(f'{place}saliency_scores', state.saliency)
        negative = self.step.state.negative.saliency.detach()
        yield from self.row(f'{place}saliency_scores_neg', negative)
        branch = self.model.slots.get('auxiliary.moment_saliency')
        if branch is not None:
            yield from self.row(f'{place}saliency_scores_mr', branch.saliency(state))
            summary = branch.summary
            found = (state.projected_video, state.video_mask, state.spans, state.span_scores)
            yield from self.row(f'{place}mid_mr2hd_slice', summary.rows(*found)[0])
            yield from self.row(f'{place}mid_mr2hd_gru', summary.summarize(*found))
        queries = words = None
        if self.head.alignment is not None:
            queries, words = self.head.alignment.embed(self.outputs.normed, state)
            yield from self.row(f'{place}proj_txt_mem', words)
        yield from self.skip(f'{place}proj_vid_mem', 'official-only: no loss reads it')
        for suffix, layer in self.aux.items():
            name = f'{place}aux{layer}/' if suffix else place
            yield from self.row(f'{name}pred_logits', predictions.logits[layer])
            yield from self.row(f'{name}pred_spans', predictions.spans[layer])
            if queries is not None:
                yield from self.row(f'{name}proj_queries', queries[layer])

    def check_decoded(self) -> Iterator[Row]:
        """Compare matches, moments before and after post-processing, and clip scores."""
        (matches,) = self.step.matches
        for suffix, layer in self.aux.items():
            for index in range(len(self.mask)):
                key = (f'out/aux{layer}/' if suffix else 'out/') + f'match_{index}'
                pairs = self.get(key)
                if pairs is not None:
                    rows = torch.cat((torch.zeros_like(pairs[:1]), pairs)).T
                    ours = matches[layer][index : index + 1]
                    yield check_matches(self.prefix + key, ours, rows)
        ranked: MomentList = self.head.ranked(self.state)
        table = torch.cat((ranked.spans, ranked.scores.unsqueeze(-1)), dim=-1)
        yield from self._windows('out/post/windows_ranked', table, 1e-3)
        windows = torch.tensor([record['pred_relevant_windows'] for record in self.records])
        yield from self._windows('out/post/windows_final', windows, 1e-4)
        theirs = self.get('out/post/saliency_fp16')
        if theirs is not None:
            for index, record in enumerate(self.records):
                ours = torch.tensor(record['pred_saliency_scores'])
                name = f'{self.prefix}out/post/saliency_fp16/{index}'
                # One unit of float16 where two float32 results lie on two sides of a tie.
                yield compare(name, ours, theirs[index, : len(ours)].float(), 1e-3)

    def _windows(self, key: str, ours: Tensor, seconds: float) -> Iterator[Row]:
        theirs = self.get(key)
        if theirs is not None:
            name = f'{self.prefix}{key}'
            yield compare(f'{name} seconds', ours[..., :2], theirs[..., :2], seconds, scaled=False)
            yield compare(f'{name} scores', ours[..., 2], theirs[..., 2], SCORE_TOLERANCE, False)

    # Losses --------------------------------------------------------------------------------------

    def check_epochs(self) -> Iterator[Row]:
        """Compare losses in every stored epoch and gradients in the last of them."""
        found = (re.fullmatch(r'loss/total_e(\d+)', k) for k in self.data.below(self.prefix))
        epochs = sorted(int(match[1]) for match in found if match)
        for epoch in epochs:
            self.model.progress = Progress(epoch, self.data.info['config']['n_epoch'])
            step = train_step(self.model, self.batch)
            yield from self._check_terms(step, epoch)
        yield from self.check_gradients()
        yield from self._class_error()

    def _loss(self, key: str, ours: Tensor) -> Iterator[Row]:
        theirs = self.get(f'loss/{key}')
        if theirs is not None:
            name = f'{self.prefix}loss/{key}'
            yield compare_relative(name, ours.detach(), theirs, LOSS_TOLERANCE)

    def _term(self, name: str, weighted: Tensor | None) -> Iterator[Row]:
        """Compare a term and its weighted form, or say that it has no weight."""
        weight = self.data.info['weights'].get(name, 0)
        if not weight or weighted is None:
            for key in (name, f'weighted/{name}'):
                yield from self.skip(f'loss/{key}', 'weight 0')
            return
        yield from self._loss(name, weighted / weight)
        yield from self._loss(f'weighted/{name}', weighted)

    def _check_terms(self, step: Step, epoch: int) -> Iterator[Row]:
        """Compare summands, terms, weighted terms and the total."""
        weights, losses = self.data.info['weights'], step.losses
        for layer in self.aux:
            for name, ours in DETECTION.items():
                value = losses.get(f'{ours}{layer}')
                yield from self._term(f'loss_{name}{layer}', value)
        yield from self._check_alignment(losses)

        weight = weights['loss_saliency']
        saliency = {k: losses[ours] for k, ours in SALIENCY.items() if ours in losses}
        total = sum(saliency.values())
        summed = {f'{kind}e{epoch}/loss_saliency': total for kind in ('', 'tvsum_mode/')}
        for theirs, value in saliency.items():
            summed['sal/' + theirs.format(e=epoch)] = value
        for key, value in summed.items():
            if weight:
                yield from self._loss(key, value / weight)
            else:
                yield from self.skip(f'loss/{key}', 'weight 0')
        yield from self._loss(f'weighted/e{epoch}/loss_saliency', total)
        yield from self._loss(f'total_e{epoch}', step.total)

    def _check_alignment(self, losses: dict[str, Tensor]) -> Iterator[Row]:
        weight = self.data.info['weights'].get('loss_contrastive_align', 0)
        clips = losses.get('loss_clip_text_cosine')
        if weight and clips is not None:
            yield from self._loss('align/qt_align', losses['loss_align'] / weight)
            yield from self._loss('align/vt_align_sum', clips / weight)
        else:
            for name in ('qt_align', 'vt_align_sum'):
                yield from self.skip(f'loss/align/{name}', 'weight 0')
        for layer in self.aux:
            value = losses.get(f'loss_align{layer}')
            if value is not None and not layer:
                value = value + clips
            yield from self._term(f'loss_contrastive_align{layer}', value)
