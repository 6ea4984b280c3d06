# SPDX-License-Identifier: Apache-2.0
"""Weights of published backbones: plain files only, and every sentence says which file is meant."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from torch import Tensor, nn

from vtg.utils import CheckpointError

# Below what other code bases keep the weights of a model.
WRAPPERS = ('state_dict', 'model_state', 'module', 'model', 'blobs')


@contextmanager
def naming(wanted: str) -> Iterator[None]:
    """End the sentence of whatever is wrong with a file with what was wanted.

    Args:
        wanted: The file, and where it is described.
    """
    try:
        yield
    except CheckpointError as error:
        raise CheckpointError(f'{str(error).rstrip(".")}; wanted is {wanted}.') from None


def read_tensors(path: str | Path, mmap: bool = False) -> dict[str, Tensor]:
    """Return the tensors of a file by name, out of whatever they are wrapped in.

    Args:
        path: The file.
        mmap: Leave them on disk until they are used, where the file allows it.

    Raises:
        CheckpointError: The file is missing or damaged, needs Python objects, or holds no weights.
    """
    from vtg.engine.checkpoint import read_checkpoint  # brings optional packages with it

    state = read_checkpoint(path, mmap=mmap)
    for _ in WRAPPERS:  # a file may hold itself
        if not isinstance(state, Mapping):
            break
        inner = next((key for key in WRAPPERS if isinstance(state.get(key), Mapping)), None)
        if inner is None:
            break
        state = state[inner]
    if not isinstance(state, Mapping):
        raise CheckpointError(f'{path} holds a {type(state).__name__} instead of weights.')
    found = {
        str(name).removeprefix('module.'): value
        for name, value in state.items()
        if isinstance(value, Tensor)
    }
    if not found:
        raise CheckpointError(f'{path} holds no weights.')
    return found


def load_exactly(model: nn.Module, state: Mapping[str, Tensor], path: str | Path) -> None:
    """Load weights that fit a network one by one; counters of batches need not be there.

    Raises:
        CheckpointError: Weights are missing, unknown, of another shape or no numbers.
    """
    from vtg.engine.checkpoint import check_fit

    counters = {
        key: value
        for key, value in model.state_dict().items()
        if key.endswith('num_batches_tracked')
    }
    state = {**counters, **state}
    check_fit(model, state, path, 'use the file and the sizes that belong together')
    model.load_state_dict(state)
