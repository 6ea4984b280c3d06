# SPDX-License-Identifier: Apache-2.0
"""Slots that share out the tokens of a sequence among themselves."""

from torch import Tensor, nn

from vtg.structures import in_float32

from .blocks import MLP
from .init import Init, init_transformer


class SlotAttention(nn.Module):
    """Slots compete for tokens and take in the mean of what they win, a few times over.

    Slot attention (Locatello et al., 2020) as event-aware dynamic queries have it (EaTR, Jang et
    al., ICCV 2023, section 3.2): a softmax over the slots, weights that sum to 1 over the tokens, a
    plain residual in the place of the GRU. All iterations have the same weights.

    Args:
        dim: Token width D.
        num_iterations: How often the slots are updated.
        hidden_dims: Widths between the layers of the perceptron that follows every update; None is
            one layer of width D.
        mask_padding: Padding has no weight. False gives it the weight of an undecided token, 1 over
            the number of slots, as released code does.
        init: Initialise as DETR's code does, see :func:`init_transformer`.
    """

    def __init__(
        self,
        dim: int,
        num_iterations: int = 3,
        hidden_dims: tuple[int, ...] | None = None,
        mask_padding: bool = True,
        init: Init = None,
    ) -> None:
        super().__init__()
        self.num_iterations = num_iterations
        self.mask_padding = mask_padding
        self.norm_inputs, self.norm_slots = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.norm_mlp, self.norm_out = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.query, self.key, self.value = (nn.Linear(dim, dim) for _ in range(3))
        hidden = (dim,) if hidden_dims is None else hidden_dims
        self.mlp = MLP(dim, *hidden, dim, xavier=False)
        init_transformer(self, init)

    def forward(self, slots: Tensor, tokens: Tensor, mask: Tensor) -> Tensor:
        """Update ``slots (B, Q, D)`` from ``tokens (B, L, D)``; ``mask (B, L)`` True = real.

        Returns:
            ``(B, Q, D)``.
        """
        tokens = self.norm_inputs(tokens)
        key, value = self.key(tokens), self.value(tokens)
        for _ in range(self.num_iterations):
            query = self.query(self.norm_slots(slots))
            logits = in_float32(query @ key.mT) * slots.shape[-1] ** -0.5  # (B, Q, L)
            logits = logits.masked_fill(~mask.unsqueeze(1), 0)
            weights = logits.softmax(dim=1)
            if self.mask_padding:
                weights = weights * mask.unsqueeze(1)
            weights = weights / (weights.sum(dim=-1, keepdim=True) + 1e-8)
            slots = slots + weights.to(value.dtype) @ value
            slots = slots + self.mlp(self.norm_mlp(slots))
        return self.norm_out(slots)
