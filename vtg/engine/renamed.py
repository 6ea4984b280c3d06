# SPDX-License-Identifier: Apache-2.0
"""Old names in users' configs, refused with the new ones."""

import inspect
import re
from collections.abc import Mapping
from typing import Any

from mmengine.registry import Registry

from vtg.utils import ConfigError

# Types of components.
RENAMED: dict[str, str] = {'PyramidHead': 'PointHead'}
# Arguments by type; `*` stands for every type that does not take the argument itself.
RENAMED_KEYS: dict[str, dict[str, str]] = {
    '*': {'loss_weight': 'weight'},
    'ATSSHead': {'loss_weights': 'losses.<name>.weight'},
    'ClipOffsetHead': {
        'loss_weights': 'losses.<name>.weight',
        'background_weight': 'losses.label.background_weight',
    },
    'PointHead': {
        'loss_weights': 'losses.<name>.weight',
        'label_target': 'losses.label.type',
        'gamma': 'losses.label.gamma',
        'clip_score_over': 'losses.clip_score.over',
    },
    'QueryHead': {'loss': 'losses', 'alignment': 'losses.align'},
}
# Names of weights in checkpoints, as patterns.
RENAMED_WEIGHTS: dict[str, str] = {
    r'^(moment_head\.(?:query_head\.)?)alignment\.': r'\1losses.align.',
}


def renamed_weight(key: str) -> str:
    """Return the name that a weight of a checkpoint has now."""
    for old, new in RENAMED_WEIGHTS.items():
        key = re.sub(old, new, key)
    return key


# Arguments that another component took over, and its place in the config, by type.
_SUPPRESSION = {'nms': 'model.test_cfg.post_processor.steps.nms'}
MOVED_KEYS: dict[str, dict[str, str]] = dict.fromkeys(
    ('QVHighlightsMetric', 'MomentRetrievalMetric', 'GroundingMetric'), _SUPPRESSION
)


def check_renamed(place: str, cfg: Mapping[str, Any], registries: list[Registry]) -> None:
    """Refuse a component of a config that has an old name or an argument with one.

    Args:
        place: Where the component stands in the config.
        cfg: The component's config, with a ``type``.
        registries: Where its class may be registered.

    Raises:
        ConfigError: With the new name.
    """
    name = str(cfg['type'])
    if name in RENAMED:
        raise ConfigError(
            f'{place}.type is {name!r}, which is called {RENAMED[name]!r} now; write '
            f"{place}.type='{RENAMED[name]}'."
        )
    renamed = RENAMED_KEYS['*'] | RENAMED_KEYS.get(name, {})
    for old, new in renamed.items():
        if old in cfg and not _takes(name, old, registries):
            raise ConfigError(
                f'{place}.{old} is called {new} now; write {place}.{new}, '
                'or leave it away where a base config sets it.'
            )

    for old, new in MOVED_KEYS.get(name, {}).items():
        if old in cfg:
            raise ConfigError(f'{place}.{old} has moved; write {new} in its stead.')


def _takes(name: str, argument: str, registries: list[Registry]) -> bool:
    """Whether the class ``name`` has an argument of that name."""
    cls = next((cls for registry in registries if (cls := registry.get(name)) is not None), None)
    return cls is not None and argument in inspect.signature(cls).parameters
