# SPDX-License-Identifier: Apache-2.0
"""The head with one moment per clip."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from vtg.models.extras import Foreground
from vtg.models.heads import ClipOffsetHead
from vtg.models.heads.dense.clip_offset_head import owning_moments
from vtg.structures import cxw_to_xx


def timestamps(state, offset=0.5):
    return (torch.arange(state.video_mask.shape[1]) + offset).expand(len(state.duration), -1)


def naive_owner(start_end, length, offset):
    """Clips inside a moment and the index of that moment, clip by clip."""
    owner = {}
    for clip in range(length):
        for index, (start, end) in enumerate(start_end):
            if start <= clip + offset <= end:
                owner[clip] = index
    return owner or {min(int(max(start_end[0][0], 0)), length - 1): 0}


@pytest.mark.parametrize('offset', [0.5, 1.0])
def test_owners_by_hand(toy, offset):
    moments = [[(2, 6), (4, 9)], [(3.6, 3.9)], [(0, 9)], [(5.1, 5.2), (5.0, 5.3)]]
    state = toy.state(clips=(12, 7, 9, 6), words=(2, 2, 2, 2), moments=moments)
    inside, owner = owning_moments(timestamps(state, offset), state.targets)
    for b, (length, pairs) in enumerate(zip((12, 7, 9, 6), moments)):
        expected = naive_owner(pairs, length, offset)
        assert {i: int(owner[b, i]) for i in range(12) if inside[b, i]} == expected


def test_ends_on_a_timestamp_belong_to_the_moment(toy):
    # 26 s to 36 s of 150 s in clips of 2 s, timestamps at the ends of the clips.
    state = toy.state(clips=(75,), words=(2,), moments=[[(13, 18)]])
    inside, _ = owning_moments(timestamps(state, 1.0), state.targets)
    assert inside[0].nonzero().flatten().tolist() == [12, 13, 14, 15, 16, 17]
    inside, _ = owning_moments(timestamps(state, 0.5), state.targets)
    assert inside[0].nonzero().flatten().tolist() == [13, 14, 15, 16, 17]


def run(head, state):
    return state.update(**head(state))


def test_outputs_and_losses_by_hand(toy, shaken):
    losses = {**ClipOffsetHead.default_losses, 'label': dict(type='SigmoidClassLoss', weight=2.0)}
    head, state = shaken(ClipOffsetHead(toy.dim, losses=losses)), toy.state()
    state = run(head, state)
    outputs, total = state.moment_outputs['clips'], {'label': [], 'span': [], 'giou': []}
    for b in range(3):
        length = int(state.targets.num_clips[b])
        valid = state.targets.span_mask[b]
        moments = cxw_to_xx(state.targets.spans[b][valid])
        owner = naive_owner((moments * length).tolist(), length, 0.5)
        for i in range(length):
            anchor = (i + 0.5) / length
            start, end = outputs.spans[b, i]
            assert anchor - 1 < start < anchor < end < anchor + 1
            target = torch.tensor(float(i in owner))
            bce = F.binary_cross_entropy_with_logits(outputs.logits[b, i], target)
            total['label'].append(bce * (1.0 if i in owner else 0.1))
            if i in owner:
                first, last = moments[owner[i]]
                total['span'].append(F.smooth_l1_loss(start, first) + F.smooth_l1_loss(end, last))
                overlap = (torch.minimum(end, last) - torch.maximum(start, first)).clamp(min=0)
                union = (end - start) + (last - first) - overlap
                hull = torch.maximum(end, last) - torch.minimum(start, first)
                total['giou'].append(1 - (overlap / union - (hull - union) / hull))
    losses = head.loss(state)
    for name, weight in (('label', 2.0), ('span', 10.0), ('giou', 1.0)):
        expected = weight * sum(total[name]).item() / len(total[name])
        assert losses[f'loss_{name}'].item() == pytest.approx(expected, rel=1e-4)


def test_padding_does_not_matter(toy, shaken):
    head = shaken(ClipOffsetHead(toy.dim))

    def outputs(state):
        state = run(head, state)
        mask = state.video_mask
        return {
            'spans': (state.spans, mask),
            'scores': (state.span_scores, mask),
            'foreground': (state.extras[Foreground].probability, mask),
        }

    state = toy.state(clips=(12, 1, 9), words=(2, 2, 2))
    toy.assert_padding_free(outputs, state)
    values = [
        {name: loss.item() for name, loss in head.loss(run(head, s)).items()}
        for s in (state, toy.scrambled(state))
    ]
    assert values[0] == pytest.approx(values[1])


def test_released_convolutions_read_padding(toy, shaken):
    head, state = shaken(ClipOffsetHead(toy.dim, mask_padding=False)), toy.state()
    near = [run(head, s).extras[Foreground].probability for s in (state, toy.scrambled(state))]
    changed = (near[0] - near[1]).abs() > 1e-7
    assert changed[1, 4:7].any() and not changed[1, :4].any() and not changed[0].any()


def test_list_is_clamped_ranked_and_without_padding(toy, shaken):
    head, state = shaken(ClipOffsetHead(toy.dim)), toy.state()
    state = run(head, state)
    moments = head.predict(state)['clips']
    for b, length in enumerate((12, 7, 9)):
        assert moments.mask[b].sum() == length
        scores, spans = moments.scores[b, :length], moments.spans[b, :length]
        assert (scores.diff() <= 0).all()
        assert (spans >= 0).all() and (spans <= 2 * length).all()
        assert torch.equal(
            scores, state.extras[Foreground].probability[b, :length].sort(descending=True)[0]
        )


def test_batch_without_moments(toy):
    head, state = ClipOffsetHead(toy.dim), toy.state(moments=[[], [], []])
    losses = head.loss(run(head, state))
    assert all(loss == 0 for loss in losses.values())


def test_rated_clips_without_moments_are_the_foreground(toy):
    head, state = ClipOffsetHead(toy.dim), toy.state(moments=[[], [], []])
    relevant = torch.zeros_like(state.targets.relevant)
    relevant[0, 3], relevant[1, 2:5] = True, True
    state = run(head, state.update(targets=replace(state.targets, relevant=relevant)))
    losses, total, count = head.loss(state), 0.0, 0
    for b, length in ((0, 12), (1, 7)):
        for clip in range(length):
            p = state.extras[Foreground].probability[b, clip]
            total -= p.log() if relevant[b, clip] else 0.1 * (1 - p).log()
            count += 1
    torch.testing.assert_close(losses['loss_label'], 10 * total / count)
    assert losses['loss_span'] == losses['loss_giou'] == 0


def test_gradients_reach_every_parameter(toy, without_gradient):
    head = ClipOffsetHead(toy.dim)
    sum(head.loss(run(head, toy.state())).values()).backward()
    assert without_gradient(head) == []
