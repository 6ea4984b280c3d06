# SPDX-License-Identifier: Apache-2.0
"""Packages that only some parts of the toolbox need; imported when they are first used."""

import importlib
from types import ModuleType

from vtg.utils import ConfigError

# Module to the extra of setup.py that installs it.
EXTRAS = {'av': 'video', 'transformers': 'encoders', 'ray': 'ray', 'ray.data': 'ray'}


def require(module: str, purpose: str) -> ModuleType:
    """Import an optional module.

    Raises:
        ConfigError: It is not installed; names the extra that brings it.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ConfigError(
            f'{purpose} needs the package {module.split(".")[0]!r}, which cannot be imported '
            f'({error}); install it with: pip install "vtg[{EXTRAS[module]}]"'
        ) from None
