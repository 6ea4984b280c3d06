# SPDX-License-Identifier: Apache-2.0
"""Queries that exist in training only, and their losses."""

from collections.abc import Mapping
from typing import Any, TypedDict, cast, get_type_hints

from torch import nn

from vtg.models.losses import MomentLosses
from vtg.models.losses.moment import LossConfigs
from vtg.utils import check_keys


class ExtraLosses(TypedDict, total=False):
    """Losses of one kind of extra query."""

    weight: float
    losses: dict[str, dict | None]


class DenoisingOptions(ExtraLosses, total=False):
    """Where denoising queries come from and what they see; without a generator are none."""

    generator: dict | None
    sees_unused: bool


class Extras(TypedDict, total=False):
    """Extra queries by kind."""

    collab: ExtraLosses
    denoising: DenoisingOptions


# Queries that are made from a target know it, so nothing about them is background by default.
_LABEL = {'type': 'SigmoidClassLoss', 'background_weight': 1.0}
# Co-DETR's queries from anchors (Zong et al., 2023) and DINO's from noisy moments (Zhang et al.,
# 2023) in the form of SG-DETR's released code.
EXTRAS: dict[str, dict[str, Any]] = {
    'collab': {
        'weight': 0.5,
        'losses': {'label': _LABEL, 'span': {'type': 'L1SpanLoss', 'on': 'ends'}},
    },
    'denoising': {
        'weight': 0.5,
        'losses': {'label': _LABEL, 'span': {'type': 'SmoothL1SpanLoss'}},
    },
}


def build_extra_losses(
    extras: Extras | None,
    losses: LossConfigs,
    built: MomentLosses,
    num_logits: int,
) -> nn.ModuleDict:
    """Build the losses of every kind of extra query.

    They are those of the head that read logits and spans alone, with others in the place of some,
    and a factor on all of their weights.

    Args:
        extras: By kind ``weight``, the factor, and ``losses`` by the names of the head's; what is
            left away is as in ``EXTRAS``.
        losses: Configs of the losses of the head.
        built: Those losses.
        num_logits: Logits per query.

    Raises:
        ConfigError: A kind or a loss is unknown, or needs what extra queries do not give.
    """
    check_keys(extras, EXTRAS, 'extras')
    kinds = nn.ModuleDict()
    for kind, default in EXTRAS.items():
        place = f'extras.{kind}'
        known = get_type_hints(get_type_hints(Extras)[kind])
        given: Mapping[str, Any] = check_keys(cast(Any, (extras or {}).get(kind)), known, place)
        own = check_keys(given.get('losses'), losses, f'{place}.losses')
        replaced = {**default['losses'], **own}
        factor = given.get('weight', default['weight'])
        configs: dict[str, dict[str, Any] | None] = {}
        for name, loss in built.items():
            cfg = replaced.get(name, losses[name])
            if cfg is not None and (name in own or not loss.needs):
                configs[name] = {**cfg, 'weight': factor * cfg.get('weight', loss.weight)}
        own_losses = MomentLosses(configs, f'{kind}_')
        own_losses.check_fit(f'QueryHead.{place}', (), num_logits)
        kinds[kind] = own_losses
    return kinds
