# SPDX-License-Identifier: Apache-2.0
"""The dense head and the query head together."""

import pytest
import torch

from vtg.models.heads import HybridHead
from vtg.models.pipeline import fill_defaults
from vtg.registry import MODELS, TASK_UTILS

CLIPS = (40, 30, 20)
MOMENTS = [[(1, 9), (20, 36)], [(4, 20)], []]


@pytest.fixture
def make(sgdetr_config, shaken):
    def build(**changes):
        cfg = sgdetr_config()
        head = fill_defaults({**cfg.moment_head.to_dict(), **changes}, cfg.defaults.to_dict())
        return shaken(MODELS.build(head), 0.1)

    return build


def run(head, state):
    return state.update(**head(state))


def test_collab_queries_are_the_positive_anchors(toy, make):
    head, state = make().train(), toy.state(clips=CLIPS, moments=MOMENTS)
    outputs = run(head, state).moment_outputs
    dense, (_, queries) = outputs['dense'], outputs['queries'].extra['collab']
    counts = dense.assignment.positive.sum(1).tolist()
    assert counts[0] > 0 and counts[1] > 0 and counts[2] == 0
    assert queries.content.shape[1] == max(counts)
    assert queries.targets.positive.sum(1).tolist() == counts
    for b, clips in enumerate(CLIPS):
        chosen = dense.assignment.positive[b].nonzero()[:, 0].tolist()
        for slot, anchor in enumerate(chosen):  # positives first, in anchor order
            start, end = (dense.anchors[anchor] / clips).tolist()
            reference = torch.tensor([(start + end) / 2, end - start]).clamp(1e-3, 1 - 1e-3)
            assert torch.allclose(queries.reference[b, slot], reference, atol=2e-3)
            moment = (dense.moments[b, anchor] / clips).tolist()
            wanted = [sum(moment) / 2, moment[1] - moment[0]]
            assert queries.targets.spans[b, slot].tolist() == pytest.approx(wanted, abs=1e-5)
            cell = torch.cat([x[b] for x in state.pyramid.features])[anchor]
            assert torch.allclose(queries.content[b, slot], head.collab_content(cell), atol=1e-5)


def test_fillers_are_real_cells(toy, make):
    head, state = make().train(), toy.state(clips=(60, 3), words=(1, 1),
                                            moments=[[(5, 50)], []])  # fmt: skip
    dense = run(head, state).moment_outputs['dense']
    for _ in range(5):
        index, valid = head.choose_anchors(dense)
        assert dense.mask.gather(1, index)[valid].all()
    assert valid[0].all() and valid[1].sum() == min(index.shape[1], int(dense.mask[1].sum()))


def test_main_predictions_do_not_depend_on_collab(toy, make):
    head, state = make(), toy.state(clips=CLIPS, moments=MOMENTS)
    trained, plain = run(head.train(), state), run(head.eval(), state)
    assert 'collab' in trained.moment_outputs['queries'].extra
    assert plain.moment_outputs['queries'].extra == {}
    for name in ('spans', 'span_scores'):
        assert torch.allclose(getattr(trained, name), getattr(plain, name), atol=1e-5)


def test_losses_of_both_heads(toy, make):
    head, state = make().train(), toy.state(clips=CLIPS, moments=MOMENTS)
    losses = head.loss(run(head, state))
    assert {f'loss_dense_{n}' for n in ('label', 'giou', 'span', 'centerness')} <= set(losses)
    collab = {f'loss_collab_{n}{s}' for n in ('label', 'giou', 'span') for s in ('', '_0', '_1')}
    assert collab <= set(losses)
    plain = make(collab=False).train()
    assert not any('collab' in name for name in plain.loss(run(plain, state)))


def test_no_positive_anchor_skips_collab(toy, make):
    head = make().train()
    state = run(head, toy.state(clips=(6, 9), words=(1, 1), moments=[[], []]))
    assert state.moment_outputs['queries'].extra == {}
    assert all(value.isfinite() for value in head.loss(state).values())


def test_three_lists(toy, make):
    head, state = make().eval(), toy.state(clips=CLIPS, targets=False)
    state = run(head, state)
    lists = head.predict(state)
    assert list(lists) == ['comb', 'detr', 'atss']
    fusion = TASK_UTILS.build(dict(
        type='WeightedBoxFusion1D', weights=(1.0, 2.5), iou_thr=0.8, skip_thr=0.1,
        max_length=None,
    ))  # fmt: skip
    dense = head.dense_head.ranked(state, score_thr=0.01, iou_thr=0.75, top_n=10)
    expected = fusion([head.query_head.ranked(state), dense], state.duration)
    assert torch.equal(lists['comb'].spans, expected.spans)
    assert torch.equal(lists['comb'].scores, expected.scores)
    atss = head.dense_head.ranked(state, score_thr=0.05, iou_thr=0.5, top_n=10)
    assert torch.equal(lists['atss'].spans, atss.spans)


def test_padding_does_not_matter(toy, make):
    head = make().eval()

    def outputs(state):
        state = run(head, state.update(targets=None))
        values = {'spans': (state.spans, None), 'scores': (state.span_scores, None)}
        for name, moments in head.predict(state).items():
            values[name] = (moments.spans, moments.mask)
            values[f'{name}_scores'] = (moments.scores, moments.mask)
        return values

    # Lists are as long as the longest of the batch, so they are compared where they are real.
    toy.assert_padding_free(outputs, toy.state(clips=(12, 7, 9)), 1e-4)


def test_requires_what_both_heads_do(make):
    head = make()
    assert 'pyramid' in head.requires and 'memory' in head.requires
    assert isinstance(head, HybridHead) and len(set(head.requires)) == len(head.requires)


def test_gradients_reach_every_parameter(toy, make, without_gradient):
    head, state = make().train(), toy.state(clips=(80, 60, 70))
    sum(head.loss(run(head, state)).values()).backward()
    assert without_gradient(head) == []
