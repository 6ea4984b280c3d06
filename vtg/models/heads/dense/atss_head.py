# SPDX-License-Identifier: Apache-2.0
"""A dense moment head with one anchor per pyramid cell."""

from dataclasses import dataclass
from typing import Any, ClassVar, TypedDict

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vtg.models.layers import MaskedConv1d
from vtg.models.losses import AssignedPredictions
from vtg.models.losses.moment import LossConfigs
from vtg.models.task_modules import AnchorAssignment, centerness_target
from vtg.models.task_modules.nms import take_moments, temporal_nms
from vtg.registry import MODELS, TASK_UTILS
from vtg.structures import (
    FeaturePyramid,
    GroundingState,
    GroundingTargets,
    MomentList,
    cxw_to_xx,
    xx_to_cxw,
)
from vtg.utils import ConfigError

from .base import PyramidDenseHead


@dataclass(frozen=True)
class DenseOutputs:
    """Predictions of all A anchors, level after level; clip units are clips.

    Attributes:
        logits: ``(B, A)`` class logits.
        centerness: ``(B, A)`` logits.
        spans: ``(B, A, 2)`` decoded start and end in clip units.
        anchors: ``(A, 2)`` start and end in clip units.
        mask: ``(B, A)`` True where the anchor's cell is real.
        unit: ``(B,)`` seconds per clip unit.
        assignment: Which anchor has to find which moment, in training.
        moments: ``(B, A, 2)`` that moment in clip units, in training.
    """

    logits: Tensor
    centerness: Tensor
    spans: Tensor
    anchors: Tensor
    mask: Tensor
    unit: Tensor
    assignment: AnchorAssignment | None = None
    moments: Tensor | None = None


class ConvTower(nn.Module):
    """Convolutions of width 3 with LayerNorm and ReLU, shared by all levels."""

    def __init__(self, dim: int, num_layers: int, mask_padding: bool) -> None:
        super().__init__()
        self.convs = nn.ModuleList(
            MaskedConv1d(dim, dim, 3, bias=False, mask_padding=mask_padding, init_std=0.01)
            for _ in range(num_layers)
        )
        self.norms = nn.ModuleList(nn.LayerNorm(dim) for _ in range(num_layers))

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """``(B, L, D)`` and its mask to ``(B, L, D)``."""
        for conv, norm in zip(self.convs, self.norms):
            x = F.relu(norm(conv(x, mask)))
        return x


class DenseTestConfig(TypedDict, total=False):
    """How a dense head makes its list."""

    score_thr: float
    iou_thr: float
    top_n: int


@MODELS.register_module()
class ATSSHead(PyramidDenseHead):
    """Classifies anchors, shifts them to moments and judges how central they are.

    ATSS (Zhang et al., 2020) along time, as in SG-DETR (arXiv 2410.01615, section 3.5).

    Args:
        dim: Channels.
        num_convs: Convolutions of each tower.
        anchors: Config of the anchor generator; its strides are those of the neck.
        assigner: Config of the assigner.
        coder: Config of the span coder.
        prior: Initial foreground probability.
        losses: See :class:`~vtg.models.heads.DenseHead`. Classification divides by the number of
            positive anchors; means over moments are weighted by the centerness of the anchors.
        test_cfg: ``score_thr``, ``iou_thr`` of the suppression and ``top_n`` of the list.
        unit_seconds: Seconds per clip unit; None takes the sample's own clip length. The released
            code uses 2 for all datasets.
        truncate_targets: Cut the ends of the moments to whole seconds, as the released code does.
        mask_padding: See :class:`PyramidDenseHead`.
        clamp_length: Decoded moments have length 0 or more at inference.
    """

    lists = ('atss',)
    suggests: ClassVar[dict[str, str]] = {'pyramid': 'DepthwisePyramid'}
    prefix = 'dense_'
    gives = ('centerness', 'clip_scores')
    scored = ('centerness',)
    default_losses: ClassVar[dict[str, dict[str, Any]]] = {
        'label': {'type': 'FocalClassLoss', 'weight': 2.0},
        'giou': {'type': 'GIoUSpanLoss', 'eps': 1e-7, 'weight': 2.0},
        'span': {'type': 'SmoothL1SpanLoss', 'on': 'ends', 'reduction': 'sum', 'weight': 0.1},
        'centerness': {'type': 'CenternessLoss', 'weight': 0.5},
    }

    def __init__(
        self,
        dim: int,
        num_convs: int = 3,
        anchors: dict | None = None,
        assigner: dict | None = None,
        coder: dict | None = None,
        prior: float = 0.35,
        losses: LossConfigs | None = None,
        test_cfg: DenseTestConfig | None = None,
        unit_seconds: float | None = None,
        truncate_targets: bool = False,
        mask_padding: bool = True,
        clamp_length: bool = True,
    ) -> None:
        super().__init__(dim, losses, unit_seconds, mask_padding)
        self.anchors = TASK_UTILS.build(anchors or dict(type='AnchorGenerator1D'))
        self.assigner = TASK_UTILS.build(assigner or dict(type='ATSSAssigner'))
        self.coder = TASK_UTILS.build(coder or dict(type='AnchorDeltaCoder'))
        self.test_cfg = {'score_thr': 0.05, 'iou_thr': 0.5, 'top_n': 10, **(test_cfg or {})}
        self.truncate_targets = truncate_targets
        self.clamp_length = clamp_length

        def conv(out_dim: int) -> MaskedConv1d:
            return MaskedConv1d(dim, out_dim, 3, mask_padding=mask_padding, init_std=0.01)

        self.class_tower = ConvTower(dim, num_convs, mask_padding)
        self.span_tower = ConvTower(dim, num_convs, mask_padding)
        self.class_conv, self.span_conv, self.centerness_conv = conv(1), conv(2), conv(1)
        nn.init.constant_(
            self.class_conv.conv.get_parameter('bias'), torch.tensor(prior).logit().item()
        )
        self.scales = nn.Parameter(torch.ones(len(self.anchors.strides)))

    def check_pyramid(self, strides: tuple[float, ...]) -> None:
        """See :meth:`vtg.models.base.Component.check_pyramid`."""
        if self.anchors.strides != tuple(strides):
            raise ConfigError(
                f'ATSSHead has anchors of strides {self.anchors.strides}, but the levels of the '
                f'pyramid have {tuple(strides)}; set anchors.strides to those and anchors.sizes to '
                'one size per level, or change model.neck.'
            )
        super().check_pyramid(strides)

    def forward(self, state: GroundingState) -> dict[str, Any]:
        """See :class:`vtg.models.base.MomentHead`."""
        outputs = self.predict_anchors(state)
        score = (outputs.logits.sigmoid() * outputs.centerness.sigmoid()).sqrt() * outputs.mask
        return self.as_state(outputs.spans, score, outputs.unit, state.duration, dense=outputs)

    def predict_anchors(self, state: GroundingState) -> DenseOutputs:
        """Run the towers over all levels and, in training, assign the anchors."""
        pyramid = state.pyramid
        self.check_pyramid(pyramid.strides)
        logits, centerness, deltas = [], [], []
        for level, (x, mask) in enumerate(zip(pyramid.features, pyramid.masks)):
            classes, spans = self.class_tower(x, mask), self.span_tower(x, mask)
            logits.append(self.class_conv(classes, mask).squeeze(-1))
            centerness.append(self.centerness_conv(spans, mask).squeeze(-1))
            deltas.append(self.span_conv(spans, mask) * self.scales[level])
        sizes = [mask.shape[1] for mask in pyramid.masks]
        anchors = torch.cat(self.anchors(sizes, device=logits[0].device))
        mask = torch.cat(pyramid.masks, dim=1)
        if not self.mask_padding:
            mask = torch.ones_like(mask)
        assignment = moments = None
        if state.targets is not None:
            assignment, moments = self._assign(state.targets.on_host, pyramid, anchors.device)
        return DenseOutputs(
            torch.cat(logits, dim=1),
            torch.cat(centerness, dim=1),
            self.coder.decode(anchors, torch.cat(deltas, dim=1).float()),
            anchors,
            mask,
            self.unit(state.duration, state.video_mask.sum(dim=1)),
            assignment,
            moments,
        )

    def _assign(
        self, host: GroundingTargets, pyramid: FeaturePyramid, device: torch.device
    ) -> tuple[AnchorAssignment, Tensor]:
        """Assign anchors on the host, where the number of positives is known without waiting."""
        gts = self.moments_in_clips(host, self.truncate_targets)
        sizes = [mask.shape[1] for mask in pyramid.masks]
        masks = []
        for size, cells in zip(sizes, pyramid.num_cells(host.num_clips)):
            if not self.mask_padding:
                cells = torch.full_like(cells, size)
            masks.append(torch.arange(size) < cells.unsqueeze(-1))
        anchors = torch.cat(self.anchors(sizes))
        assignment = self.assigner(anchors, sizes, torch.cat(masks, dim=1), gts, host.span_mask)
        index = assignment.gt_index.unsqueeze(-1).expand(-1, -1, 2)
        moments = gts.gather(1, index) if gts.shape[1] else gts.new_zeros(index.shape)
        return assignment, moments.to(device, non_blocking=True)

    def assign(self, state: GroundingState) -> AssignedPredictions:
        """See :class:`~vtg.models.heads.DenseHead`; spans are in clips."""
        outputs: DenseOutputs = state.moment_outputs['dense']
        assert outputs.assignment is not None and outputs.moments is not None
        positive = outputs.assignment.positive.to(outputs.logits.device, non_blocking=True)
        target = centerness_target(outputs.anchors, outputs.moments)
        return AssignedPredictions(
            logits=outputs.logits[None, ..., None],
            mask=outputs.mask[None],
            positive=positive[None],
            spans=outputs.spans[None],
            wanted=outputs.moments[None],
            ends=True,
            span_weight=torch.where(positive, target, torch.zeros_like(target))[None],
            num_labels=positive.sum().clamp(min=1)[None],
            centerness=outputs.centerness[None],
            wanted_centerness=target[None],
            clip_scores=self.clip_scores(outputs.logits, state),
        )

    def predict(self, state: GroundingState) -> dict[str, MomentList]:
        """The list ``atss``, see :meth:`ranked`."""
        options: dict[str, Any] = {**self.test_cfg}
        return {'atss': self.ranked(state, **options)}

    def ranked(
        self, state: GroundingState, score_thr: float, iou_thr: float, top_n: int
    ) -> MomentList:
        """Filter, suppress and cut the anchors' moments.

        Args:
            state: With ``moment_outputs``.
            score_thr: Keep scores ``sqrt(class * centerness)`` above this.
            iou_thr: Overlap above which the lower score is suppressed.
            top_n: Length of the list; ties with the last entry stay.
        """
        outputs: DenseOutputs = state.moment_outputs['dense']
        scores = (outputs.logits.sigmoid() * outputs.centerness.sigmoid()).sqrt()
        spans = outputs.spans
        if self.clamp_length:
            centre, width = xx_to_cxw(spans).unbind(-1)
            spans = cxw_to_xx(torch.stack((centre, width.clamp(min=0)), dim=-1))
        mask = outputs.mask & (scores > score_thr)
        moments = self.in_seconds(spans, scores, mask, outputs.unit, state.duration)
        kept = temporal_nms(_shortened(moments), iou_thr, top_n, ties=True)
        last = kept.scores[:, min(top_n, kept.scores.shape[1]) - 1, None]
        enough = kept.mask.sum(dim=1, keepdim=True) > top_n
        mask = kept.mask & (~enough | (kept.scores >= last))
        return _shortened(MomentList(kept.spans, kept.scores, mask))


def _shortened(moments: MomentList) -> MomentList:
    """Drop the columns beyond the longest list of the batch; at least one stays."""
    longest = max(1, int(moments.mask.sum(dim=1).max()))
    order = (~moments.mask).to(torch.uint8).argsort(dim=1, stable=True)
    return take_moments(moments, order[:, :longest])
