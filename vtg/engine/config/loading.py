# SPDX-License-Identifier: Apache-2.0
"""Loading of a config: everything that happens to it before anything is built from it."""

import importlib.util
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config

from vtg.utils import LOADERS, ConfigError, find_config, one_line
from vtg.utils.arguments import check_value
from vtg.version import DISTRIBUTION

from ..components import check_components
from ..tree import tree
from .benchmark import settle_benchmark
from .inheritance import lineage
from .options import apply_options, parse_options
from .reading import read_config
from .schema import Benchmark
from .values import check_values

# Overrides of these change what follows from them.
_FACTS = 'benchmark.'
# Package that a visualisation backend needs and that is not installed with the toolbox.
_EXTRAS = {'TensorboardVisBackend': 'tensorboard'}


def load_config(
    path: str | Path,
    cfg_options: Mapping[str, Any] | Iterable[str] | None = None,
    add: Iterable[str | Path] = (),
) -> Config:
    """Read a config file, apply overrides and check it.

    A config file is Python code that is executed: load only files that you trust.

    Args:
        path: A ``.py`` file, or the folder of a published model.
        cfg_options: ``'key=value'`` texts from the command line or ``{'dotted.key': value}``; see
            :func:`apply_options`.
        add: Files with a fragment of a config that is merged in, as a child config would state it.

    Raises:
        ConfigError: A file is missing or broken, an override names an unknown key, a component
            is not registered, or an optional package is missing.
    """
    path = find_config(path)
    cfg = read_config(path)
    for file in add:
        _merge_fragment(cfg, file)
    options = cfg_options or {}
    if not isinstance(options, Mapping):
        options = parse_options(options)
    facts = {key: value for key, value in options.items() if key.lstrip('+').startswith(_FACTS)}
    apply_options(cfg, facts)
    if 'benchmark' in cfg:
        check_value(cfg.benchmark, Benchmark, 'benchmark', '', 'benchmark')
    try:
        settle_benchmark(cfg)
    except (TypeError, ValueError, AttributeError, LookupError) as error:
        raise ConfigError(
            f'benchmark holds a value of another kind than expected ({one_line(error)}); compare '
            'with the files in configs/_base_/benchmarks.'
        ) from error
    apply_options(cfg, {key: value for key, value in options.items() if key not in facts})
    for name in LOADERS:
        _settle_workers(cfg.get(name))
    # A file that a run has written is whole and has no bases any more, but knows what they were.
    known = cfg.get('lineage')
    if not isinstance(known, list) or not all(isinstance(name, str) for name in known):
        tree(cfg)['lineage'] = lineage(path)
    check_components(cfg)
    check_values(cfg)
    _check_extras(cfg)
    return cfg


def model_config(cfg: Config) -> Any:
    """The ``model`` of a config.

    Raises:
        ConfigError: It has none, as a file of ``configs/_base_`` or an empty one.
    """
    if cfg.get('model') is None:
        raise ConfigError(
            f'{cfg.filename or "the config"} has no model; give the config of a system, such as '
            'configs/qd_detr/custom.py.'
        )
    return cfg.model


def _merge_fragment(cfg: Config, path: str | Path) -> None:
    """Merge a fragment into a config, in place, before anything is derived from it."""
    fragment = read_config(path)
    try:
        cfg.merge_from_dict(fragment.to_dict())
    except (TypeError, KeyError) as error:
        raise ConfigError(
            f'{path} does not fit {cfg.filename} ({one_line(error)}); beside a new dict in the '
            'place of something else write _delete_=True.'
        ) from error


def _settle_workers(loader: Any) -> None:
    """Without workers there is nothing that could persist, prefetch or be late; torch refuses."""
    if isinstance(loader, dict) and loader.get('num_workers') == 0:
        if loader.get('persistent_workers'):
            loader['persistent_workers'] = False
        loader.pop('prefetch_factor', None)
        loader.pop('timeout', None)


def _check_extras(cfg: Config) -> None:
    backends = (cfg.get('visualizer') or {}).get('vis_backends') or []
    check_value(backends, Sequence[dict], 'vis_backends', '', 'visualizer.vis_backends')
    for backend in backends:
        package = _EXTRAS.get(str(backend.get('type')).rpartition('.')[2])
        if package and importlib.util.find_spec(package) is None:
            raise ConfigError(
                f'visualizer.vis_backends uses {backend["type"]}, which needs the package '
                f"{package}; install it with pip install '{DISTRIBUTION}[optional]' or remove the "
                'backend.'
            )
