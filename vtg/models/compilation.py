# SPDX-License-Identifier: Apache-2.0
"""The losses of a training step as one graph of ``torch.compile``."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from vtg.structures import Progress
from vtg.utils import ConfigError

Losses = dict[str, Tensor]
# Settings of TorchDynamo, where the installed version has them: recurrent units are no break.
SETTINGS = {'allow_rnn': True}
# Sizes of 0 and 1 are constants of a graph, so epochs are counted from here.
FIRST_EPOCH = 2


class CompiledStep:
    """Runs a function of a model as a graph for batches of any size and any lengths.

    A copy of the model compiles anew when it runs. Sizes of 1 are constants of a graph, and so are
    which features a batch has and which part of the training it belongs to (feedback that starts
    late); each combination is compiled once.

    Args:
        step: Takes the model, the inputs, the targets and the progress; returns losses by name.
        options: Arguments of ``torch.compile``.

    Raises:
        ConfigError: ``torch.compile`` does not work with this Python, PyTorch or system.
    """

    def __init__(self, step: Callable[..., Losses], options: dict[str, Any]) -> None:
        check_available(options)

        def run(model: Any, inputs: Any, targets: Any, epoch: int, max_epochs: int) -> Losses:
            return step(model, inputs, targets, Progress(epoch - FIRST_EPOCH, max_epochs))

        self.run = torch.compile(run, **{'dynamic': True, **options})

    def __call__(self, model: Any, inputs: Any, targets: Any, progress: Progress) -> Losses:
        """Return the losses of a batch.

        Raises:
            ConfigError: PyTorch cannot compile the step.
        """
        from torch._dynamo.exc import TorchDynamoException

        try:
            with settings():
                return self.run(
                    model, inputs, targets, progress.epoch + FIRST_EPOCH, progress.max_epochs
                )
        except TorchDynamoException as error:
            raise _not_compiled(error) from error


def _not_compiled(error: Exception) -> ConfigError:
    said = [line.strip() for line in str(error).splitlines() if line.strip()]
    # "backend=... raised:" and the error of the backend, in this or the next line.
    last = 2 if said and said[0].endswith(':') else 1
    reason = (' '.join(said[:last]) or type(error).__name__)[:300].rstrip('.')
    return ConfigError(
        f'PyTorch {torch.__version__} cannot compile the training step of this model ({reason}); '
        'leave --compile away (compile=False).'
    )


@contextlib.contextmanager
def settings() -> Iterator[None]:
    """Switch the :data:`SETTINGS` on that this version of PyTorch knows."""
    import torch._dynamo  # slow, and only needed here

    config: Any = torch._dynamo.config
    with config.patch({name: on for name, on in SETTINGS.items() if hasattr(config, name)}):
        yield


def check_available(options: dict[str, Any]) -> None:
    """Check that ``torch.compile`` works here.

    Raises:
        ConfigError: It does not; says why.
    """
    try:
        torch.compile(lambda: None, **options)
        if options.get('backend', 'inductor') == 'inductor' and not torch.cuda.is_available():
            from torch._inductor.cpp_builder import get_cpp_compiler

            get_cpp_compiler()
    except (RuntimeError, ImportError, TypeError) as error:
        reason = str(error).strip().splitlines()
        raise ConfigError(
            f'--compile does not work with PyTorch {torch.__version__} on this system '
            f'({reason[0] if reason else type(error).__name__}); leave it away (compile=False).'
        ) from error
