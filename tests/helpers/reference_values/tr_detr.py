# SPDX-License-Identifier: Apache-2.0
"""TR-DETR against values of its released code."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from vtg.structures import GroundingState

from .common import LOSS_TOLERANCE, check_padding, copy_config
from .core import ReferenceSet, Row, compare
from .detr import DetrCase, resize_detr

SYSTEM = 'tr_detr'
SALIENCY = {
    'saliency_margin': 'loss_saliency_margin',
    'saliency_rank': 'loss_saliency_rank',
}
ALIGNMENTS = {'loss_ctc': 'local_alignment', 'loss_vtc': 'global_alignment'}


def model_config(base: dict, data: ReferenceSet) -> Any:
    """Give the model of a config the sizes and weights of a reference set."""
    cfg = resize_detr(base, data)
    for theirs, ours in ALIGNMENTS.items():
        # The description holds the weights of the alignments in words only.
        ratio = data[f'loss/weighted.{theirs}'] / data[f'loss/{theirs}']
        cfg.auxiliary[ours].weight = round(float(ratio), 4)
    return cfg


def without_quirks(cfg: Any) -> Any:
    """Switch off all quirks that let padding reach a sample."""
    cfg = copy_config(cfg)
    cfg.fusion.mask_layout = 'correct'
    cfg.feedback.highlights.softmax_over = 'valid'
    cfg.feedback.moments.length = 'own'
    for branch in cfg.auxiliary.values():
        branch.average_over = 'valid'
    return cfg


def check(folder: str | Path, base: dict) -> Iterator[Row]:
    """Compare the set ``tr_detr``: without padding, with it as released, and with it under the
    right mask layout.

    Args:
        folder: Where the set lies.
        base: The model config with all official quirks.
    """
    data = ReferenceSet(folder, SYSTEM)
    cfg = model_config(base, data)
    right_mask = copy_config(cfg)
    right_mask.fusion.mask_layout = 'correct'
    for prefix, model_cfg in (('nopad/', cfg), ('', cfg), ('cleanmask/', right_mask)):
        inputs = 'nopad/' if prefix == 'nopad/' else ''
        case = TwoPassCase(data, model_cfg, SYSTEM, prefix, inputs)
        yield from case.check_outputs()
        yield from case.check_decoded()
        yield from case.check_losses(SALIENCY)
        yield from case.check_gradients()
        yield from case.check_rest()
    # Without padding the model as meant must agree as well.
    case = TwoPassCase(data, without_quirks(cfg), SYSTEM, 'nopad/')
    yield from case.check_losses(SALIENCY)
    yield from check_padding(case.model, TwoPassCase(data, without_quirks(cfg), SYSTEM, '').batch)


class TwoPassCase(DetrCase):
    """A case whose encoder runs twice and whose saliency comes after the moments."""

    def check_outputs(self) -> Iterator[Row]:
        """Compare also the refined clips, the means and the summary of the best moment."""
        yield from super().check_outputs()
        state = self.state
        average = self.model.slots['auxiliary.global_alignment'].mean
        yield from self.row('out/mid.fuser', state.video, mask=self.mask)
        yield from self.row('out/src_vid_ed', state.projected_video)
        yield from self.row('out/src_txt_ed', state.projected_text)
        video = average(state.projected_video, state.video_mask)
        yield from self.row('out/src_vid_cls_ed', video)
        text = average(state.projected_text, state.text_mask)
        yield from self.row('out/src_txt_cls_ed', text)
        with torch.no_grad():
            summary = self.model.slots['feedback.moments'].summary.summarize(
                state.projected_video, state.video_mask, state.spans, state.span_scores
            )
        yield from self.row('out/mid.gru', summary)
        corrected = self.prefix == 'cleanmask/'
        for name in ('pred_logits', 'pred_spans', 'saliency_scores'):
            theirs = self.data.arrays.get(f'out/fixmask_{name}')
            self.compared.add(f'out/fixmask_{name}')
            if corrected and theirs is not None:
                # A copy of what is compared above.
                stored = self.data[f'cleanmask/out/{name}']
                yield compare(f'out/fixmask_{name}', stored, theirs, LOSS_TOLERANCE)

    def _sequences(self, suffix: str, state: GroundingState) -> Iterator[Row]:
        """Compare fused clips and both encodings, which are stored sequence first."""
        with torch.no_grad():
            first = self.model.run(state, ['encoder']).memory
        for key, ours in (
            ('out/mid.t2v_encoder', state.fused),
            ('out/mid.encoder', first),
            ('out/mid.encoder__call1', state.memory),
        ):
            theirs = self.get(key)
            if theirs is not None:
                clips = theirs.transpose(0, 1)[:, : self.mask.shape[1]]
                yield compare(f'{self.prefix}{key}', ours[self.mask], clips[self.mask], 1e-5)

    def check_losses(self, saliency: dict[str, str], *args: Any) -> Iterator[Row]:
        """Compare also the alignments and the loss of data without moments."""
        for theirs, ours in ALIGNMENTS.items():
            branch = self.model.slots[f'auxiliary.{ours}']
            value = self.step.losses[f'loss_{ours}']
            if branch.weight:
                yield from self.term(theirs, value, branch.weight)
            else:
                for key in (theirs, f'weighted.{theirs}'):
                    yield from self.skip(f'loss/{key}', 'weight 0')
        yield from super().check_losses(saliency, *args)
        yield from self._check_highlights()

    def _check_highlights(self) -> Iterator[Row]:
        """Compare the saliency loss on labels as TVSum's: one pair, real-valued labels."""
        labels = self.data.below(f'{"nopad/" if self.prefix == "nopad/" else ""}in/tvsum.')

        if labels:
            state = self.step.state
            targets = replace(
                state.targets,
                saliency=labels['saliency_all_labels'].float(),
                pos_clips=labels['saliency_pos_labels'],
                neg_clips=labels['saliency_neg_labels'],
            )
            terms = self.model.slots['saliency_head'].loss(state.update(targets=targets))
            total = sum(terms.values()) / self.data.info['weights']['loss_saliency']
            yield from self.loss_row('loss/tvsum.loss_saliency', total)
