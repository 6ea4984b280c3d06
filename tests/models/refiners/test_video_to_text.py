# SPDX-License-Identifier: Apache-2.0
"""Words that take in clips."""

import torch

from vtg.models.extras import GuidedText
from vtg.models.fusions import TextToVideoAttention
from vtg.models.refiners import VideoToTextAttention

OPTIONS = dict(num_heads=2, hidden_dim=8, dropout=0.0, residual_dropout=0.0)


def make(toy, shaken, cls=VideoToTextAttention, **options):
    return shaken(cls(toy.dim, **OPTIONS, **options)).eval()


def swapped(state):
    """The same state with words in the place of clips."""
    pairs = (('video', 'text'), ('video_pos', 'text_pos'), ('video_mask', 'text_mask'))
    both = [*pairs, *((b, a) for a, b in pairs)]
    return state.update(**{a: getattr(state, b) for a, b in both})


def test_it_is_the_counterpart_of_the_other_direction(toy, shaken):
    there, state = make(toy, shaken), toy.state()
    back = make(toy, shaken, TextToVideoAttention)
    back.load_state_dict(there.state_dict())
    with torch.no_grad():
        guided = there(state)['guided_text'].tokens
        fused = back(swapped(state))['fused']
    assert torch.equal(guided[state.text_mask], fused[state.text_mask])
    assert there(state).keys() == {'guided_text'}


def test_padding_and_neighbours_do_not_count(toy, shaken):
    refiner = make(toy, shaken)

    def run(state):
        return {'words': (refiner(state)['guided_text'].tokens, state.text_mask)}

    toy.assert_padding_free(run, toy.state())


def test_tiled_masks_let_neighbours_count(toy, shaken):
    refiner, tiled = make(toy, shaken), make(toy, shaken, mask_layout='tiled')
    tiled.load_state_dict(refiner.state_dict())
    state = toy.state()
    with torch.no_grad():
        straight, mixed = (r(state)['guided_text'].tokens for r in (refiner, tiled))
    assert isinstance(refiner(state)['guided_text'], GuidedText)
    # A padded word of another sample hides the padded clips of that sample, real ones here.
    assert not torch.allclose(straight, mixed, atol=1e-4)
