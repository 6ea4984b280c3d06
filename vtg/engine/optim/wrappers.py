# SPDX-License-Identifier: Apache-2.0
"""Optimizer wrappers that do not wait for the device."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import torch
from mmengine.optim import OptimWrapper
from torch import Tensor, nn

from vtg.registry import OPTIM_WRAPPERS
from vtg.utils import ConfigError


@OPTIM_WRAPPERS.register_module()
class GroundingOptimWrapper(OptimWrapper):
    """Clips gradients and leaves their norm on the device.

    MMEngine copies the norm to the host in every step, which waits for the whole step to end.

    Attributes:
        grad_norm: Scalar tensor with the norm before clipping in the last step, None without
            ``clip_grad`` or when clipping by value.
    """

    grad_norm: Tensor | None = None

    def _clip_grad(self) -> None:
        grads = [
            param
            for group in self.optimizer.param_groups
            for param in group['params']
            if param.grad is not None
        ]
        if grads:
            norm = self.clip_func(grads, **self.clip_grad_kwargs)
            self.grad_norm = None if norm is None else norm.detach()


@OPTIM_WRAPPERS.register_module()
class AutocastOptimWrapper(GroundingOptimWrapper):
    """Runs the forward pass in half precision; parameters and optimizer stay in float32.

    Args:
        dtype: ``'bfloat16'``, on CPU and accelerators and without loss scaling, or ``'float16'``,
            on CUDA with dynamic loss scaling. The scaler reads one flag back in every step unless
            the optimizer is fused (``optimizer=dict(fused=True)``).
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
        with super().optim_context(model), torch.autocast(self.device_type, self.dtype):
            yield

    def backward(self, loss: Tensor, **kwargs: Any) -> None:
        super().backward(loss if self.scaler is None else self.scaler.scale(loss), **kwargs)

    def step(self, **kwargs: Any) -> None:
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
        state = super().state_dict()
        if self.scaler is not None:
            state['loss_scaler'] = self.scaler.state_dict()
        return state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        state_dict = dict(state_dict)
        scaler_state = state_dict.pop('loss_scaler', None)
        if self.scaler is not None and scaler_state is not None:
            self.scaler.load_state_dict(scaler_state)
        super().load_state_dict(state_dict)
