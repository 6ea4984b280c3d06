# SPDX-License-Identifier: Apache-2.0
"""TR-DETR's visual refinement."""

import torch
import torch.nn.functional as F

from vtg.models.refiners import ContextQueryRefinement


def test_against_the_published_steps(toy, shaken):
    refiner, state = shaken(ContextQueryRefinement(toy.dim)).eval(), toy.state()
    with torch.no_grad():
        refined = refiner(state)['video']
        for b in range(3):
            one = toy.alone(state, b)
            video, text = one.video[0], one.text[0]
            scores = torch.stack(
                [
                    torch.stack(
                        [
                            clip @ refiner.clip_weight[:, 0]
                            + word @ refiner.word_weight[:, 0]
                            + (clip * refiner.product_weight[0, 0] * word).sum()
                            for word in text
                        ]
                    )
                    for clip in video
                ]
            )
            rows, columns = scores.softmax(1), scores.softmax(0)
            words, clips = rows @ text, (rows @ columns.T) @ video
            mixed = torch.cat((video, words, video * words, video * clips), dim=-1)
            sentence = (text @ refiner.pooling.weight).softmax(0).T @ text
            both = torch.cat((refiner.attended(mixed), sentence.expand_as(video)), dim=-1)
            expected = F.relu(refiner.mix(both))
            assert torch.allclose(refined[b][state.video_mask[b]], expected, atol=1e-4)


def test_padding_does_not_matter(toy, shaken):
    refiner = shaken(ContextQueryRefinement(toy.dim)).eval()
    toy.assert_padding_free(
        lambda s: {'v': (refiner(s)['video'], s.video_mask)},
        toy.state(clips=(12, 1, 9), words=(2, 5, 1)),
    )


def test_gradients_reach_every_parameter(toy, without_gradient):
    refiner, state = ContextQueryRefinement(toy.dim), toy.state()
    weight = torch.randn(toy.dim)
    (refiner(state)['video'] * weight)[state.video_mask].square().sum().backward()
    assert without_gradient(refiner) == []
