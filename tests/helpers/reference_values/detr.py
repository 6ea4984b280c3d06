# SPDX-License-Identifier: Apache-2.0
"""Comparison of the DETR-like systems, whose reference sets have one form."""

import re
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from vtg.models.heads import QueryHead, QueryOutputs
from vtg.models.task_modules import matched_queries
from vtg.structures import GroundingState

from .common import (
    LOSS_TOLERANCE,
    OUTPUT_TOLERANCE,
    Step,
    batch_of,
    build_converted,
    check_gradients,
    check_matches,
    check_records,
    predict,
    train_step,
)
from .core import ReferenceSet, Row, compare, compare_exact
from .detr_config import DETECTION
from .detr_config import resize_detr as resize_detr

UNUSED_POSITION = 'a module that no published run uses'


class DetrCase:
    """One variant of a reference set and the model that should reproduce it.

    Args:
        data: The set.
        cfg: The resized model config.
        system: Whose conversion.
        prefix: Of the compared keys, e.g. ``'nopad/'``.
        inputs: Prefix of the inputs; by default ``prefix``.
        sources: Source video of every sample, see :func:`batch_of`.

    Attributes:
        state: Of an inference run. step: Of a training step.
        compared: Keys that a row was yielded for.
    """

    def __init__(
        self,
        data: ReferenceSet,
        cfg: dict,
        system: str,
        prefix: str,
        inputs: str | None = None,
        sources: list[Any] | None = None,
    ) -> None:
        self.data, self.system, self.prefix = data, system, prefix
        self.model = build_converted(cfg, system, data.below('sd/'))
        self.batch = batch_of(data, prefix if inputs is None else inputs, sources)
        self.mask = self.batch['video_mask']
        self.state, self.records = predict(self.model, self.batch)
        self.step: Step = train_step(self.model, self.batch)
        self.head: QueryHead = next(m for m in self.model.modules() if isinstance(m, QueryHead))
        self.compared: set[str] = set()

    @property
    def outputs(self) -> QueryOutputs:
        """Outputs of the query head in the inference run."""
        return self.state.moment_outputs['queries']

    @property
    def aux(self) -> dict[str, int]:
        """Decoder layers by the suffix of their losses: the last one has none."""
        layers = len(self.outputs.predictions.logits)
        return {'': layers - 1, **{f'_{layer}': layer for layer in range(layers - 1)}}

    def get(self, key: str) -> Tensor | None:
        """The stored array of this variant, or None; counts as compared."""
        self.compared.add(key)
        name = self.prefix + key
        return self.data[name] if name in self.data else None  # noqa: SIM401

    def row(
        self,
        key: str,
        ours: Tensor,
        tolerance: float = OUTPUT_TOLERANCE,
        mask: Tensor | None = None,
    ) -> Iterator[Row]:
        """Compare one array if it is stored, on ``mask`` if given."""
        theirs = self.get(key)
        if theirs is None:
            return
        if mask is not None:
            ours, theirs = ours[mask], theirs[mask]
        yield compare(self.prefix + key, ours, theirs, tolerance)

    def skip(self, key: str, note: str) -> Iterator[Row]:
        """Say why a stored array is not compared."""
        if self.get(key) is not None:
            yield Row(self.prefix + key, None, note=note)

    def check_rest(self) -> Iterator[Row]:
        """Let every stored output or loss that nothing was compared with fail."""
        for kind in ('out/', 'loss/'):
            for key in self.data.below(self.prefix + kind):
                if kind + key not in self.compared:
                    yield Row(self.prefix + kind + key, float('inf'), 0.0, 'not compared')

    # Outputs -------------------------------------------------------------------------------------

    def check_outputs(self) -> Iterator[Row]:
        """Compare tokens, decoder layers, predictions, matches and decoded predictions."""
        mask = self.mask
        yield from self.row('out/mid.input_vid_proj', self.state.projected_video)
        yield from self.row('out/mid.input_txt_proj', self.state.projected_text)
        yield from self.row('out/mid.position_embed', self.state.video_pos)
        yield from self._sequences('', self.state)
        yield from self._decoder('', self.outputs)
        with torch.no_grad():
            offsets = self.head.span_head(self.outputs.normed)
        yield from self.row('out/mid.span_embed', offsets)
        predictions = self.outputs.predictions
        for suffix, layer in self.aux.items():
            name = 'out/' + (f'aux{layer}_' if suffix else '')
            yield from self.row(f'{name}pred_logits', predictions.logits[layer])
            yield from self.row(f'{name}pred_spans', predictions.spans[layer])
        yield from self.row('out/saliency_scores', self.state.saliency, mask=mask)
        stored = self.get('out/video_mask')
        if stored is not None:
            yield compare_exact(f'{self.prefix}out/video_mask', mask, stored.bool())
        yield from self.skip('out/fn.txt_position_embed', UNUSED_POSITION)
        negative = self.step.state.negative
        if negative is not None:
            yield from self.row('out/saliency_scores_neg', negative.saliency, mask=mask)
            yield from self._sequences('__call1', negative)
            # The released code decodes the negatives too and throws the result away.
            with torch.no_grad():
                yield from self._decoder('__call1', self.head.decode(negative))

    def _sequences(self, suffix: str, state: GroundingState) -> Iterator[Row]:
        """Compare fused and encoded tokens, which the released code stores sequence first."""
        for name, tokens in (('t2v_encoder', state.fused), ('encoder', state.memory)):
            key = f'out/mid.{name}{suffix}'
            theirs = self.get(key)
            if theirs is None or tokens is None:
                continue
            theirs = theirs.transpose(0, 1)
            first = int(state.context is not None)
            clips = theirs[:, first : first + self.mask.shape[1]]
            ours = tokens[self.mask]
            yield compare(f'{self.prefix}{key}', ours, clips[self.mask], OUTPUT_TOLERANCE)
            if name != 'encoder':
                continue
            if state.context is not None:
                name = f'{self.prefix}{key} context'
                yield compare(name, state.context, theirs[:, 0], OUTPUT_TOLERANCE)
            if state.memory_text is not None:
                words = theirs[:, first + self.mask.shape[1] :][state.text_mask]
                ours = state.memory_text[state.text_mask]
                yield compare(f'{self.prefix}{key} text', ours, words, OUTPUT_TOLERANCE)

    def _decoder(self, suffix: str, outputs: QueryOutputs) -> Iterator[Row]:
        """Compare the states of all layers and the spans that entered them."""
        key = f'out/mid.decoder{suffix}'
        yield from self.row(key, outputs.normed.transpose(1, 2))
        yield from self.row(f'{key}.0', outputs.normed)
        if outputs.predictions.references is not None:
            yield from self.row(f'{key}.1', outputs.predictions.references)

    def check_decoded(self) -> Iterator[Row]:
        """Compare matches of every layer and the reported predictions."""
        (matches,) = self.step.matches
        for suffix, layer in self.aux.items():
            key = f'out/match_aux{layer}' if suffix else 'out/match_last'
            theirs = self.get(key)
            if theirs is not None:
                yield check_matches(self.prefix + key, matches[layer], theirs)
        windows, saliency = self.get('out/post_windows'), self.get('out/post_saliency')
        yield from check_records(self.prefix, self.records, windows, saliency)

    # Losses --------------------------------------------------------------------------------------

    def check_losses(
        self,
        saliency: dict[str, str],
        more: dict[str, str] | None = None,
        skipped: dict[str, str] | None = None,
    ) -> Iterator[Row]:
        """Compare every stored term, the weighted terms and the total.

        Args:
            saliency: Our loss by the stored part of ``loss_saliency``.
            more: Our loss by further stored names, for every layer that has them.
            skipped: Stored names, without prefix, that are not compared, and why.
        """
        weights, losses = self.data.info['weights'], self.step.losses
        yield from self._skipped_losses(skipped or {})
        yield from self._class_error()
        pairs = {f'loss_{name}': ours for name, ours in DETECTION.items()} | (more or {})
        for theirs, ours in pairs.items():
            for suffix in self.aux:
                weight = weights.get(theirs + suffix, 0.0)
                if weight == 0:
                    for key in (f'loss/{theirs}{suffix}', f'loss/weighted.{theirs}{suffix}'):
                        yield from self.skip(key, 'weight 0')
                elif ours + suffix in losses:
                    yield from self.term(theirs + suffix, losses[ours + suffix], weight)
        weight = weights['loss_saliency']
        parts = {theirs: losses[ours] for theirs, ours in saliency.items() if ours in losses}
        for theirs, value in parts.items():
            if weight == 0:
                yield from self.skip(f'loss/part.{theirs}', 'weight 0')
            else:
                yield from self.loss_row(f'loss/part.{theirs}', value / weight)
        if parts and weight:
            yield from self.term('loss_saliency', sum(parts.values()), weight)
        yield from self.loss_row('loss/total', self.step.total)

    def _class_error(self) -> Iterator[Row]:
        """Compare the share of matched queries that are taken for background, in per cent."""
        logits = self.step.state.moment_outputs['queries'].predictions.logits.detach()
        for suffix, layer in self.aux.items():
            matched = matched_queries(self.step.matches[0][layer], logits.shape[2])
            foreground = logits[layer][matched].argmax(dim=-1) == 0
            error = 100 - 100 * foreground.float().mean()
            yield from self.loss_row(f'loss/class_error{suffix}', error)

    def _skipped_losses(self, skipped: dict[str, str]) -> Iterator[Row]:
        for key in list(self.data.below(f'{self.prefix}loss/')):
            name = re.sub(r'_\d+$', '', key.removeprefix('weighted.'))
            if name in skipped:
                yield from self.skip(f'loss/{key}', skipped[name])

    def loss_row(self, key: str, ours: Tensor) -> Iterator[Row]:
        """Compare one stored loss, unless it was skipped."""
        if key not in self.compared:
            yield from self.row(key, ours.detach(), LOSS_TOLERANCE)

    def term(self, name: str, weighted: Tensor, weight: float) -> Iterator[Row]:
        """Compare a term and its weighted form."""
        yield from self.loss_row(f'loss/{name}', weighted / weight)
        yield from self.loss_row(f'loss/weighted.{name}', weighted)

    def check_gradients(self, skipped: dict[str, str] | None = None) -> Iterator[Row]:
        """Compare the gradient norms of all modules."""
        yield from check_gradients(self.model, self.system, self.data, self.prefix, skipped)
