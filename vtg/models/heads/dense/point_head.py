# SPDX-License-Identifier: Apache-2.0
"""A dense moment head with one point per pyramid cell."""

from typing import Any, ClassVar, Literal

import torch

from vtg.models.extras import PointScores
from vtg.models.losses import AssignedPredictions
from vtg.models.losses.moment import LossConfigs
from vtg.models.task_modules import PointAssignment
from vtg.models.task_modules.nms import sort_moments, take_first
from vtg.registry import MODELS, TASK_UTILS
from vtg.structures import GroundingState, GroundingTargets, MomentList
from vtg.utils import ConfigError

from .base import PyramidDenseHead
from .boundary import BoundaryHead, PointOutputs, boundaries
from .score_refinement import ScoreOptions, ScoreRefinement


@MODELS.register_module()
class PointHead(PyramidDenseHead):
    """Every pyramid cell scores itself and tells how far start and end are.

    FlashVTG (Cao et al., 2025), sections 3.4 to 3.6, after R2-Tuning (Liu et al., 2024).

    Args:
        dim: Channels.
        num_levels: Levels of the neck's pyramid.
        scores: ``dict(kernel_size=5, num_convs=1, num_linear=5, refine=True, mix='logits')``, see
            :class:`ScoreRefinement`; ``refine=False`` scores each level alone, which with
            ``num_linear=None`` is the head of R2-Tuning.
        boundary: See :class:`BoundaryHead`.
        points: Config of the point generator.
        assigner: Config of the point assigner.
        losses: See :class:`~vtg.models.heads.DenseHead`; where nothing but clips is rated,
            ``label`` may be a ``ClipLabelLoss``.
        max_moments: Length of the list.
        unit_seconds: See :class:`PyramidDenseHead`.
        mask_padding: See there. False reads padded cells, and lets them learn offsets, as the
            released code does.
    """

    lists = ('points',)
    suggests: ClassVar[dict[str, str]] = {'pyramid': 'TemporalPyramid'}
    provides = (*PyramidDenseHead.provides, 'point_scores')
    prefix = 'point_'
    gives = ('offsets', 'clip_scores')
    default_losses: ClassVar[dict[str, dict[str, Any]]] = {
        'label': {'type': 'FocalClassLoss', 'alpha': None, 'weight': 5.0},
        'span': {'type': 'L1SpanLoss', 'on': 'offsets'},
        'clip_score': {'type': 'ClipScoreLoss', 'weight': 4.0},
    }

    def __init__(
        self,
        dim: int,
        num_levels: int = 4,
        scores: ScoreOptions | None = None,
        boundary: Literal['exp', 'relu'] = 'exp',
        points: dict | None = None,
        assigner: dict | None = None,
        losses: LossConfigs | None = None,
        max_moments: int = 50,
        unit_seconds: float | None = None,
        mask_padding: bool = True,
    ) -> None:
        super().__init__(dim, losses, unit_seconds, mask_padding)
        self.num_levels = num_levels
        self.scores = ScoreRefinement(dim, mask_padding=mask_padding, **(scores or {}))
        self.boundary = BoundaryHead(dim, num_levels, boundary, mask_padding)
        self.points = TASK_UTILS.build(points or dict(type='PointGenerator1D'))
        self.assigner = TASK_UTILS.build(assigner or dict(type='PointAssigner'))
        self.max_moments = max_moments

    def check_pyramid(self, strides: tuple[float, ...]) -> None:
        """See :meth:`vtg.models.base.Component.check_pyramid`."""
        if len(strides) != self.num_levels:
            raise ConfigError(
                f'PointHead is set up for {self.num_levels} levels but the neck gives '
                f'{len(strides)}; set model.moment_head.num_levels to that.'
            )
        points = getattr(self.points, 'strides', None)
        if points is not None and points != tuple(strides):
            raise ConfigError(
                f'PointHead has points of strides {points}, but the levels of the pyramid have '
                f'{tuple(strides)}; leave points.strides away to take those.'
            )
        super().check_pyramid(strides)

    def forward(self, state: GroundingState) -> dict[str, Any]:
        """See :class:`vtg.models.base.MomentHead`."""
        pyramid = state.pyramid
        self.check_pyramid(pyramid.strides)
        offsets = self.boundary(pyramid)
        levels = tuple(mask.shape[1] for mask in pyramid.masks)
        assignment = None
        if state.targets is not None:
            assignment = self._assign(
                state.targets.on_host, levels, pyramid.strides, offsets.device
            )
        outputs = PointOutputs(
            self.scores(pyramid),
            offsets,
            self.points(levels, pyramid.strides, offsets.device),
            torch.cat(pyramid.masks, dim=1),
            self.unit(state.duration, state.video_mask.sum(dim=1)),
            levels,
            assignment,
        )
        score = outputs.logits.sigmoid() * outputs.mask
        spans = outputs.spans.float()
        found = self.as_state(spans, score, outputs.unit, state.duration, points=outputs)
        return {**found, 'point_scores': PointScores(score)}

    def _assign(
        self,
        host: GroundingTargets,
        levels: tuple[int, ...],
        strides: tuple[float, ...],
        device: torch.device,
    ) -> PointAssignment:
        """Assign the points on the host, where nothing has to be waited for."""
        clips = self.moments_in_clips(host)
        assigned = self.assigner(self.points(levels, strides), clips, host.span_mask)
        return PointAssignment(
            assigned.positive.to(device, non_blocking=True),
            assigned.offsets.to(device, non_blocking=True),
        )

    def assign(self, state: GroundingState) -> AssignedPredictions:
        """See :class:`~vtg.models.heads.DenseHead`; spans are in clips, offsets in strides."""
        outputs: PointOutputs = state.moment_outputs['points']
        assigned = outputs.assignment
        assert assigned is not None
        found = assigned.positive & outputs.mask if self.mask_padding else assigned.positive
        return AssignedPredictions(
            logits=outputs.logits[None, ..., None],
            mask=outputs.mask[None],
            positive=assigned.positive[None],
            spans=outputs.spans[None],
            wanted=boundaries(outputs.points, assigned.offsets)[None],
            ends=True,
            span_weight=found[None],
            offsets=outputs.offsets[None],
            wanted_offsets=assigned.offsets[None],
            clip_scores=self.clip_scores(outputs.logits, state),
        )

    def predict(self, state: GroundingState) -> dict[str, MomentList]:
        """The list ``points``: the best ``max_moments``, clamped to the video."""
        outputs: PointOutputs = state.moment_outputs['points']
        scores = outputs.logits.float().sigmoid()
        moments = self.in_seconds(
            outputs.spans.float(), scores, outputs.mask, outputs.unit, state.duration
        )
        return {'points': take_first(sort_moments(moments), self.max_moments)}
