# SPDX-License-Identifier: Apache-2.0
"""UniVTG against values of its released code."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from vtg.models.extras import Foreground
from vtg.structures import GroundingState

from .case import Outputs, SystemCase
from .common import Step
from .core import Row, compare, compare_relative
from .detr import SIZES


def _half_clip(data: Any) -> float:
    """The timestamps of the released code, in clips: half of the seconds per clip."""
    place = f'{SystemCase.padded(data)}in/'
    clips = data[f'{place}src_vid_mask'].sum(dim=1)
    return float((data[f'{place}duration'] / clips).mean()) / 2


class UniVtgCase(SystemCase):
    """Without and with padding; every quantity on real clips and words."""

    system, config = 'univtg', 'univtg/qvhl_official.py'
    sizes = {
        **SIZES,
        'encoder.num_layers': 'config.enc_layers',
        'saliency_head.losses.*.temperature': 'config.temperature',
        'saliency_head.losses.inter.weight': 'loss_weights.loss_s_inter',
        'saliency_head.losses.intra.weight': 'loss_weights.loss_s_intra',
        'moment_head.anchor_offset': _half_clip,
        'moment_head.losses.label.background_weight': 'config.eos_coef',
        'moment_head.losses.label.weight': 'loss_weights.loss_f',
        'moment_head.losses.span.weight': 'loss_weights.loss_b',
        'moment_head.losses.giou.weight': 'loss_weights.loss_g',
    }
    clean = {'moment_head.mask_padding': True}
    losses = {
        'loss_f': 'loss_label',
        'loss_b': 'loss_span',
        'loss_g': 'loss_giou',
        'loss_s_inter': 'loss_saliency_inter',
        'loss_s_intra': 'loss_saliency_intra',
    }
    weighted = 'loss_w/'
    valid = r'\w+/(?!txt_mem_proj)\w+'

    def tolerance(self, name: str) -> float:
        """Padded batches were computed with another tolerance."""
        return super().tolerance(name) if self.prefix or 'loss' in name else 1e-4

    def loss_row(self, name: str, ours: Tensor, theirs: Tensor, tolerance: float) -> Row:
        """Losses are compared relative to the stored ones."""
        return compare_relative(name, ours.detach(), theirs, tolerance)

    @torch.no_grad()
    def trained(self, step: Step) -> Outputs:
        """What the released model returns; its encoder reads clips and words in a row."""
        state = step.state
        outputs = state.moment_outputs['clips']
        clips = state.video_mask.shape[1]
        tokens = torch.cat((state.fused, state.fused_text), dim=1)
        position = torch.cat((state.video_pos, state.text_pos), dim=1)
        mask = torch.cat((state.video_mask, state.text_mask), dim=1)
        first = self.model.slots['encoder'].layers.layers[0](tokens, mask, position)
        found: Outputs = {
            'out/pred_logits': outputs.logits.sigmoid().unsqueeze(-1),
            'out/pred_spans': outputs.spans - outputs.anchors.unsqueeze(-1),
            'out/vid_mem_proj': state.video,
            'out/txt_mem_proj': state.sentence.unsqueeze(1),
            'out/saliency_scores': state.saliency,
            'in/timestamp': outputs.anchors.unsqueeze(-1).expand(-1, -1, 2),
            'mid/position_embed': state.video_pos,
            'mid/input_vid_proj': state.projected_video,
            'mid/input_txt_proj': state.projected_text,
        }
        last = torch.cat((state.memory, state.memory_text), dim=1)
        for name, both in (('mid/encoder_layer0', first), ('mid/encoder', last)):
            found[name] = (both[:, :clips], lambda t: t[:clips].transpose(0, 1))
            found[f'{name} text'] = (both[:, clips:], lambda t: t[clips:].transpose(0, 1))
        return found

    def reported(self, state: GroundingState, records: list[dict[str, Any]]) -> Iterator[Row]:
        """Compare moments before and after the suppression, and clip scores."""
        moments = self.model.slots['moment_head'].predict(state)['clips']
        every = torch.cat((moments.spans, moments.scores.unsqueeze(-1)), dim=-1)
        plain = self.get('out/decoded_saliency_plain')
        for index, record in enumerate(records):
            length = int(state.video_mask[index].sum())
            kept = torch.tensor(record['pred_relevant_windows'])
            for key, ours in (('', every[index, :length]), ('nms_', kept)):
                yield from self.windows(f'out/decoded_windows_{key}{index}', ours, 1e-3)
            if plain is not None:
                name = self.name(f'out/decoded_saliency_plain/{index}')
                ours = (state.saliency - state.extras[Foreground].probability)[index, :length]
                yield compare(name, ours, plain[index, :length], 1e-3)
        yield from self.scores('out/decoded_saliency_add', records)

    def windows(self, key: str, ours: Tensor, seconds: float) -> Iterator[Row]:
        """As many as there are here: stored rows are filled up."""
        self.shorten = len(ours)
        yield from super().windows(key, ours, seconds)

    def get(self, key: str) -> Tensor | None:
        """The stored array; windows as many as there are here."""
        stored = super().get(key)
        if stored is None or 'decoded_windows' not in key:
            return stored
        return stored[: self.shorten]
