# SPDX-License-Identifier: Apache-2.0
"""Modality embeddings and positions."""

import torch

from vtg.models.embeddings import TokenEmbedding
from vtg.models.layers import sine_clip_positions


def test_rows_of_the_table(toy):
    state, embedding = toy.state(), TokenEmbedding(toy.dim)
    out = embedding(state)
    assert torch.equal(out['video'], state.video + embedding.modality.weight[1])
    assert torch.equal(out['text'], state.text + embedding.modality.weight[0])
    assert torch.equal(out['video_pos'], sine_clip_positions(state.video_mask, toy.dim))
    assert not out['text_pos'].any() and out['text_pos'].shape == state.text.shape


def test_without_modality(toy):
    state = toy.state()
    out = TokenEmbedding(toy.dim, modality=False, temperature=20.0)(state)
    assert out['video'] is state.video and out['text'] is state.text
    expected = sine_clip_positions(state.video_mask, toy.dim, 20.0)
    assert torch.equal(out['video_pos'], expected)


def test_padding_does_not_matter(toy):
    embedding = TokenEmbedding(toy.dim)

    def run(state):
        out = embedding(state)
        return {
            **{name: (out[name], state.video_mask) for name in ('video', 'video_pos')},
            **{name: (out[name], state.text_mask) for name in ('text', 'text_pos')},
        }

    toy.assert_padding_free(run, toy.state(clips=(12, 1, 9), words=(1, 6, 4)))


def test_initialisation_and_gradient(toy, without_gradient):
    embedding = TokenEmbedding(2000)
    assert 0.018 < embedding.modality.weight.std().item() < 0.022
    embedding = TokenEmbedding(toy.dim)
    out = embedding(toy.state())
    (out['video'].sum() + out['text'].square().sum()).backward()
    assert without_gradient(embedding) == []
