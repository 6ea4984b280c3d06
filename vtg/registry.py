# SPDX-License-Identifier: Apache-2.0
"""The registries of the toolbox: children of MMEngine's root registries with scope ``vtg``.

A registry imports its package the first time something is looked up in it, so ``import vtg`` stays
cheap and a config can name every component without imports of its own.
"""

from typing import Any

from mmengine import registry as root
from mmengine.registry import Registry as _Registry
from mmengine.registry import build_from_cfg

from vtg.utils import ConfigError, nearest_names


def _build(cfg: dict, *args: Any, registry: _Registry, **kwargs: Any) -> Any:
    """Build ``cfg`` and turn an unknown ``type`` into a sentence with the nearest names."""
    name = cfg.get('type') if isinstance(cfg, dict) else None
    if isinstance(name, str) and registry.get(name) is None:
        close = nearest_names(name, registered_names(registry))
        hint = 'list them with tools/list_components.py.'
        if close:
            hint = f'did you mean {" or ".join(close)}?'
        raise ConfigError(f'{name!r} is not a registered {registry.name}; {hint}')
    return build_from_cfg(cfg, registry, *args, **kwargs)


class Registry(_Registry):
    """A child registry whose look-up failures name the nearest registered components."""

    def __init__(
        self, name: str, parent: _Registry | None = None, location: str | None = None
    ) -> None:
        locations = [] if location is None else [location]
        super().__init__(name, build_func=_build, parent=parent, scope='vtg', locations=locations)


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
