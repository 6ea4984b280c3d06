# SPDX-License-Identifier: Apache-2.0
"""Calibration of the layers of a backbone with each other, in training only."""

import torch
import torch.nn.functional as F
from torch import Tensor

from vtg.models.base import Auxiliary
from vtg.models.extras import LayerSteps
from vtg.models.layers import unit
from vtg.models.losses import masked_mean
from vtg.models.losses.saliency import MASKED_SCORE
from vtg.registry import MODELS
from vtg.structures import GroundingState


def paired_contrast(clips: Tensor, queries: Tensor, valid: Tensor, temperature: float) -> Tensor:
    """InfoNCE in both directions, half of each: the i-th clip belongs to the i-th query.

    Args:
        clips, queries: ``(S, N, D)``, S groups that are contrasted apart.
        valid: ``(S, N)``; the others are no candidates and cost nothing.
        temperature: Divisor of the cosines.

    Returns:
        The mean over valid pairs.
    """
    logits = unit(clips, eps=1e-8) @ unit(queries, eps=1e-8).mT / temperature
    both = valid.unsqueeze(-1) & valid.unsqueeze(-2)
    itself = torch.eye(logits.shape[-1], dtype=torch.bool, device=logits.device)
    logits = logits.masked_fill(~(both | itself), MASKED_SCORE)
    rows, columns = (-F.log_softmax(logits, dim=dim).diagonal(dim1=-2, dim2=-1) for dim in (-1, -2))
    return masked_mean((rows + columns) / 2, valid)


@MODELS.register_module()
class LayerCalibration(Auxiliary):
    """A relevant clip and its query must find each other, on every layer among the videos of the
    batch, and in every video among the layers.

    R2-Tuning (Liu et al., ECCV 2024, section 3.3): contrast across videos and across layers.

    Args:
        temperature: Divisor of the cosines.
        pair: Which of the ranked pairs gives the clip; the last is a random relevant one.
        video_weight, layer_weight: Weights of the two terms.
    """

    loss_requires = ('layer_steps',)

    def __init__(
        self,
        temperature: float = 0.07,
        pair: int = -1,
        video_weight: float = 0.1,
        layer_weight: float = 0.1,
    ) -> None:
        super().__init__()
        self.temperature = temperature
        self.pair = pair
        self.video_weight = video_weight
        self.layer_weight = layer_weight

    def loss(self, state: GroundingState) -> dict[str, Tensor]:
        """``loss_video_calibration`` and ``loss_layer_calibration``, means over videos with a
        relevant clip and over layers."""
        steps, targets = state.extras[LayerSteps], state.targets
        index = targets.pos_clips[:, self.pair, None, None, None]
        layers, dim = steps.clips.shape[1], steps.clips.shape[-1]
        clips = steps.clips.gather(2, index.expand(-1, layers, 1, dim)).squeeze(2)  # (B, K, D)
        valid = targets.relevant.any(dim=1).unsqueeze(1).expand(-1, layers)
        across = paired_contrast(
            clips.transpose(0, 1), steps.sentences.transpose(0, 1), valid.T, self.temperature
        )
        within = paired_contrast(clips, steps.sentences, valid, self.temperature)
        return {
            'loss_video_calibration': self.video_weight * across,
            'loss_layer_calibration': self.layer_weight * within,
        }
