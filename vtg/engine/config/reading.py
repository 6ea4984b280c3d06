# SPDX-License-Identifier: Apache-2.0
"""Reading of a config file as it is; whatever is wrong with it is one sentence."""

import tempfile
import traceback
from pathlib import Path

from mmengine.config import Config

from vtg.utils import ConfigError, did_you_mean, find_config, one_line

from ..published import CONFIG, read_published
from ..tree import drop_deletions, tree
from .text import RunConfig


def read_config(path: str | Path) -> Config:
    """Read a config file, or that of a published model, as it is; raises :class:`ConfigError` where
    it is missing or broken."""
    path = find_config(path)
    if path.is_dir() or path.suffix == '.json':
        file = path / CONFIG if path.is_dir() else path
        return RunConfig(read_published(file)['config'], filename=str(file))
    if not path.is_file():
        known = [str(file) for file in sorted(_config_root(path).rglob('*.py'))]
        hint = did_you_mean(str(path), known) or 'configs are below configs/.'
        raise ConfigError(f'{path} does not exist; {hint}')
    try:
        cfg = Config.fromfile(path)
    except ImportError as error:
        raise ConfigError(
            f'{path} imports what cannot be imported ({one_line(_first_cause(error))}); a module '
            'of your own lies in a folder of PYTHONPATH, for example PYTHONPATH=. in front of the '
            'command.'
        ) from error
    except OSError as error:
        if error.errno is None or isinstance(error, FileNotFoundError):
            raise ConfigError(f'{path} cannot be read: {one_line(error)}.') from error
        # MMEngine copies every config before it reads it; that write names no file.
        error.filename = error.filename or tempfile.gettempdir()
        raise
    except (Exception, SystemExit) as error:  # a config is code of the user
        raise ConfigError(f'{path} cannot be read: {_said(error, path)}.') from error
    if not tree(cfg):
        raise ConfigError(f'{path} holds no settings; give the config of a system.')
    drop_deletions(tree(cfg))
    return RunConfig(tree(cfg), cfg_text=cfg.text, filename=cfg.filename)


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


def _said(error: BaseException, path: Path) -> str:
    """What an error in the code of a config says, with its kind and line."""
    text = one_line(error)
    if isinstance(error, SyntaxError):
        return text
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__)
             if Path(frame.filename) == path.absolute()]  # fmt: skip
    place = f' in line {lines[-1]}' if lines else ''
    return f'{type(error).__name__}{place}: {text}' if text else f'{type(error).__name__}{place}'
