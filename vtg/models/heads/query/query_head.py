# SPDX-License-Identifier: Apache-2.0
"""A moment head with a query decoder."""

from dataclasses import replace
from typing import Any, ClassVar, Literal, TypedDict

import torch
from torch import Tensor, nn

from vtg.models.base import MomentHead
from vtg.models.extras import QueryStates
from vtg.models.layers import MLP, sine_span_embedding
from vtg.models.losses import AssignedPredictions, MomentLosses, foreground_probability
from vtg.models.losses.moment import LossConfigs
from vtg.models.task_modules import MatchInputs, ReferenceCoder, query_group_mask
from vtg.models.task_modules.nms import take_moments
from vtg.models.task_modules.post_processing import round_scores
from vtg.registry import MODELS, TASK_UTILS
from vtg.structures import GroundingState, MomentList, cxw_to_xx, in_float32
from vtg.utils import ConfigError, check_choice

from .extras import Extras, build_extra_losses
from .fit import check_losses, check_spans, check_supervision
from .outputs import (
    ExtraQueries,
    ExtraTargets,
    QueryOutputs,
    QueryPredictions,
    assign_extra,
    assign_matched,
    with_states,
)


class Ranking(TypedDict, total=False):
    """How queries become the list of moments."""

    by: Literal['score', 'class']
    alpha: float
    digits: int | None
    clamp: bool


class StageWeights(TypedDict, total=False):
    """Factors of the stages before the last layer."""

    layers: float
    proposals: float


@MODELS.register_module()
class QueryHead(MomentHead):
    """Decodes queries into moments (DETR, Carion et al., 2020, along time).

    Args:
        dim: Token width.
        queries: Config of the query source, e.g. ``LearnedQueries`` or ``PyramidQuerySelector``.
        decoder: Config of the decoder: ``SpanDecoder``, or ``SlotDecoder`` with ``LearnedSlots``.
        matcher: Config of the matcher.
        losses: Configs of the losses by name, see :class:`vtg.models.losses.MomentLoss`; means run
            over the whole batch. Without any the head stays untrained.
        num_logits: Logits per query: 1 of the foreground, or 2 of foreground and background, which
            a softmax compares.
        stage_weights: Factors of losses by kind of stage: ``layers`` (all decoder layers but the
            last) and ``proposals`` (the query source).
        extras: Extra queries of training by kind and their losses, see
            :func:`vtg.models.heads.query.extras.build_extra_losses`. ``denoising`` also holds
            ``generator``, the config of a ``DenoisingGenerator`` (None by default), and
            ``sees_unused``: let denoising queries see the unused slots of their group, as the
            released code does; they then depend on the other samples of the batch.
        quality: Predict the overlap of each prediction too; it then joins the score.
        prior: Initial foreground probability; None keeps PyTorch's initialisation of class and
            span head, else spans start as their references.
        attend_text: Decode from clips and words (Moment-DETR) instead of from clips alone.
        ranking: How queries become the list of moments. ``by='score'``, the default, sorts by the
            score that is reported, ``'class'`` by the class probability alone, as the released
            code does. ``alpha`` in [0, 1], 0.5 by default, is the exponent of the class probability
            in the score ``p^alpha q^(1 - alpha)`` with the quality (SG-DETR, arXiv 2410.01615,
            eq. 10). ``digits`` rounds both before they are combined; None, the default, does not.
            ``clamp=False`` does not cut moments to the video: the released DETR-like systems cut to
            150 s whatever the duration, in their post-processing.
    """

    lists = ('detr',)
    provides = (*MomentHead.provides, 'query_states')
    can_do_without: ClassVar[dict[str, str]] = {'fused_text': 'attend_text=False'}
    parts: ClassVar[dict[str, Any]] = {
        'queries': {'type': 'LearnedQueries'},
        'decoder': {'type': 'SpanDecoder'},
        'matcher': {
            'type': 'HungarianMatcher',
            'costs': {
                'label': {'type': 'ClassCost', 'weight': 4.0},
                'span': {'type': 'L1SpanCost', 'weight': 10.0},
                'giou': {'type': 'GIoUCost', 'weight': 1.0},
            },
        },
        'losses': {
            'span': {'type': 'L1SpanLoss', 'weight': 10.0},
            'giou': {'type': 'GIoUSpanLoss', 'weight': 1.0},
            'label': {'type': 'SigmoidClassLoss', 'weight': 4.0},
            'quality': {'type': 'QualityLoss', 'weight': 1.0},
        },
    }

    def __init__(
        self,
        dim: int,
        queries: dict,
        decoder: dict,
        matcher: dict,
        losses: LossConfigs,
        num_logits: Literal[1, 2] = 1,
        stage_weights: StageWeights | None = None,
        extras: Extras | None = None,
        quality: bool = True,
        prior: float | None = 0.35,
        attend_text: bool = False,
        ranking: Ranking | None = None,
    ) -> None:
        super().__init__()
        self.dim = dim
        self.queries = MODELS.build(queries)
        self.attend_text = attend_text
        self.requires = (
            *self.requires,
            *self.queries.requires,
            *(('fused_text',) if attend_text else ()),
        )
        self.reads = (*self.reads, *self.queries.reads)
        if attend_text:
            self.reads = (*self.reads, 'memory_text', 'text_pos')
        self.decoder = MODELS.build(decoder)
        self.requires = (*self.requires, *self.decoder.requires)
        self.coder: ReferenceCoder = self.decoder.coder
        denoising = (extras or {}).get('denoising') or {}
        generator = denoising.get('generator')
        check_spans(dim, self.queries, self.decoder, quality, generator)
        self.matcher = TASK_UTILS.build(matcher)
        self.num_logits = check_choice(num_logits, (1, 2), 'QueryHead: num_logits')
        check_supervision(self.queries, self.matcher, num_logits, quality)
        self.class_head = _class_head(dim, num_logits, prior)
        self.span_head = self._span_head(dim, learned=prior is not None)
        self.losses = MomentLosses(losses)
        check_losses(self.losses, self.queries, num_logits, quality)
        self.extra_losses = build_extra_losses(extras, losses, self.losses, num_logits)
        self.stage_weights = {'layers': 1.0, 'proposals': 0.5, **(stage_weights or {})}
        self.quality_head = MLP(2 * dim, dim, dim, 1) if quality else None
        self.denoising = None if generator is None else TASK_UTILS.build(generator)
        self.content_proj = None
        width = self.decoder.contents * dim
        if self.queries.dim != width:
            self.content_proj = nn.Linear(self.queries.dim, width)
        if self.denoising is not None:
            self.denoising_content = nn.Parameter(torch.randn(width) * 0.01)
        self.denoising_sees_unused = denoising.get('sees_unused', False)
        self.ranking = _whole_ranking(ranking)

    def _span_head(self, dim: int, learned: bool) -> MLP | None:
        """The layers that tell spans from decoder states; None where the decoder has its own."""
        if self.decoder.predicts_spans:
            return None
        head = MLP(dim, dim, dim, self.coder.size, zero_last=learned, xavier=learned)
        if self.decoder.shares_refinement:
            nn.init.zeros_(head[-1].get_parameter('weight'))
            nn.init.zeros_(head[-1].get_parameter('bias'))
            self.decoder.refine = head
        return head

    def check_pyramid(self, strides: tuple[float, ...]) -> None:
        """See :meth:`vtg.models.base.Component.check_pyramid`."""
        self.queries.check_pyramid(strides)

    def forward(self, state: GroundingState) -> dict[str, Any]:
        """See :class:`vtg.models.base.MomentHead`."""
        return self.as_state(self.decode(state))

    def as_state(self, outputs: QueryOutputs) -> dict[str, Any]:
        """Turn outputs into state fields."""
        spans, scores, _ = self._scored(outputs)
        return {
            'spans': spans,
            'span_scores': scores,
            'moment_outputs': {'queries': outputs},
            'query_states': QueryStates(outputs.normed[-1], outputs.proposals.mask),
        }

    def decode(self, state: GroundingState, collab: ExtraQueries | None = None) -> QueryOutputs:
        """Run the decoder on the queries of the source and, in training, extra ones.

        Args:
            state: Needs the memory and what the query source requires.
            collab: Queries made from another head's positive anchors.
        """
        extras = {}
        if self.denoising is not None and self.training and state.targets is not None:
            extras['denoising'] = self._denoising_queries(state)
        if collab is not None:
            content = collab.content.repeat(1, 1, self.decoder.contents)
            extras['collab'] = replace(collab, content=content)
        main = self.queries(state)
        if self.content_proj is not None:
            main = replace(main, content=self.content_proj(main.content))
        queries, blocked = main, None
        if extras or self.queries.supervised:
            for extra in reversed(extras.values()):
                queries = queries.extended(extra.content, extra.reference, extra.visible)
            blocked = self._blocked(queries.mask, main.mask.shape[1], extras)
        place = queries.position if queries.reference is None else queries.reference
        decoded = self.decoder(
            queries.content, place, *self._memory(state), blocked=blocked, state=state
        )
        predictions = self._predict(decoded)
        start, outputs = 0, {}
        for kind, extra in extras.items():
            stop = start + extra.content.shape[1]
            outputs[kind] = (predictions.queries(start, stop), extra)
            start = stop
        total = predictions.spans.shape[2]
        normed = decoded.normed[:, :, start:]
        return QueryOutputs(main, predictions.queries(start, total), normed, outputs)

    def _memory(self, state: GroundingState) -> tuple[Tensor, Tensor, Tensor]:
        """Tokens ``(B, S, D)``, mask ``(B, S)`` and positions ``(B, S, D)`` for the decoder."""
        video = (state.for_moments, state.video_mask, state.video_pos)
        if not self.attend_text:
            return video
        tokens = state.fused_text if state.memory_text is None else state.memory_text
        assert tokens is not None, 'required'
        text = (tokens, state.text_mask, state.text_pos)
        joined, mask, position = (torch.cat(pair, dim=1) for pair in zip(video, text))
        return joined, mask, position

    def _predict(self, decoded: Any) -> QueryPredictions:
        """Apply the prediction heads to all layers."""
        if self.span_head is None:
            spans = self.coder.spans(in_float32(decoded.refined))
        else:
            logits = self.coder.logits(decoded.references, self.span_head(decoded.normed))
            spans = self.coder.spans(in_float32(logits).sigmoid())
        references = self._reference_spans(decoded.references)
        quality = None
        if self.quality_head is not None:
            spans_so_far = self.coder.spans(decoded.refined)
            sine = sine_span_embedding(spans_so_far, decoded.hidden.shape[-1]).detach()
            quality = self.quality_head(torch.cat((decoded.hidden, sine), dim=-1)).squeeze(-1)
        return QueryPredictions(self.class_head(decoded.normed), spans, quality, references)

    @staticmethod
    def _blocked(mask: Tensor, num_main: int, extras: dict[str, ExtraQueries]) -> Tensor:
        """Self-attention mask ``(B, Q, Q)``, True = must not see; everyone sees itself."""
        denoising, collab = extras.get('denoising'), extras.get('collab')
        groups = query_group_mask(
            num_main,
            0 if collab is None else collab.content.shape[1],
            None if denoising is None else denoising.group,
            device=mask.device,
        )
        itself = torch.eye(mask.shape[1], dtype=torch.bool, device=mask.device)
        return (groups | ~mask[:, None, :]) & ~itself

    def _denoising_queries(self, state: GroundingState) -> ExtraQueries:
        """Noisy copies of the moments, with a learned content."""
        assert self.denoising is not None
        targets = state.targets
        noisy = self.denoising(targets.spans, targets.span_mask)
        content = self.denoising_content * noisy.valid.unsqueeze(-1)
        index = noisy.gt_index.unsqueeze(-1).expand(-1, -1, 2)
        wanted = ExtraTargets(noisy.valid, noisy.is_positive, targets.spans.gather(1, index))
        visible = noisy.valid
        if self.denoising_sees_unused:
            visible = torch.ones_like(visible)
        references = self.coder.from_spans(noisy.references.sigmoid())
        return ExtraQueries(content, references, wanted, visible, noisy.group)

    def loss(self, state: GroundingState) -> dict[str, Tensor]:
        """Match all stages at once and compare; every loss sees the same matching."""
        if not self.losses:
            return {}
        outputs: QueryOutputs = state.moment_outputs['queries']
        losses = self.queries.loss(outputs.proposals, state)
        layers, proposals = self.assign(outputs, state)
        losses |= self.losses(layers, state, proposals, self.stage_weights)
        for kind, (predictions, queries) in outputs.extra.items():
            extra = assign_extra(predictions, queries.targets)
            losses |= self.extra_losses[kind](extra, state, None, self.stage_weights)
        return losses

    def assign(
        self, outputs: QueryOutputs, state: GroundingState
    ) -> tuple[AssignedPredictions, AssignedPredictions | None]:
        """Match the queries of every stage with the moments.

        Returns:
            The decoder layers, and the same with the proposals in front where these learn too.
        """
        predictions, proposals = outputs.predictions, outputs.proposals
        supervised = self.queries.supervised
        stages = predictions.after(proposals) if supervised else predictions
        query_index = self.matcher(
            MatchInputs(
                logits=stages.logits,
                spans=stages.spans,
                quality=stages.quality,
                references=self._reference_spans(proposals.reference),
                mask=proposals.mask,
                pairs=self.queries.pairs(state.targets, proposals.mask.shape[1]),
            ),
            state.targets.spans,
            state.targets.span_mask,
        )
        assigned = assign_matched(stages, state.targets.spans, query_index, proposals.mask)
        assigned = replace(assigned, moments=state.targets.spans.unsqueeze(0))
        if not supervised:
            return with_states(assigned, outputs.normed), None
        # The proposals correct no reference and come from no decoder state.
        layers = assigned.stages(1, references=predictions.references, states=outputs.normed)
        return layers, assigned

    def _reference_spans(self, references: Tensor | None) -> Tensor | None:
        """Centre and width of references ``(B, Q, R)``."""
        return None if references is None else self.coder.spans(references)

    def _scored(self, outputs: QueryOutputs) -> tuple[Tensor, Tensor, Tensor]:
        """Spans ``(B, Q, 2)`` normalised, scores and class probabilities ``(B, Q)`` of the last
        layer; queries that stand for nothing have score 0."""
        last = outputs.predictions.last()
        probability = foreground_probability(last.logits)
        score = probability
        if last.quality is not None:
            score = self._combined(probability, last.quality.sigmoid())
        mask = outputs.proposals.mask
        return last.spans, score * mask, probability * mask

    def _combined(self, probability: Tensor, quality: Tensor) -> Tensor:
        """Score ``(B, Q)`` of class probability and quality."""
        alpha = self.ranking['alpha']
        if alpha == 0.5:
            return (probability * quality).sqrt()
        return probability**alpha * quality ** (1 - alpha)

    def predict(self, state: GroundingState) -> dict[str, MomentList]:
        """The list ``detr``, see :meth:`ranked`."""
        return {'detr': self.ranked(state, self.ranking['digits'])}

    def ranked(self, state: GroundingState, score_digits: int | None = None) -> MomentList:
        """Every query, best first.

        Args:
            state: With ``moment_outputs``.
            score_digits: Round class probability and quality before they are combined.
        """
        outputs: QueryOutputs = state.moment_outputs['queries']
        spans, scores, probability = self._scored(outputs)
        quality = outputs.predictions.last().quality
        if score_digits is not None and quality is not None:
            rounded = round_scores(probability, score_digits)
            scores = self._combined(rounded, round_scores(quality.sigmoid(), score_digits))
        end = state.duration[:, None, None]
        seconds = cxw_to_xx(spans) * end
        if self.ranking['clamp']:
            seconds = seconds.clamp(min=0).minimum(end)
        mask = outputs.proposals.mask
        key = probability if self.ranking['by'] == 'class' else scores
        order = key.masked_fill(~mask, -1).argsort(dim=1, descending=True, stable=True)
        return take_moments(MomentList(seconds, scores, mask), order)


def _class_head(dim: int, num_logits: int, prior: float | None) -> nn.Linear:
    """A layer that says ``prior`` for everything at first; None keeps PyTorch's initialisation."""
    head = nn.Linear(dim, num_logits)
    if prior is not None:
        nn.init.normal_(head.weight, std=0.01)
        nn.init.constant_(head.bias, torch.tensor(prior).logit().item())
    return head


def _whole_ranking(given: Ranking | None) -> Ranking:
    usual: Ranking = {'by': 'score', 'alpha': 0.5, 'digits': None, 'clamp': True}
    ranking: Ranking = {**usual, **(given or {})}
    if not 0 <= ranking['alpha'] <= 1:
        raise ConfigError(f'QueryHead: ranking.alpha must be from 0 to 1, got {ranking["alpha"]}.')
    return ranking
