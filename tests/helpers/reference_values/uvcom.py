# SPDX-License-Identifier: Apache-2.0
"""UVCOM against values of its released code, without and with audio."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from vtg.models.auxiliary.video_sentence import truncated_clips
from vtg.models.extras import Context, GuidedText, QuerySentence
from vtg.models.layers import SoftClustering, random_walk
from vtg.structures import GroundingState, Progress, xx_to_cxw

from .case import Outputs, Run
from .common import Step, train_step
from .core import ReferenceSet, Row, compare, compare_exact
from .detr import DETECTION, DETR_SIZES, DetrCase, depth
from .qd_detr import SALIENCY

STRAIGHT = {'refiner.mask_layout': 'correct', 'fusion.attention.mask_layout': 'correct'}
CLEAN = {
    **STRAIGHT,
    'fusion.integration.mask_padding': True,
    'moment_head.queries.mask_padding': True,
    'auxiliary.contrast.average_over': 'valid',
}
INTEGRATION = 'fusion.integration'


def _of_batch(first: int = 0, stop: int | None = None) -> Any:
    """Bring a part of a stored sequence ``(tokens, B, D)`` into our order."""
    return lambda stored: stored[first:stop].transpose(0, 1)


class UvcomCase(DetrCase):
    """Early and late in training, without padding, with it as released, and with it as meant."""

    system, config = 'uvcom', 'uvcom/qvhl_official.py'
    sizes = {
        **{name: source for name, source in DETR_SIZES.items() if not name.startswith('fusion')},
        'fusion.attention.num_layers': depth('CIM.t2v_encoder'),
        'refiner.num_layers': depth('CIM.v2t_encoder'),
        'encoder.num_layers': depth('CIM.GKA_Module'),
        'moment_head.decoder.num_layers': depth('CIM.decoder'),
        f'{INTEGRATION}.num_iterations': 'config.em_iter',
        f'{INTEGRATION}.text_centres': 'config.n_txt_mu',
        f'{INTEGRATION}.video_centres': 'config.n_visual_mu',
        'moment_head.queries.hidden_dim': 'config.mlp_inner_dim',
        'auxiliary.contrast.hidden_dim': 'config.mlp_inner_dim',
        'auxiliary.contrast.weight': 'weights.loss_sim',
        'auxiliary.contrast.choose_from': 'config.neg_choose_epoch',
    }
    runs = (
        Run('nopad/'),
        Run(''),
        Run('cleanmask/', '', CLEAN),
        Run('out/fixmask_', '', STRAIGHT, 'fixmask'),
        Run('nopad_late/', 'nopad/', kind='late'),
        Run('late/', '', kind='late'),
        Run('nopad_audio/', 'nopad/', kind='audio'),
    )
    clean = CLEAN
    losses = {
        **DETECTION,
        **{f'part.saliency_{theirs}': f'loss_saliency_{o}' for theirs, o in SALIENCY.items()},
        'loss_saliency': tuple(f'loss_saliency_{ours}' for ours in SALIENCY.values()),
        'loss_sim': ('loss_video_sentence', 'loss_clip_sentence'),
    }
    valid = (
        r'(out/)?(saliency_scores(_neg)?|sim_clip_text|cta_target'
        r'|mid\.(t2v|v2t)?_?(encoder|conv_local|fused|encoder_input)(__call1)?( words)?)'
    )
    # Through clusters that are nearly one, the first centres hardly get a gradient.
    small_norm = 1e-7

    def __init__(self, data: ReferenceSet, base: dict, run: Run) -> None:
        super().__init__(data, base, run)
        if run.kind == 'late':
            start = self.model.slots['auxiliary.contrast'].choose_from
            self.model.progress = Progress(start, start + 1)

    @classmethod
    def model_config(cls, base: dict, data: ReferenceSet, run: Run | None = None) -> Any:
        """With audio the video has two streams."""
        cfg = super().model_config(base, data, run)
        video, audio = (cls.width(data, name) for name in ('vid', 'aud'))
        cfg.video_projector.in_dim = video
        if run is not None and run.kind == 'audio':
            cfg.video_projector |= dict(
                type='StreamSum', in_dim=video + audio, widths=(video, audio)
            )
        return cfg

    @staticmethod
    def width(data: ReferenceSet, name: str) -> int:
        """Width of the stored features of a stream."""
        return next((data[key].shape[-1] for key in data if key.endswith(f'in/src_{name}')), 0)

    def stored_weights(self) -> dict[str, Tensor]:
        """See :class:`SystemCase`."""
        audio = self.data.below('sd_audio/') if self.run.kind == 'audio' else {}
        return super().stored_weights() | audio

    def make_batch(self) -> dict[str, Any]:
        """See :class:`SystemCase`."""
        batch = super().make_batch()
        if self.run.kind == 'audio':
            batch['video'] = torch.cat((batch['video'], self.get('in/src_aud')), dim=-1)
        return batch

    def name(self, key: str) -> str:
        """The copies with a corrected mask lie beside the released outputs."""
        if self.run.kind == 'fixmask' and not key.startswith('/'):
            return self.prefix + key.removeprefix('out/')
        return super().name(key)

    @torch.no_grad()
    def predicted(self, state: GroundingState, records: list[dict[str, Any]]) -> Outputs:
        """Also the likeness of videos, clips and sentences."""
        video, clips, sentence = self.model.slots['auxiliary.contrast'].embed(state)
        return {
            **super().predicted(state, records),
            'out/sim_video_text': video @ sentence.T,
            'out/sim_clip_text': (clips @ sentence.unsqueeze(-1)).squeeze(-1),
        }

    def sequences(self, state: GroundingState, suffix: str = '') -> Outputs:
        """Everything between projections and decoder."""
        slots, clips = self.model.slots, state.video_mask.shape[1]
        integration = slots[INTEGRATION]
        attended = slots['fusion.attention'](state)['fused']
        guided = state.extras[GuidedText].tokens
        text_centres = integration.text_clusters(guided, state.text_mask)
        centres = integration.video_clusters(attended, state.video_mask)
        local = attended
        for conv in integration.local:
            local = conv(local, state.video_mask)
        chosen = integration(integration.seen(state.update(fused=attended)))['context'].token
        queries = self.head.queries
        found: Outputs = {
            'out/mid.t2v_encoder': (attended, _of_batch(1, 1 + clips)),
            'out/mid.v2t_encoder text': (guided, _of_batch(1 + clips)),
            'out/mid.txt_centres': text_centres,
            'out/mid.vid_centres': centres,
            'out/mid.conv_local': (local, lambda stored: stored.transpose(1, 2)),
            'out/mid.fused': state.fused - attended,
            'out/mid.encoder_input': (state.fused, _of_batch(1)),
            'out/mid.encoder_input context': (chosen, lambda stored: stored[0]),
            'out/chosen_centre': (centres - chosen.unsqueeze(1)).abs().sum(dim=-1).argmin(dim=1),
            'out/mid.encoder': (state.memory, _of_batch(1)),
            'out/mid.encoder context': (state.extras[Context].token, lambda stored: stored[0]),
            'out/mid.sentence': state.extras[QuerySentence].vector,
            'out/mid.slots': queries(state).content - queries.slots,
        }
        return {
            ' '.join((key.split(' ')[0] + suffix, *key.split(' ')[1:])): value
            for key, value in found.items()
        }

    @torch.no_grad()
    def trained(self, step: Step) -> Outputs:
        """Also what the sentence must find, and the partners of late epochs."""
        contrast, state = self.model.slots['auxiliary.contrast'], step.state
        found = super().trained(step)
        found['out/cta_target'] = (contrast.wanted(state) & state.video_mask).float()
        if self.run.kind == 'late':
            found['out/negative_score'] = contrast.partner_scores(state)
            found['out/negative_idx'] = contrast.partners(state)
        return found

    def more(self) -> Iterator[Row]:
        """Also labels in the form of Charades-STA with VGG features: an absent clip scores 0."""
        yield from super().more()
        stored = self.get('loss/vgg.loss_saliency')
        if stored is None:
            return
        labels = self.data.below(f'{self.inputs}in/vgg.')
        step = train_step(
            self.model,
            self.batch,
            lambda targets: replace(
                targets,
                saliency=labels['saliency_all_labels'].float(),
                pos_clips=labels['saliency_pos_labels'],
                neg_clips=labels['saliency_neg_labels'],
            ),
        )
        value, weight = self.find_loss(step, 'loss_saliency')
        key = 'loss/vgg.loss_saliency'
        yield compare(self.name(key), value / weight, stored, self.tolerance(key))

    @classmethod
    def whole_set(cls, data: ReferenceSet, base: dict) -> Iterator[Row]:
        """Also clustering, random walk and truncation by themselves."""
        yield from super().whole_set(data, base)
        bandwidth = base['fusion']['integration']['bandwidth']
        stored = data.below('out/fn.')
        items, start = stored['em_items'], stored['em_start']
        real = torch.ones(items.shape[:2], dtype=torch.bool)
        with torch.no_grad():
            for key in (key for key in stored if key.startswith('em_centres_')):
                steps = int(key.rpartition('_')[2])
                clusters = SoftClustering(items.shape[-1], start.shape[1], steps, bandwidth)
                clusters.centres = torch.nn.Parameter(start, requires_grad=False)
                yield compare(f'out/fn.{key}', clusters(items, real), stored[key], 1e-5)
            walked = random_walk(items, start, None)
            yield compare('out/fn.rw_out', walked, stored['rw_out'], 1e-5)
        *ends, count = stored['cta_windows'].float().unbind(dim=-1)
        spans = xx_to_cxw(torch.stack(ends, dim=-1) / count.unsqueeze(-1))
        found = truncated_clips(spans, count).long()
        yield compare_exact('out/fn.cta_range', found, stored['cta_range'].long())
        yield Row('out/fn.cta_windows', None, note='goes into the comparison of out/fn.cta_range')
        for key in ('em_items', 'em_start'):
            yield Row(f'out/fn.{key}', None, note='goes into the comparison of the clustering')
