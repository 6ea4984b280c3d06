# SPDX-License-Identifier: Apache-2.0
"""VideoLights' feature refinement."""

import torch
import torch.nn.functional as F

from vtg.models.refiners import FeatureRefinement


def make(toy, shaken, **options):
    return shaken(FeatureRefinement(toy.dim, **options)).eval()


def test_against_the_published_steps(toy, shaken):
    refiner, state = make(toy, shaken), toy.state()
    with torch.no_grad():
        refined = refiner(state)['video']
        for b in range(3):
            one = toy.alone(state, b)
            video, text = one.video[0], one.text[0]
            # The map is a weighted mean over words of the same vector for every word.
            attention = (text @ video.T).softmax(dim=0)
            vector = refiner.correspondence_scale * refiner.correspondence
            mapped = attention.T @ vector.expand(len(text), -1)
            sentence = (text @ refiner.pooling.weight).softmax(0).T @ text
            cosine = F.cosine_similarity(video, sentence)
            parts = (video, cosine[:, None] * refiner.similarity, sentence.expand_as(video), mapped)
            expected = F.relu(refiner.mixer(torch.cat(parts, dim=-1)))
            assert torch.allclose(refined[b][state.video_mask[b]], expected, atol=1e-4)


def test_padding_does_not_matter_and_padded_clips_are_zero(toy, shaken):
    refiner, state = make(toy, shaken), toy.state(clips=(12, 1, 9), words=(2, 5, 1))
    toy.assert_padding_free(lambda s: {'v': (refiner(s)['video'], s.video_mask)}, state)
    assert not refiner(state)['video'][~state.video_mask].any()


def test_released_padding_is_large(toy, shaken):
    refiner, state = make(toy, shaken, mask_padding=False), toy.state()
    refined = refiner(state)['video'].abs().amax(-1)
    assert refined[~state.video_mask].mean() > 3 * refined[state.video_mask].mean()
    valid = make(toy, shaken)
    valid.load_state_dict(refiner.state_dict())
    mask = state.video_mask
    assert torch.allclose(refiner(state)['video'][mask], valid(state)['video'][mask])


def test_gradients_reach_every_parameter(toy, without_gradient):
    refiner, state = FeatureRefinement(toy.dim), toy.state()
    refiner(state)['video'].square().sum().backward()
    assert without_gradient(refiner) == []


PAPER = dict(correspondence='map', similarity_by='product', max_words=6)


def test_the_form_of_the_paper_clip_by_clip(toy, shaken):
    """The map has one column per word, in front of zeros; similarities are plain products."""
    refiner, state = make(toy, shaken, **PAPER), toy.state()
    with torch.no_grad():
        refined = refiner(state)['video']
        for b in range(3):
            one = toy.alone(state, b)
            text = one.text[0]
            weights = (text @ refiner.pooling.weight).softmax(0)
            sentence = sum(w * word for w, word in zip(weights, text))
            for i, clip in enumerate(one.video[0]):
                row = torch.zeros(6)
                for j, word in enumerate(text):
                    row[j] = (clip * word).sum()
                spread = (clip * sentence).sum() * refiner.similarity[0]
                parts = torch.cat((clip, spread, sentence, row))
                expected = F.relu(refiner.mixer.weight @ parts + refiner.mixer.bias)
                assert torch.allclose(refined[b, i], expected, atol=1e-4)


def test_words_beyond_the_map_are_left_out(toy, shaken, without_gradient):
    state = toy.state(words=(5, 2, 4))
    narrow = make(toy, shaken, **{**PAPER, 'max_words': 3})
    narrow(state)['video'].square().sum().backward()
    assert without_gradient(narrow) == []
    with torch.no_grad():
        narrow.pooling.weight.zero_()
        text = state.text.clone()
        text[0, 3:] = text[0, 3:].flip(0)  # the mean sentence stays
        other = narrow(state.update(text=text))['video']
    assert torch.allclose(other, narrow(state)['video'], atol=1e-5)


def test_padding_does_not_matter_in_the_paper_form(toy, shaken):
    refiner, state = make(toy, shaken, **PAPER), toy.state(clips=(12, 1, 9), words=(2, 5, 1))
    toy.assert_padding_free(lambda s: {'v': (refiner(s)['video'], s.video_mask)}, state)
