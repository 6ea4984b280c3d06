# SPDX-License-Identifier: Apache-2.0
"""The one model: modes, stages, negative pairs, losses by task, records."""

import numpy as np
import pytest
import torch
from systems import WIDTH, small_system

from vtg.engine import load_config
from vtg.evaluation.records import to_records
from vtg.models.base import Component
from vtg.registry import MODELS
from vtg.structures import GroundingState, GroundingTargets, Prediction, Progress
from vtg.utils import ConfigError

# The losses that compare with negatives go with them.
NO_NEGATIVES = {
    'negatives': None,
    'local_saliency_head.losses.negative': None,
    'saliency_head.losses.negative': None,
}


def arguments(batch):
    targets = GroundingTargets.from_batch(batch, torch.device('cpu'))
    return {**batch, 'targets': targets}


def records_of(model, batch):
    return to_records(model(**batch | {'targets': None}, mode='predict'))


def test_modes(toy, sgdetr):
    model, given = sgdetr().eval(), arguments(toy.batch())
    state = model(**given)
    assert isinstance(state, GroundingState) and state.targets is None
    assert state.saliency.shape == (3, 12) and state.spans.shape == (3, 6, 2)
    losses = model(**given, mode='loss')
    assert losses and all(name.startswith('loss_') and v.ndim == 0 for name, v in losses.items())
    prediction = model(**given, mode='predict')
    assert isinstance(prediction, Prediction) and len(prediction) == 3
    assert [meta['qid'] for meta in prediction.meta] == [0, 1, 2]
    assert prediction.output == 'comb' and set(prediction.lists) == {'comb', 'detr', 'atss'}
    assert all(item.spans.shape == (*item.mask.shape, 2) for item in prediction.lists.values())


def test_training_without_labels_is_an_error(toy, sgdetr):
    batch = toy.batch()
    del batch['targets']
    with pytest.raises(ConfigError, match='training needs labels, but the batch has none; use an'):
        sgdetr()(**batch, mode='loss')


def test_steps_as_the_runner_takes_them(toy, sgdetr):
    from mmengine.optim import OptimWrapper

    model, batch = sgdetr(), toy.batch()
    before = {name: p.clone() for name, p in model.named_parameters()}
    optimizer = OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.1))
    log = model.train().train_step(batch, optimizer)
    assert log['loss'].item() == pytest.approx(
        sum(v.item() for name, v in log.items() if name.startswith('loss_')), rel=1e-5
    )
    assert any(not torch.equal(p, before[name]) for name, p in model.named_parameters())
    model.eval()
    with torch.no_grad():
        val, test = (step(batch) for step in (model.val_step, model.test_step))
    assert len(val) == len(test) == 1 and to_records(val[0]) == to_records(test[0])


def test_prediction_records(toy, sgdetr):
    model, batch = sgdetr().eval(), toy.batch()
    for record, meta, clips in zip(records_of(model, batch), batch['meta'], (12, 7, 9)):
        assert {key: record[key] for key in meta} == meta
        assert set(record) == {
            'qid', 'query', 'vid', 'pred_relevant_windows', 'pred_saliency_scores', 'alternatives'
        }  # fmt: skip
        assert len(record['pred_saliency_scores']) == clips
        assert all(np.float16(x) == x for x in record['pred_saliency_scores'])
        for windows in (record['pred_relevant_windows'], *record['alternatives'].values()):
            scores = [score for _, _, score in windows]
            assert scores == sorted(scores, reverse=True) and len(windows) > 0


def test_precision_of_reported_scores(toy, sgdetr):
    batch = {**toy.batch(), 'targets': None}
    model = sgdetr({'test_cfg.saliency_dtype': None, 'test_cfg.score_digits': None}).eval()
    exact = records_of(model, batch)
    state = model(**batch)
    assert exact[1]['pred_saliency_scores'] == state.saliency[1, :7].tolist()
    model.test_cfg |= {'score_digits': 2, 'saliency_dtype': 'bfloat16'}
    rough = records_of(model, batch)
    scores = [window[2] for window in rough[0]['pred_relevant_windows']]
    assert scores == [round(score, 2) for score in scores]
    assert rough[1]['pred_saliency_scores'] == state.saliency[1, :7].bfloat16().tolist()


def test_the_reported_list_is_a_choice(toy, sgdetr):
    batch = {**toy.batch(), 'targets': None}
    model = sgdetr().eval()
    by_name = {}
    for name in model.slots['moment_head'].lists:
        model.output = name
        records = records_of(model, batch)
        by_name[name] = [record['pred_relevant_windows'] for record in records]
        assert set(records[0]['alternatives']) == {'comb', 'detr', 'atss'} - {name}
    assert sgdetr().output == 'comb'  # the first list is the default
    assert sgdetr({'test_cfg.output': 'atss'}).output == 'atss'
    model.output = 'comb'
    records = records_of(model, batch)
    assert by_name['atss'] == [record['alternatives']['atss'] for record in records]
    with pytest.raises(ConfigError, match=r"test_cfg\.output is 'fused', but model\.moment_head "
                       r'\(HybridHead\) gives comb, detr, atss; choose one'):  # fmt: skip
        sgdetr({'test_cfg.output': 'fused'})


def test_empty_lists_are_filled_for_the_evaluators_only(toy, sgdetr):
    model = sgdetr({'moment_head.dense_head.test_cfg.score_thr': 1.0}).eval()
    prediction = model(**toy.batch() | {'targets': None}, mode='predict')
    assert not prediction.lists['atss'].mask.any()
    for plain, filled in zip(to_records(prediction), to_records(prediction, fill=True)):
        assert plain['alternatives']['atss'] == []
        assert filled['alternatives']['atss'] == [[0.0, 0.0, 0.0]]


def test_without_heads_there_is_nothing_to_report(toy, sgdetr):
    stages = ('video_projector', 'text_projector', 'embedding')
    names = ('local_saliency_head', 'fusion', 'encoder', 'saliency_head', 'feedback', 'neck',
             'moment_head', 'negatives', 'auxiliary')  # fmt: skip
    model = sgdetr({'stages': stages, **dict.fromkeys(names)}).eval()
    (record,) = records_of(model, toy.batch((3,), (2,)))
    assert record == {'qid': 0, 'query': 'query 0', 'vid': 'v0'}


def test_meta_is_optional(toy, sgdetr):
    batch = {**toy.batch(), 'targets': None, 'meta': None}
    record = records_of(sgdetr().eval(), batch)[0]
    assert record['qid'] is None and record['pred_relevant_windows']


def test_empty_slots_pass_their_input_on(toy, sgdetr):
    model = sgdetr({'fusion': None, 'encoder': None, **NO_NEGATIVES})
    state = model(**toy.batch() | {'targets': None})
    assert state.memory is state.fused is state.video


@pytest.mark.parametrize(
    ('same_source', 'sources', 'valid'),
    [
        (False, [0, 1, 2], [True, True, True]),
        (False, [4, 4, 2], [False, True, True]),  # the first two are of one video
        (False, [2, 1, 2], [True, True, False]),  # the last is followed by the first
        (True, [4, 4, 4], [True, True, True]),
    ],
)
def test_negative_pairs(toy, sgdetr, same_source, sources, valid):
    model = sgdetr({'negatives.same_source': same_source})
    given = arguments(toy.batch(sources=sources))
    state = model.with_negatives(model(**given).update(targets=given['targets']))
    assert state.negative_valid.tolist() == valid and state.negative.is_negative
    # The same videos, every one with the text of the next sample.
    rolled = {name: given[name].roll(-1, 0) for name in ('text', 'text_mask')}
    swapped = model(**given | rolled)
    # The released code scores negatives with the modality embedding on the clips.
    model.local_saliency_head.negative_video = 'projected'
    negative = model.with_negatives(state.update(negative=None)).negative
    for name in ('local_saliency', 'saliency'):
        ours, theirs = getattr(negative, name), getattr(swapped, name)
        mask = state.video_mask
        assert torch.allclose(ours[mask], theirs[mask], atol=1e-5)
    assert negative.spans is state.spans  # no decoder runs on negatives


def test_a_component_chooses_the_texts_of_negatives(toy):
    """Late in training; pairs of one source are none, whoever chose them."""
    model = small_system('uvcom', noise=False)
    given = arguments(toy.batch(sources=[4, 4, 2], video_dim=WIDTH, text_dim=WIDTH))
    state = model(**given).update(targets=given['targets'], progress=Progress(9, 10))
    contrast = model.slots['auxiliary.contrast']
    assert torch.equal(model.with_negatives(state).negative.text, state.text.roll(-1, 0))
    contrast.choose_from = 9
    chosen = contrast.partners(state)
    assert chosen[:2].tolist() == [2, 2] and chosen[2] < 2
    contrast.partners = lambda state: torch.tensor([2, 0, 0])
    found = model.with_negatives(state)
    assert found.negative_valid.tolist() == [True, False, True]
    assert torch.equal(found.negative.text, state.text[[2, 0, 0]])
    swapped = model(**given | {n: given[n][[2, 0, 0]] for n in ('text', 'text_mask')})
    mask = state.video_mask
    assert torch.allclose(found.negative.saliency[mask], swapped.saliency[mask], atol=1e-5)


@pytest.mark.parametrize('name', ['auxiliary', 'saliency_head'])
def test_a_component_that_chooses_nothing_is_refused(name):
    with pytest.raises(ConfigError, match='which is no component of this model that chooses'):
        small_system('uvcom', change=lambda model: model['negatives'].update(partner=name))


def test_negatives_run_in_training_only(toy, sgdetr):
    model, calls = sgdetr(), []
    forward = model.fusion.forward
    model.fusion.forward = lambda state: calls.append(len(state.duration)) or forward(state)
    given = arguments(toy.batch())
    model(**given, mode='predict')
    assert calls == [3]
    model(**given, mode='loss')
    assert calls == [3, 6]
    none = sgdetr(NO_NEGATIVES)
    assert none.with_negatives(none(**given)).negative is None


def test_pairs_of_one_video_teach_nothing(toy, sgdetr):
    """With one source there is no negative; the rank loss runs on the positives alone."""
    model = sgdetr()
    given = arguments(toy.batch(sources=[7, 7, 7]))
    losses = model(**given, mode='loss')
    assert losses['loss_saliency_negative'] == 0 and losses['loss_local_saliency_negative'] == 0
    assert losses['loss_saliency_rank'] > 0


def test_losses_reach_the_balancer_by_task(toy, sgdetr):
    model, seen = sgdetr(), {}

    class Halves(MODELS.get('FixedBalancer')):
        """Remembers what it gets."""

        def forward(self, losses):
            seen.update(losses)
            return super().forward(losses)

    model.loss_balancer = Halves({'saliency': 0.5, 'auxiliary': 0.0})
    losses = model(**arguments(toy.batch()), mode='loss')
    assert set(seen) == {'moment', 'saliency', 'auxiliary'}
    assert all('saliency' in name for name in seen['saliency'])
    assert set(seen['auxiliary']) == {'loss_moment_sentence', 'loss_moment_clips'}
    assert losses['loss_saliency_bce'] == 0.5 * seen['saliency']['loss_saliency_bce']
    assert losses['loss_moment_clips'] == 0


def test_progress_reaches_the_components(toy, sgdetr):
    model, seen = sgdetr(), []
    forward = model.neck.forward
    model.neck.forward = lambda state: seen.append(state.progress) or forward(state)
    model.progress = Progress(3, 7)
    model(**toy.batch() | {'targets': None})
    assert seen == [Progress(3, 7)]


def test_feedback_may_run_stages_again(toy, sgdetr):
    class Again(MODELS.get('SaliencyAmplifier')):
        """Encodes an amplified sequence a second time."""

        def forward(self, state):
            again = state.update(fused=state.fused * 2).run(['encoder'])
            return {'moment_memory': again.memory}

    model = sgdetr()
    state = model(**toy.batch() | {'targets': None})
    model.slots['feedback.amplifier'] = Again()
    changed = model(**toy.batch() | {'targets': None})
    assert changed.moment_memory.shape == state.moment_memory.shape


def test_components_that_only_declare():
    component = Component()
    with pytest.raises(NotImplementedError):
        component(None)
    assert component.loss(None) == {}


def test_a_config_from_disk_trains_one_step(toy):
    cfg = load_config(toy_config_path())
    cfg.model.defaults.update(dim=16, num_heads=4, hidden_dim=32)
    model = MODELS.build(cfg.model)
    batch = toy.batch(video_dim=66, text_dim=64)
    sum(model(**arguments(batch), mode='loss').values()).backward()


def toy_config_path():
    from pathlib import Path

    return Path(__file__).resolve().parents[2] / 'configs/sgdetr/demo.py'


def test_losses_of_one_name_carry_their_component(toy, sgdetr):
    alone = sgdetr({'auxiliary': {'one': dict(type='SampledNCE')}})
    assert 'loss_sampled_nce' in alone(**arguments(toy.batch()), mode='loss')
    both = {'one': dict(type='SampledNCE'), 'two': dict(type='SampledNCE', temperature=0.7)}
    losses = sgdetr({'auxiliary': both})(**arguments(toy.batch()), mode='loss')
    assert 'loss_sampled_nce' not in losses
    first, second = (losses[f'loss_auxiliary_{name}_sampled_nce'] for name in ('one', 'two'))
    assert first != second
