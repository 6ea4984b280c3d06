# SPDX-License-Identifier: Apache-2.0
"""A config as text, which is the file that a run keeps of it."""

import copy
import math
from collections.abc import Mapping
from pprint import pformat
from typing import Any

from mmengine.config import Config


class RunConfig(Config):
    """The config of a run; its text costs nothing, and MMEngine asks for it several times."""

    def copy(self) -> 'RunConfig':
        """Return a copy that shares nothing: overrides change a config in place."""
        return copy.deepcopy(self)

    @property
    def pretty_text(self) -> str:
        """See :func:`config_text`; MMEngine's formatter takes most of the time of a short run."""
        return config_text(self)


def config_text(cfg: Config) -> str:
    """Return a config as the text of a file; unlike MMEngine's ``pretty_text`` made in no time."""
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
