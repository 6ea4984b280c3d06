# SPDX-License-Identifier: Apache-2.0
"""Where a config holds a setting, and what was meant by a key that it lacks."""

from collections.abc import Mapping
from typing import Any

from mmengine.config import Config

from vtg.utils import ConfigError, nearest_names

from ..tree import flatten, tree
from .values import RUN_KEYS

# Where a setting with a short name is looked for first.
_FIRST = ('optim_wrapper', 'train_cfg', 'train_dataloader', 'randomness')
# Other names of settings.
_ALIASES = {
    'epochs': 'max_epochs', 'epoch': 'max_epochs', 'num_epochs': 'max_epochs',
    'n_epoch': 'max_epochs', 'max_epoch': 'max_epochs', 'learning_rate': 'lr', 'bs': 'batch_size',
    'bsz': 'batch_size', 'batch': 'batch_size', 'eval_interval': 'val_interval',
    'hidden_size': 'hidden_dim', 'nheads': 'num_heads', 'enc_layers': 'num_layers',
    'workers': 'num_workers', 'wd': 'weight_decay', 'hidden': 'hidden_dim', 'heads': 'num_heads',
    'layers': 'num_layers', 'output_dir': 'work_dir', 'checkpoint': 'load_from',
}  # fmt: skip


def meant_places(cfg: Config, name: str) -> list[str]:
    """Where a config holds a setting that is called by a short or usual name, likeliest first.

    Args:
        cfg: A config.
        name: ``'lr'``, ``'epochs'``, or a whole dotted place.
    """
    leaves = [place for place, _ in flatten(tree(cfg))]
    for known in (name, _ALIASES.get(name, name)):
        if known in leaves:
            return [known]
        places = [place for place in leaves if place.split('.')[-1] == known]
        if places:
            # What belongs to the run before what belongs to a component of the model.
            rank = {top: number for number, top in enumerate(_FIRST)}
            return sorted(places, key=lambda at: (rank.get(at.split('.')[0], len(rank)), len(at)))
    return []


def check_key(cfg: Config, key: str) -> None:
    """Check that a config has what an override names, or that a new key would be read.

    Args:
        cfg: A config.
        key: Its dotted place; with ``+`` in front that of a new one.

    Raises:
        ConfigError: It has not; names the nearest places.
    """
    if key.startswith('+'):
        _check_new_key(cfg, key[1:])
        return
    node: Any = tree(cfg)
    done: list[str] = []
    for part in key.split('.'):
        if isinstance(node, list | tuple):
            known = [str(index) for index in range(len(node))]
        else:
            known = list(node) if isinstance(node, Mapping) else []
        if part not in known:
            place = '.'.join(done)
            have = _suggestion(cfg, key) or _nearest(done, part, known) or _has(place, node, known)
            raise ConfigError(
                f'--cfg-options names {key}, but the config has no {".".join([*done, part])}; '
                f'{have} Write +{key}=... to add a new key.'
            )
        node = node[int(part)] if isinstance(node, list | tuple) else node[part]
        done.append(part)


def _check_new_key(cfg: Config, key: str) -> None:
    """A new key at the top would be read by nothing."""
    name = key.split('.')[0]
    if name in cfg or name in RUN_KEYS:
        return
    hint = _suggestion(cfg, key) or _nearest([], name, [*cfg, *RUN_KEYS]) or ''
    raise ConfigError(f'--cfg-options adds {key}, but nothing reads {name}; {hint}'.rstrip('; '))


def _suggestion(cfg: Config, key: str) -> str:
    """What was meant by the short name of a setting that lies deeper in the config."""
    places = [] if '.' in key else meant_places(cfg, key)
    return f'did you mean {" or ".join(places[:3])}?' if places else ''


def _nearest(done: list[str], part: str, known: list[str]) -> str:
    close = ['.'.join([*done, name]) for name in nearest_names(part, known)]
    return f'did you mean {" or ".join(close)}?' if close else ''


def _has(place: str, node: Any, known: list[str]) -> str:
    if not isinstance(node, Mapping | list | tuple):
        return f'{place} is {node!r}.'
    return f'{place or "it"} has {", ".join(known) or "no keys"}.'
