# SPDX-License-Identifier: Apache-2.0
"""Optimizer wrappers that take few operations and do not wait for the device."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import torch
from mmengine.optim import OptimWrapper
from torch import Tensor, nn

from vtg.registry import OPTIM_WRAPPERS
from vtg.utils import ConfigError

# Devices on which PyTorch clips all gradients in a few operations.
_FOREACH = ('cpu', 'cuda')


def merge_groups(optimizer: torch.optim.Optimizer) -> None:
    """Join the parameter groups that have equal settings, in place; the order is kept otherwise.

    MMEngine's constructor makes one group per parameter with ``paramwise_cfg``, and an optimizer
    runs once per group.
    """
    merged: dict[str, dict[str, Any]] = {}
    for group in optimizer.param_groups:
        settings = {key: value for key, value in sorted(group.items()) if key != 'params'}
        first = merged.setdefault(repr(settings), group)
        if first is not group:
            first['params'] = [*first['params'], *group['params']]
    optimizer.param_groups[:] = merged.values()


def fuse(optimizer: torch.optim.Optimizer) -> None:
    """Let one kernel update all parameters of a group, in place, where the device has it.

    An optimizer that has no such kernel, or whose config decides about it, stays as it is.
    """
    groups = optimizer.param_groups
    parameters = [parameter for group in groups for parameter in group['params']]
    undecided = all(group.get(key, 0) is None for group in groups for key in ('fused', 'foreach'))
    plain = not any(group.get(key) for group in groups for key in ('capturable', 'differentiable'))
    if not (undecided and plain and all(x.is_floating_point() for x in parameters)):
        return
    try:
        for place in {(x.device, x.dtype) for x in parameters}:
            trial = torch.zeros(1, device=place[0], dtype=place[1], requires_grad=True)
            trial.grad = torch.zeros_like(trial)
            kind: Any = type(optimizer)
            twin = kind([trial], lr=1e-3, fused=True)
            twin.step()
    except (RuntimeError, TypeError, NotImplementedError):
        return
    for group in groups:
        group['fused'] = True
    optimizer.defaults['fused'] = True
    # What the constructor of PyTorch sets for a fused optimizer.
    optimizer._step_supports_amp_scaling = True  # type: ignore[attr-defined]


@OPTIM_WRAPPERS.register_module()
class GroundingOptimWrapper(OptimWrapper):
    """Clips gradients and leaves their norm on the device; updates all parameters in one kernel.

    MMEngine copies the norm to the host in every step, which waits for the whole step to end.
    Groups of parameters with equal settings are joined, see :func:`merge_groups`, and the fused
    kernel of the optimizer is taken where there is one, see :func:`fuse`; ``fused=False`` in the
    config of the optimizer keeps PyTorch's default.

    Attributes:
        grad_norm: Scalar tensor with the norm before clipping in the last step, None without
            ``clip_grad`` or when clipping by value.
    """

    grad_norm: Tensor | None = None

    def __init__(self, optimizer: torch.optim.Optimizer, *args: Any, **kwargs: Any) -> None:
        merge_groups(optimizer)
        fuse(optimizer)
        super().__init__(optimizer, *args, **kwargs)

    def _clip_grad(self) -> None:
        grads = [
            param
            for group in self.optimizer.param_groups
            for param in group['params']
            if param.grad is not None
        ]
        if grads:
            together = all(param.device.type in _FOREACH for param in grads)
            options = {'foreach': together or None, **self.clip_grad_kwargs}
            norm = self.clip_func(grads, **options)
            self.grad_norm = None if norm is None else norm.detach()


@OPTIM_WRAPPERS.register_module()
class AutocastOptimWrapper(GroundingOptimWrapper):
    """Runs the forward pass in half precision; parameters and optimizer stay in float32.

    Args:
        dtype: ``'bfloat16'``, on CPU and accelerators and without loss scaling, or ``'float16'``,
            on CUDA with dynamic loss scaling. The scaler reads one flag back in every step unless
            the optimizer is fused.
        kwargs: See :class:`GroundingOptimWrapper`.

    Attributes:
        skipped: Scalar tensor with the number of steps in a row, up to the last one, that the loss
            scaler has skipped; None without a scaler.
    """

    skipped: Tensor | None = None

    def __init__(
        self, *args: Any, dtype: Literal['bfloat16', 'float16'] = 'bfloat16', **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.dtype = getattr(torch, dtype)
        self.device_type = self.optimizer.param_groups[0]['params'][0].device.type
        if dtype == 'float16' and self.device_type != 'cuda':
            raise ConfigError(
                f"optim_wrapper.dtype='float16' needs a CUDA device, this run is on "
                f"{self.device_type}; use dtype='bfloat16' (--amp bf16)."
            )
        scaled = dtype == 'float16'
        self.scaler = torch.amp.GradScaler(self.device_type) if scaled else None

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Run the forward pass in half precision."""
        with super().optim_context(model), torch.autocast(self.device_type, self.dtype):
            yield

    def backward(self, loss: Tensor, **kwargs: Any) -> None:
        """Compute the gradients, of the scaled loss where there is a scaler."""
        super().backward(loss if self.scaler is None else self.scaler.scale(loss), **kwargs)

    def step(self, **kwargs: Any) -> None:
        """Clip and step; the scaler leaves out a step whose gradients are not finite."""
        if self.scaler is None:
            super().step(**kwargs)
            return
        if self.clip_grad_kwargs:
            self.scaler.unscale_(self.optimizer)
            self._clip_grad()
        self.scaler.step(self.optimizer, **kwargs)
        # The scale falls when a step was skipped, and only then; compared on the device.
        scale = self._scale.clone()
        self.scaler.update()
        skipped = (self._scale < scale).to(torch.int64)
        self.skipped = skipped if self.skipped is None else (self.skipped + 1) * skipped

    @property
    def _scale(self) -> Tensor:
        # The scaler makes it when it scales the first loss, which comes before any step.
        assert self.scaler is not None and self.scaler._scale is not None
        return self.scaler._scale

    def state_dict(self) -> dict[str, Any]:
        """The state of the optimizer, and of the scaler."""
        state = super().state_dict()
        if self.scaler is not None:
            state['loss_scaler'] = self.scaler.state_dict()
        return state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore both; a scaler starts anew where the file has none."""
        state_dict = dict(state_dict)
        scaler_state = state_dict.pop('loss_scaler', None)
        if self.scaler is not None and scaler_state is not None:
            self.scaler.load_state_dict(scaler_state)
        super().load_state_dict(state_dict)
