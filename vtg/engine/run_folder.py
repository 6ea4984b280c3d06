# SPDX-License-Identifier: Apache-2.0
"""The folder of a run: one process at a time, one run, and the options it was started with."""

import contextlib
import os
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from vtg.utils import ConfigError, DataError, printable, read_json, write_json

from .checkpoint import find_latest_checkpoint
from .config import check_given_once

LOCK = '.lock'
OPTIONS = 'options.json'
# What only a run leaves behind that has something to lose.
_TRACES = ('epoch_*.pth', 'iter_*.pth', 'best_*.pth', 'last_checkpoint', 'report_*.json')
_FIELDS = {
    'cfg_options': list, 'amp': str, 'seed': int, 'rehearsal': bool, 'limit': int, 'compile': bool,
}  # fmt: skip
AMP_TYPES = {'bf16': 'bfloat16', 'fp16': 'float16'}
_held: set[Path] = set()


@contextlib.contextmanager
def locked(folder: str | Path) -> Iterator[None]:
    """Hold a folder for this process, where the system has file locks.

    The lock ends with the process, also when it is killed; loader workers do not inherit it. The
    file stays. Within a process, blocks may be nested.

    Raises:
        ConfigError: Another process works in the folder; names it.
    """
    folder = Path(folder).resolve()
    if folder in _held:
        yield
        return
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open('a+', encoding='utf-8', errors='replace') as file:
        try:
            import fcntl

            # Unlike those of flock, these locks are not shared with processes forked later.
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except ImportError:
            pass
        except (BlockingIOError, PermissionError):
            file.seek(0)
            raise ConfigError(
                f'another process is training in {folder} '
                f'({printable(file.read(200).strip()) or "it left no name"}); wait until it ends, '
                'stop it, or choose another --work-dir.'
            ) from None
        file.truncate(0)
        file.write(f'process {os.getpid()} on {socket.gethostname()}\n')
        file.flush()
        _held.add(folder)
        try:
            yield
        finally:
            _held.discard(folder)


def check_free(work_dir: str | Path, resume: str | bool) -> None:
    """Check that a run in ``work_dir`` overwrites no other.

    Args:
        work_dir: The folder of the run.
        resume: False; True or ``'auto'`` to go on with what the folder holds; or a checkpoint.

    Raises:
        ConfigError: The folder holds another run.
    """
    work_dir = Path(work_dir)
    inside = isinstance(resume, str | Path) and Path(resume).resolve().parent == work_dir.resolve()
    if resume in (True, 'auto') or inside:
        return
    traces = sorted(path.name for pattern in _TRACES for path in work_dir.glob(pattern))
    if traces:
        more = f' and {len(traces) - 3} more' if len(traces) > 3 else ''
        raise ConfigError(
            f'{work_dir} holds an earlier run ({", ".join(traces[:3])}{more}), which this one '
            'would overwrite; go on with it by --resume, or give a new folder by --work-dir.'
        )


def check_resumable(work_dir: str | Path, resume: str) -> None:
    """Check that there is a checkpoint to go on from; raises :class:`ConfigError`.

    Args:
        work_dir: The folder of the run.
        resume: ``'auto'`` for its last checkpoint, or the path of one.
    """
    if resume != 'auto' and Path(resume).is_dir():
        raise ConfigError(
            f'--resume {resume} is a folder; give the path of an epoch_N.pth file, or the '
            'folder of the run by --work-dir and --resume alone.'
        )
    if resume != 'auto' and not Path(resume).is_file():
        raise ConfigError(
            f'--resume {resume} does not exist; give the path of an epoch_N.pth file.'
        )
    if resume == 'auto' and find_latest_checkpoint(work_dir) is None:
        raise ConfigError(
            f'--resume found no checkpoint in {work_dir} (epoch_N.pth); start the run without '
            '--resume, or give the folder of the run by --work-dir.'
        )


def with_stored_options(folder: str | Path, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that the run in ``folder`` was started with, overridden by ``given``.

    The file is data: reading it runs nothing.

    Args:
        folder: The folder of a run; without stored options ``given`` is returned.
        given: ``cfg_options`` (``'key=value'`` texts), ``amp``, ``seed``, ``rehearsal``,
            ``limit`` and ``compile``.

    Raises:
        DataError: The stored options are damaged.
        ConfigError: A key is given twice.
    """
    check_given_once(given['cfg_options'])
    path = Path(folder) / OPTIONS
    if not path.is_file():
        return dict(given)
    stored = read_json(path)
    known = isinstance(stored, dict) and all(
        key in _FIELDS and (value is None or type(value) is _FIELDS[key])
        for key, value in stored.items()
    )
    known = known and stored.get('amp') in (None, *AMP_TYPES)
    if not known or not all(isinstance(item, str) for item in stored.get('cfg_options') or []):
        raise DataError(
            f'{path} does not hold the options of a run ({", ".join(_FIELDS)}); remove it and give '
            'the options again.'
        )
    merged = {key: given[key] or stored.get(key) for key in given}
    merged['seed'] = stored.get('seed') if given['seed'] is None else given['seed']
    merged['cfg_options'] = _merged(stored.get('cfg_options') or [], given['cfg_options'])
    return merged


def store_options(folder: str | Path, options: Mapping[str, Any]) -> None:
    """Store the options of a run for :func:`with_stored_options`."""
    write_json(Path(folder) / OPTIONS, dict(options))


def _merged(stored: list[str], given: list[str]) -> list[str]:
    """Later values win; a key that was added with ``+`` stays an added one."""
    added, texts = set(), {}
    for option in [*stored, *given]:
        key, separator, value = option.partition('=')
        if key.startswith('+'):
            added.add(key[1:])
        texts[key.removeprefix('+')] = f'{separator}{value}'
    return [f'{"+" if key in added else ""}{key}{text}' for key, text in texts.items()]
