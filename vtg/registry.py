# SPDX-License-Identifier: Apache-2.0
"""The registries of the toolbox: children of MMEngine's root registries with scope ``vtg``.

A registry imports its package the first time something is looked up in it, so ``import vtg`` stays
cheap and a config can name every component without imports of its own.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mmengine import registry as root
from mmengine.registry import Registry as _Registry
from mmengine.registry import build_from_cfg

from vtg.utils import ConfigError, did_you_mean, printable
from vtg.utils.arguments import PlacedError, check_arguments, shown

# What a constructor raises for values that it cannot work with.
_REFUSALS = (
    TypeError, ValueError, ArithmeticError, AssertionError, LookupError, AttributeError,
    RuntimeError, MemoryError,
)  # fmt: skip


def _build(cfg: Any, *args: Any, registry: _Registry, **kwargs: Any) -> Any:
    """Build ``cfg``; whatever is wrong with it becomes one sentence with its place.

    Raises:
        PlacedError: ``type`` is unknown, an argument is, or the component refuses a value. The
            error that the component raised is the ``__cause__``.
    """
    target = target_of(cfg, registry)
    name = getattr(target, '__name__', str(target))
    given = {key: value for key, value in cfg.items() if key not in ('type', '_scope_')}
    root = getattr(target, 'place', '')
    with located(cfg, root if isinstance(root, str) and root else name, name):
        defaults = kwargs.get('default_args') or {}
        check_arguments(target, {**defaults, **given})
        return build_from_cfg(cfg, registry, *args, **kwargs)


def target_of(cfg: Any, registry: _Registry) -> Any:
    """The class or function that a config names.

    Raises:
        PlacedError: ``cfg`` is no dict with a ``type`` that is registered.
    """
    if not isinstance(cfg, dict):
        raise PlacedError(
            f' is {shown(cfg)}; expected a dict with the type of a {registry.name}.', cfg=cfg
        )
    if cfg.get('type') is None:
        raise PlacedError(f' has no type; name a {registry.name} there.', cfg=cfg)
    name = cfg['type']
    if not isinstance(name, str):
        if callable(name):
            return name
        raise PlacedError(f' is {shown(name)}; name a {registry.name}.', 'type', cfg=cfg)
    target = registry.get(name)
    if not callable(target):  # a registry finds modules too
        close = did_you_mean(name, registered_names(registry))
        hint = close or 'list them with tools/list_components.py.'
        raise PlacedError(f': {name!r} is not a registered {registry.name}; {hint}', cfg=cfg)
    return target


@contextmanager
def located(cfg: Any, root: str = '', name: str = '') -> Iterator[None]:
    """Name the place of whatever is wrong with ``cfg`` or with a part that is built from it.

    Args:
        cfg: A config, or a part of one.
        root: Its own dotted place, or what to call it where that is not known.
        name: The component that is built from it; errors of its constructor become sentences.
    """
    try:
        yield
    except PlacedError as error:
        own = error.cfg is cfg or error.cfg is None
        key = '' if own else _key_of(error.cfg, cfg)
        raise error.within(key, root, cfg) from error.__cause__
    except ConfigError as error:
        text = str(error)
        if 'model.' in text or text.startswith(
            ('--', f'{root} ', f'{root}.', f'{root}:')
        ):  # has its place
            raise
        raise PlacedError(f': {text}', '', root, cfg) from error
    except _REFUSALS as error:
        if not name:
            raise
        reason = ' '.join(printable(f'{error}').split()).rstrip('.') or type(error).__name__
        if isinstance(error, KeyError):
            reason = f'key {reason} is missing'
        raise PlacedError(
            f': {name} cannot be built from these values: {reason[:500]}.', '', root, cfg
        ) from error


def _key_of(part: Any, whole: Any) -> str:
    """Dotted place of a part in a config; it may be a copy with defaults filled in."""
    places = list(_dicts(whole))
    for key, node in places:
        if node is part:
            return key
    if isinstance(part, dict):
        for key, node in places:
            if (
                isinstance(node, dict)
                and node.get('type') == part.get('type')
                and _within(node, part)
            ):
                return key
    return ''


def _within(node: dict, part: dict) -> bool:
    return all(item == part.get(key) for key, item in node.items() if not _nested(item))


def _nested(value: Any) -> bool:
    return isinstance(value, dict | list | tuple)


def _dicts(node: Any, place: str = '') -> Iterator[tuple[str, Any]]:
    """Yield every place and value below ``node``."""
    items = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in items:
        full = f'{place}.{key}' if place else str(key)
        yield full, value
        if _nested(value):
            yield from _dicts(value, full)


class Registry(_Registry):
    """A child registry whose look-up failures name the nearest registered components."""

    def __init__(
        self, name: str, parent: _Registry | None = None, location: str | None = None
    ) -> None:
        locations = [] if location is None else [location]
        super().__init__(name, build_func=_build, parent=parent, scope='vtg', locations=locations)

    def get(self, key: str) -> Any:
        """What is registered under a name, here or in a parent, or what the path of a module and a
        name in it lead to; None where nothing is found.

        A model asks hundreds of times. For every plain name MMEngine writes a line of the log, or
        searches the disk for a module that is called so.
        """
        if '.' in key:
            return super().get(key)
        self.import_from_location()
        node: _Registry | None = self
        while node is not None and key not in node.module_dict:
            node = node.parent
        return None if node is None else node.module_dict[key]


def registered_names(registry: _Registry) -> list[str]:
    """Return every name that ``registry`` or one of its parents can build."""
    names: list[str] = []
    node: _Registry | None = registry
    while node is not None:
        node.import_from_location()
        names += list(node.module_dict)
        node = node.parent
    return names


MODELS = Registry('model component', root.MODELS, 'vtg.models')
TASK_UTILS = Registry('task module', root.TASK_UTILS, 'vtg.models.task_modules')
DATASETS = Registry('dataset', root.DATASETS, 'vtg.datasets')
TRANSFORMS = Registry('transform or feature store', root.TRANSFORMS, 'vtg.datasets')
DATA_SAMPLERS = Registry('data sampler', root.DATA_SAMPLERS, 'vtg.datasets')
FUNCTIONS = Registry('function', root.FUNCTIONS, 'vtg.datasets')
METRICS = Registry('metric', root.METRICS, 'vtg.evaluation.metrics')
HOOKS = Registry('hook', root.HOOKS, 'vtg.engine')
LOG_PROCESSORS = Registry('log processor', root.LOG_PROCESSORS, 'vtg.engine')
ENCODERS = Registry('encoder, captioner or scorer', location='vtg.extraction.encoders')
ANNOTATION_FORMATS = Registry('annotation format', location='vtg.formats')
OPTIM_WRAPPERS = Registry('optimizer wrapper', root.OPTIM_WRAPPERS, 'vtg.engine')
PARAM_SCHEDULERS = Registry('parameter scheduler', root.PARAM_SCHEDULERS, 'vtg.engine')

# Nothing of ours is in these. MMEngine looks for a child of the current scope in each of them, and
# warns where there is none.
LOOPS = Registry('loop', root.LOOPS)
MODEL_WRAPPERS = Registry('model wrapper', root.MODEL_WRAPPERS)
OPTIMIZERS = Registry('optimizer', root.OPTIMIZERS)
OPTIM_WRAPPER_CONSTRUCTORS = Registry(
    'optimizer wrapper constructor', root.OPTIM_WRAPPER_CONSTRUCTORS
)
RUNNERS = Registry('runner', root.RUNNERS)
VISBACKENDS = Registry('visualization backend', root.VISBACKENDS)
VISUALIZERS = Registry('visualizer', root.VISUALIZERS)
