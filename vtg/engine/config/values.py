# SPDX-License-Identifier: Apache-2.0
"""The values of a config, checked with their place before anything is built."""

import difflib
import typing
from collections.abc import Mapping
from typing import Any

from mmengine.config import Config
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop, TestLoop, ValLoop
from torch import nn

from vtg.utils import ConfigError, check_choice
from vtg.utils.arguments import PlacedError, check_arguments, check_value, shown

from ..components import find_component
from ..tree import components_of, tree
from .schema import Run

RUN_KEYS = typing.get_type_hints(Run)
# Keys that MMEngine takes out of a config before it builds the component, by the key it stands at.
_TAKEN = {
    'default_hooks': ('priority',),
    'custom_hooks': ('priority',),
    'param_scheduler': ('convert_to_iter_based',),
    'optim_wrapper': ('constructor', 'paramwise_cfg'),
}
_SIMILAR = 0.8


def check_values(cfg: Config | Mapping[str, Any]) -> None:
    """Check the keys and values of a config: of the run, and the arguments of every component.

    Arguments that are missing are left to the builder, which knows the defaults of the model.

    Raises:
        ConfigError: With the dotted place of what is wrong, and what is expected there.
    """
    root = tree(cfg)
    for key, value in root.items():
        if key in RUN_KEYS:
            check_value(value, RUN_KEYS[key], key, '', key)
        else:
            _check_unknown(key)
    for place, node in components_of(root):
        if place:
            _check_component(place, node)
    for name in ('train_cfg', 'val_cfg', 'test_cfg'):
        _check_loop(name, root.get(name))


def _check_unknown(key: str) -> None:
    """A config may define names of its own, but not ones that look like a slip."""
    close = difflib.get_close_matches(key, RUN_KEYS, n=1, cutoff=_SIMILAR)
    if close and not key.startswith('_'):
        raise ConfigError(
            f'the config sets {key}, which nothing reads; did you mean {close[0]}? A name of your '
            'own begins with an underscore.'
        )


def _check_component(place: str, node: Mapping[str, Any]) -> None:
    name = node['type']
    top = place.split('.', 1)[0]
    if name is None:
        raise ConfigError(
            f'{place}.type is None; name a component there, or set {place}=None to leave it out.'
        )
    target = find_component(name) if isinstance(name, str) else name
    if not callable(target):
        raise ConfigError(f'{place}.type is {shown(name)}; expected the name of a component.')
    taken = ('type', '_scope_', *_TAKEN.get(top, ()))
    given = {key: value for key, value in node.items() if key not in taken}
    _check_clipping(f'{place}.clip_grad', given.get('clip_grad'))
    try:
        check_arguments(target, given, complete=False)
    except PlacedError as error:
        raise error.within(place) from None


def _check_clipping(place: str, options: Any) -> None:
    """The arguments of a function of PyTorch, which the optimizer wrapper hands on."""
    if not isinstance(options, Mapping):
        return
    by_value = options.get('type', 'norm') == 'value'
    target = nn.utils.clip_grad_value_ if by_value else nn.utils.clip_grad_norm_
    given = {key: value for key, value in options.items() if key != 'type'}
    try:
        check_choice(options.get('type', 'norm'), ('norm', 'value'), f'{place}.type')
        check_arguments(target, {'parameters': None, **given})
    except PlacedError as error:
        raise error.within(place) from None


def _check_loop(name: str, loop: Any) -> None:
    """A loop without a type is MMEngine's: a training one by epochs or by iterations."""
    if not isinstance(loop, Mapping) or 'type' in loop:
        return
    by_epoch = loop.get('by_epoch', True)
    training = EpochBasedTrainLoop if by_epoch else IterBasedTrainLoop
    target = {'train_cfg': training, 'val_cfg': ValLoop, 'test_cfg': TestLoop}[name]
    taken = ('by_epoch',) if name == 'train_cfg' else ()
    given = {key: value for key, value in loop.items() if key not in taken}
    try:
        check_arguments(target, given, complete=False)
    except PlacedError as error:
        raise error.within(name) from None
