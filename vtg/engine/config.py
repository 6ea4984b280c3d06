# SPDX-License-Identifier: Apache-2.0
"""Configs from files and the command line, checked before anything is built."""

import ast
import copy
import importlib.util
import json
import math
import tempfile
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from pprint import pformat
from typing import Any

from mmengine.config import Config, ConfigDict, DictAction

from vtg.utils import LOADERS, ConfigError, find_config, nearest_names
from vtg.utils.arguments import check_value, shown
from vtg.version import DISTRIBUTION

from .benchmark import settle_benchmark
from .components import check_components
from .published import CONFIG, read_published
from .schema import Benchmark
from .values import RUN_KEYS, check_values, known_key

# Overrides of these change what follows from them.
_FACTS = 'benchmark.'
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
# Package that a visualisation backend needs and that is not installed with the toolbox.
_EXTRAS = {'TensorboardVisBackend': 'tensorboard'}


class RunConfig(Config):
    """The config of a run; its text costs nothing, and MMEngine asks for it several times."""

    def copy(self) -> 'RunConfig':
        """Return a copy that shares nothing: overrides change a config in place."""
        return copy.deepcopy(self)

    @property
    def pretty_text(self) -> str:
        """See :func:`config_text`; MMEngine's formatter takes most of the time of a short run."""
        return config_text(self)


def load_config(
    path: str | Path,
    cfg_options: Mapping[str, Any] | Iterable[str] | None = None,
    add: Iterable[str | Path] = (),
) -> Config:
    """Read a config file, apply overrides and check it.

    A config file is Python code that is executed: load only files that you trust.

    Args:
        path: A ``.py`` file.
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
    except ConfigError:
        raise
    except (TypeError, ValueError, AttributeError, LookupError) as error:
        raise ConfigError(
            f'benchmark holds a value of another kind than expected ({_one_line(error)}); compare '
            'with the files in configs/_base_/benchmarks.'
        ) from error
    apply_options(cfg, {key: value for key, value in options.items() if key not in facts})
    for name in LOADERS:
        _settle_workers(cfg.get(name))
    # A file that a run has written is whole and has no bases any more, but knows what they were.
    known = cfg.get('lineage')
    if not isinstance(known, list) or not all(isinstance(name, str) for name in known):
        cfg._cfg_dict['lineage'] = lineage(path)
    check_components(cfg)
    check_values(cfg)
    _check_extras(cfg)
    return cfg


def _merge_fragment(cfg: Config, path: str | Path) -> None:
    """Merge a fragment into a config, in place, before anything is derived from it."""
    fragment = read_config(path)
    try:
        cfg.merge_from_dict(fragment.to_dict())
    except (TypeError, KeyError) as error:
        raise ConfigError(
            f'{path} does not fit {cfg.filename} ({_one_line(error)}); beside a new dict in the '
            'place of something else write _delete_=True.'
        ) from error


def read_config(path: str | Path) -> Config:
    """Read a config file, or that of a published model, as it is; raises :class:`ConfigError` where
    it is missing or broken."""
    path = find_config(path)
    if path.is_dir() or path.suffix == '.json':
        file = path / CONFIG if path.is_dir() else path
        return RunConfig(read_published(file)['config'], filename=str(file))
    if not path.is_file():
        known = [str(file) for file in sorted(_config_root(path).rglob('*.py'))]
        close = nearest_names(str(path), known)
        hint = f'did you mean {" or ".join(close)}?' if close else 'configs are below configs/.'
        raise ConfigError(f'{path} does not exist; {hint}')
    try:
        cfg = Config.fromfile(path)
    except ImportError as error:
        raise ConfigError(
            f'{path} imports what cannot be imported ({_one_line(_first_cause(error))}); a module '
            'of your own lies in a folder of PYTHONPATH, for example PYTHONPATH=. in front of the '
            'command.'
        ) from error
    except OSError as error:
        if error.errno is None or isinstance(error, FileNotFoundError):
            raise ConfigError(f'{path} cannot be read: {_one_line(error)}.') from error
        # MMEngine copies every config before it reads it; that write names no file.
        error.filename = error.filename or tempfile.gettempdir()
        raise
    except (Exception, SystemExit) as error:  # a config is code of the user
        raise ConfigError(f'{path} cannot be read: {_said(error, path)}.') from error
    if not cfg._cfg_dict:
        raise ConfigError(f'{path} holds no settings; give the config of a system.')
    _drop_markers(cfg._cfg_dict)
    return RunConfig(cfg._cfg_dict, cfg_text=cfg.text, filename=cfg.filename)


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


def parse_options(options: Iterable[str]) -> dict[str, Any]:
    """Turn ``'key=value'`` texts into a dict.

    Values are numbers, booleans, None, lists (``[1,2]`` or ``1,2``), tuples, JSON objects
    (``{"type": "BiCMF"}``) and lists of these, or else text.

    Raises:
        ConfigError: A text has no key or cannot be read, or a key is given twice.
    """
    options = list(options)
    check_given_once(options)
    parsed = {}
    for option in options:
        key, separator, text = option.partition('=')
        if not separator:
            raise ConfigError(f'--cfg-options got {option!r}; expected key=value.')
        parsed[key] = _parse_value(key, text)
    return parsed


def check_given_once(options: Iterable[str]) -> None:
    """Check that no two of the ``'key=value'`` texts are about one key; only one could count.

    Raises:
        ConfigError: Two are; names both values.
    """
    given: dict[str, str] = {}
    for option in options:
        key, _, text = option.removeprefix('+').partition('=')
        if key in given:
            raise ConfigError(
                f'--cfg-options gives {key} twice, {shown(given[key])} and {shown(text)} (short '
                'forms such as --epochs count too); give it once.'
            )
        given[key] = text


def apply_options(cfg: Config, options: Mapping[str, Any] | Iterable[str] | None) -> None:
    """Override values of ``cfg`` in place.

    Every key must exist, so that a misspelled one does not pass unnoticed. A ``+`` in front
    (``+model.head.extra=1``) adds a new one. A dict is merged into the one that is there unless it
    holds ``"_delete_": true``.

    Raises:
        ConfigError: A key does not exist; names the nearest ones.
    """
    if not options:
        return
    if not isinstance(options, Mapping):
        options = parse_options(options)
    for key, value in options.items():
        _check_key(cfg, key)
        try:
            _assign(cfg._cfg_dict, key.removeprefix('+').split('.'), value)
        except (KeyError, TypeError, ValueError, AttributeError, LookupError) as error:
            raise ConfigError(
                f'--cfg-options {key}={shown(value)} cannot be applied: {_one_line(error)}.'
            ) from error
    _drop_markers(cfg._cfg_dict)


def _assign(node: Any, parts: list[str], value: Any) -> None:
    """Set the value at a place; a dict is merged into one that is there."""
    if isinstance(node, list):
        _check_index(node, parts[:1])
    key: Any = int(parts[0]) if isinstance(node, list) else parts[0]
    present = isinstance(node, list) or key in node
    child = node[key] if present else None
    if isinstance(child, tuple):
        node[key] = list(child)
        child = node[key]
    if len(parts) > 1:
        if child is None:
            node[key] = ConfigDict()
            child = node[key]
        _assign(child, parts[1:], value)
    elif (
        isinstance(value, Mapping)
        and (isinstance(child, Mapping) or (isinstance(child, list) and value))
        and not value.get('_delete_')
    ):
        if isinstance(child, list):
            _check_index(child, value)
        value = ConfigDict(value)
        node[key] = Config._merge_a_into_b(value, child, allow_list_keys=True)
    else:
        node[key] = ConfigDict(value) if isinstance(value, Mapping) else value


def _check_index(node: list, keys: Iterable[str]) -> None:
    if not all(str(key).isdecimal() and int(key) < len(node) for key in keys):
        raise LookupError(
            f'there is a list of {len(node)}, whose entries are numbered from 0; give all of it to '
            'replace it'
        )


def _drop_markers(node: Any) -> None:
    """Remove ``_delete_`` where there was nothing to delete; MMEngine leaves it in the config."""
    if isinstance(node, dict):
        node.pop('_delete_', None)
    for value in node.values() if isinstance(node, dict) else node:
        if isinstance(value, dict | list | tuple):
            _drop_markers(value)


def _parse_value(key: str, text: str) -> Any:
    # MMEngine would cut a list of objects at every comma.
    if not text.startswith('{') and not (text.startswith('[') and '{' in text):
        try:
            return DictAction._parse_iterable(text)
        except AssertionError as error:
            raise ConfigError(f'--cfg-options {key}={text}: {error}.') from None
    for parse in (partial(json.loads, object_pairs_hook=_without_repeats), ast.literal_eval):
        try:
            return parse(text)
        except (ValueError, SyntaxError):
            continue
    raise ConfigError(
        f'--cfg-options {key}: {text} is no valid JSON object; write it like '
        """'{"type": "Name", "dim": 256}' in single quotes."""
    )


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    check_given_once(f'{key}={value}' for key, value in pairs)
    return dict(pairs)


def _check_key(cfg: Config, key: str) -> None:
    if key.startswith('+'):
        _check_new_key(cfg, key[1:])
        return
    node: Any = cfg._cfg_dict
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
    if name in cfg or known_key(name):
        return
    hint = _suggestion(cfg, key) or _nearest([], name, [*cfg, *RUN_KEYS]) or ''
    raise ConfigError(f'--cfg-options adds {key}, but nothing reads {name}; {hint}'.rstrip('; '))


def _nearest(done: list[str], part: str, known: list[str]) -> str:
    close = ['.'.join([*done, name]) for name in nearest_names(part, known)]
    return f'did you mean {" or ".join(close)}?' if close else ''


def meant_places(cfg: Config, name: str) -> list[str]:
    """Where a config holds a setting that is called by a short or usual name, likeliest first.

    Args:
        cfg: A config.
        name: ``'lr'``, ``'epochs'``, or a whole dotted place.
    """
    leaves = [place for place, _ in flatten(cfg._cfg_dict)]
    for name in (name, _ALIASES.get(name, name)):  # noqa: B020
        if name in leaves:
            return [name]
        places = [place for place in leaves if place.split('.')[-1] == name]
        if places:
            # What belongs to the run before what belongs to a component of the model.
            rank = {top: number for number, top in enumerate(_FIRST)}
            return sorted(places, key=lambda at: (rank.get(at.split('.')[0], len(rank)), len(at)))
    return []


def _suggestion(cfg: Config, key: str) -> str:
    """What was meant by the short name of a setting that lies deeper in the config."""
    places = [] if '.' in key else meant_places(cfg, key)
    return f'did you mean {" or ".join(places[:3])}?' if places else ''


def _has(place: str, node: Any, known: list[str]) -> str:
    if not isinstance(node, Mapping | list | tuple):
        return f'{place} is {node!r}.'
    return f'{place or "it"} has {", ".join(known) or "no keys"}.'


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


def _config_root(path: Path) -> Path:
    """The folder that suggestions come from: ``configs`` in the path given, or here."""
    parts = path.parts
    if 'configs' in parts:
        root = Path(*parts[: parts.index('configs') + 1])
        if root.is_dir():
            return root
    return Path('configs')


def _first_cause(error: BaseException) -> BaseException:
    """The error that the others were raised from; MMEngine's lists the whole ``sys.path``."""
    while cause := error.__cause__ or error.__context__:
        error = cause
    return error


def _one_line(error: BaseException) -> str:
    text = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    return ' '.join(text.split()).rstrip('.')


def _said(error: BaseException, path: Path) -> str:
    """What an error in the code of a config says, with its kind and line."""
    text = _one_line(error)
    if isinstance(error, SyntaxError):
        return text
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__)
             if Path(frame.filename) == path.absolute()]  # fmt: skip
    place = f' in line {lines[-1]}' if lines else ''
    return f'{type(error).__name__}{place}: {text}' if text else f'{type(error).__name__}{place}'


def config_text(cfg: Config) -> str:
    """Return a config as the text of a file; unlike ``cfg.pretty_text`` made in no time."""
    values = cfg.to_dict().items()
    lines = [f'{key} = {pformat(_exact(value), sort_dicts=False)}' for key, value in values]
    return '\n'.join(lines) + '\n'


class _Infinite(float):
    """A number whose ``repr`` would not be Python."""

    def __repr__(self) -> str:
        return f"float('{float(self)}')"


def _exact(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _exact(item) for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(map(_exact, value))
    return _Infinite(value) if isinstance(value, float) and not math.isfinite(value) else value


def flatten(value: Any, prefix: str = '') -> Iterator[tuple[str, Any]]:
    """Yield ``(dotted path, leaf)`` of nested dicts and lists; empty ones are leaves."""
    if isinstance(value, Mapping | list | tuple) and len(value):
        items = value.items() if isinstance(value, Mapping) else enumerate(value)
        for key, item in items:
            yield from flatten(item, f'{prefix}.{key}' if prefix else str(key))
    else:
        yield prefix, value


def origins(path: str | Path) -> dict[str, str]:
    """Return, for every leaf of a config file, the file that set its value.

    Keys are dotted paths. A value that a child repeats unchanged counts as its base's.
    """
    path = Path(path)
    values = dict(flatten(read_config(path)._cfg_dict))
    inherited: dict[str, str] = {}
    for base in _bases(path):
        base_values = dict(flatten(read_config(base)._cfg_dict))
        inherited |= {
            key: file
            for key, file in origins(base).items()
            if key in values and _same(values[key], base_values[key])
        }
    return {key: inherited.get(key, str(path)) for key in values}


def lineage(path: str | Path) -> list[str]:
    """Return a config file and those that it inherits from, nearest first.

    They are named by their place below the folder ``configs``; what lies elsewhere, and the shared
    files of ``configs/_base_``, are left out.
    """
    queue, names = [Path(path).resolve()], []
    for file in queue:  # grows while it is read
        queue += _bases(file)
        if 'configs' in file.parts:
            below = file.parts[len(file.parts) - file.parts[::-1].index('configs') :]
            names.append('/'.join(below))
    return [name for name in dict.fromkeys(names) if not name.startswith('_base_/')]


def _bases(path: Path) -> list[Path]:
    if path.suffix != '.py':  # a published model has none
        return []
    for node in ast.parse(path.read_text(encoding='utf-8')).body:
        if not isinstance(node, ast.Assign):
            continue
        if any(isinstance(target, ast.Name) and target.id == '_base_' for target in node.targets):
            names = ast.literal_eval(node.value)
            names = [names] if isinstance(names, str) else names
            return [(path.parent / name).resolve() for name in names]
    return []


def _same(a: Any, b: Any) -> bool:
    return type(a) is type(b) and a == b
