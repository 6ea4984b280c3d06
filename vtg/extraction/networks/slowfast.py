# SPDX-License-Identifier: Apache-2.0
"""SlowFast (Feichtenhofer et al., ICCV 2019, Table 1): few frames with many channels beside many
frames with few.

Modules are named as in ``facebookresearch/SlowFast``, so its state dicts fit as they are.
"""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SLOW, FAST = 0, 1
DEPTHS = (3, 4, 6, 3)
"""Blocks per stage of a ResNet-50."""
KERNELS = ((1, 1, 1, 3, 3), (5, 3, 3, 3, 3))
"""Frames that convolutions of the stem and of the stages see, of the slow and the fast pathway."""


def _conv(
    channels: int, out: int, kernel: tuple[int, int, int], stride: tuple[int, int, int]
) -> nn.Conv3d:
    """A convolution without bias that keeps the size up to its stride."""
    padding = (kernel[0] // 2, kernel[1] // 2, kernel[2] // 2)
    return nn.Conv3d(channels, out, kernel, stride, padding, bias=False)


class _Stem(nn.Module):
    def __init__(self, width: int, frames: int, eps: float) -> None:
        super().__init__()
        self.conv = _conv(3, width, (frames, 7, 7), (1, 2, 2))
        self.bn = nn.BatchNorm3d(width, eps)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.bn(self.conv(x)))
        return F.max_pool3d(x, (1, 3, 3), (1, 2, 2), (0, 1, 1))


class _Bottleneck(nn.Module):
    def __init__(
        self, channels: int, inner: int, out: int, frames: int, stride: int, eps: float
    ) -> None:
        super().__init__()
        self.a = _conv(channels, inner, (frames, 1, 1), (1, 1, 1))
        self.a_bn = nn.BatchNorm3d(inner, eps)
        self.b = _conv(inner, inner, (1, 3, 3), (1, stride, stride))
        self.b_bn = nn.BatchNorm3d(inner, eps)
        self.c = _conv(inner, out, (1, 1, 1), (1, 1, 1))
        self.c_bn = nn.BatchNorm3d(out, eps)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.a_bn(self.a(x)))
        x = F.relu(self.b_bn(self.b(x)))
        return self.c_bn(self.c(x))


class _Block(nn.Module):
    def __init__(
        self, channels: int, inner: int, out: int, frames: int, stride: int, eps: float
    ) -> None:
        super().__init__()
        self.projected = channels != out or stride != 1
        if self.projected:
            self.branch1 = _conv(channels, out, (1, 1, 1), (1, stride, stride))
            self.branch1_bn = nn.BatchNorm3d(out, eps)
        self.branch2 = _Bottleneck(channels, inner, out, frames, stride, eps)

    def forward(self, x: Tensor) -> Tensor:
        shortcut = self.branch1_bn(self.branch1(x)) if self.projected else x
        return F.relu(shortcut + self.branch2(x))


class _Both(nn.Module):
    """Modules of both pathways that run beside each other, ``pathway0_*`` and ``pathway1_*``."""

    def __init__(self, slow: dict[str, nn.Module], fast: dict[str, nn.Module]) -> None:
        super().__init__()
        self.names: list[list[str]] = []
        for number, modules in enumerate((slow, fast)):
            names = [f'pathway{number}_{name}' for name in modules]
            for name, module in zip(names, modules.values()):
                self.add_module(name, module)
            self.names.append(names)

    def forward(self, slow: Tensor, fast: Tensor) -> tuple[Tensor, Tensor]:
        for name in self.names[SLOW]:
            slow = self.get_submodule(name)(slow)
        for name in self.names[FAST]:
            fast = self.get_submodule(name)(fast)
        return slow, fast


class _Fusion(nn.Module):
    """Fast frames, brought to the rate of the slow ones, behind the slow channels."""

    def __init__(self, channels: int, ratio: int, frames: int, stride: int, eps: float) -> None:
        super().__init__()
        self.conv_f2s = _conv(channels, channels * ratio, (frames, 1, 1), (stride, 1, 1))
        self.bn = nn.BatchNorm3d(channels * ratio, eps)

    def forward(self, slow: Tensor, fast: Tensor) -> tuple[Tensor, Tensor]:
        fused = F.relu(self.bn(self.conv_f2s(fast)))
        return torch.cat((slow, fused), dim=1), fast


class SlowFast(nn.Module):
    """SlowFast without its classifier: a clip becomes the mean of the last stage of both pathways.

    Args:
        width: Channels of the stem of the slow pathway.
        beta_inv: How many times fewer channels the fast pathway has.
        alpha: How many times more frames it has.
        fusion_ratio: Channels that the fast pathway hands over, per channel that it has.
        fusion_kernel: Frames that a fusion sees.
        depths: Blocks per stage.
        kernels: See :data:`KERNELS`.
        eps: Of the batch normalisations.
    """

    def __init__(
        self,
        width: int = 64,
        beta_inv: int = 8,
        alpha: int = 4,
        fusion_ratio: int = 2,
        fusion_kernel: int = 7,
        depths: Sequence[int] = DEPTHS,
        kernels: Sequence[Sequence[int]] = KERNELS,
        eps: float = 1e-5,
    ) -> None:
        super().__init__()
        self.alpha, self.depths = alpha, tuple(depths)
        widths = (width, width // beta_inv)
        stems = [_Stem(w, k[0], eps) for w, k in zip(widths, kernels)]
        self.s1 = _Both({'stem': stems[SLOW]}, {'stem': stems[FAST]})
        channels = list(widths)
        for stage, depth in enumerate(depths, start=2):
            fusion = _Fusion(channels[FAST], fusion_ratio, fusion_kernel, alpha, eps)
            self.add_module(f's{stage - 1}_fuse', fusion)
            channels[SLOW] += channels[FAST] * fusion_ratio
            pathways: list[dict[str, nn.Module]] = [{}, {}]
            for pathway, blocks in enumerate(pathways):
                inner = widths[pathway] * 2 ** (stage - 2)
                frames = kernels[pathway][stage - 1]
                for number in range(depth):
                    stride = 2 if stage > 2 and number == 0 else 1
                    blocks[f'res{number}'] = _Block(
                        channels[pathway], inner, 4 * inner, frames, stride, eps
                    )
                    channels[pathway] = 4 * inner
            self.add_module(f's{stage}', _Both(*pathways))
        self.out_width = sum(channels)

    def slow_frames(self, frames: int) -> Tensor:
        """Which of so many fast frames the slow pathway sees, ``(frames / alpha,)``."""
        return torch.linspace(0, frames - 1, frames // self.alpha).long()

    def stages(self, slow: Tensor, fast: Tensor) -> Iterator[tuple[str, Tensor, Tensor]]:
        """Yield the name and both results of every stage and fusion, in order.

        Args:
            slow: ``(B, 3, t, H, W)`` normalised frames.
            fast: ``(B, 3, alpha * t, H, W)``.
        """
        for name, module in self.named_children():
            slow, fast = module(slow, fast)
            yield name, slow, fast

    def forward(self, slow: Tensor, fast: Tensor) -> Tensor:
        """Return ``(B, D)``, the channels of the slow pathway first; see :meth:`stages`."""
        *_, (_, slow, fast) = self.stages(slow, fast)
        # In half precision the convolutions only.
        return torch.cat([out.float().mean((2, 3, 4)) for out in (slow, fast)], dim=1)
