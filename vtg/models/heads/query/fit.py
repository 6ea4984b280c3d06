# SPDX-License-Identifier: Apache-2.0
"""Whether the parts of a query head fit each other; says what to set where they do not."""

from typing import Any

from vtg.models.losses import MomentLosses
from vtg.utils import ConfigError

from .sources import QuerySource


def check_spans(
    dim: int, queries: QuerySource, decoder: Any, quality: bool, generator: dict | None
) -> None:
    """Refuse combinations that need spans where there are none.

    Args:
        dim: Width of the head.
        queries, decoder: Its parts.
        quality: Whether it predicts overlaps.
        generator: Config of the generator of denoising queries, None without them.
    """
    source, kind, coder = type(queries).__name__, type(decoder).__name__, decoder.coder
    if queries.gives_spans != decoder.refines_spans:
        fitting = 'spans' if decoder.refines_spans else 'learned slots'
        raise ConfigError(
            f'QueryHead: {kind} needs queries that are {fitting}, which {source} does not '
            'give; set queries to '
            f'{"LearnedQueries" if decoder.refines_spans else "LearnedSlots"}.'
        )
    size = coder.size
    if queries.gives_spans and queries.reference_dim != size:
        raise ConfigError(
            f'QueryHead: the references of {source} are {queries.reference_dim} numbers, '
            f'but those of {kind} with {type(coder).__name__} are {size}; set '
            f"queries=dict(type='LearnedQueries', reference_dim={size}) or another "
            'decoder.coder.'
        )
    if not queries.gives_spans and queries.dim != dim:
        raise ConfigError(
            f'QueryHead: the positions of {source} have {queries.dim} channels, but the '
            f'head works on {dim}; set queries.dim={dim}.'
        )
    for name, wanted in (('quality', quality), ('extras.denoising', generator)):
        if wanted and not decoder.refines_spans:
            raise ConfigError(
                f'QueryHead: {name} needs a decoder that refines spans, and {kind} does '
                f'not; use SpanDecoder or switch {name} off.'
            )


def check_supervision(queries: QuerySource, matcher: Any, num_logits: int, quality: bool) -> None:
    """Refuse matching costs whose predictions are not there, and proposals that do not fit.

    Args:
        queries, matcher: Parts of the head.
        num_logits: Logits per query.
        quality: Whether it predicts overlaps.
    """
    missing = {} if queries.gives_spans else {'references': 'LearnedQueries as queries'}
    if not quality:
        missing['quality'] = 'quality=True'
    for name, cost in matcher.costs.items():
        needed = getattr(cost, 'needs', None)
        if needed in missing:
            raise ConfigError(
                f'QueryHead: matcher.costs.{name} ({type(cost).__name__}) needs the predicted '
                f'{needed}, which this head does not give; set {missing[needed]} or '
                f'matcher.costs.{name}=None.'
            )
    for name, cost in matcher.costs.items():
        if getattr(cost, 'activation', '') == 'softmax' and num_logits == 1:
            raise ConfigError(
                f'QueryHead: matcher.costs.{name} takes a softmax over the one logit of every '
                "query, which is always 1; set its activation='sigmoid' or num_logits=2."
            )
    if not queries.supervised:
        return
    source = type(queries).__name__
    if num_logits != 1:
        raise ConfigError(
            f'QueryHead: the proposals of {source} have one logit, but num_logits is '
            f"{num_logits}; set num_logits=1 or queries=dict(type='LearnedQueries')."
        )
    if (queries.quality_head is not None) != quality:
        raise ConfigError(
            f'QueryHead: quality is {quality}, but {source} has '
            f'quality={not quality}; they are learned together, set both to the same.'
        )


def check_losses(
    losses: MomentLosses, queries: QuerySource, num_logits: int, quality: bool
) -> None:
    """Refuse losses that need what is not predicted, and a quality that nothing trains.

    Args:
        losses: Of the head.
        queries, num_logits, quality: See :func:`check_supervision`.
    """
    gives = {'states', 'moments'} | ({'quality'} if quality else set())
    if queries.gives_spans:
        gives.add('references')
    losses.check_fit(
        'QueryHead',
        gives,
        num_logits,
        {
            'quality': 'quality=True',
            'no quality': 'quality=False',
            'references': 'queries to LearnedQueries and decoder to SpanDecoder',
            'num_logits': 'num_logits',
        },
        scored=['quality'] if quality else [],
    )
