# SPDX-License-Identifier: Apache-2.0
"""Old names in users' configs, refused with the new ones."""

import inspect
import re
from collections.abc import Mapping
from typing import Any

from vtg.utils import ConfigError

# Types of components.
RENAMED: dict[str, str] = {'PyramidHead': 'PointHead'}
_FEATURES = (
    'normalize_video', 'normalize_text', 'tef', 'max_video_clips', 'max_text_tokens',
    'txt_drop_ratio', 'pad_to_multiple', 'unrated_clips', 'length_tolerance',
)  # fmt: skip
_POSITIONS = ('scale_first_layer', 'chained_key_position', 'add_first_position', 'min_width')
_LABELS = ('saliency', 'max_windows', 'duration_from', 'source_rule')
# Arguments by type or its base class; `*` stands for every type that does not take the argument.
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
        **{
            name: f'scores.{name}'
            for name in ('kernel_size', 'num_convs', 'num_linear', 'refine', 'mix')
        },
    },
    'ClipWordCorrelation': {
        'sentence_layers': 'sentence_encoder.num_layers',
        'sentence_heads': 'sentence_encoder.num_heads',
        'sentence_dropout': 'sentence_encoder.dropout',
    },
    'TaskDecoupledUnit': {
        'pool_size': 'pool.kernel_size',
        'mask_padding': 'pool.mask_padding',
    },
    'QueryHead': {
        'loss': 'losses',
        'alignment': 'losses.align',
        'denoising': 'extras.denoising.generator',
        'denoising_sees_unused': 'extras.denoising.sees_unused',
        'rank_by': 'ranking.by',
        'score_digits': 'ranking.digits',
        'clamp': 'ranking.clamp',
    },
    'SpanDecoder': {name: f'positions.{name}' for name in _POSITIONS},
    'GroundingDataset': {
        **{name: f'features.{name}' for name in _FEATURES},
        **{name: f'labels.{name}' for name in _LABELS},
        'padding_is_valid': 'features.mask_padding (False where padding counts as clips)',
    },
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


def check_renamed(place: str, cfg: Mapping[str, Any], cls: Any) -> None:
    """Refuse a component of a config that has an old name or an argument with one.

    Args:
        place: Where the component stands in the config.
        cfg: The component's config, with a ``type``.
        cls: The class or function that the type names, None where there is none.

    Raises:
        ConfigError: With the new name.
    """
    name = str(cfg['type'])
    if name in RENAMED:
        raise ConfigError(
            f'{place}.type is {name!r}, which is called {RENAMED[name]!r} now; write '
            f"{place}.type='{RENAMED[name]}'."
        )
    bases = [base.__name__ for base in inspect.getmro(cls)] if inspect.isclass(cls) else [name]
    taken = inspect.signature(cls).parameters if cls is not None else {}
    for owner in ('*', *bases):
        for old, new in RENAMED_KEYS.get(owner, {}).items():
            if old in cfg and old not in taken:
                raise ConfigError(
                    f'{place}.{old} is called {new} now; write {place}.{new}, '
                    'or leave it away where a base config sets it.'
                )

    for old, new in MOVED_KEYS.get(name, {}).items():
        if old in cfg:
            raise ConfigError(f'{place}.{old} has moved; write {new} in its stead.')
