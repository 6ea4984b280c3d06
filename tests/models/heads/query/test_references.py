# SPDX-License-Identifier: Apache-2.0
"""References of other widths, contents of other widths, and decoders that read the state."""

import pytest
import torch

from vtg.models.heads import QueryHead
from vtg.models.layers.span_decoder import SpanDecoder
from vtg.models.task_modules import CentreWidthCoder, PointDistancesCoder
from vtg.registry import MODELS
from vtg.structures import cxw_to_xx
from vtg.utils import ConfigError

DECODER = dict(
    type='SpanDecoder', dim=16, num_layers=2, num_heads=4, hidden_dim=32, dropout=0.0, drop_path=0.0
)
POINTS = dict(type='PointDistancesCoder')
QUERIES = dict(type='LearnedQueries', dim=16, num_queries=6)
MATCHER = dict(
    type='HungarianMatcher',
    costs=dict(
        span=dict(type='L1SpanCost'), reference=dict(type='ReferenceCost', weight=0.1)
    ),
)  # fmt: skip
LOSSES = dict(
    span=dict(type='L1SpanLoss', on='ends'),
    giou=dict(type='GIoUSpanLoss'),
    label=dict(type='SigmoidClassLoss'),
    quality=dict(type='QualityLoss'),
    offset=dict(type='ReferenceOffsetLoss', part='width', margin=0.0),
)


def make(**options):
    parts = dict(queries=QUERIES, decoder=DECODER, matcher=MATCHER, losses=LOSSES)
    return QueryHead(16, **parts | options)


@pytest.mark.parametrize('coder', [CentreWidthCoder(), PointDistancesCoder()])
def test_coders_give_spans_back(coder):
    spans = torch.tensor([[0.5, 0.2], [0.1, 0.2], [0.7, 0.6]])
    references = coder.from_spans(spans)
    assert references.shape == (3, coder.size)
    torch.testing.assert_close(coder.spans(references), spans)
    correction = torch.randn(3, coder.size)
    same = coder.logits(references, torch.zeros(3, coder.size)).sigmoid()
    torch.testing.assert_close(same, references, rtol=1e-3, atol=1e-3)
    assert torch.equal(coder.logits(None, correction), correction)


def test_a_point_and_two_distances_by_hand():
    spans = PointDistancesCoder().spans(torch.tensor([0.5, 0.1, 0.3]))
    torch.testing.assert_close(cxw_to_xx(spans), torch.tensor([0.4, 0.8]))


def test_a_head_with_points_predicts_and_learns(toy, shaken, without_gradient):
    head = make(
        queries={**QUERIES, 'reference_dim': 3},
        decoder={**DECODER, 'coder': POINTS},
        extras=dict(denoising=dict(generator=dict(type='DenoisingGenerator', num_queries=8))),
    )
    head, state = shaken(head, 0.1).train(), toy.state()
    state = state.update(**head(state))
    outputs = state.moment_outputs['queries']
    assert outputs.proposals.reference.shape == (3, 6, 3)
    assert outputs.predictions.spans.shape == outputs.predictions.references.shape == (2, 3, 6, 2)
    losses = head.loss(state)
    assert {'loss_span', 'loss_offset', 'loss_denoising_span'} <= set(losses)
    sum(losses.values()).backward()
    assert without_gradient(head) == []
    ends = head.predict(state)['detr'].spans
    assert (ends >= 0).all() and (ends <= state.duration[:, None, None]).all()


def test_contents_of_another_width(toy, shaken, without_gradient):
    head = shaken(make(queries={**QUERIES, 'dim': 10}), 0.1).train()
    assert head.content_proj.in_features == 10 and make().content_proj is None
    state = toy.state()
    sum(head.loss(state.update(**head(state))).values()).backward()
    assert without_gradient(head) == []


@MODELS.register_module(name='_SaliencyDecoder', force=True)
class SaliencyDecoder(SpanDecoder):
    """Reads clips by their saliency."""

    def forward(self, content, reference, memory, *args, state=None, **kwargs):
        memory = memory * state.saliency.sigmoid().unsqueeze(-1)
        return super().forward(content, reference, memory, *args, state=state, **kwargs)


def test_a_decoder_may_read_the_state(toy, shaken):
    head = shaken(make(decoder={**DECODER, 'type': '_SaliencyDecoder'}), 0.1)
    state = toy.state()
    first = head(state.update(saliency=torch.zeros(3, 12)))['spans']
    second = head(state.update(saliency=torch.randn(3, 12)))['spans']
    assert not torch.allclose(first, second)


@pytest.mark.parametrize(
    ('options', 'sentence'),
    [
        (
            dict(decoder={**DECODER, 'coder': POINTS}),
            r'references of LearnedQueries are 2 numbers, but those of SpanDecoder with '
            r'PointDistancesCoder are 3; set queries=dict',
        ),
        (
            dict(
                queries=dict(type='LearnedSlots', dim=10),
                decoder=dict(type='SlotDecoder', dim=16, num_heads=4),
                quality=False,
            ),
            r'positions of LearnedSlots have 10 channels, but the head works on 16',
        ),
    ],
)
def test_what_does_not_fit_is_refused(options, sentence):
    with pytest.raises(ConfigError, match=sentence):
        make(**options)
