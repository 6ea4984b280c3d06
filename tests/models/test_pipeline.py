# SPDX-License-Identifier: Apache-2.0
"""Building the slots: defaults, and one sentence for every combination that cannot work."""

from pathlib import Path

import pytest
import torch

from vtg.engine.config import read_config
from vtg.models import Grounder
from vtg.models.base import SLOT_TYPES
from vtg.models.pipeline import check_defaults, fill_defaults
from vtg.registry import MODELS
from vtg.structures import GroundingState
from vtg.utils import ConfigError

CONFIGS = sorted(Path(__file__).resolve().parents[2].glob('configs/[a-z]*/*.py'))

STAGES = (
    'video_projector', 'audio_projector', 'text_projector', 'local_saliency_head', 'embedding',
    'refiner', 'fusion', 'encoder', 'saliency_head', 'feedback.amplifier', 'neck', 'moment_head',
)  # fmt: skip


def without(*names):
    return tuple(stage for stage in STAGES if stage not in names)


CASES = {
    # What a component needs, and the slot that gives it.
    'missing field': (
        {'local_saliency_head': None, 'negatives': None},
        r'model\.fusion \(SGCA\) needs `local_saliency`, which nothing before it sets: set '
        r'model\.local_saliency_head, or set model\.fusion\.gate=False\.',
    ),
    'missing pyramid': (
        {'neck': None},
        r'model\.moment_head \(HybridHead\) needs `pyramid`, which nothing before it sets: set '
        r'model\.neck, for example to \w+\.',
    ),
    'missing embedding': (
        {'embedding': None},
        r'model\.fusion \(SGCA\) needs `video_pos`.*set model\.embedding\.',
    ),
    'wrong order': (
        {'stages': (*without('local_saliency_head'), 'local_saliency_head')},
        r'model\.fusion \(SGCA\) needs `local_saliency`, which model\.local_saliency_head sets '
        r"only after it: move 'fusion' behind it, with model\.fusion\.after='local_saliency_head' "
        r'or in model\.stages\.',
    ),
    'auxiliary needs something': (
        {
            'embedding': None,
            'fusion': None,
            'encoder': None,
            'neck': None,
            'moment_head': None,
            'saliency_head': None,
            'feedback': None,
            'negatives': None,
            'stages': without('feedback.amplifier'),
        },
        r'model\.auxiliary\.alignment \(MomentSentenceAlignment\) needs `video_pos`',
    ),
    # A component in a slot of another kind.
    'wrong kind': (
        {'fusion': dict(type='TransformerEncoder')},
        r'model\.fusion got TransformerEncoder, which is of kind encoder and not fusion; '
        r'registered are: .*SGCA',
    ),
    'a part instead of a component': (
        {'moment_head': dict(type='SpanDecoder')},
        r'model\.moment_head got SpanDecoder, which is of kind decoder and not moment_head; '
        r'registered are: .*ATSSHead.*HybridHead.*QueryHead',
    ),
    'a number instead of a component': (
        {'fusion': 7},
        r"model\.fusion is 7; expected the name of a component, dict\(type='Name', \.\.\.\) or ",
    ),
    'arguments without a component': (
        {'feedback.amplifier': dict(start=0.5)},
        r"model\.feedback\.amplifier is \{'start': 0\.5\}; expected the name of a component",
    ),
    'a chain of heads': (
        {'moment_head': dict(first=dict(type='ATSSHead'), second=dict(type='QueryHead'))},
        r'model\.moment_head takes one component: expected its type beside first, second\.',
    ),
    # Slots and stages.
    'misspelt slot': (
        {'fuson': dict(type='SGCA')},
        r'model\.fuson is not a slot of the model; did you mean fusion\?',
    ),
    'unknown slot': (
        {'qqqq': dict(type='SGCA')},
        r'model\.qqqq is not a slot of the model; the slots are video_projector, .*loss_balancer',
    ),
    'never runs': (
        {'feedback.amplifier.after': None},
        r'model\.feedback\.amplifier \(SaliencyAmplifier\) is configured but never runs: place it '
        r"beside a stage with model\.feedback\.amplifier\.after='\.\.\.', or add "
        r"'feedback\.amplifier' to model\.stages\.",
    ),
    'stage without slot': (
        {'feedback': None, 'stages': STAGES},
        r"model\.stages names 'feedback\.amplifier', but there is no such slot; set "
        r'model\.feedback\.amplifier or remove it from model\.stages\.',
    ),
    'misspelt stage': (
        {'stages': (*STAGES, 'moment_heads')},
        r"model\.stages names 'moment_heads', but there is no such slot",
    ),
    'negative stage that never runs': (
        {'negatives': dict(stages=('fusion', 'refiner')), 'stages': without('refiner')},
        r"model\.negatives\.stages names 'refiner', which model\.stages does not run\.",
    ),
    'widths': (
        {'encoder': dict(type='TransformerEncoder', dim=32, num_layers=1)},
        r'model\.encoder works on 32 channels but model\.video_projector on 16; give all slots '
        r'the same dim\.',
    ),
    # Names of components, at any depth.
    'unknown component': (
        {'fusion': dict(type='SCGA')},
        r"'SCGA' is not a registered model component; did you mean SGCA",
    ),
    'unknown task module': (
        {'moment_head.query_head.matcher': dict(type='HungarianMatch', costs={})},
        r"'HungarianMatch' is not a registered task module; did you mean HungarianMatcher",
    ),
    'unlike anything': (
        {'fusion': dict(type='zzzzzzzzzz')},
        r"'zzzzzzzzzz' is not a registered model component; list them with "
        r'tools/list_components\.py',
    ),
    # Geometry.
    'pyramid of other strides': (
        {'neck': dict(type='TemporalPyramid')},
        r'ATSSHead has anchors of strides \(0\.5, 1\.0, 2\.0, 4\.0\), but the levels of the '
        r'pyramid have \(1, 2, 4, 8\); set anchors\.strides to those',
    ),
    'selector of other levels': (
        {'moment_head.query_head.queries.widths': (0.05, 0.2, 0.4, 0.6, 0.85)},
        r'PyramidQuerySelector has 5 widths, but the pyramid 4 levels of strides .*queries\.widths',
    ),
    'points of other levels': (
        {'moment_head': dict(type='PointHead', num_levels=5)},
        r'PointHead is set up for 5 levels but the neck gives 4; set model\.moment_head\.num_lev',
    ),
    'points of other strides': (
        {
            'moment_head': dict(
                type='PointHead', points=dict(type='PointGenerator1D', strides=(1, 2, 4, 8))
            )
        },
        r'PointHead has points of strides \(1, 2, 4, 8\), but the levels of the pyramid have',
    ),
    'no cell per clip': (
        {
            'neck': dict(type='TemporalPyramid', strides=(2, 4)),
            'moment_head': dict(type='PointHead', num_levels=2),
        },
        r'PointHead: losses\.clip_score .* compares cells .* strides .* are \(2, 4\)',
    ),
    'levels out of order': (
        {'neck': dict(type='TemporalPyramid', strides=(8, 4, 2, 1))},
        r'TemporalPyramid: strides must rise from level to level',
    ),
    # The negative pass.
    'gate of the matching text': (
        {'negatives': dict(stages=('fusion', 'encoder', 'saliency_head'))},
        r'model\.fusion \(SGCA\) reads `local_saliency` in the negative pass, which still comes '
        r"from the matching text: add 'local_saliency_head' to model\.negatives\.stages before ",
    ),
    'negative scores of the matching text': (
        {'negatives': dict(stages=('local_saliency_head', 'fusion', 'encoder'))},
        r'the losses of model\.saliency_head read `saliency` of the negative pass, which still '
        r"comes from the matching text: add 'saliency_head' to model\.negatives\.stages\.",
    ),
    'clips refined with the matching text': (
        {
            'refiner': dict(type='FeatureRefinement'),
        },
        r"reads `video` in the negative pass, .*add 'refiner' .*or keep the matching one with "
        r"model\.negatives\.keep=\('video',\)\.",
    ),
    'refined twice': (
        {
            'refiner': dict(type='FeatureRefinement'),
            'negatives': dict(
                stages=('local_saliency_head', 'refiner', 'fusion', 'encoder', 'saliency_head')
            ),
        },
        r'model\.refiner \(FeatureRefinement\) reads `video` in the negative pass, .*add '
        r"'embedding' to model\.negatives\.stages before 'refiner'",
    ),
    'misspelt field to keep': (
        {'negatives': dict(keep=('vidoe',))},
        r"model\.negatives\.keep is 'vidoe'; did you mean 'video'\?",
    ),
    'no negatives to compare with': (
        {'negatives': None},
        r'model\.local_saliency_head\.losses\.negative and model\.saliency_head\.losses\.negative '
        r'would always be 0, .* set .* to None, or .*model\.negatives=dict\(stages=\.\.\.\)\.',
    ),
    # What has no effect.
    'dummies that nothing reads': (
        {'refiner': dict(type='DummyEncoder')},
        r'model\.refiner \(DummyEncoder\) sets `dummies`, which nothing after it reads: run one of '
        r'ACA, ClipWordCorrelation behind it, .* or leave model\.refiner away\.',
    ),
    'feedback behind its reader': (
        {'stages': (*without('feedback.amplifier'), 'feedback.amplifier')},
        r'model\.feedback\.amplifier \(SaliencyAmplifier\) sets `moment_memory`, which nothing',
    ),
    'feedback behind the pyramid': (
        {
            'moment_head': dict(type='ATSSHead'),
            'stages': (*without('feedback.amplifier')[:-1], 'feedback.amplifier', 'moment_head'),
        },
        r'model\.feedback\.amplifier \(SaliencyAmplifier\) sets `moment_memory`, which nothing',
    ),
    'misspelt stage inside feedback': (
        {
            'feedback.amplifier': dict(
                type='HighlightGuidedFeedback',
                after='saliency_head',
                stages=('fusoin', 'encoder'),
            ),
        },
        r"model\.feedback\.amplifier \(HighlightGuidedFeedback\) runs 'fusoin' again, which is not "
        r'a slot; did you mean fusion\?',
    ),
    'feedback whose change is not passed on': (
        {
            'feedback.amplifier': dict(
                type='HighlightGuidedFeedback',
                after='saliency_head',
                stages=('encoder', 'neck'),
            ),
        },
        r'changes `video` and runs encoder, neck again, which do not pass it on',
    ),
    'feedback without its scorer': (
        {
            'feedback.amplifier': dict(type='SaliencyReencoding', after='encoder'),
            'saliency_head': None,
            'negatives': None,
            'local_saliency_head.losses.negative': None,
        },
        r'runs model\.saliency_head again, which is empty; set model\.saliency_head\.',
    ),
    'attention without dummies': (
        {'fusion': dict(type='ACA', losses=dict(bce=dict(type='SaliencyBCELoss')))},
        r'the losses of model\.fusion \(ACA\) need `dummies`, which nothing sets: set '
        r'model\.refiner, for example to DummyEncoder\.',
    ),
    'loss of a part': (
        {'moment_head.query_head.losses.align': dict(type='QueryTextAlignment')},
        r'the losses of model\.moment_head \(HybridHead\) need `fused_text`, which nothing sets: '
        r'set model\.fusion, for example to Concatenation, or set '
        r"model\.moment_head\.query_head\.losses\.align\.text='projected'\.",
    ),
    # Parts of heads.
    'a head that is not dense': (
        {'moment_head.dense_head': dict(type='ClipOffsetHead')},
        r'HybridHead: dense_head must be ATSSHead, got ClipOffsetHead; set',
    ),
    'two logits against one': (
        {'moment_head.query_head.num_logits': 2},
        r'QueryHead: the proposals of PyramidQuerySelector have one logit, but num_logits is 2',
    ),
    'a loss of two logits': (
        {'moment_head.dense_head.losses.label': dict(type='SoftmaxClassLoss')},
        r'ATSSHead: losses\.label \(SoftmaxClassLoss\) compares 2 logits, but this head has 1; set '
        r"losses\.label=dict\(type='SigmoidClassLoss'\)\.",
    ),
    'a loss of what is not there': (
        {'moment_head.dense_head.losses.quality': dict(type='QualityLoss')},
        r'ATSSHead: losses\.quality \(QualityLoss\) needs `quality`, which this head does not give'
        r'; set losses\.quality=None\.',
    ),
    'a loss of another kind': (
        {'moment_head.dense_head.losses.label': dict(type='SaliencyBCELoss')},
        r'losses\.label of a moment head got SaliencyBCELoss, which is of kind saliency_loss and '
        r'not moment_loss; ',
    ),
    'centerness that nothing trains': (
        {'moment_head.dense_head.losses.centerness': None},
        r'ATSSHead: the head predicts a centerness that enters its scores, but nothing trains it; '
        r"set losses\.centerness, for example to dict\(type='CenternessLoss'\)\.",
    ),
    'softmax over one logit': (
        {'moment_head.query_head.matcher.costs.label.activation': 'softmax'},
        r'QueryHead: matcher\.costs\.label takes a softmax over the one logit of every query',
    ),
    'cost without a quality head': (
        {'moment_head.query_head.quality': False},
        r'QueryHead: matcher\.costs\.quality \(QualityCost\) needs the predicted quality, .*; set '
        r'quality=True or matcher\.costs\.quality=None\.',
    ),
    'quality of the proposals alone': (
        {
            'moment_head.query_head.quality': False,
            'moment_head.query_head.matcher.costs.quality': None,
        },
        r'QueryHead: quality is False, but PyramidQuerySelector has quality=True',
    ),
    'quality that nothing trains': (
        {'moment_head.query_head.losses.quality': None},
        r'QueryHead: the head predicts a quality that enters its scores, but nothing trains it',
    ),
    'unknown loss': (
        {'saliency_head.losses': dict(bce=dict(type='SaliencyBCE'))},
        r"'SaliencyBCE' is not a registered model component; did you mean SaliencyBCELoss",
    ),
}


@pytest.mark.parametrize('name', CASES)
def test_what_does_not_fit_is_one_sentence(sgdetr_config, name):
    changes, message = CASES[name]
    cfg = sgdetr_config().to_dict()
    for key, value in changes.items():
        node = cfg
        *parents, last = key.split('.')
        for part in parents:
            node = node[part]
        node[last] = value
    with pytest.raises(ConfigError, match=message) as caught:
        MODELS.build(cfg)
    assert '\n' not in str(caught.value)


def test_the_published_pipeline_builds(sgdetr_config):
    model = MODELS.build(sgdetr_config())
    assert isinstance(model, Grounder) and model.stages == STAGES
    names = {'auxiliary.alignment', *without('refiner', 'audio_projector')}
    assert set(model.slots) == names
    assert model.feedback.amplifier is model.slots['feedback.amplifier']
    assert model.fusion is model.slots['fusion']
    assert model.negative_stages == ('local_saliency_head', 'fusion', 'encoder', 'saliency_head')


def test_swapped_components_need_no_sizes(sgdetr_config):
    cfg = sgdetr_config({
        'local_saliency_head': None,
        'fusion': dict(_delete_=True, type='TextToVideoAttention'),
        'encoder': dict(_delete_=True, type='TransformerEncoder', context_token='learned'),
        'saliency_head': dict(_delete_=True, type='ContextProductSaliencyHead'),
        'negatives': None,
    })  # fmt: skip
    model = MODELS.build(cfg)
    assert {slot.dim for slot in model.slots.values()} <= {16, None}
    assert model.fusion.dim == model.encoder.dim == model.saliency_head.dim == 16


def test_removed_slots_pass_their_input_on(sgdetr_config):
    empty = ('fusion', 'encoder', 'negatives', 'local_saliency_head.losses.negative',
             'saliency_head.losses.negative')  # fmt: skip
    cfg = sgdetr_config(dict.fromkeys(empty))
    model = MODELS.build(cfg)
    assert 'fusion' not in model.slots and not hasattr(model, 'fusion')


def test_defaults_fill_what_is_taken_and_not_set():
    defaults = dict(dim=16, num_heads=4, hidden_dim=32, dropout=0.3, unknown_to_all=1)
    cfg = dict(
        type='SGCA',
        num_heads=2,
        inner=[dict(type='DepthwisePyramid'), dict(type='NoSuchThing', dim=7), dict(dim=5)],
        pair=(dict(type='SaliencyBCELoss'), 3),
    )
    filled = fill_defaults(cfg, defaults)
    assert {k: v for k, v in filled.items() if k not in ('inner', 'pair')} == dict(
        type='SGCA', dim=16, num_heads=2, hidden_dim=32, dropout=0.3
    )
    assert filled['inner'] == [
        dict(type='DepthwisePyramid', dim=16), dict(type='NoSuchThing', dim=7), dict(dim=5)
    ]  # fmt: skip
    assert filled['pair'] == (dict(type='SaliencyBCELoss'), 3)
    assert 'dim' not in cfg and cfg['inner'][0] == dict(type='DepthwisePyramid')
    assert fill_defaults(None, defaults) is None


def test_a_hint_that_nobody_reads(sgdetr_config):
    class GivesGain(MODELS.get('SaliencyAmplifier')):
        """Sets a hint only."""

        provides = ('clip_gain',)

    cfg = sgdetr_config()
    cfg.feedback.amplifier = dict(type=GivesGain, after='saliency_head')
    with pytest.raises(ConfigError, match=r'sets `clip_gain`, which nothing after it reads: run '):
        MODELS.build(cfg)


def test_table_of_the_model(sgdetr_config):
    model = MODELS.build(sgdetr_config())
    lines = repr(model).splitlines()
    assert 'Grounder' in lines[0]
    cells = [[cell.strip() for cell in line.strip('|').split('|')] for line in lines if '|' in line]
    assert cells[0] == ['slot', 'component', 'parameters']
    names = [row[0] for row in cells[1:]]
    slots = without('refiner', 'audio_projector')
    assert names == [*slots, 'auxiliary.alignment', 'loss_balancer', 'total']
    counts = {row[0]: int(row[2].replace(',', '')) for row in cells[1:]}
    assert (
        counts.pop('total')
        == sum(counts.values())
        == sum(parameter.numel() for parameter in model.parameters())
    )
    kinds = {row[0]: row[1] for row in cells[1:]}
    assert kinds['fusion'] == 'SGCA' and kinds['feedback.amplifier'] == 'SaliencyAmplifier'
    assert len({len(line) for line in lines}) == 1 or len({len(line) for line in lines[1:]}) == 1


def test_a_bare_name_stands_for_a_component_and_its_parts(sgdetr_config):
    cfg = sgdetr_config().to_dict() | {'moment_head': 'HybridHead', 'neck': 'DepthwisePyramid'}
    cfg['auxiliary'] = {'alignment': 'MomentSentenceAlignment'}
    model = MODELS.build(cfg)
    assert type(model.moment_head.dense_head).__name__ == 'ATSSHead'
    assert type(model.moment_head.query_head.queries).__name__ == 'PyramidQuerySelector'
    assert model.moment_head.query_head.dim == 16  # of model.defaults
    stages = without('feedback.amplifier', 'neck')
    cfg |= {'moment_head': 'QueryHead', 'neck': None, 'feedback': None, 'stages': stages}
    assert type(MODELS.build(cfg).moment_head.queries).__name__ == 'LearnedQueries'


def test_clips_may_stay_refined_with_the_matching_text(sgdetr_config):
    cfg = sgdetr_config().to_dict()
    cfg |= {'refiner': 'FeatureRefinement'}
    cfg['negatives']['keep'] = ('video',)
    assert MODELS.build(cfg).negative_stages[0] == 'local_saliency_head'


def test_anchors_follow_whole_cells(sgdetr_config, toy):
    """Over a pyramid that counts whole cells only, no moment is assigned to a cell that is none."""
    cfg = sgdetr_config({'moment_head.dense_head.anchors.strides': (1, 2, 4, 8)}).to_dict()
    cfg['neck'] = 'TemporalPyramid'
    model, batch = MODELS.build(cfg).train(), toy.batch(clips=(13, 7, 9))
    data = model.data_preprocessor(batch, True)
    losses = model(**data, mode='loss')
    assert all(value.isfinite() for value in losses.values())
    seen = []
    forward = model.moment_head.forward
    model.moment_head.forward = lambda state: seen.append(forward(state)) or seen[-1]
    model(**data, mode='loss')
    dense = seen[0]['moment_outputs']['dense']
    assert dense.assignment.positive.any() and not (dense.assignment.positive & ~dense.mask).any()


def test_a_default_that_only_others_take_is_noted(monkeypatch):
    notes = []
    monkeypatch.setattr('vtg.models.pipeline.print_log', lambda text, *_: notes.append(text))
    slots = dict(video_projector=dict(type='LinearProjector', in_dim=3))
    check_defaults(dict(dim=16, num_heads=4), slots)
    assert len(notes) == 1 and notes[0].startswith('model.defaults.num_heads has no effect')
    with pytest.raises(ConfigError, match=r'no num_haeds; did you mean num_heads'):
        check_defaults(dict(dim=16, num_haeds=4), slots)


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: f'{path.parent.name}/{path.stem}')
def test_every_default_of_a_config_has_an_effect(path, monkeypatch):
    notes = []
    monkeypatch.setattr('vtg.models.pipeline.print_log', lambda text, *_: notes.append(text))
    model = read_config(path).model
    check_defaults(model.get('defaults') or {}, {k: v for k, v in model.items() if k in SLOT_TYPES})
    assert not notes


@pytest.mark.parametrize(
    ('system', 'slot', 'component', 'remedy'),
    [
        ('moment_detr', 'fusion', dict(type='BiCMF'), 'model.moment_head.attend_text=False.'),
        ('qd_detr', 'moment_head', dict(type='PointHead'), 'for example to TemporalPyramid.'),
        ('moment_detr', 'moment_head', 'HybridHead', 'for example to DepthwisePyramid.'),
    ],
)  # fmt: skip
def test_the_hint_names_the_remedy_that_fits(system, slot, component, remedy):
    file = Path(__file__).resolve().parents[2] / f'configs/_base_/models/{system}.py'
    cfg = read_config(file).model.to_dict()
    for modality in ('video', 'text'):
        cfg[f'{modality}_projector']['in_dim'] = 6
    with pytest.raises(ConfigError) as caught:
        MODELS.build(cfg | {slot: component})
    assert str(caught.value).endswith(remedy)


def test_features_of_another_width_are_refused():
    projector = MODELS.build(dict(type='LinearProjector', in_dim=3, dim=4))
    projector.place('video_projector', 0)
    state = GroundingState(
        video_features=torch.zeros(1, 2, 5), video_mask=torch.ones(1, 2, dtype=torch.bool),
        text_features=torch.zeros(1, 1, 3), text_mask=torch.ones(1, 1, dtype=torch.bool),
        duration=torch.ones(1),
    )  # fmt: skip
    with pytest.raises(ConfigError, match='reads 3 columns, but the video features'):
        projector(state)
