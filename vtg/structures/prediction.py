# SPDX-License-Identifier: Apache-2.0
"""What a model says about a batch, in tensors from the heads to the records."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from .state import MomentList


@dataclass(frozen=True)
class Prediction:
    """The post-processed result of a batch, on the device of the model.

    B is the number of samples, L the padded number of clips; every list has a padded size K of its
    own. Records are made of it by :func:`vtg.evaluation.records.to_records`, once and for all.

    Attributes:
        video_mask: ``(B, L)`` True where a clip is real.
        duration: ``(B,)`` seconds.
        meta: The facts of every sample, B dicts; a record has their qid, query and vid.
        lists: Moments in seconds by the name of the list, ``(B, K)`` each. A sample may have none.
        output: The name of the reported list; None where the model finds no moments.
        saliency: ``(B, L)`` score of every clip, any on padding; None without a saliency head.
        digits: Decimals of the seconds and scores of moments in a record; None keeps them all.
        existence: ``(B,)`` probability that the query has a moment; None where nothing tells.
        threshold: Up to this probability a query counts as one without a moment; None where none
            was chosen. Its moments are listed all the same.
    """

    video_mask: Tensor
    duration: Tensor
    meta: Sequence[dict[str, Any]]
    lists: dict[str, MomentList]
    output: str | None = None
    saliency: Tensor | None = None
    digits: int | None = 4
    existence: Tensor | None = None
    threshold: float | None = None

    def __len__(self) -> int:
        return len(self.video_mask)


def join_predictions(predictions: Sequence[Prediction]) -> Prediction:
    """Join batches of one model, sample after sample; all are padded to the same clips."""
    first = predictions[0]
    scores = [item.saliency for item in predictions if item.saliency is not None]
    existence = [item.existence for item in predictions if item.existence is not None]
    return Prediction(
        video_mask=torch.cat([item.video_mask for item in predictions]),
        duration=torch.cat([item.duration for item in predictions]),
        meta=[facts for item in predictions for facts in item.meta],
        lists={
            name: _concatenate_lists([item.lists[name] for item in predictions])
            for name in first.lists
        },
        output=first.output,
        saliency=torch.cat(scores) if scores else None,
        digits=first.digits,
        existence=torch.cat(existence) if existence else None,
        threshold=first.threshold,
    )


def _concatenate_lists(lists: Sequence[MomentList]) -> MomentList:
    size = max(moments.mask.shape[1] for moments in lists)
    missing = [size - moments.mask.shape[1] for moments in lists]
    return MomentList(
        torch.cat([F.pad(item.spans, (0, 0, 0, more)) for item, more in zip(lists, missing)]),
        torch.cat([F.pad(item.scores, (0, more)) for item, more in zip(lists, missing)]),
        torch.cat([F.pad(item.mask, (0, more)) for item, more in zip(lists, missing)]),
    )
