# SPDX-License-Identifier: Apache-2.0
"""Reading published checkpoints without running anything in them."""

from argparse import Namespace
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vtg.engine.checkpoint import unsafe_globals
from vtg.utils import CheckpointError

from .rules import StateDict


def _as_dict(cls: type, *args: Any, **kwargs: Any) -> OrderedDict:
    return OrderedDict()


# Released files keep the options of their run beside the weights. A namespace only gets attributes;
# an EasyDict, whose package is not needed, becomes a plain dict.
ARGUMENT_CONTAINERS: tuple[type, ...] = (
    Namespace,
    type('EasyDict', (), {'__module__': 'easydict', '__new__': _as_dict}),
)


@contextmanager
def _argument_containers() -> Iterator[None]:
    """Let ``torch.load(weights_only=True)`` build containers of arguments, and nothing else."""
    before = torch.serialization.get_safe_globals()
    torch.serialization.add_safe_globals(list(ARGUMENT_CONTAINERS))
    try:
        yield
    finally:
        torch.serialization.clear_safe_globals()
        torch.serialization.add_safe_globals(before)


def read_published(path: str | Path) -> StateDict:
    """Read the weights of a published checkpoint without executing anything it may contain.

    Lightning files hold them under ``state_dict`` with the prefix ``model.``, most others under
    ``model``, after distributed training with the prefix ``module.``; a bare state dict is fine
    too. An average of the weights (``state_dict_ema``) goes before the weights themselves, because
    the published numbers are its. Options of the run are allowed beside them, as a namespace or an
    ``EasyDict``.

    Raises:
        CheckpointError: The file is missing, needs other Python objects, or holds no weights.
    """
    path = Path(path)
    if not path.is_file():
        raise CheckpointError(f'{path} does not exist; give the path of the published checkpoint.')
    try:
        with _argument_containers():
            content: Any = torch.load(path, map_location='cpu', weights_only=True)
    except Exception as error:  # of the unpickler: many kinds
        allowed = {f'{cls.__module__}.{cls.__qualname__}' for cls in ARGUMENT_CONTAINERS}
        objects = [name for name in unsafe_globals(path) if name not in allowed]
        reason = f'it needs {", ".join(objects)}' if objects else type(error).__name__
        raise CheckpointError(
            f'{path} cannot be read as plain tensors and options ({reason}); files that carry code '
            'are refused.'
        ) from None
    for key in ('state_dict_ema', 'state_dict', 'model'):
        if isinstance(content, dict) and isinstance(content.get(key), dict):
            content = content[key]
    if not isinstance(content, dict) or not content:
        raise CheckpointError(f'{path} holds no weights; expected a dict of tensors.')
    weights = {key: value for key, value in content.items() if isinstance(value, Tensor)}
    if len(weights) != len(content):
        other = sorted(map(str, set(content) - set(weights)))[:5]
        raise CheckpointError(f'{path} holds entries that are no tensors: {", ".join(other)}.')
    for prefix in ('module.', 'model.'):
        if all(key.startswith(prefix) for key in weights):
            weights = {key.removeprefix(prefix): value for key, value in weights.items()}
    return weights
