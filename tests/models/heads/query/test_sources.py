# SPDX-License-Identifier: Apache-2.0
"""Where the decoder's queries come from."""

import math

import pytest
import torch

from vtg.models.heads import LearnedQueries, PyramidQuerySelector
from vtg.models.heads.query.sources import LearnedPoints

WIDTHS = (0.05, 0.2, 0.4, 0.85)
STRIDES = (0.5, 1, 2, 4)


def naive_cells(clips):
    """``(level, cell, centre, width)`` of every usable cell of a video, in the common order."""
    cells = []
    for level, stride in enumerate(STRIDES):
        count = math.ceil(clips / stride)
        for cell in range(count):
            centre = (cell + 0.5) / count
            if 0.0125 < centre < 1 - 0.0125:
                cells.append((level, cell, centre, WIDTHS[level]))
    return cells


def inverse_sigmoid(x):
    return math.log(max(x, 1e-3) / max(1 - x, 1e-3))


@pytest.mark.parametrize('quality', [True, False])
def test_selection_against_loops(toy, shaken, quality):
    selector = shaken(PyramidQuerySelector(toy.dim, num_queries=5, quality=quality))
    state = toy.state(clips=(12, 7, 50), words=(1, 1, 1))
    with torch.no_grad():
        out = selector(state)
        for b, clips in enumerate((12, 7, 50)):
            found = []
            for level, cell, centre, width in naive_cells(clips):
                feature = selector.norm(selector.project(state.pyramid.features[level][b, cell]))
                logit = selector.class_head(feature).item()
                score = 1 / (1 + math.exp(-logit))
                if quality:
                    grade = selector.quality_head(feature).item()
                    score = math.sqrt(score / (1 + math.exp(-grade)))
                shift = selector.span_head(feature)
                start = torch.tensor([inverse_sigmoid(centre), inverse_sigmoid(width)])
                found.append((score, logit, feature, (start + shift).sigmoid()))
            found.sort(key=lambda item: -item[0])
            for q, (_, logit, feature, span) in enumerate(found[:5]):
                assert out.logits[b, q].item() == pytest.approx(logit, abs=1e-4)
                assert torch.allclose(out.content[b, q], feature, atol=1e-4)
                assert torch.allclose(out.spans[b, q], span, atol=1e-4)
                assert torch.equal(out.reference[b, q], out.spans[b, q])
    assert out.mask.all() and (out.quality is not None) == quality


def test_number_of_eligible_cells(toy):
    """76 clips: the outermost cell on both sides of the finest level and of the next are lost."""
    state = toy.state(clips=(76,), words=(1,))
    _, eligible = PyramidQuerySelector(toy.dim).proposals(state.pyramid)
    assert eligible.shape[1] == 285 and eligible.sum() == 279


def test_padding_does_not_matter(toy, shaken):
    selector = shaken(PyramidQuerySelector(toy.dim, num_queries=5))

    def run(state):
        out = selector(state)
        return {name: (getattr(out, name), None)
                for name in ('content', 'reference', 'logits', 'quality', 'spans')}  # fmt: skip

    toy.assert_padding_free(run, toy.state())


def test_short_videos_have_fewer_queries(toy):
    state = toy.state(clips=(12, 1), words=(1, 1))
    selector = PyramidQuerySelector(toy.dim, num_queries=9)
    out = selector(state)
    assert out.mask.sum(1).tolist() == [9, 5]  # one clip: two cells of level 0, one of the others
    assert out.mask[1].tolist() == [True] * 5 + [False] * 4
    # Ineligible ones come last, with the reference (1, 1) and nothing but the bias as content.
    assert (out.reference[1, 5:] == 1).all()
    empty = selector.norm(selector.project.bias)
    assert torch.allclose(out.content[1, 5:], empty.expand(4, -1), atol=1e-6)
    selector.use_ineligible = True
    assert selector(state).mask.all()


def test_fewer_cells_than_queries(toy):
    out = PyramidQuerySelector(toy.dim, num_queries=25)(toy.state(clips=(1,), words=(1,)))
    assert out.content.shape == (1, 15, toy.dim) and out.mask.sum() == 5


def test_gradient_of_the_selector(toy, shaken, without_gradient):
    selector = shaken(PyramidQuerySelector(toy.dim, num_queries=5))
    out = selector(toy.state())
    assert not out.content.requires_grad and not out.reference.requires_grad
    (out.logits.sum() + out.quality.sum() + out.spans.square().sum()).backward()
    assert without_gradient(selector) == []


def test_initialisation():
    selector, logit = PyramidQuerySelector(256, prior=0.35), math.log(0.35 / 0.65)
    assert selector.class_head.bias.item() == pytest.approx(logit)
    assert selector.quality_head.bias.item() == pytest.approx(2 * logit)
    assert 0.008 < selector.class_head.weight.std() < 0.012
    assert not selector.span_head[-1].weight.any() and not selector.project.bias.any()


@pytest.mark.parametrize('std', [0.01, None])
def test_learned_queries(toy, std, without_gradient):
    queries, state = LearnedQueries(toy.dim, 7, content_std=std), toy.state()
    out = queries(state)
    assert out.content.shape == (3, 7, toy.dim) and out.mask.all() and not queries.supervised
    assert torch.equal(out.reference[0], queries.reference_logits.sigmoid())
    assert torch.equal(out.reference[0], out.reference[2])
    if std is None:
        assert not out.content.any()
    else:
        assert torch.equal(out.content[1], queries.content)
    (out.content.square().sum() + out.reference.sum()).backward()
    assert without_gradient(queries) == []


def test_extra_queries_go_in_front(toy):
    out = LearnedQueries(toy.dim, 4)(toy.state())
    more = out.extended(torch.ones(3, 2, toy.dim), torch.ones(3, 2, 2), torch.zeros(3, 2).bool())
    assert more.content.shape[1] == 6 and (more.content[:, :2] == 1).all()
    assert torch.equal(more.reference[:, 2:], out.reference)
    assert more.mask.tolist() == [[False, False, True, True, True, True]] * 3


def test_learned_points_stay_in_the_video_and_learn_as_if_they_did_not_have_to(toy):
    source, state = LearnedPoints(toy.dim, num_queries=3, contents=2), toy.state()
    share = torch.tensor([[0.5, 0.2, 0.3], [0.4, 0.9, 0.8], [0.9, 0.6, 0.3]])
    source.reference_logits.data = share.logit()
    out = source(state)
    # Distances beyond start and end of the video are cut to it.
    inside = torch.tensor([[0.5, 0.2, 0.3], [0.4, 0.4, 0.6], [0.9, 0.6, 0.1]])
    assert torch.allclose(out.reference, inside.expand(3, -1, -1), atol=1e-5)
    assert torch.equal(out.content, source.content.expand(3, -1, -1)) and out.mask.all()
    assert out.content.shape == (3, 3, 2 * toy.dim) == (3, source.num_queries, source.dim)
    weight = torch.randn(3, 3)
    (out.reference[0] * weight).sum().backward()
    assert torch.allclose(source.reference_logits.grad, weight * inside * (1 - inside), atol=1e-5)
