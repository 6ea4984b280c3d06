# SPDX-License-Identifier: Apache-2.0
"""What a piece of PyTorch code costs: operations, waits, memory, floating-point work, time."""

import statistics
import subprocess
import time
import weakref
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

Work = Callable[[], object]
# Calls of Python and operations that need a number of the device, for which the host waits.
_READS = ('cpu', 'item', 'tolist', 'numpy', '__bool__', '__int__', '__float__', '__index__')
_WAITS = ('nonzero', 'masked_select', '_unique2', 'unique_dim', 'equal', '_local_scalar_dense')


class Operations(TorchDispatchMode):
    """Counts what the dispatcher runs, and the bytes of the tensors that live at the same time.

    Attributes:
        names: How often each operation ran.
        peak: Most bytes of tensors that were made here and lived at once; what an operation takes
            inside itself is not seen.
    """

    def __init__(self) -> None:
        super().__init__()
        self.names: Counter[str] = Counter()
        self.live = self.peak = 0
        self._known: dict[int, Any] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        self.names[func.overloadpacket.__name__] += 1
        given = {id(x.untyped_storage()) for x in tree_leaves(args) if isinstance(x, Tensor)}
        for item in tree_leaves(result):
            if isinstance(item, Tensor):
                self._keep(item.untyped_storage(), given)
        return result

    def _keep(self, storage: Any, given: set[int]) -> None:
        key = id(storage)
        if key in self._known or key in given:
            return
        size = storage.nbytes()
        self.live += size
        self.peak = max(self.peak, self.live)
        self._known[key] = weakref.finalize(storage, self._drop, key, size)

    def _drop(self, key: int, size: int) -> None:
        self.live -= size
        self._known.pop(key, None)

    def __exit__(self, *args: Any) -> None:
        super().__exit__(*args)
        for finalizer in self._known.values():
            finalizer.detach()
        self._known.clear()


class HostReads(TorchFunctionMode):
    """Counts the calls that read a number of a tensor."""

    def __init__(self) -> None:
        super().__init__()
        self.names: Counter[str] = Counter()

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = getattr(func, '__name__', '')
        if name in _READS and args and isinstance(args[0], Tensor):
            self.names[name] += 1
        return func(*args, **(kwargs or {}))


def counts(work: Work) -> dict[str, int]:
    """Count the operations, host synchronisations and bytes of one call.

    A synchronisation is a read that waits for the device where the tensors are on one: in Python
    code (``.cpu()``, ``.item()``, ``if tensor``), or an operation whose result has a size that
    depends on the numbers (``nonzero``). What was read before is read again without waiting, so
    on the host the number is an upper bound.
    """
    with HostReads() as reads, Operations() as operations:
        work()
    inside = sum(operations.names[name] for name in _WAITS if name != '_local_scalar_dense')
    return {
        'operations': operations.names.total(),
        'synchronisations': reads.names.total() + inside,
        'peak_bytes': operations.peak,
    }


def frequent(work: Work, most: int = 12) -> list[tuple[str, int]]:
    """The operations that run most often in one call."""
    with Operations() as operations:
        work()
    return operations.names.most_common(most)


_FLOPS = {
    **flop_registry,
    # The registry has the kernels of accelerators only.
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: flop_registry[
        torch.ops.aten._scaled_dot_product_flash_attention
    ],
}


class _Flops(TorchDispatchMode):
    """Adds up floating-point operations, of inference too, which PyTorch's own counter refuses."""

    def __init__(self) -> None:
        super().__init__()
        self.total = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        formula = _FLOPS.get(func.overloadpacket)
        if formula is None:
            with self:  # in inference operations arrive whole, such as `linear`
                result = func.decompose(*args, **(kwargs or {}))
            return func(*args, **(kwargs or {})) if result is NotImplemented else result
        result = func(*args, **(kwargs or {}))
        self.total += formula(*args, **(kwargs or {}), out_val=result)
        return result


def flops(work: Work) -> int:
    """Floating-point operations of the matrix products of one call, attention included."""
    with _Flops() as counter:
        work()
    return counter.total


def matrix_work(dtype: torch.dtype, device: torch.device, size: int = 1024) -> tuple[Work, int]:
    """A matrix product and its floating-point operations: what the machine can do at best."""
    a, b = (torch.randn(size, size, device=device, dtype=dtype) for _ in range(2))
    return lambda: a @ b, 2 * size**3


def interleaved(works: dict[str, Work], repeats: int, device: torch.device) -> dict[str, Any]:
    """Time several pieces of work in turns; medians of wall and CPU time in seconds.

    Turns expose all of them to the same load of the machine. CPU time is that of all threads of
    this process: on a busy machine it is the figure to trust.
    """
    wait = torch.cuda.synchronize if device.type == 'cuda' else lambda: None
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in works}
    for turn in range(repeats + 1):
        for name, work in works.items():
            wait()
            start, used = time.perf_counter(), time.process_time()
            work()
            wait()
            if turn:  # the first turn warms up
                times[name].append((time.perf_counter() - start, time.process_time() - used))
    return {
        name: {
            'wall': statistics.median(wall for wall, _ in pairs),
            'cpu': statistics.median(cpu for _, cpu in pairs),
        }
        for name, pairs in times.items()
    }


def commit() -> str:
    """The commit of the checkout, or nothing where there is none."""
    command = ['git', 'describe', '--always', '--dirty', '--abbrev=10']
    found = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parent)
    return found.stdout.strip()
