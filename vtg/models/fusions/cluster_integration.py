# SPDX-License-Identifier: Apache-2.0
"""Clips take in the text by way of clusters."""

from typing import Any

from torch import Tensor, nn

from vtg.models.base import Fusion
from vtg.models.extras import Context, GuidedText, QuerySentence
from vtg.models.layers import (
    Init,
    MaskedConv1d,
    SoftClustering,
    init_transformer,
    masked_average,
    random_walk,
    unit,
)
from vtg.registry import MODELS
from vtg.structures import GroundingState


@MODELS.register_module()
class ClusterIntegration(Fusion):
    """Sums words and clips up as clusters and spreads those of the text over the clips.

    The comprehensive integration of UVCOM (Xiao et al., CVPR 2024, section 3.2), behind
    ``TextToVideoAttention``: within a modality by soft clustering and a local convolution, between
    them by a random walk; the cluster of the video that is most like those of the text becomes the
    context token, the mean word the sentence. The words are those of ``VideoToTextAttention`` where
    it has run, else the words as they are.

    Args:
        dim: Token width.
        text_centres: Clusters of the words.
        video_centres: Clusters of the clips.
        num_iterations: Steps of the clustering.
        bandwidth: See :class:`vtg.models.layers.SoftClustering`.
        restart: See :func:`vtg.models.layers.random_walk`.
        mask_padding: False lets padding take part in everything, as the released code does.
        init: Initialise as DETR's code does, see :func:`vtg.models.layers.init_transformer`.
    """

    requires = ('video', 'text')
    reads = ('guided_text',)
    provides = ('fused', 'context', 'query_sentence')

    def __init__(
        self,
        dim: int,
        text_centres: int = 5,
        video_centres: int = 30,
        num_iterations: int = 5,
        bandwidth: float = 0.3,
        restart: float = 0.5,
        mask_padding: bool = True,
        init: Init = 'xavier',
    ) -> None:
        super().__init__()
        self.dim = dim
        self.restart = restart
        self.mask_padding = mask_padding
        options = (num_iterations, bandwidth, mask_padding)
        self.text_clusters = SoftClustering(dim, text_centres, *options)
        self.video_clusters = SoftClustering(dim, video_centres, *options)
        self.sentence_proj = nn.Sequential(nn.Linear(dim, dim), nn.LayerNorm(dim))
        # The released code zeroes the padding once; behind it the biases are not zero.
        self.local = nn.ModuleList(
            MaskedConv1d(dim, dim, size, mask_padding=mask_padding or index == 0)
            for index, size in enumerate((1, 3, 1))
        )
        init_transformer(self, init)

    def forward(self, state: GroundingState) -> dict[str, Any]:
        """Set ``fused (B, L, D)``, ``context`` and ``query_sentence``; see
        :mod:`vtg.models.extras`."""
        guided = state.extras.get(GuidedText)
        words = state.text if guided is None else guided.tokens
        text_centres = self.text_clusters(words, state.text_mask)
        video_centres = self.video_clusters(state.video, state.video_mask)
        local = state.video
        for conv in self.local:
            local = conv(local, state.video_mask)
        local = state.video + local
        mask = state.video_mask if self.mask_padding else None
        walked = random_walk(local, text_centres, mask, self.restart).to(local.dtype)
        return {
            'fused': state.video + walked,
            'context': Context(most_alike(video_centres, text_centres).to(local.dtype)),
            'query_sentence': QuerySentence(self.sentence(words, state.text_mask)),
        }

    def sentence(self, words: Tensor, mask: Tensor) -> Tensor:
        """The mean word ``(B, D)`` of ``words (B, N, D)``."""
        projected = self.sentence_proj(words)
        if not self.mask_padding:
            return projected.mean(dim=1)
        return masked_average(projected, mask).to(projected.dtype)


def most_alike(centres: Tensor, others: Tensor) -> Tensor:
    """The one of ``centres (B, K, D)`` whose mean cosine with ``others (B, M, D)`` is highest."""
    likeness = (unit(centres) @ unit(others).mT).mean(dim=-1)
    best = likeness.detach().argmax(dim=-1)[:, None, None]
    return centres.gather(1, best.expand(-1, 1, centres.shape[-1])).squeeze(1)
