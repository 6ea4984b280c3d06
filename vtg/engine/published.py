# SPDX-License-Identifier: Apache-2.0
"""Published models: a folder with a config that is data, and weights that are only weights.

The folder holds ``config.json`` (:data:`CONFIG`), ``model.safetensors`` (:data:`WEIGHTS`) and a
model card. Nothing in it is executed.
"""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config
from torch import Tensor

from vtg.utils import CheckpointError, ConfigError, atomic_write, read_json, shown, write_json
from vtg.utils.optional import require

from .components import check_registered

CONFIG, WEIGHTS = 'config.json', 'model.safetensors'
FORMAT = 'vtg model'
"""What the field ``format`` of a published config says."""
# Of a start of a run, of a machine, or code: nothing that belongs to the model.
_LEFT_OUT = ('work_dir', 'load_from', 'resume', 'launcher', 'custom_imports', 'filename')
_NUMBER, _NUMBERS = '__float__', ('inf', '-inf', 'nan')
_META = 'vtg'


def write_config(path: str | Path, cfg: Config, facts: Mapping[str, Any]) -> None:
    """Write a resolved config as JSON.

    Args:
        path: File to write.
        cfg: A config whose values are plain.
        facts: What else is to be known of the model: ``encoders``, ``metrics``, versions.

    Raises:
        ConfigError: A value of the config is not plain.
    """
    values = {key: value for key, value in cfg.to_dict().items() if key not in _LEFT_OUT}
    write_json(path, {'format': FORMAT, **facts, 'config': _plain(values, 'config')})


def read_published(folder: str | Path) -> dict[str, Any]:
    """Return what ``config.json`` of a published model holds, ``config`` as a dict.

    Raises:
        ConfigError: There is none, it is not one of a published model, or it names what is run.
    """
    path = Path(folder)
    path = path / CONFIG if path.is_dir() else path
    if not path.is_file():
        raise ConfigError(
            f'{path} does not exist; give the folder of a published model, which holds {CONFIG} '
            f'and {WEIGHTS} (tools/publish_model.py writes it).'
        )
    content = read_json(path)
    if not isinstance(content, dict) or content.get('format') != FORMAT:
        raise ConfigError(f'{path} is not the config of a published model (format {FORMAT!r}).')
    if not isinstance(content.get('config'), dict):
        raise ConfigError(f'{path} holds no config; publish the model again.')
    if 'custom_imports' in content['config']:
        raise ConfigError(
            f'{path} names custom_imports, which are code; import the modules yourself before and '
            'remove the key.'
        )
    for name in ('encoders', 'text_encoders'):
        value = content.get(name)
        if value is not None and not (isinstance(value, list) and all(map(_is_text, value))):
            raise ConfigError(f'{path}: {name} is {shown(value)}; expected texts NAME=WEIGHTS.')
    if not _is_text(content.get('features') or ''):
        raise ConfigError(
            f'{path}: features is {shown(content["features"])}; expected the name of a recipe.'
        )
    config = _restored(content['config'])
    check_registered(config, path)
    return {**content, 'config': config}


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def write_weights(path: str | Path, state: Mapping[str, Tensor], meta: Mapping[str, Any]) -> None:
    """Write weights as safetensors; the plain fields of ``meta`` go into its header."""
    safetensors = require('safetensors.torch', 'a published model')
    tensors = {name: value.detach().cpu().clone().contiguous() for name, value in state.items()}
    with atomic_write(path) as temporary:
        safetensors.save_file(tensors, temporary, {'format': 'pt', _META: json.dumps(dict(meta))})


def read_weights(path: str | Path, device: Any = 'cpu') -> dict[str, Any]:
    """Return a safetensors file as a checkpoint: ``state_dict`` and ``meta``.

    Raises:
        CheckpointError: The file is damaged.
    """
    safetensors = require('safetensors', 'a published model', 'hub')
    try:
        with safetensors.safe_open(path, framework='pt', device=str(device)) as file:
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            meta = json.loads((file.metadata() or {}).get(_META, '{}'))
    except (safetensors.SafetensorError, ValueError, OSError) as error:
        raise CheckpointError(
            f'{path} is not a readable safetensors file ({error}); copy or download it again.'
        ) from None
    return {'state_dict': state, 'meta': meta}


def _plain(value: Any, place: str) -> Any:
    """``value`` with tuples as lists and infinite numbers as objects."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item, f'{place}.{key}') for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, f'{place}.{index}') for index, item in enumerate(value)]
    if isinstance(value, float) and not math.isfinite(value):
        return {_NUMBER: str(value)}
    if value is None or isinstance(value, str | bool | int | float):
        return value
    raise ConfigError(
        f'{place} is {value!r}, which JSON cannot hold; write its registered name in the config.'
    )


def _restored(value: Any) -> Any:
    if isinstance(value, dict):
        if set(value) == {_NUMBER} and value[_NUMBER] in _NUMBERS:
            return float(value[_NUMBER])
        return {key: _restored(item) for key, item in value.items()}
    return [_restored(item) for item in value] if isinstance(value, list) else value
