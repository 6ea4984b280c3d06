# SPDX-License-Identifier: Apache-2.0
"""Saliency by comparison with the pooled query."""

import pytest
import torch
import torch.nn.functional as F

from vtg.models.dataflow import loss_fields
from vtg.models.heads import TextCosineSaliencyHead


def test_cosine_with_the_pooled_query(toy, shaken):
    head, state = shaken(TextCosineSaliencyHead(toy.dim)), toy.state()
    with torch.no_grad():
        values = head(state)
    sentence = head.pooling(state.text, state.text_mask)
    expected = F.cosine_similarity(state.video, sentence[:, None], dim=-1)
    assert torch.allclose(values['saliency'], expected, atol=1e-5)
    assert torch.equal(values['sentence'], sentence) and head.provides == ('saliency', 'sentence')


def test_padding_does_not_matter(toy, shaken):
    head = shaken(TextCosineSaliencyHead(toy.dim))
    toy.assert_padding_free(
        lambda s: {'s': (head(s)['saliency'], s.video_mask), 't': (head(s)['sentence'], None)},
        toy.state(clips=(12, 1, 9), words=(2, 5, 1)),
    )


def test_losses_name_what_they_need(toy):
    losses = dict(inter=dict(type='InterVideoNCELoss'), intra=dict(type='IntraVideoNCELoss'))
    head, state = TextCosineSaliencyHead(toy.dim, losses=losses), toy.state()
    assert loss_fields(head) == ['video', 'sentence']
    out = head.loss(state.update(**head(state)))
    assert set(out) == {'loss_saliency_inter', 'loss_saliency_intra'}
    sum(out.values()).backward()
    assert head.pooling.weight.grad.abs().sum() > 0


@pytest.mark.parametrize('noise', [0.0, 1.0])
def test_encoder_and_fusion_are_not_read(toy, noise):
    head, state = TextCosineSaliencyHead(toy.dim), toy.state()
    changed = state.update(memory=state.memory + noise, fused=state.fused + noise)
    assert torch.equal(head(state)['saliency'], head(changed)['saliency'])
