# SPDX-License-Identifier: Apache-2.0
"""The encoders of own videos and sentences that belong to the features of a model."""

from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.config import Config

from vtg.extraction.encoders import Encoder
from vtg.extraction.recipes import encoder_of, find_recipe, locate_weights, recipe_for
from vtg.registry import ENCODERS
from vtg.utils import ConfigError


def recipe_of(cfg: Config, facts: Mapping[str, Any] | None = None) -> str | None:
    """The recipe that a published model names, or that belongs to the benchmark of its config."""
    named = (facts or {}).get('features')
    return named or recipe_for(cfg.get('benchmark') or {})


def recipe_encoders(
    name: str | None, weights: Sequence[str] | None, device: str | None = None
) -> dict[str, Any]:
    """The encoders of a recipe, as arguments of ``Inferencer``; none where there is no recipe.

    Args:
        name: The recipe; None where a model has none.
        weights: ``NAME=PATH`` or folders, see :func:`vtg.extraction.recipes.locate_weights`. None
            does without encoders that need weights, as features in the place of videos do.
        device: Where they compute.

    Raises:
        ConfigError: Weights are missing, or given without a recipe.
    """
    if name is None:
        if weights:
            raise ConfigError(
                'the features of this model belong to no recipe (tools/extract_features.py '
                '--features list), so its weights have no names; give one --encoder per feature.'
            )
        return {}
    recipe = find_recipe(name)
    if weights is None and recipe.needs():
        return {}
    paths = locate_weights(recipe, name, weights or ())
    kinds = {'encoders': recipe.video, 'text_encoders': recipe.text, 'audio_encoders': recipe.audio}
    return {
        kind: [encoder_of(part, paths, device=device) for part in parts]
        for kind, parts in kinds.items()
    }


class Workshop:
    """Builds encoders, each config once: the same model may encode clips and sentences."""

    def __init__(self) -> None:
        self._built: list[tuple[dict[str, Any], Encoder]] = []

    def __call__(self, encoder: dict[str, Any] | Encoder) -> Encoder:
        """Build an encoder, or return what is one."""
        if not isinstance(encoder, dict):
            return encoder
        for config, built in self._built:
            if config == encoder:
                return built
        built = ENCODERS.build(dict(encoder))
        self._built.append((encoder, built))
        return built
