# SPDX-License-Identifier: Apache-2.0
"""Every component works in systems that it was not made for.

The cases come from the registry: a new component joins as soon as one config uses it. Each case
puts it into the config of another system, builds, trains one step and predicts. Where the builder
refuses, its sentence must say what to set; the test does so and the result must work.
"""

import copy
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch

from vtg.engine.config import read_config
from vtg.models import Grounder
from vtg.models.base import SLOT_TYPES
from vtg.models.grounder import DEFAULT_NEGATIVE_STAGES, DEFAULT_STAGES
from vtg.registry import MODELS
from vtg.utils import ConfigError

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'
ORDER = (*DEFAULT_STAGES[:7], *DEFAULT_STAGES[7:])
SMALL = dict(dim=16, num_heads=2, hidden_dim=16, dropout=0.0, drop_path=0.0, residual_dropout=0.0)
GROUPS = ('feedback', 'auxiliary')
# Two systems of different kinds per slot: queries and points, saliency before and after moments.
HOSTS = ('qd_detr', 'sgdetr', 'taskweave', 'flashvtg')


@cache
def bases() -> dict[str, dict[str, Any]]:
    """The model of every system."""
    files = sorted((CONFIGS / '_base_' / 'models').glob('*.py'))
    return {file.stem: read_config(file).model.to_dict() for file in files}


@cache
def examples() -> dict[str, dict[str, dict[str, Any]]]:
    """One config of every component that fills a slot, by slot and component."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    variants = [read_config(file) for file in sorted(CONFIGS.glob('*/qvhl*.py'))]
    for model in [*bases().values(), *(variant.model.to_dict() for variant in variants)]:
        for slot in SLOT_TYPES:
            configs = model.get(slot)
            for cfg in (configs or {}).values() if slot in GROUPS else [configs]:
                if cfg is not None:
                    found.setdefault(slot, {}).setdefault(cfg['type'], cfg)
    return found


def registered(slot: str) -> list[str]:
    """Every component that fits a slot."""
    MODELS.import_from_location()
    return sorted(
        name for name, cls in MODELS.module_dict.items()
        if isinstance(cls, type) and issubclass(cls, SLOT_TYPES[slot])
    )  # fmt: skip


def system(name: str) -> dict[str, Any]:
    """A small version of a system's model."""
    model = copy.deepcopy(bases()[name])
    model['defaults'].update({k: v for k, v in SMALL.items() if k in model['defaults']})
    model['stages'] = list(model.get('stages', DEFAULT_STAGES))
    if model.get('negatives'):
        model['negatives'].setdefault('stages', list(DEFAULT_NEGATIVE_STAGES))
    for modality in ('video', 'text'):
        model[f'{modality}_projector']['in_dim'] = 6
    model.setdefault('test_cfg', {})['output'] = None
    return model


def batch() -> dict[str, Any]:
    """Two samples of unequal length."""
    generator = torch.Generator().manual_seed(0)
    clips, words = torch.tensor([12, 9]), torch.tensor([3, 5])
    video_mask = torch.arange(12) < clips[:, None]
    text_mask = torch.arange(5) < words[:, None]
    spans = torch.tensor([[[0.3, 0.2], [0.7, 0.3]], [[0.5, 0.4], [0.5, 0.5]]])
    saliency = torch.zeros(2, 12)
    saliency[0, 2:5], saliency[1, 3:6] = torch.tensor([4.0, 9, 6]), torch.tensor([12.0, 3, 7])
    return {
        'video': torch.randn(2, 12, 6, generator=generator),
        'video_mask': video_mask,
        'text': torch.randn(2, 5, 6, generator=generator),
        'text_mask': text_mask,
        'duration': clips * 2.0,
        'targets': {
            'spans': spans,
            'span_mask': torch.tensor([[True, True], [True, False]]),
            'saliency': saliency,
            'relevant': saliency > 0,
            'pos_clips': torch.tensor([[3, 2], [3, 5]]),
            'neg_clips': torch.tensor([[2, 9], [4, 0]]),
            'source_id': torch.tensor([0, 1]),
        },
        'meta': [{'qid': i, 'query': 'a b', 'vid': f'v{i}'} for i in range(2)],
    }


def drop(model: dict[str, Any], name: str) -> None:
    """Remove a group member and its stages."""
    group, _, member = name.partition('.')
    model[group].pop(member)
    model['stages'] = [stage for stage in model['stages'] if stage != name]


def fill(model: dict[str, Any], slot: str, field: str) -> None:
    """Fill a slot with a component that sets ``field`` and run it at its usual place."""
    fitting = [
        cfg for name, cfg in examples()[slot].items()
        if field in (*SLOT_TYPES[slot].provides, *MODELS.get(name).provides)
    ]  # fmt: skip
    assert fitting, f'no config shows a {slot} that sets {field}'
    model[slot] = copy.deepcopy(fitting[0])
    if slot not in model['stages']:
        before = ORDER[: ORDER.index(slot)]
        place = max((i for i, s in enumerate(model['stages']) if s in before), default=-1)
        model['stages'].insert(place + 1, slot)


NEEDS = re.compile(
    r'^(?:the losses of )?model\.(?P<name>[\w.]+) \(\w+\) needs? `(?P<field>\w+)`, which nothing '
    r'(?:before it )?sets: set model\.(?P<slot>\w+)(?:, for example to (?P<type>\w+)'
    r"(?: with (?P<key>\w+)='(?P<value>\w+)')?)?\.$"
)
LATER = re.compile(
    r'^model\.(?P<name>[\w.]+) \(\w+\) needs `\w+`, which model\.[\w.]+ sets only after it: move '
)
UNREAD = re.compile(r'^model\.(?P<name>[\w.]+) \(\w+\) sets `\w+`, which nothing after it reads: ')


def build(model: dict[str, Any], swapped: str = '') -> Grounder | None:
    """Build a model, doing what the builder's sentences say.

    Returns:
        The model, or None where the swapped component itself is refused for good.
    """
    for _ in range(8):
        try:
            return MODELS.build(copy.deepcopy(model))
        except ConfigError as error:
            needs, unread = NEEDS.match(str(error)), UNREAD.match(str(error))
            assert needs or unread, f'the sentence does not say what to set: {error}'
            name = (needs or unread)['name']
            if (
                needs
                and needs['type'] == (model.get(needs['slot']) or {}).get('type', '')
                and needs['key']
            ):
                model[needs['slot']][needs['key']] = needs['value']
                continue
            if name == swapped and (unread or needs['slot'] in GROUPS):
                return None
            if name.split('.')[0] in GROUPS and name != swapped:
                drop(model, name)
            elif unread or needs['slot'] in (*GROUPS, swapped):
                return None
            elif needs['key']:
                cfg = examples()[needs['slot']][needs['type']]
                model[needs['slot']] = {**copy.deepcopy(cfg), needs['key']: needs['value']}
            else:
                fill(model, needs['slot'], needs['field'])
    raise AssertionError(f'still refused: {model}')


def check(model: Grounder) -> None:
    """Train one step and predict."""
    torch.manual_seed(0)
    model.train()
    losses = model(**model.data_preprocessor(batch(), True), mode='loss')
    total = sum(value for name, value in losses.items() if 'loss' in name)
    assert total.isfinite() and total.requires_grad
    total.backward()
    assert all(p.grad.isfinite().all() for p in model.parameters() if p.grad is not None)
    model.eval()
    with torch.no_grad():
        records = model(**model.data_preprocessor(batch(), False), mode='predict')
    for record, clips in zip(records, (12, 9)):
        assert record['pred_relevant_windows']
        assert len(record['pred_saliency_scores']) == clips


def hosts_of_heads() -> dict[str, str]:
    """One system for every moment head."""
    return {model['moment_head']['type']: name for name, model in reversed(bases().items())}


@pytest.mark.parametrize('slot', list(SLOT_TYPES))
def test_every_component_is_shown_by_a_config(slot):
    """A component without a config would silently leave the matrix."""
    if slot in ('loss_balancer',):
        shown = {(model.get(slot) or {}).get('type', 'FixedBalancer') for model in bases().values()}
    else:
        shown = set(examples().get(slot, {}))
    assert set(registered(slot)) <= shown


@pytest.mark.parametrize('head', registered('moment_head'))
@pytest.mark.parametrize('fusion', registered('fusion'))
def test_every_fusion_works_with_every_moment_head(fusion, head):
    host = hosts_of_heads().get(head, 'sgdetr')
    model = system(host)
    model['moment_head'] = copy.deepcopy(examples()['moment_head'][head])
    model['fusion'] = copy.deepcopy(examples()['fusion'][fusion])
    built = build(model)
    assert type(built.slots['fusion']).__name__ == fusion
    assert type(built.slots['moment_head']).__name__ == head
    check(built)


SLOTS = (
    'video_projector', 'text_projector', 'local_saliency_head', 'embedding', 'refiner', 'encoder',
    'neck', 'saliency_head',
)  # fmt: skip
CASES = [
    (slot, name, host)
    for number, slot in enumerate(SLOTS)
    for name in registered(slot)
    for host in (HOSTS[number % 4], HOSTS[(number + 1) % 4])
]


@pytest.mark.parametrize(('slot', 'name', 'host'), CASES)
def test_every_component_works_in_two_systems_or_is_refused(slot, name, host):
    model = system(host)
    cfg = copy.deepcopy(examples()[slot][name])
    if slot.endswith('projector'):
        cfg['in_dim'] = 6
    model[slot] = cfg
    if slot not in model['stages']:
        fill(model, slot, (*SLOT_TYPES[slot].provides, *MODELS.get(name).provides)[0])
        model[slot] = cfg
    built = build(model, swapped=slot)
    if built is None:  # a point head without its pyramid
        assert slot == 'neck' and 'pyramid' not in MODELS.get(name).provides
        return
    assert type(built.slots[slot]).__name__ == name
    check(built)


@pytest.mark.parametrize('host', HOSTS[:2])
@pytest.mark.parametrize('name', registered('feedback'))
def test_every_feedback_works_in_two_systems_or_is_refused(name, host):
    """The first place in the order at which the builder takes it."""
    refused = []
    for place in range(len(system(host)['stages']) + 1):
        model = system(host)
        model.setdefault('feedback', {})
        for member in list(model['feedback']):
            drop(model, f'feedback.{member}')
        model['feedback']['swapped'] = copy.deepcopy(examples()['feedback'][name])
        model['stages'].insert(place, 'feedback.swapped')
        try:
            built = MODELS.build(copy.deepcopy(model))
        except ConfigError as error:
            assert any(form.match(str(error)) for form in (NEEDS, LATER, UNREAD)), error
            refused.append(str(error))
            continue
        check(built)
        return
    assert len(refused) == place + 1


@pytest.mark.parametrize('host', HOSTS[:2])
@pytest.mark.parametrize('name', registered('auxiliary'))
def test_every_auxiliary_branch_works_in_two_systems(name, host):
    model = system(host)
    model['auxiliary'] = {'swapped': copy.deepcopy(examples()['auxiliary'][name])}
    check(build(model, swapped='auxiliary.swapped'))


@pytest.mark.parametrize('host', HOSTS)
@pytest.mark.parametrize('name', registered('loss_balancer'))
def test_every_balancer_works_in_every_kind_of_system(name, host):
    cfg = {'type': name}
    for model in bases().values():
        if (model.get('loss_balancer') or {}).get('type') == name:
            cfg = model['loss_balancer']
    check(build({**system(host), 'loss_balancer': cfg}))
