# SPDX-License-Identifier: Apache-2.0
"""What several kinds of components share beyond the general fields of the state.

B is the batch size, L the padded number of clips, N that of words, M the number of dummies. A paper
that needs more declares its own beside its components, see :mod:`vtg.structures.extras`.
"""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from vtg.structures import FROM_TEXT, SHARED, Extra, GroundingState, in_float32


@dataclass(frozen=True)
class Dummies(Extra):
    """Further keys of the fusion that absorb irrelevant clips.

    Attributes:
        tokens: ``(B, M, D)``.
        positions: ``(M, D)``.
    """

    hint = True
    tokens: Tensor = field(metadata=FROM_TEXT)
    positions: Tensor = field(metadata=SHARED)


@dataclass(frozen=True)
class Attention(Extra):
    """Attention of the fusion.

    Attributes:
        weights: ``(B, L, M + N)``, dummies first, mean over heads and layers.
    """

    weights: Tensor


@dataclass(frozen=True)
class Context(Extra):
    """A global token of the video.

    Attributes:
        token: ``(B, D)``.
    """

    token: Tensor


@dataclass(frozen=True)
class QueryStates(Extra):
    """What a moment head has decoded, one state per query.

    Attributes:
        states: ``(B, Q, D)`` behind the last layer, of which moments and scores are made.
        mask: ``(B, Q)`` True where a query stands for something.
    """

    states: Tensor
    mask: Tensor


@dataclass(frozen=True)
class GuidedText(Extra):
    """Words that have taken in the clips of the video.

    Attributes:
        tokens: ``(B, N, D)``.
    """

    hint = True
    tokens: Tensor


@dataclass(frozen=True)
class QuerySentence(Extra):
    """The sentence as one vector that the fusion makes.

    Attributes:
        vector: ``(B, D)``.
    """

    vector: Tensor

    @classmethod
    def found_in(cls, state: GroundingState) -> Tensor:
        """The sentence ``(B, D)`` as the fusion made it, else the mean projected word."""
        made = state.extras.get(cls)
        if made is not None:
            return made.vector
        words, mask = in_float32(state.projected_text), state.text_mask.unsqueeze(-1)
        total = torch.where(mask, words, words.new_zeros(())).sum(dim=1)
        return (total / mask.sum(dim=1).clamp(min=1)).to(state.projected_text.dtype)


@dataclass(frozen=True)
class Foreground(Extra):
    """How likely every clip lies in a moment.

    Attributes:
        probability: ``(B, L)``, 0 on padding.
    """

    probability: Tensor


@dataclass(frozen=True)
class ClipGain(Extra):
    """What feedback hands to the saliency head.

    Attributes:
        gain: ``(B, L)``.
    """

    hint = True
    stream = True
    gain: Tensor


@dataclass(frozen=True)
class BoundaryFeatures(Extra):
    """Features that tell where moments start and end.

    Attributes:
        left, right: ``(B, L, D)``, not negative, 0 on padding.
    """

    left: Tensor
    right: Tensor


@dataclass(frozen=True)
class LayeredVideo(Extra):
    """Projected tokens of several layers of the image encoder, earliest first.

    Attributes:
        tokens: ``(B, L, K, P, D)``, the class token in front of the patches.
    """

    tokens: Tensor


@dataclass(frozen=True)
class LayeredText(Extra):
    """Projected words as several layers of the text encoder know them, earliest first.

    Attributes:
        tokens: ``(B, N, K, D)``.
    """

    tokens: Tensor = field(metadata=FROM_TEXT)


@dataclass(frozen=True)
class LayerSteps(Extra):
    """What a fusion that goes through the layers one by one has read, in the order of its steps.

    Attributes:
        clips: ``(B, K, L, D)`` class tokens.
        sentences: ``(B, K, D)`` pooled words.
    """

    clips: Tensor
    sentences: Tensor


@dataclass(frozen=True)
class PointScores(Extra):
    """How likely every cell of the pyramid is the place of a moment.

    Attributes:
        scores: ``(B, P)`` in [0, 1], level after level.
    """

    scores: Tensor
