# SPDX-License-Identifier: Apache-2.0
"""Videos, clips and sentences in a space of their own."""

from typing import Literal

import torch
from torch import Tensor

from vtg.models.base import Auxiliary
from vtg.models.extras import Context, QuerySentence
from vtg.models.layers import MLP, Init, init_transformer, unit
from vtg.models.losses import masked_mean
from vtg.registry import MODELS
from vtg.structures import GroundingState, Progress
from vtg.utils import check_choice


@MODELS.register_module()
class VideoSentenceContrast(Auxiliary):
    """Video and sentence must find each other in the batch, and the sentence its own clips.

    The multi-aspect contrast of UVCOM (Xiao et al., CVPR 2024, section 3.4), of cosines without a
    temperature. The video is the context token behind the encoder, clips are those that enter the
    encoder; the sentence is what the fusion makes of the words, else the mean word. It can choose
    the partners of the negative pass (``negatives.partner``): in later epochs every video gets the
    sentence that it resembles least.

    Args:
        dim: Token width.
        hidden_dim: Width of the two layers inside either perceptron.
        weight: Factor of both terms; each counts half.
        moment: What clips the sentence must find: ``'every'``, the relevant ones, or
            ``'truncated_first'``, those of the first moment with its ends cut to whole clips, as in
            the released code, where a clip is lost whenever the end is a rounding error too low.
        average_over: ``'valid'`` clips, or ``'padded'`` ones too, as in the released code.
        choose_from: First epoch in which partners are chosen; before, it is the next sample.
        exclude_source: No video gets a sentence of its own source, if there is another. The
            released code even lets it get its own.
        init: Initialise as DETR's code does, see :func:`vtg.models.layers.init_transformer`.
    """

    requires = ('context', 'fused', 'projected_text')
    reads = ('query_sentence',)
    chooses_partners = True

    def __init__(
        self,
        dim: int,
        hidden_dim: int = 1024,
        weight: float = 1.0,
        moment: Literal['every', 'truncated_first'] = 'every',
        average_over: Literal['valid', 'padded'] = 'valid',
        choose_from: int = 80,
        exclude_source: bool = True,
        init: Init = 'xavier',
    ) -> None:
        super().__init__()
        name = type(self).__name__
        self.dim = dim
        self.weight = weight
        self.moment = check_choice(moment, ('every', 'truncated_first'), f'{name}: moment')
        self.average_over = check_choice(average_over, ('valid', 'padded'), f'{name}: average_over')
        self.choose_from = choose_from
        self.exclude_source = exclude_source
        self.video_head, self.text_head = (
            MLP(dim, hidden_dim, hidden_dim, dim, xavier=False) for _ in range(2)
        )
        init_transformer(self, init)

    def embed(self, state: GroundingState) -> tuple[Tensor, Tensor, Tensor]:
        """Unit vectors of videos ``(B, D)``, clips ``(B, L, D)`` and sentences ``(B, D)``."""
        video = unit(self.video_head(state.extras[Context].token))
        clips = unit(self.video_head(state.fused))
        return video, clips, unit(self.text_head(QuerySentence.found_in(state)))

    def loss(self, state: GroundingState) -> dict[str, Tensor]:
        """``loss_video_sentence``, the mean of both directions over all that match, and
        ``loss_clip_sentence``, a mean over all clips of the batch."""
        video, clips, sentence = self.embed(state)
        likeness = video @ sentence.mT  # (B, B)
        found = (likeness.log_softmax(dim=1) + likeness.log_softmax(dim=0)).diagonal()
        both = masked_mean(found, state.targets.answerable) / 2
        mask = state.video_mask
        own = (clips @ sentence.unsqueeze(-1)).squeeze(-1)  # (B, L)
        seen = mask if self.average_over == 'valid' else torch.ones_like(mask)
        log_share = own.masked_fill(~seen, -torch.inf).log_softmax(dim=1)
        log_share = log_share.masked_fill(~(self.wanted(state) & mask), 0)
        return {
            'loss_video_sentence': -0.5 * self.weight * both,
            'loss_clip_sentence': -0.5 * self.weight * log_share.sum() / seen.sum(),
        }

    def wanted(self, state: GroundingState) -> Tensor:
        """The clips ``(B, L)`` that the sentence must find."""
        targets = state.targets
        if self.moment == 'every':
            return targets.relevant
        if not targets.spans.shape[1]:
            return torch.zeros_like(targets.relevant)
        ends = truncated_clips(targets.spans[:, 0], state.video_mask.sum(dim=1))
        first, end = ends.unsqueeze(-2).unbind(dim=-1)
        index = torch.arange(state.video_mask.shape[1], device=ends.device)
        return (index >= first) & (index < end) & targets.span_mask[:, :1]

    def choosing(self, progress: Progress) -> bool:
        """See :meth:`vtg.models.base.Component.choosing`."""
        return progress.epoch >= self.choose_from

    @torch.no_grad()
    def partners(self, state: GroundingState) -> Tensor:
        """See :meth:`vtg.models.base.Component.partners`."""
        score = self.partner_scores(state)
        if self.exclude_source:
            source = state.targets.source_id
            score = score.masked_fill(source.unsqueeze(1) == source, torch.inf)
        return score.argmin(dim=1)

    def partner_scores(self, state: GroundingState) -> Tensor:
        """How alike every video is to every sentence of the batch, ``(B, B)``: shares of the
        sentences by the video as a whole and by its clips, averaged."""
        video, clips, sentence = self.embed(state)
        mask = state.video_mask.unsqueeze(-1)
        if self.average_over == 'valid':
            mean = (clips * mask).sum(dim=1) / mask.sum(dim=1)
        else:
            mean = clips.mean(dim=1)
        return ((video @ sentence.mT).softmax(dim=1) + (mean @ sentence.mT).softmax(dim=1)) / 2


def truncated_clips(spans: Tensor, count: Tensor) -> Tensor:
    """First clip and end ``(..., 2)`` of ``spans (..., 2)``, centre and width, in videos of
    ``count (...)`` clips, cut to whole numbers in the released order of operations."""
    centre, width = spans.unbind(dim=-1)
    ends = torch.stack((centre - 0.5 * width, centre + 0.5 * width), dim=-1)
    return (ends * count.unsqueeze(-1) * 2 / 2).trunc()
