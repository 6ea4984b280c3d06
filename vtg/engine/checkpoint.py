# SPDX-License-Identifier: Apache-2.0
"""Reading of checkpoints: tensors and plain values only, and weights that fit exactly.

A pickle can run any code when it is read. Every file is therefore read with ``weights_only=True``
and without an allow-list; :class:`vtg.engine.hooks.PlainCheckpointHook` writes files that need no
more than that.
"""

import re
import zipfile
from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer
from mmengine.runner import CheckpointLoader
from torch import Tensor, nn

from vtg.structures import PROGRESS_KEY, Answering, Progress
from vtg.utils import CheckpointError, ConfigError, did_you_mean, printable

from .fields import tensor_fault
from .pickled_arrays import is_pickle
from .published import WEIGHTS, read_weights
from .renamed import renamed_weight
from .resume_state import plain_meta

# A checkpoint is not compressed; this much is left to other writers of the format.
_MOST_GROWTH = 20
WITHOUT = 'none'
"""Stands for the checkpoint of a model that has nothing to learn."""
_CONVERT = 'tools/convert_legacy_checkpoint.py IN OUT --trust'


def setup() -> None:
    """Make every checkpoint that MMEngine reads in this process go through :func:`read_checkpoint`.

    The registration is global to the process, so entry points call this; importing does not.
    """
    remote = [prefix for prefix in CheckpointLoader._schemes if prefix]
    CheckpointLoader.register_scheme(prefixes='', loader=load_from_plain_file, force=True)
    CheckpointLoader.register_scheme(prefixes=remote, loader=load_from_elsewhere, force=True)


def load_from_plain_file(filename: str, map_location: Any = None) -> Any:
    """Read a local file for MMEngine; the log shows the name of this function from ``plain`` on."""
    return read_checkpoint(filename, map_location)


def load_from_elsewhere(filename: str, map_location: Any = None) -> Any:
    """Refuse a checkpoint that is not a local file: MMEngine would unpickle whatever it fetches."""
    raise CheckpointError(f'{filename} is not a local file; download it and give the path.')


def read_checkpoint(path: str | Path, map_location: Any = 'cpu', mmap: bool = False) -> Any:
    """Read a checkpoint that holds nothing but tensors and plain values, or a published model.

    Args:
        path: The file, or the folder of a published model.
        map_location: Device of the tensors.
        mmap: Leave tensors on disk until they are used, where the file allows it.

    Raises:
        CheckpointError: The file is missing, damaged, or needs pickled objects; nothing in it has
            been executed.
    """
    path = Path(path).expanduser()
    if path.is_dir() and (path / WEIGHTS).is_file():
        path = path / WEIGHTS
    if not path.is_file():
        found = f'is a folder without {WEIGHTS}' if path.is_dir() else 'does not exist'
        raise CheckpointError(f'{path} {found}; give the path of a checkpoint file (.pth).')
    if path.suffix == '.safetensors':
        return read_weights(path, map_location or 'cpu')
    _check_growth(path)
    _check_format(path)
    try:
        mmap = mmap and zipfile.is_zipfile(path)
        return torch.load(path, map_location=map_location, weights_only=True, mmap=mmap)
    except Exception as error:  # of the unpickler: many kinds
        names = unsafe_globals(path)
        if not names:
            names = re.findall(r'GLOBAL ([\w.]+)', str(error))
        if names:
            raise CheckpointError(
                f'{path} was not loaded because it holds Python objects besides tensors '
                f'({_few(names, 5)}), which can run code when they are read; if you trust where '
                f'it comes from, convert it with: {_CONVERT}'
            ) from None
        reason = printable((str(error).strip() or type(error).__name__).splitlines()[0][:120])
        raise CheckpointError(
            f'{path} is not a readable checkpoint ({reason}); it may be truncated, copy or '
            'download it again.'
        ) from None


def _check_format(path: Path) -> None:
    """Refuse what PyTorch never wrote, such as the weights of Caffe2."""
    try:
        bare = is_pickle(path)
    except OSError:
        return  # what is wrong is said where the file is read
    if bare:
        raise CheckpointError(
            f'{path} is a pickle and no file of PyTorch, and can run code when it is read; if you '
            f'trust where it comes from, convert it with: {_CONVERT}'
        )


def _check_growth(path: Path) -> None:
    """Refuse an archive that unpacks to far more than its size; checkpoints are not compressed."""
    if not zipfile.is_zipfile(path):
        return
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
    except Exception as error:  # of what is damaged, zipfile raises more than BadZipFile
        raise CheckpointError(
            f'{path} is not a readable checkpoint (its table of contents is damaged: '
            f'{type(error).__name__}); copy or download it again.'
        ) from None
    if size > _MOST_GROWTH * path.stat().st_size:
        raise CheckpointError(
            f'{path} unpacks {path.stat().st_size} bytes to {size}, which no checkpoint does; '
            'do not use it.'
        )


def unsafe_globals(path: str | Path) -> list[str]:
    """Return the Python objects that reading ``path`` needs beyond plain ones; runs nothing.

    Empty also where this cannot be told (older torch, or a file that is no checkpoint).
    """
    scan = getattr(torch.serialization, 'get_unsafe_globals_in_checkpoint', None)
    try:
        return sorted(scan(str(path))) if scan else []
    except Exception:  # of the unpickler: many kinds
        return []


def weights_of(checkpoint: Any, path: str | Path) -> dict[str, Tensor]:
    """Return the weights in a checkpoint or in a bare state dict by the names that they have now,
    without a ``module.`` prefix."""
    state = checkpoint.get('state_dict', checkpoint) if isinstance(checkpoint, Mapping) else None
    if (
        not isinstance(state, Mapping)
        or not state
        or not all(isinstance(value, Tensor) for value in state.values())
        or not all(isinstance(key, str) for key in state)
    ):
        raise CheckpointError(
            f'{path} holds no model weights; expected a `state_dict` of tensors. Files of other '
            'code bases are converted with tools/convert_checkpoint.py.'
        )
    return {renamed_weight(key.removeprefix('module.')): value for key, value in state.items()}


def check_fit(
    model: nn.Module,
    state: Mapping[str, Tensor],
    path: str | Path,
    advice: str = 'use the config that it was trained with',
) -> None:
    """Check that names, shapes and types of ``state`` are those of ``model`` and all are numbers.

    Args:
        model: What they are for.
        state: The weights.
        path: Where they come from.
        advice: What to do where they do not fit.

    Raises:
        CheckpointError: They are not; names a few of each kind of difference.
    """
    own = model.state_dict()
    faults = {
        key: tensor_fault(state[key], value, finite=False)
        for key, value in own.items()
        if key in state
    }
    shapes, others = [], []
    for key, fault in faults.items():
        if fault and fault.startswith('the shape'):
            shapes.append(f'{key} ({tuple(state[key].shape)} instead of {tuple(own[key].shape)})')
        elif fault:
            others.append(f'{key} (expected {fault})')
    problems = {
        'missing in the file': [
            key for key in own if key not in state and key.removeprefix('module.') != PROGRESS_KEY
        ],
        'unknown to the model': [key for key in state if key not in own],
        'of another shape': shapes,
        'of another type': others,
    }
    found = [f'{len(keys)} {what}: {_few(keys)}' for what, keys in problems.items() if keys]
    if found:
        raise CheckpointError(f'{path} does not fit the model ({"; ".join(found)}); {advice}.')
    broken = [key for key, value in own.items() if key in state and tensor_fault(state[key], value)]
    if broken:
        raise CheckpointError(
            f'{path} holds NaN or infinite weights ({_few(broken)}); use a checkpoint from before '
            'the training went wrong, or copy the file again.'
        )


def only_parts(
    model: nn.Module, state: Mapping[str, Tensor], parts: Iterable[str]
) -> dict[str, Tensor]:
    """Return the weights of ``model`` with those of some of its parts taken from ``state``.

    Args:
        model: Gives the weights of all other parts.
        state: Weights of a checkpoint.
        parts: Names of modules, e.g. ``'fusion'`` or ``'moment_head.query_head'``.

    Raises:
        ConfigError: The model has no weights under such a name.
    """
    own = model.state_dict()
    merged = dict(own)
    for part in parts:
        inside = [key for key in own if f'{key}.'.startswith(f'{part}.')]
        if not inside:
            close = did_you_mean(part, {key.split('.')[0] for key in own})
            raise ConfigError(
                f'load_parts names {part!r}, but the model has no weights there; '
                f'{close or "did you mean one of its slots?"}'
            )
        for key in inside:
            del merged[key]
        merged |= {key: value for key, value in state.items() if f'{key}.'.startswith(f'{part}.')}
    return merged


def load_weights(model: nn.Module, path: str | Path | None) -> dict[str, Any]:
    """Load the weights of a checkpoint strictly, for evaluation and inference.

    They carry ``model.progress``, which decides about parts that training switches on late; for
    older checkpoints it is taken from ``meta``, as is ``model.answering``.

    Args:
        model: Gets the weights.
        path: The checkpoint; None, or ``'none'`` on command lines, for a model with nothing to
            learn.

    Returns:
        The known fields of ``meta``, ``{}`` for a bare state dict. Its ``cfg`` is text of the
        file's author: show it, never execute it.
    """
    if path is None or str(path) == WITHOUT:
        if any(True for _ in model.parameters()):
            raise CheckpointError('the model of this config needs weights; give a checkpoint.')
        return {}
    checkpoint = read_checkpoint(path)
    state = weights_of(checkpoint, path)
    meta = plain_meta(checkpoint, path) if 'state_dict' in checkpoint else {}
    check_fit(model, state, path)
    model.load_state_dict(state)
    restore_progress(model, meta, state)
    restore_answering(model, meta)
    return meta


def restore_progress(model: Any, meta: Mapping[str, Any], state: Mapping[str, Tensor]) -> None:
    """Set ``model.progress`` to the epoch that the checkpoint's weights have finished, where an old
    checkpoint does not hold it among them."""
    if PROGRESS_KEY in state:
        return
    if 'epoch' in meta and 'max_epochs' in meta and hasattr(model, 'progress'):
        model.progress = Progress(max(meta['epoch'] - 1, 0), meta['max_epochs'])


def restore_answering(model: Any, meta: Mapping[str, Any]) -> None:
    """Set what was chosen for these weights about queries without a moment, or that nothing was."""
    if hasattr(model, 'answering'):
        model.answering = Answering(**meta['answering']) if 'answering' in meta else None


def to_plain(value: Any) -> Any:
    """Turn histories, counters and NumPy values into tensors and plain Python, recursively.

    There is no general way back: :mod:`.resume_state` reads the fields that it knows.
    """
    if isinstance(value, HistoryBuffer):
        log, count = (torch.from_numpy(np.array(part)) for part in value.data)
        return {'__history__': [log, count], 'max_length': value.max_length}
    if isinstance(value, Counter):
        return {'__counter__': dict(value)}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return torch.from_numpy(value) if value.dtype.kind in 'biuf' else value.tolist()
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        plain = {to_plain(key): to_plain(item) for key, item in value.items()}
        return OrderedDict(plain) if isinstance(value, OrderedDict) else plain
    if isinstance(value, list | tuple | set | frozenset):
        items = map(to_plain, value)
        return tuple(items) if type(value) is tuple else list(items)
    return value


def find_latest_checkpoint(work_dir: str | Path) -> Path | None:
    """Return the checkpoint from which a run in ``work_dir`` goes on, None where there is none.

    ``last_checkpoint`` may name an absolute path of before the folder was moved, so its file name
    is looked up in ``work_dir`` first; where it is unusable the youngest regular checkpoint counts.
    """
    work_dir = Path(work_dir)
    pointer = work_dir / 'last_checkpoint'
    text = pointer.read_text(errors='replace').strip('\0 \r\n') if pointer.is_file() else ''
    named = Path(text or '.')
    for candidate in (work_dir / named.name, named):
        if candidate.is_file():
            return candidate
    regular = [path for kind in ('epoch', 'iter') for path in work_dir.glob(f'{kind}_*.pth')]
    return max(regular, key=lambda path: path.stat().st_mtime, default=None)


def _few(names: Iterable[str], count: int = 3) -> str:
    names = [printable(name if len(name) <= 100 else f'{name[:97]}...') for name in names]
    return ', '.join(names[:count]) + (', ...' if len(names) > count else '')
