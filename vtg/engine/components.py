# SPDX-License-Identifier: Apache-2.0
"""The registered components: whether a config names existing ones, and what there is."""

import inspect
from collections.abc import Mapping
from typing import Any

from mmengine import registry as root
from mmengine.config import Config
from mmengine.registry import Registry
from mmengine.utils import get_object_from_string

from vtg import registry as ours
from vtg.utils import ConfigError, did_you_mean

from .renamed import check_renamed
from .tree import components_of, tree

# MMEngine looks these up without the default scope, so the name needs its prefix.
_SCOPES = ('vtg', 'mmengine')
_FUNCTIONS = ('collate_fn', 'worker_init_fn')


def check_components(cfg: Config | Mapping[str, Any]) -> None:
    """Check that every ``type`` in a config is registered and that nothing has an old name.

    Raises:
        ConfigError: One is not; names its place in the config and the nearest names, or the new
            name.
    """
    every: set[str] = set()
    for owner, component in components_of(tree(cfg)):
        if not every:
            every = {name for registry in _registries() for name in _names(registry)}
        place, name = f'{owner}.type', component['type']
        if not isinstance(name, str):
            continue  # a class; check_values refuses what is none
        check_renamed(owner, component, find_component(name))
        key = owner.rpartition('.')[2]
        if key in _FUNCTIONS and name in ours.FUNCTIONS.module_dict:
            raise ConfigError(f"{place} is {name!r}; write 'vtg.{name}', functions need the scope.")
        if name.split('.', 1)[-1] in every or _is_importable(name):
            continue
        hint = did_you_mean(name, every) or 'no name is similar.'
        raise ConfigError(
            f'{place} is {name!r}, which is not a registered component; {hint} '
            'tools/list_components.py lists them.'
        )


def check_registered(cfg: Mapping[str, Any], path: Any) -> None:
    """Check that every ``type`` is a registered name, for a config of somebody else: MMEngine would
    call whatever a dotted path names, as ``os.system``. Nor may it name a file that is a program.

    Raises:
        ConfigError: One is not, or does; names the file and the place in it.
    """
    known = {name for registry in _registries() for name in _names(registry)}
    for owner, component in components_of(cfg):
        name = component['type']
        if not isinstance(name, str):
            continue  # nothing is called by it
        scope, _, short = name.rpartition('.')
        if short not in known or scope not in ('', *_SCOPES) or '_scope_' in component:
            raise ConfigError(
                f'{path}: {owner}.type is {name!r}, which is not a registered component, and '
                'nothing else that a file of others names is called; import the module that '
                'registers it.'
            )
        if getattr(find_component(name), 'runs_programs', False):
            raise ConfigError(
                f'{path}: {owner} is a {name}, whose file is a program, and no program that a file '
                'of others names is run; if you trust where it comes from, name it yourself with '
                '--encoder.'
            )


def find_component(name: str) -> Any:
    """The class or function that a ``type`` names; None if there is none."""
    short = name.split('.', 1)[-1] if name.split('.', 1)[0] in _SCOPES else name
    for registry in _registries():
        registry.import_from_location()
        if short in registry.module_dict:
            return registry.module_dict[short]
    if _is_importable(name):
        return get_object_from_string(name)
    return None


def list_components() -> dict[str, dict[str, str]]:
    """Return ``{slot or registry: {name: one-line description}}`` of what the toolbox adds."""
    listing: dict[str, dict[str, str]] = {}
    for registry in _registries(of=ours):
        registry.import_from_location()
        for name, item in sorted(registry.module_dict.items()):
            listing.setdefault(group_of(item), {})[name] = (inspect.getdoc(item) or '').split(
                '\n', 1
            )[0]
    return dict(sorted(listing.items()))


def group_of(item: Any) -> str:
    """The slot that a component fits, or the name of the registry that it is in."""
    holders = (r for r in _registries(of=ours) if item in r.module_dict.values())
    return getattr(item, 'slot', '') or next(holders, ours.MODELS).name


def _registries(of: Any = None) -> list[Registry]:
    modules = [of] if of else [ours, root]
    return [
        item for module in modules for item in vars(module).values() if isinstance(item, Registry)
    ]


def _names(registry: Registry) -> list[str]:
    registry.import_from_location()
    return list(registry.module_dict)


def _is_importable(name: str) -> bool:
    """Whether ``name`` is the full path of a class, as in ``'torch.nn.Linear'``."""
    if '.' not in name:
        return False
    return callable(get_object_from_string(name))
