# SPDX-License-Identifier: Apache-2.0
"""Features with layers and patches."""

import pytest
import torch

from vtg.models.extras import LayeredText, LayeredVideo
from vtg.models.projectors import LayeredProjector
from vtg.structures import GroundingState
from vtg.utils import ConfigError


def state_of(video=None, text=None):
    clips = torch.ones(2, 4, dtype=torch.bool)
    words = torch.ones(2, 3, dtype=torch.bool)
    video = torch.randn(2, 4, 3, 5, 6) if video is None else video
    text = torch.randn(2, 3, 3, 6) if text is None else text
    return GroundingState(video, clips, text, words, torch.ones(2))


def make(slot, row_shape, **options):
    projector = LayeredProjector(6, 8, row_shape, dropout=0.0, **options)
    projector.place(slot, 0)
    return projector


def test_layers_share_the_weights_and_the_class_token_stands_for_a_clip():
    projector, state = make('video_projector', (3, 5)), state_of()
    found = projector(state)
    tokens = found['layered_video'].tokens
    assert isinstance(found['layered_video'], LayeredVideo) and tokens.shape == (2, 4, 3, 5, 8)
    torch.testing.assert_close(
        tokens[1, 2, 0, 4], projector.layers(state.video_features[1, 2, 0, 4])
    )
    assert found['video'].equal(tokens[:, :, 2, 0]) and set(found) == set(projector.provides)


def test_words_have_layers_only():
    projector, state = make('text_projector', (3,), layer=0), state_of()
    found = projector(state)
    assert isinstance(found['layered_text'], LayeredText)
    assert found['text'].equal(found['layered_text'].tokens[:, :, 0])


def test_plain_features_stand_for_all_tokens():
    found = make('video_projector', (3, 5))(state_of(video=torch.randn(2, 4, 6)))
    tokens = found['layered_video'].tokens
    assert tokens.shape == (2, 4, 3, 5, 8) and tokens.equal(tokens[:, :, :1, :1].expand_as(tokens))


def test_other_axes_and_layers_are_refused():
    with pytest.raises(ConfigError, match=r'row_shape=\(2, 5\), but .* the axes \(3, 5\)'):
        make('video_projector', (2, 5))(state_of())
    with pytest.raises(ConfigError, match='expected a number of a layer'):
        LayeredProjector(6, 8, (3,), layer=3)
