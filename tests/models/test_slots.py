# SPDX-License-Identifier: Apache-2.0
"""Chains in slots, and where components run."""

import pytest
import torch

from vtg.models.rehearsal import noise_batch, unused_parameters
from vtg.models.slots import DEFAULT_STAGES, arrange, component_configs, expand, in_order
from vtg.registry import MODELS
from vtg.utils import ConfigError


def order(stages=None, **slots):
    configs = component_configs(slots)
    return [name for name in arrange(configs, stages) if name in configs]


def part(**place):
    return dict(type='X', **place)


def test_the_usual_order():
    slots = dict.fromkeys(reversed(DEFAULT_STAGES), 'X')
    assert order(**slots) == list(DEFAULT_STAGES) == list(arrange({}))


def test_a_slot_stands_for_its_chain():
    chain = dict(fra=part(), removed=None, dummies=part())
    names = ['refiner.fra', 'refiner.dummies']
    assert order(refiner=chain, fusion=part()) == [*names, 'fusion']
    assert order(['fusion', 'refiner'], refiner=chain, fusion=part()) == ['fusion', *names]
    assert order(['refiner.dummies'], refiner=chain) == ['refiner.dummies']
    assert expand(names, ['refiner', 'refiner.fra', 'neck']) == (*names, 'refiner.fra', 'neck')


def test_places_beside_stages():
    slots = dict(encoder=part(), saliency_head=part(after='moment_head'), moment_head=part())
    feedback = dict(
        last=part(after='feedback.first'), first=part(before='saliency_head'),
        second=part(after='encoder'), third=part(after='encoder'),
    )  # fmt: skip
    assert order(**slots, feedback=feedback) == [
        'encoder', 'feedback.second', 'feedback.third', 'moment_head', 'feedback.first',
        'feedback.last', 'saliency_head',
    ]  # fmt: skip
    # Beside a chain: in front of its first or behind its last member; an empty slot is a place too.
    chain = dict(a=part(), b=part(before='refiner.a'))
    after = order(refiner=chain, feedback=dict(x=part(after='refiner'), y=part(before='refiner')))
    assert after == ['feedback.y', 'refiner.b', 'refiner.a', 'feedback.x']
    assert order(encoder=part(), feedback=part(before='fusion')) == ['feedback', 'encoder']
    # What the stages name stays there; None takes a place back.
    slots = dict(encoder=part(), neck=part(after='moment_head'), moment_head=part())
    assert order(['neck', 'encoder', 'moment_head'], **slots) == ['neck', 'encoder', 'moment_head']
    slots['neck'] = part(after=None)
    assert order(**slots) == ['encoder', 'neck', 'moment_head']


def test_members_are_listed_as_they_run():
    configs = component_configs(dict(encoder=dict(a=part(), b=part(before='encoder.a')), neck='X'))
    assert list(in_order(configs, arrange(configs))) == ['encoder.b', 'encoder.a', 'neck']


@pytest.mark.parametrize(
    ('slots', 'sentence'),
    [
        (dict(neck=part(after='encodre')), r"model\.neck is to run after 'encodre', which is no "
         r'stage of the model; did you mean encoder\?$'),
        (dict(neck=part(after='x', before='y')), r"model\.neck has both after='x' and before='y'; "
         r'set one of them to None\.$'),
        (dict(neck=part(after='feedback.a'), feedback=dict(a=part(after='neck'))),
         r'model\.neck and model\.feedback\.a are placed relative to each other; place one of '),
        (dict(auxiliary=dict(a=part(after='neck'))), r'model\.auxiliary\.a runs behind all stages, '
         r"in training only; remove after='neck'\.$"),
        (dict(neck=dict(a=7)), r'model\.neck\.a is 7; expected the name of a component, '),
        (dict(embedding=dict(a=part())), r'model\.embedding takes one component: expected its '
         r'type beside a\.$'),
    ],
)  # fmt: skip
def test_refusals(slots, sentence):
    with pytest.raises(ConfigError, match=sentence):
        order(**slots)


LINEAR = dict(type='LinearProjector', num_layers=1)
CHAINS = {
    'video_projector': dict(
        _delete_=True, first=dict(LINEAR, in_dim=10), second=dict(LINEAR, in_dim=16, dropout=0.0)
    ),
    'text_projector': dict(_delete_=True, first=dict(LINEAR, in_dim=8)),
    'fusion': dict(_delete_=True, first='SGCA', second='BiCMF'),
    'encoder': dict(_delete_=True, first='TransformerEncoder', second='TransformerEncoder'),
    'refiner': dict(first='FeatureRefinement', second='ContextQueryRefinement'),
    'negatives.keep': ('video',),
}


def test_each_member_reads_the_one_before(toy, sgdetr):
    model = sgdetr(CHAINS).eval()
    names = [name for name in model.stages if name in model.slots]
    assert names[:3] == ['video_projector.first', 'video_projector.second', 'text_projector.first']
    assert model.negative_stages == (
        'local_saliency_head', 'fusion.first', 'fusion.second', 'encoder.first', 'encoder.second',
        'saliency_head',
    )  # fmt: skip
    assert 'fusion.second.layers.0.mutual_linear.weight' in model.state_dict()
    with torch.no_grad():
        batch = toy.batch()
        state = model(**batch | {'targets': None})
        first, second = model.video_projector.first, model.video_projector.second
        tokens = second.project(first.project(batch['video'], batch['video_mask']), None)
        assert torch.equal(state.projected_video, tokens)
        state = model.run(state, ['embedding', 'refiner', 'fusion.first'])
        changed = model.fusion.second(state.update(video=state.fused))
        assert torch.equal(model.run(state, ['fusion.second']).fused, changed['fused'])
        once, twice = (model.run(state, stages) for stages in (['encoder.first'], ['encoder']))
        again = model.encoder.second(state.update(fused=once.memory, fused_text=once.memory_text))
        assert torch.equal(again['memory'], twice.memory)


def test_chains_train_whole(toy, sgdetr):
    model = sgdetr(CHAINS)
    assert noise_batch(model)['video'].shape[-1] == 10
    chained = [slot for slot in CHAINS if '.' not in slot]
    unused = {name.partition('.')[0] for name in unused_parameters(model)}
    assert not unused & set(chained)


def test_a_member_that_hides_the_one_before_is_refused(sgdetr_config):
    chain = dict(a=dict(type='DepthwisePyramid'), b=dict(type='DepthwisePyramid'))
    sentence = r'neck\.a is no argument of DepthwisePyramid; .* set _delete_=True beside a\.'
    with pytest.raises(ConfigError, match=sentence):
        MODELS.build(sgdetr_config({'neck': chain}))
    cfg = sgdetr_config({'neck': dict(_delete_=True, **chain)})
    with pytest.raises(ConfigError, match=r'model\.neck\.a \(DepthwisePyramid\) sets `pyramid`, '
                       'which nothing after it reads'):  # fmt: skip
        MODELS.build(cfg)


def test_one_feedback_needs_no_name(toy, sgdetr_config):
    cfg = sgdetr_config().to_dict()
    cfg['feedback'] = dict(type='SaliencyAmplifier', after='saliency_head')
    model = MODELS.build(cfg)
    assert model.feedback is model.slots['feedback'] and 'feedback' in model.stages
