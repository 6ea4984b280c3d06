# SPDX-License-Identifier: Apache-2.0
"""Half precision in prediction and extraction."""

import contextlib
from collections.abc import Callable
from contextlib import AbstractContextManager

import torch

from vtg.utils import ConfigError, check_choice

from .run_folder import AMP_TYPES


def amp_context(
    amp: str | None, device: str | torch.device, what: str = '--amp '
) -> Callable[[], AbstractContextManager]:
    """Return what makes a context in which the layers of a model run in half precision.

    Losses, decoding and post-processing stay in float32, see the model.

    Args:
        amp: ``'bf16'``, ``'fp16'``, or None, which changes nothing.
        device: Where the model computes.
        what: How the user gives it, for sentences.

    Raises:
        ConfigError: The type is unknown, or fp16 is asked for on a CPU, which has no kernels for
            it.
    """
    if amp is None:
        return contextlib.nullcontext
    check_choice(amp, AMP_TYPES, what.rstrip(' ='))
    kind = torch.device(device).type
    if kind == 'cpu' and amp == 'fp16':
        raise ConfigError(f'{what}fp16 needs a GPU; on a CPU write {what}bf16.')
    dtype = getattr(torch, AMP_TYPES[amp])
    return lambda: torch.autocast(kind, dtype)
