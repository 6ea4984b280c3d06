# SPDX-License-Identifier: Apache-2.0
"""Losses of moment heads: the base class, and a dict of named ones."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, ClassVar

from torch import Tensor, nn

from vtg.models.base import Component
from vtg.registry import MODELS
from vtg.structures import GroundingState
from vtg.utils import ConfigError

from .assigned import AssignedPredictions

LossConfigs = Mapping[str, Mapping[str, Any] | None]


class MomentLoss(Component):
    """Base class of the losses of moment heads.

    A loss sees :class:`AssignedPredictions` and so fits every head that gives what it ``needs``.

    Args:
        weight: Factor of the term; 0 computes and logs it, None instead of the loss removes it.

    Attributes:
        needs: Fields of the assigned predictions that it reads.
        num_logits: Numbers of logits per entry that it can do with; 0 is a head without any.
        own_name: Its term is called ``loss_<name>`` in every head, without the head's prefix.
    """

    slot = 'moment_loss'
    needs: tuple[str, ...] = ()
    num_logits: ClassVar[tuple[int, ...]] = (0, 1, 2)
    own_name: ClassVar[bool] = False

    def __init__(self, weight: float = 1.0) -> None:
        super().__init__()
        self.weight = weight

    def forward(  # type: ignore[override]
        self, assigned: AssignedPredictions, state: GroundingState
    ) -> Tensor:
        """Return the weighted loss ``(S,)`` of every stage."""
        return self.weight * self.compute(assigned, state)

    def compute(self, assigned: AssignedPredictions, state: GroundingState) -> Tensor:
        """Return the unweighted loss ``(S,)``.

        Args:
            assigned: Predictions of S stages with their targets.
            state: Gives masks, text and clip labels.
        """
        raise NotImplementedError

    def extra_repr(self) -> str:
        return f'weight={self.weight}'


class MomentLosses(nn.ModuleDict):
    """The named losses of a moment head.

    Args:
        losses: Configs by name; None removes a term that a base config has.
        prefix: Of the terms: ``loss_<prefix><name>``.
    """

    def __init__(self, losses: LossConfigs, prefix: str = '') -> None:
        super().__init__(
            {name: _build(name, cfg) for name, cfg in losses.items() if cfg is not None}
        )
        self.prefix = prefix

    def forward(
        self,
        assigned: AssignedPredictions,
        state: GroundingState,
        proposals: AssignedPredictions | None = None,
        stage_weights: Mapping[str, float] | None = None,
    ) -> dict[str, Tensor]:
        """Return the weighted terms.

        The last stage has no suffix, earlier ones their index; the terms of proposals are called
        ``loss_proposal_<name>``.

        Args:
            assigned: What the head predicts.
            state: Gives masks, text and clip labels.
            proposals: The same with one stage in front, that of predictions which the others start
                from; losses of fields that these lack see ``assigned`` alone.
            stage_weights: Factors of ``proposals`` and of ``layers``, all stages but the last.
        """
        factors = {'layers': 1.0, 'proposals': 1.0, **(stage_weights or {})}
        terms: dict[str, Tensor] = {}
        for name, loss in self.named_losses():
            if proposals is not None and proposals.gives(loss.needs):
                first, *stages = loss(proposals, state).unbind()
                terms[f'loss_proposal_{name}'] = factors['proposals'] * first
            elif assigned.gives(loss.needs):
                stages = list(loss(assigned, state).unbind())
            else:
                continue
            full_name = f'loss_{name}' if loss.own_name else f'loss_{self.prefix}{name}'
            terms[full_name] = stages.pop()
            for layer, value in enumerate(stages):
                terms[f'{full_name}_{layer}'] = factors['layers'] * value
        return terms

    def named_losses(self) -> Iterator[tuple[str, MomentLoss]]:
        """Yield every loss with its name."""
        for name, loss in self.items():
            assert isinstance(loss, MomentLoss)
            yield name, loss

    def read(self, field: str) -> bool:
        """Whether a loss reads this field of the assigned predictions."""
        return any(field in loss.needs for _, loss in self.named_losses())

    def check_fit(
        self,
        head: str,
        gives: Collection[str],
        num_logits: int = 1,
        remedies: Mapping[str, str] | None = None,
        scored: Collection[str] = (),
    ) -> None:
        """Check that a head gives what the losses read, and that what enters its scores learns.

        Args:
            head: Name of the head for the sentence.
            gives: Optional fields of the assigned predictions that it sets.
            num_logits: Logits per entry; 0 where spans alone are predicted.
            remedies: Setting of the head that makes it give a field.
            scored: Fields that need a loss, unless there is none at all.

        Raises:
            ConfigError: One does not fit; says what to set.
        """
        for name, loss in self.named_losses():
            kind = f'{head}: losses.{name} ({type(loss).__name__})'
            for field in loss.needs:
                if field not in gives:
                    way = (remedies or {}).get(field)
                    raise ConfigError(
                        f'{kind} needs `{field}`, which this head does not give; set '
                        f'{f"{way}, or " if way else ""}losses.{name}=None.'
                    )
            if num_logits == 0 and 0 not in loss.num_logits:
                raise ConfigError(
                    f'{kind} compares logits, and there are none here; set losses.{name}=None.'
                )
            if num_logits not in loss.num_logits:
                raise ConfigError(
                    f'{kind} compares {loss.num_logits[0]} logits, but this head has {num_logits}; '
                    f"set losses.{name}=dict(type='SigmoidClassLoss')"
                    + (' or num_logits=2.' if 'num_logits' in (remedies or {}) else '.')
                )
        for field in scored if len(self) else ():
            if not self.read(field):
                way = (remedies or {}).get(f'no {field}')
                raise ConfigError(
                    f'{head}: the head predicts a {field} that enters its scores, but nothing '
                    f"trains it; set losses.{field}, for example to dict(type='"
                    f"{field.capitalize()}Loss'){f', or {way}' if way else ''}."
                )


def _build(name: str, cfg: Mapping[str, Any]) -> MomentLoss:
    loss = MODELS.build(dict(cfg))
    if not isinstance(loss, MomentLoss):
        raise ConfigError(
            f'losses.{name} of a moment head got {type(loss).__name__}, which is of kind '
            f'{getattr(loss, "slot", "module")} and not {MomentLoss.slot}; '
            'tools/list_components.py lists those that fit.'
        )
    return loss
