# SPDX-License-Identifier: Apache-2.0
"""Extra decoder queries in training: which anchors become queries and who may see whom."""

import torch
from torch import Tensor


def query_group_mask(
    num_main: int,
    num_collab: int = 0,
    denoising_group: Tensor | None = None,
    device: torch.device | str | None = None,
) -> Tensor:
    """Return the self-attention mask of queries in the order ``[denoising | collab | main]``.

    The main queries see only themselves, so extra queries never change the prediction. Each
    denoising group sees itself, and so do the collab queries.

    Args:
        num_main: Queries that are used for prediction.
        num_collab: Queries made from anchors of another head.
        denoising_group: ``(T,)`` group of each denoising query.
        device: Of the result.

    Returns:
        ``(Q, Q)``, True = row may not see column.
    """
    if denoising_group is None:
        denoising_group = torch.empty(0, dtype=torch.long, device=device)
    denoising = denoising_group.to(device)
    rest = torch.full((num_collab + num_main,), -2, dtype=denoising.dtype, device=denoising.device)
    rest[num_collab:] = -1
    group = torch.cat((denoising, rest))  # (Q,): >= 0 denoising, -2 collab, -1 main
    return group[:, None] != group[None, :]


def select_collab_anchors(
    positive: Tensor,
    anchor_mask: Tensor,
    count: int,
    order: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Choose the anchors that become collab queries (Zong et al., Co-DETR, 2023, section 3.3).

    Args:
        positive: ``(B, A)`` True for positive anchors of the assigner.
        anchor_mask: ``(B, A)`` True where an anchor belongs to the video.
        count: Anchors per sample, usually the largest number of positives of a sample, which is
            known without waiting for the device if the assignment ran on the host.
        order: ``(B, A)`` numbers in [0, 1); negatives are taken by ascending number. Drawn if None.

    Returns:
        ``(B, count)`` int64 anchor index: the positives in anchor order, then random valid
        negatives. ``(B, count)`` False where a video has too few valid anchors to fill a slot.
    """
    if order is None:
        order = torch.rand(positive.shape, device=positive.device)
    # Positives rank below 0 in anchor order, negatives in [0, 1), anchors outside last.
    place = torch.arange(positive.shape[1], dtype=order.dtype, device=order.device)
    rank = torch.where(positive, place - positive.shape[1], order)
    rank = rank.masked_fill(~(anchor_mask | positive), torch.inf)
    rank, index = rank.sort(dim=1, stable=True)
    return index[:, :count], rank[:, :count].isfinite()
