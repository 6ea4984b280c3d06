# SPDX-License-Identifier: Apache-2.0
"""A dense moment head with one point per pyramid cell."""

from typing import Any, ClassVar, Literal, TypedDict

import torch
import torch.nn.functional as F
from torch import Tensor

from vtg.models.base import MomentHead
from vtg.models.losses import clip_score_distance, masked_mean, sigmoid_focal_loss
from vtg.models.task_modules import PointAssignment
from vtg.models.task_modules.nms import sort_moments, take_first
from vtg.registry import MODELS, TASK_UTILS
from vtg.structures import (
    GroundingState,
    GroundingTargets,
    MomentList,
    cxw_to_xx,
    xx_to_cxw,
)
from vtg.utils import ConfigError

from .boundary import BoundaryHead, PointOutputs
from .score_refinement import ScoreRefinement


class PyramidWeights(TypedDict, total=False):
    """Weights of the terms of :class:`PyramidHead`."""

    label: float
    span: float
    clip_score: float


@MODELS.register_module()
class PyramidHead(MomentHead):
    """Every pyramid cell scores itself and tells how far start and end are.

    FlashVTG (Cao et al., 2025), sections 3.3 to 3.5, after R2-Tuning (Liu et al., 2024).

    Args:
        dim: Channels.
        num_levels: Levels of the neck's pyramid.
        kernel_size: Of the convolutions that score.
        num_convs: Convolutions of a score head.
        num_linear: Linear layers of a score head's perceptron.
        refine: Adaptive score refinement, see :class:`ScoreRefinement`; False scores each level
            alone.
        mix: See :class:`ScoreRefinement`.
        boundary: See :class:`BoundaryHead`.
        points: Config of the point generator.
        assigner: Config of the point assigner.
        label_target: ``'moment'``: points of a moment are 1, in a focal loss; ``'saliency'``: the
            level of stride 1 learns the saliency label itself by cross-entropy, where there are no
            moments (labels above 1 make that unbounded, as published).
        gamma: Exponent of the focal loss.
        clip_score_over: Scores and labels are brought to [0, 1] per ``'sample'`` or over the whole
            padded ``'batch'``, as the released code does.
        loss_weights: Weights of ``label``, ``span`` and ``clip_score`` (the clip-aware score: the
            logits of stride 1 against the saliency labels); 0 leaves a term out.
        max_moments: Length of the list.
        unit_seconds: Seconds per clip; None takes the sample's own.
        mask_padding: Padded cells are zero to convolutions, learn nothing and predict nothing.
            False reads them, and lets them learn offsets, as the released code does.
    """

    lists = ('points',)
    requires = (*MomentHead.requires, 'pyramid')
    reads = ()
    suggests: ClassVar[dict[str, str]] = {'pyramid': 'TemporalPyramid'}

    def __init__(
        self,
        dim: int,
        num_levels: int = 4,
        kernel_size: int = 5,
        num_convs: int = 1,
        num_linear: int = 5,
        refine: bool = True,
        mix: Literal['logits', 'scores'] = 'logits',
        boundary: Literal['exp', 'relu'] = 'exp',
        points: dict | None = None,
        assigner: dict | None = None,
        label_target: Literal['moment', 'saliency'] = 'moment',
        gamma: float = 2.0,
        clip_score_over: Literal['sample', 'batch'] = 'sample',
        loss_weights: PyramidWeights | None = None,
        max_moments: int = 50,
        unit_seconds: float | None = None,
        mask_padding: bool = True,
    ) -> None:
        super().__init__()
        if label_target not in ('moment', 'saliency'):
            raise ConfigError(
                f"PyramidHead: label_target is 'moment' or 'saliency', got {label_target!r}."
            )
        self.dim = dim
        self.num_levels = num_levels
        self.scores = ScoreRefinement(
            dim,
            across=refine,
            mix=mix,
            mask_padding=mask_padding,
            kernel_size=kernel_size,
            num_convs=num_convs,
            num_linear=num_linear,
        )
        self.boundary = BoundaryHead(dim, num_levels, boundary, mask_padding)
        self.points = TASK_UTILS.build(points or dict(type='PointGenerator1D'))
        self.assigner = TASK_UTILS.build(assigner or dict(type='PointAssigner'))
        self.label_target = label_target
        self.gamma = gamma
        self.clip_score_over = clip_score_over
        self.loss_weights = {'label': 5.0, 'span': 1.0, 'clip_score': 4.0, **(loss_weights or {})}
        self.max_moments = max_moments
        self.unit_seconds = unit_seconds
        self.mask_padding = mask_padding

    def check_pyramid(self, strides: tuple[float, ...]) -> None:
        """See :meth:`vtg.models.base.Component.check_pyramid`."""
        if len(strides) != self.num_levels:
            raise ConfigError(
                f'PyramidHead is set up for {self.num_levels} levels but the neck gives '
                f'{len(strides)}; set model.moment_head.num_levels to that.'
            )
        points = getattr(self.points, 'strides', None)
        if points is not None and points != tuple(strides):
            raise ConfigError(
                f'PyramidHead has points of strides {points}, but the levels of the pyramid have '
                f'{tuple(strides)}; leave points.strides away to take those.'
            )
        per_clip = self.label_target == 'saliency' or self.loss_weights['clip_score']
        if per_clip and 1 not in strides:
            raise ConfigError(
                f'PyramidHead compares cells with clips, but the strides of the neck are '
                f'{tuple(strides)}; give it a stride of 1 or set label_target to moment and the '
                'loss weight of clip_score to 0.'
            )

    def forward(self, state: GroundingState) -> dict[str, Any]:
        """See :class:`vtg.models.base.MomentHead`."""
        pyramid = state.pyramid
        self.check_pyramid(pyramid.strides)
        offsets = self.boundary(pyramid)
        levels = tuple(mask.shape[1] for mask in pyramid.masks)
        assignment = None
        if state.targets is not None:
            assignment = self._assign(state.targets.host, levels, pyramid.strides, offsets.device)
        outputs = PointOutputs(
            self.scores(pyramid),
            offsets,
            self.points(levels, pyramid.strides, offsets.device),
            torch.cat(pyramid.masks, dim=1),
            self._unit(state.duration, state.video_mask.sum(dim=1)),
            levels,
            assignment,
        )
        clips = (state.duration / outputs.unit)[:, None, None]
        return {
            'spans': xx_to_cxw(outputs.spans.float() / clips),
            'span_scores': outputs.logits.sigmoid() * outputs.mask,
            'moment_outputs': {'points': outputs},
        }

    def _unit(self, duration: Tensor, num_clips: Tensor) -> Tensor:
        """Seconds per clip ``(B,)``."""
        if self.unit_seconds is None:
            return duration / num_clips
        return torch.full_like(duration, self.unit_seconds)

    def _assign(
        self,
        host: GroundingTargets,
        levels: tuple[int, ...],
        strides: tuple[float, ...],
        device: torch.device,
    ) -> PointAssignment:
        """Assign the points on the host, where nothing has to be waited for."""
        unit = self._unit(host.duration, host.num_clips)
        clips = cxw_to_xx(host.spans) * (host.duration / unit)[:, None, None]
        assigned = self.assigner(self.points(levels, strides), clips, host.span_mask)
        return PointAssignment(
            assigned.positive.to(device, non_blocking=True),
            assigned.offsets.to(device, non_blocking=True),
        )

    def loss(self, state: GroundingState) -> dict[str, Tensor]:
        """``loss_point_label``, ``loss_point_span`` and ``loss_clip_score``, where weighted."""
        outputs: PointOutputs = state.moment_outputs['points']
        terms = {
            'label': ('loss_point_label', lambda: self._label_loss(outputs, state)),
            'span': ('loss_point_span', lambda: self._span_loss(outputs)),
            'clip_score': ('loss_clip_score', lambda: self._clip_score(outputs, state)),
        }
        weights = self.loss_weights
        return {
            name: weights[term] * value() for term, (name, value) in terms.items() if weights[term]
        }

    def _label_loss(self, outputs: PointOutputs, state: GroundingState) -> Tensor:
        """Mean over all real cells of the batch, positive or not."""
        if self.label_target == 'saliency':
            loss = F.binary_cross_entropy_with_logits(
                self._per_clip(outputs, state), state.targets.saliency, reduction='none'
            )
            return masked_mean(loss, state.video_mask)
        target = outputs.assignment.positive.to(outputs.logits.dtype)
        loss = sigmoid_focal_loss(outputs.logits, target, alpha=None, gamma=self.gamma)
        return masked_mean(loss, outputs.mask)

    def _span_loss(self, outputs: PointOutputs) -> Tensor:
        """L1 of the offsets, mean over all positive points of the batch."""
        positive = outputs.assignment.positive
        if self.mask_padding:
            positive = positive & outputs.mask
        distance = (outputs.offsets - outputs.assignment.offsets).abs()
        distance = torch.where(positive.unsqueeze(-1), distance, distance.new_zeros(()))
        return masked_mean(distance, positive.unsqueeze(-1))

    def _clip_score(self, outputs: PointOutputs, state: GroundingState) -> Tensor:
        """The clip-aware score, see :func:`vtg.models.losses.clip_score_distance`."""
        return clip_score_distance(
            self._per_clip(outputs, state),
            state.targets.saliency,
            state.video_mask,
            self.clip_score_over,
        )

    @staticmethod
    def _per_clip(outputs: PointOutputs, state: GroundingState) -> Tensor:
        """The logits ``(B, L)`` of the level with one cell per clip."""
        per_clip = state.pyramid.strides.index(1)
        level = outputs.logits.split(outputs.levels, dim=1)[per_clip]
        return level[:, : state.video_mask.shape[1]]

    def predict(self, state: GroundingState) -> dict[str, MomentList]:
        """The list ``points``: the best ``max_moments``, clamped to the video."""
        outputs: PointOutputs = state.moment_outputs['points']
        seconds = outputs.spans.float() * outputs.unit[:, None, None]
        seconds = seconds.clamp(min=0).minimum(state.duration[:, None, None])
        moments = MomentList(seconds, outputs.logits.float().sigmoid(), outputs.mask)
        return {'points': take_first(sort_moments(moments), self.max_moments)}
