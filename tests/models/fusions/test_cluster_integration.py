# SPDX-License-Identifier: Apache-2.0
"""Clips that take in the text by way of clusters."""

import pytest
import torch
import torch.nn.functional as F

from vtg.models.extras import GuidedText
from vtg.models.fusions import ClusterIntegration
from vtg.models.layers import random_walk

OPTIONS = dict(text_centres=3, video_centres=4, num_iterations=2)


def make(toy, shaken, **options):
    return shaken(ClusterIntegration(toy.dim, **OPTIONS, **options)).eval()


def guided(toy):
    state = toy.state()
    return state.update(guided_text=GuidedText(torch.randn_like(state.text)))


def test_against_a_calculation_sample_by_sample(toy, shaken):
    fusion, state = make(toy, shaken), guided(toy)
    with torch.no_grad():
        found = fusion(state)
        for b in range(3):
            clips, words = state.video_mask[b].sum(), state.text_mask[b].sum()
            video = state.video[b : b + 1, :clips]
            text = state.extras[GuidedText].tokens[b : b + 1, :words]
            all_clips, all_words = (
                torch.ones(1, n, dtype=torch.bool) for n in (int(clips), int(words))
            )
            local = video.transpose(1, 2)
            for index, conv in enumerate(fusion.local):
                local = F.conv1d(local, conv.conv.weight, conv.conv.bias, padding=index % 2)
            local = video + local.transpose(1, 2)
            text_centres = fusion.text_clusters(text, all_words)
            centres = fusion.video_clusters(video, all_clips)[0]
            walked = random_walk(local, text_centres, None)
            assert torch.allclose(found['fused'][b, :clips], (video + walked)[0], atol=1e-5)
            likeness = [
                torch.stack([F.cosine_similarity(c, t, dim=0) for t in text_centres[0]]).mean()
                for c in centres
            ]
            chosen = centres[int(torch.stack(likeness).argmax())]
            assert torch.allclose(found['context'].token[b], chosen, atol=1e-5)
            mean = fusion.sentence_proj(text).mean(dim=1)[0]
            assert torch.allclose(found['query_sentence'].vector[b], mean, atol=1e-5)


@pytest.mark.parametrize('with_guide', [True, False])
def test_padding_and_neighbours_do_not_count(toy, shaken, with_guide):
    fusion = make(toy, shaken)

    def run(state):
        found = fusion(state)
        return {
            'fused': (found['fused'], state.video_mask),
            'context': (found['context'].token, None),
            'sentence': (found['query_sentence'].vector, None),
        }

    toy.assert_padding_free(run, guided(toy) if with_guide else toy.state())


def test_released_code_lets_padding_count(toy, shaken):
    fusion, state = make(toy, shaken, mask_padding=False), guided(toy)
    with torch.no_grad():
        whole, alone = fusion(state), fusion(toy.alone(state, 1))
    for name, field in (('context', 'token'), ('query_sentence', 'vector')):
        ours, theirs = (getattr(found[name], field) for found in (whole, alone))
        assert not torch.allclose(ours[1:2], theirs, atol=1e-4)


def test_everything_learns(toy, shaken, without_gradient):
    fusion, state = make(toy, shaken), guided(toy)
    found = fusion(state)
    parts = (found['fused'], found['context'].token, found['query_sentence'].vector)
    sum(part.square().sum() for part in parts).backward()
    assert without_gradient(fusion) == []
