# SPDX-License-Identifier: Apache-2.0
"""A dense head and a query head that help each other."""

from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from vtg.models.base import MomentHead
from vtg.models.layers import inverse_sigmoid
from vtg.models.task_modules import select_collab_anchors
from vtg.registry import MODELS, TASK_UTILS
from vtg.structures import GroundingState, MomentList, xx_to_cxw
from vtg.utils import ConfigError

from .dense import ATSSHead, DenseOutputs
from .dense.atss_head import DenseTestConfig
from .query import ExtraQueries, ExtraTargets, QueryHead


@MODELS.register_module()
class HybridHead(MomentHead):
    """Trains a query decoder on the positive anchors of a dense head and fuses both results.

    The hybrid of SG-DETR (arXiv 2410.01615, section 3.5) after Co-DETR (Zong et al., 2023). In
    training the dense head's positive anchors become extra decoder queries, filled up with random
    negative anchors. At inference there are three lists: ``detr``, ``atss`` and their fusion
    ``comb``.

    Args:
        dim: Token width.
        dense_head: Config of the dense head.
        query_head: Config of the query head.
        collab: Train the decoder on anchors as well.
        box_fusion: Config of the fusion; it gets the lists ``[detr, atss]``.
        dense_test_cfg: Like ``test_cfg`` of the dense head, for the list that enters the fusion.
    """

    lists = ('comb', 'detr', 'atss')
    provides = QueryHead.provides
    suggests: ClassVar[dict[str, str]] = {'pyramid': 'DepthwisePyramid'}
    parts: ClassVar[dict[str, Any]] = {
        'dense_head': {'type': 'ATSSHead'},
        'query_head': {'type': 'QueryHead', 'queries': {'type': 'PyramidQuerySelector'}},
        'box_fusion': {
            'type': 'WeightedBoxFusion1D', 'weights': (1.0, 2.5), 'iou_thr': 0.8, 'skip_thr': 0.1,
            'max_length': None,
        },
        'dense_test_cfg': {'score_thr': 0.01, 'iou_thr': 0.75, 'top_n': 10},
    }  # fmt: skip

    def __init__(
        self,
        dim: int,
        dense_head: dict,
        query_head: dict,
        box_fusion: dict,
        dense_test_cfg: DenseTestConfig,
        collab: bool = True,
    ) -> None:
        super().__init__()
        self.dim = dim
        self.dense_head: ATSSHead = self._part('dense_head', dense_head, ATSSHead)
        self.query_head: QueryHead = self._part('query_head', query_head, QueryHead)
        heads = (self.dense_head, self.query_head)
        self.requires = tuple(dict.fromkeys(field for head in heads for field in head.requires))
        self.reads = tuple(dict.fromkeys(field for head in heads for field in head.reads))
        self.box_fusion = TASK_UTILS.build(box_fusion)
        self.dense_test_cfg = dense_test_cfg
        self.collab_content: nn.Sequential | None = None
        if collab and not self.query_head.decoder.refines_spans:
            raise ConfigError(
                'HybridHead: collab needs a query_head whose decoder refines spans, and '
                f'{type(self.query_head.decoder).__name__} does not; use SpanDecoder or set '
                'collab=False.'
            )
        if collab:
            linear = nn.Linear(dim, dim)
            nn.init.normal_(linear.weight, std=0.01)
            self.collab_content = nn.Sequential(linear, nn.LayerNorm(dim))

    @staticmethod
    def _part(name: str, cfg: dict, kind: type[MomentHead]) -> Any:
        """Build one of the heads; it must be of a kind whose parts this class uses."""
        head = MODELS.build(cfg)
        if not isinstance(head, kind):
            raise ConfigError(
                f'HybridHead: {name} must be {kind.__name__}, got {type(head).__name__}; set '
                f'{name}=dict(type={kind.__name__!r}) or use {type(head).__name__} as '
                'model.moment_head by itself.'
            )
        return head

    def check_pyramid(self, strides: tuple[float, ...]) -> None:
        """See :meth:`vtg.models.base.Component.check_pyramid`."""
        self.dense_head.check_pyramid(strides)
        self.query_head.check_pyramid(strides)

    def forward(self, state: GroundingState) -> dict[str, Any]:
        """See :class:`vtg.models.base.MomentHead`; spans and scores are the query head's."""
        dense = self.dense_head.predict_anchors(state)
        collab = None
        if self.collab_content is not None and self.training and state.targets is not None:
            collab = self._collab_queries(state, dense)
        values = self.query_head.as_state(self.query_head.decode(state, collab))
        values['moment_outputs'] = {**values['moment_outputs'], 'dense': dense}
        return values

    def choose_anchors(self, dense: DenseOutputs) -> tuple[Tensor, Tensor]:
        """Choose as many anchors as the sample with the most positives has.

        Returns:
            ``(B, T)`` anchor indices, positives first, and ``(B, T)`` which slots are in use.
        """
        assert dense.assignment is not None, 'set in training'
        most = dense.assignment.positive.sum(dim=1).max()  # on the host: nothing to wait for
        positive = dense.assignment.positive.to(dense.logits.device, non_blocking=True)
        if not torch.compiler.is_compiling():
            return select_collab_anchors(positive, dense.mask, int(most))
        # Sizes of a graph must not depend on the numbers, so slots beyond stay unused.
        index, valid = select_collab_anchors(positive, dense.mask, dense.assignment.most_positive)
        slot = torch.arange(index.shape[1], device=index.device)
        return index, valid & (slot < most.to(index.device, non_blocking=True))

    def _collab_queries(self, state: GroundingState, dense: DenseOutputs) -> ExtraQueries | None:
        """Turn anchors into decoder queries; None if no sample has a positive one."""
        index, valid = self.choose_anchors(dense)
        if index.shape[1] == 0:
            return None
        assert self.collab_content is not None
        assert dense.assignment is not None and dense.moments is not None, 'set in training'
        features = torch.cat(state.pyramid.features, dim=1)
        content = self.collab_content(_pick(features, index))
        clips = (state.duration / dense.unit)[:, None, None]
        anchors = dense.anchors.expand(index.shape[0], -1, -1)
        reference = inverse_sigmoid(xx_to_cxw(_pick(anchors, index) / clips)).sigmoid()
        reference = self.query_head.coder.from_spans(reference)
        positive = dense.assignment.positive.to(index.device, non_blocking=True).gather(1, index)
        wanted = xx_to_cxw(_pick(dense.moments, index) / clips)
        targets = ExtraTargets(valid, positive, wanted)
        return ExtraQueries(content, reference, targets, valid)

    def loss(self, state: GroundingState) -> dict[str, Tensor]:
        """The losses of both heads."""
        return {**self.dense_head.loss(state), **self.query_head.loss(state)}

    def predict(self, state: GroundingState) -> dict[str, MomentList]:
        """The lists ``comb``, ``detr`` and ``atss``."""
        dense = self.dense_head.ranked(state, **self.dense_test_cfg)
        queries = self.query_head.ranked(state)
        return {
            'comb': self.box_fusion([queries, dense], state.duration),
            **self.query_head.predict(state),
            **self.dense_head.predict(state),
        }


def _pick(values: Tensor, index: Tensor) -> Tensor:
    """Take rows ``index (B, T)`` of ``values (B, A, D)``."""
    return values.gather(1, index.unsqueeze(-1).expand(-1, -1, values.shape[-1]))
