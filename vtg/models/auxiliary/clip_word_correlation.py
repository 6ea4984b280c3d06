# SPDX-License-Identifier: Apache-2.0
"""Clip-word correlation, in training only."""

from dataclasses import dataclass
from typing import Literal, TypedDict

import torch
import torch.nn.functional as F
from torch import Tensor

from vtg.models.base import Auxiliary
from vtg.models.extras import Attention, Dummies
from vtg.models.layers import unit
from vtg.models.losses import masked_mean, probability_cross_entropy
from vtg.registry import MODELS
from vtg.structures import GroundingState

from .moment_sentence import TokenEncoder


class SentenceOptions(TypedDict, total=False):
    """How the sentence encoder is built."""

    num_layers: int
    num_heads: int | None
    dropout: float


@dataclass(frozen=True)
class Correlation:
    """What the learner encodes.

    Attributes:
        moment, other: ``(B, D)`` tokens of the clips inside and outside of the moments.
        sentence, dummy_sentence: ``(B, D)`` tokens of the words and of the dummies.
        clips: ``(B, L, D)``, inside clips encoded among themselves, and outside ones likewise.
        similarity: ``(B, L, M + N)`` products of inside-encoded clips with dummies and words.
        inside: ``(B, L)`` True where a clip has a saliency label.
        keys: ``(B, M + N)`` True where a dummy or word is real.
    """

    moment: Tensor
    other: Tensor
    sentence: Tensor
    dummy_sentence: Tensor
    clips: Tensor
    similarity: Tensor
    inside: Tensor
    keys: Tensor


@MODELS.register_module()
class ClipWordCorrelation(Auxiliary):
    """Teaches the cross-attention which words a clip shows.

    A moment encoder and a sentence encoder that exist in training only are aligned with each other;
    the products of their clips and words are the target of the attention weights (CG-DETR, Moon et
    al., 2023, section 3.4, the clip-word correlation learner).

    Args:
        dim: Token width.
        moment_layers: Layers of the moment encoder.
        num_heads: Attention heads.
        hidden_dim: Width inside the feed-forward networks.
        dropout: Inside the feed-forward networks of the moment encoder.
        drop_path: Stochastic depth per sample in the moment encoder.
        sentence_encoder: ``dict(num_layers=1, num_heads=None, dropout=0.1)``; no heads take the
            ``num_heads`` above, the dropout is also its stochastic depth.
        align_weight: Weight of the alignment of moments with sentences and dummies and of the
            classification of clips.
        distill_weight: Weight of the distillation into the attention.
        dummy_target: What a moment must stand out for among the dummies: ``'first_other'``, the
            first moment that is not its own, which is what the released code's arg-max of "all
            others" gives, or ``'all_others'``, which was meant.
        average_over: ``'valid'`` clips and words, or ``'padded'`` ones too, as the released code
            does in the clip classification and in the distillation.
        attention_dropout: On attention weights of both encoders; None takes their ``dropout``.
    """

    requires = ('video', 'text', 'video_pos', 'text_pos', 'dummies', 'attention')

    def __init__(
        self,
        dim: int,
        moment_layers: int = 1,
        num_heads: int = 8,
        hidden_dim: int = 1024,
        dropout: float = 0.1,
        drop_path: float = 0.1,
        sentence_encoder: SentenceOptions | None = None,
        align_weight: float = 1.0,
        distill_weight: float = 1.0,
        dummy_target: Literal['first_other', 'all_others'] = 'first_other',
        average_over: Literal['valid', 'padded'] = 'valid',
        attention_dropout: float | None = None,
    ) -> None:
        super().__init__()
        self.dim = dim
        self.moment_encoder = TokenEncoder(
            dim,
            moment_layers,
            num_heads=num_heads,
            hidden_dim=hidden_dim,
            dropout=dropout,
            drop_path=drop_path,
            attention_dropout=attention_dropout,
        )
        sentence = sentence_encoder or {}
        noise = sentence.get('dropout', 0.1)
        self.sentence_encoder = TokenEncoder(
            dim,
            sentence.get('num_layers', 1),
            num_heads=sentence.get('num_heads') or num_heads,
            hidden_dim=hidden_dim,
            dropout=noise,
            drop_path=noise,
            attention_dropout=attention_dropout,
        )
        self.align_weight = align_weight
        self.distill_weight = distill_weight
        self.dummy_target = dummy_target
        self.average_over = average_over

    def encode(self, state: GroundingState) -> Correlation:
        """Encode moments, sentences and dummies."""
        inside = state.video_mask & (state.targets.saliency > 0)
        outside = state.video_mask & ~inside
        moment, clips_inside = self.moment_encoder(state.video, inside, state.video_pos)
        other, clips_outside = self.moment_encoder(state.video, outside, state.video_pos)
        sentence, words = self.sentence_encoder(state.text, state.text_mask, state.text_pos)
        extra = state.extras[Dummies]
        always = state.text_mask.new_ones(extra.tokens.shape[:2])
        position = extra.positions.expand_as(extra.tokens)
        dummy_sentence, dummies = self.sentence_encoder(extra.tokens, always, position)
        return Correlation(
            moment=moment,
            other=other,
            sentence=sentence,
            dummy_sentence=dummy_sentence,
            clips=torch.where(inside.unsqueeze(-1), clips_inside, clips_outside),
            similarity=clips_inside @ torch.cat((dummies, words), dim=1).transpose(1, 2),
            inside=inside,
            keys=torch.cat((always, state.text_mask), dim=1),
        )

    def loss(self, state: GroundingState) -> dict[str, Tensor]:
        """``loss_moment_sentence``, ``loss_moment_dummy``, ``loss_moment_clips`` and
        ``loss_distillation``."""
        learnt = self.encode(state)
        counts = state.targets.answerable
        align = {
            'moment_sentence': self.stand_out(
                learnt.moment, learnt.other, learnt.sentence, counts=counts
            ),
            'moment_dummy': self.stand_out(
                learnt.moment, learnt.other, learnt.dummy_sentence, self.dummy_target, counts
            ),
            'moment_clips': self._clip_loss(learnt, state.video_mask),
        }
        losses = {f'loss_{name}': self.align_weight * value for name, value in align.items()}
        distilled = self._distillation(learnt, state.extras[Attention].weights)
        return losses | {'loss_distillation': self.distill_weight * distilled}

    @staticmethod
    def stand_out(
        moment: Tensor,
        other: Tensor,
        sentence: Tensor,
        target: str = 'own',
        counts: Tensor | None = None,
    ) -> Tensor:
        """Cross-entropy over the cosines ``(B, 2B)`` of a sample's moment with the sentences of
        all samples, and of all that lies outside with them.

        Args:
            moment, other, sentence: ``(B, D)``.
            target: ``'own'`` sentence, or see ``dummy_target``.
            counts: ``(B,)`` samples that have a moment; None for all.
        """
        moment, other, sentence = (unit(x) for x in (moment, other, sentence))
        logits = torch.cat((moment @ sentence.T, other @ sentence.T), dim=1)
        batch = len(logits)
        own = torch.arange(batch, device=logits.device)
        if target == 'own':
            wanted = own
        elif target == 'first_other':
            wanted = (own == 0).long()
        else:
            others = torch.ones_like(logits).scatter_(1, own.unsqueeze(1), 0)
            wanted = others / (2 * batch - 1)
        loss = F.cross_entropy(logits, wanted, reduction='none')
        return loss.mean() if counts is None else masked_mean(loss, counts)

    def _clip_loss(self, learnt: Correlation, mask: Tensor) -> Tensor:
        """Cross-entropy of "this clip is like the moment token"."""
        probability = torch.einsum('bd,bld->bl', learnt.moment, learnt.clips).sigmoid()
        loss = probability_cross_entropy(probability, learnt.inside)
        if self.average_over == 'padded':
            return (loss * mask).mean()
        return masked_mean(loss, mask)

    def _distillation(self, learnt: Correlation, attention: Tensor) -> Tensor:
        """Divergence of the attention weights of inside clips from the products with the words."""
        keys = learnt.keys.unsqueeze(1)
        if self.average_over == 'padded':
            keys = torch.ones_like(keys)
        target = learnt.similarity.detach().masked_fill(~keys, -torch.inf).softmax(dim=-1)
        divergence = torch.xlogy(target, target) - target * (attention + 1e-6).log()
        divergence = (divergence * keys).sum(dim=-1) / keys.sum(dim=-1)
        return masked_mean(divergence, learnt.inside)
