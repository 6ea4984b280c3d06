# SPDX-License-Identifier: Apache-2.0
"""Every component in every slot of every system.

The cases come from the registry: a new component joins as soon as one config uses it. Each case
puts it into the config of a system. Where the builder refuses, its sentence must say what to set;
the test does so. What is built then takes two steps: losses are finite and have names of their own,
and every parameter learns or is named by :func:`vtg.models.rehearsal.unused_parameters`.

There are as many cases as components times systems, so a third of them runs by default, all with
``--all-systems``, and they are kept cheap. Most of a model is that of its system: components are
built once per config and shared by all trials (:class:`Shop`), and a model that was trained gets
its weights back. Auxiliaries change nothing, so those that a system takes as it is train side by
side. Whether idle parameters are named is looked at in one system per component.
"""

import copy
import math
import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from matrix import first, some_of
from torch.nn.utils import clip_grad_norm_

from vtg.engine.config import read_config
from vtg.evaluation.records import to_records
from vtg.models import Grounder, pipeline
from vtg.models.base import SLOT_TYPES, LossBalancer
from vtg.models.grounder import DEFAULT_NEGATIVE_STAGES
from vtg.models.rehearsal import noise_batch, unused_parameters, with_gradient
from vtg.models.slots import DEFAULT_STAGES, PLACES, arrange, component_configs
from vtg.registry import MODELS
from vtg.structures import Progress
from vtg.utils import ConfigError

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'
SMALL = dict(dim=16, num_heads=2, hidden_dim=16, dropout=0.0, drop_path=0.0, residual_dropout=0.0)
# What is at most needed of everything that there may be more of.
FEW = dict(num_layers=1, moment_layers=1, sentence_layers=1, num_convs=1, num_linear=2,
           num_queries=6, num_dummies=3, num_prompts=3, num_blocks=1, queue_size=4)  # fmt: skip
GROUPS = ('feedback', 'auxiliary')
KINDS = {**SLOT_TYPES, 'loss_balancer': LossBalancer}
# Configs that show the components which no system has in its base.
VARIANTS = (
    'sgdetr/qvhl_decoder_only.py', 'sgdetr/qvhl_dense_only.py',
    'sgdetr/qvhl_no_global_saliency.py', 'taskweave/qvhl_hd2mr.py', 'uvcom/qvhl_audio.py',
    'zero_shot/demo.py', 'moment_detr/soccer_gmr.py',
)  # fmt: skip


def small(cfg: Any) -> Any:
    """The same config with few layers, queries and tokens."""
    if not isinstance(cfg, dict):
        return cfg
    few = FEW | ({'num_layers': 2} if str(cfg.get('type')).endswith('Decoder') else {})
    return {
        key: min(value, few[key]) if key in few and value is not None else small(value)
        for key, value in cfg.items()
    }


@cache
def bases() -> dict[str, dict[str, Any]]:
    """The model of every system."""
    files = sorted((CONFIGS / '_base_' / 'models').glob('*.py'))
    return {file.stem: small(read_config(file).model.to_dict()) for file in files}


@cache
def examples() -> dict[str, dict[str, dict[str, Any]]]:
    """One config of every component that fills a slot, by slot and component."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    variants = (CONFIGS / name for name in VARIANTS)
    models = [small(read_config(file).model.to_dict()) for file in variants]
    for model in [*bases().values(), *models]:
        for slot in KINDS:
            configs = model.get(slot) or {}
            for cfg in [configs] if 'type' in configs else configs.values():
                if cfg is not None:
                    plain = {key: value for key, value in cfg.items() if key not in PLACES}
                    found.setdefault(slot, {}).setdefault(cfg['type'], plain)
    found.setdefault('loss_balancer', {}).setdefault('FixedBalancer', {'type': 'FixedBalancer'})
    # A projector of either modality is one of the other.
    found['text_projector'] = {**found['video_projector'], **found['text_projector']}
    found['audio_projector'] = found['video_projector']  # those of the video fit it
    for slot in ('video_projector', 'audio_projector', 'text_projector'):
        found[slot] = {name: {**cfg, 'in_dim': 6} for name, cfg in found[slot].items()}
        for cfg in found[slot].values():
            if 'widths' in cfg:
                cfg['widths'] = (4, 2)
    return found


def registered(slot: str) -> list[str]:
    """Every component that fits a slot."""
    MODELS.import_from_location()
    return sorted(
        name for name, cls in MODELS.module_dict.items()
        if isinstance(cls, type) and issubclass(cls, KINDS[slot])
    )  # fmt: skip


def system(name: str) -> dict[str, Any]:
    """A small version of a system's model."""
    model = copy.deepcopy(bases()[name])
    model['defaults'].update({k: v for k, v in SMALL.items() if k in model['defaults']})
    slots = {slot: model.get(slot) for slot in SLOT_TYPES}
    model['stages'] = list(arrange(component_configs(slots), model.get('stages')))
    if model.get('negatives'):
        model['negatives']['stages'] = list(
            model['negatives'].get('stages', DEFAULT_NEGATIVE_STAGES)
        )
    for modality in ('video', 'audio', 'text'):
        if model.get(f'{modality}_projector'):
            model[f'{modality}_projector']['in_dim'] = 6
    model.setdefault('test_cfg', {})['output'] = None
    return model


def put(model: dict[str, Any], slot: str, cfg: dict[str, Any]) -> None:
    """Fill a slot, or add a group member, and let it run at its usual place."""
    if slot in GROUPS:
        model[slot] = {**(model.get(slot) or {}), 'swapped': cfg}
    else:
        join(model, slot)
        model[slot] = cfg
    if slot in DEFAULT_STAGES and slot not in model['stages']:
        before = DEFAULT_STAGES[: DEFAULT_STAGES.index(slot)]
        place = max((i for i, s in enumerate(model['stages']) if s in before), default=-1)
        model['stages'].insert(place + 1, slot)


def join(model: dict[str, Any], slot: str) -> None:
    """Let one stage stand where the members of a chain run."""
    orders = [model] + ([model['negatives']] if model.get('negatives') else [])
    for holder in orders:
        stages = [slot if s.startswith(f'{slot}.') else s for s in holder['stages']]
        holder['stages'] = [s for i, s in enumerate(stages) if s != slot or slot not in stages[:i]]


def drop(model: dict[str, Any], name: str) -> None:
    """Empty a slot, or remove a group member, and its stages."""
    group, _, member = name.partition('.')
    if member:
        model[group].pop(member)
    else:
        model[name] = None
    model['stages'] = [stage for stage in model['stages'] if stage != name]
    if model.get('negatives'):
        stages = model['negatives']['stages']
        model['negatives']['stages'] = [stage for stage in stages if stage != name]


NEEDS = re.compile(
    r'^(?:the losses of )?model\.(?P<name>[\w.]+) \(\w+\) needs? `(?P<field>\w+)`, which nothing '
    r'(?:before it )?sets: set model\.(?P<slot>\w+)(?:, for example to (?P<type>\w+)'
    r"(?: with (?P<key>\w+)='(?P<value>\w+)')?)?"
    r"(?:, or set model\.(?P<place>[\w.]+)=(?P<setting>[\w']+))?\.$"
)
LATER = re.compile(
    r'^model\.(?P<name>[\w.]+) \(\w+\) needs `\w+`, which model\.[\w.]+ sets only after it: move '
)
UNREAD = re.compile(
    r'^model\.(?P<name>[\w.]+) \(\w+\) sets `\w+`, which nothing after it reads: run one of '
)
STALE = re.compile(
    r"`(?P<field>\w+)` (?:in|of) the negative pass, .*: add '(?P<stage>[\w.]+)' to "
    r"model\.negatives\.stages(?: before '(?P<before>[\w.]+)', or keep .*)?\.$"
)
CONSTANT = re.compile(r'would always be 0, because .*: set (?P<places>[\w. ]+) to None, or ')
PAIRS = re.compile(r'leave model\.negatives\.partner away')
GEOMETRY = re.compile(r'strides|levels')
CUT_OFF = re.compile(
    r'^model\.[\w.]+ \(\w+\) changes `\w+` and runs .*, which do not pass it on: run every stage '
)


def set_at(model: dict[str, Any], place: str, value: Any) -> None:
    """Set the value at a dotted place."""
    node, (*parents, last) = model, place.split('.')
    for part in parents:
        node = node[part]
    node[last] = value.strip("'") if isinstance(value, str) else value


def obey(model: dict[str, Any], sentence: str, swapped: str) -> bool:
    """Do what a refusal says; False if the swapped component itself has no place here."""
    if match := CONSTANT.search(sentence):
        for place in match['places'].split(' and '):
            set_at(model, place.removeprefix('model.'), None)
        return True
    if match := STALE.search(sentence):
        stages, before = model['negatives']['stages'], match['before'] or ''
        # A member of a chain may be named by its slot.
        place = stages.index(before if before in stages else before.split('.')[0]) if before else 0
        stages.insert(place, match['stage'])
        return True
    if PAIRS.search(sentence):
        del model['negatives']['partner']
        return True
    match = NEEDS.match(sentence) or UNREAD.match(sentence)
    if match is None:
        refused = GEOMETRY.search(sentence) or LATER.match(sentence) or CUT_OFF.match(sentence)
        assert refused, sentence
        return False
    name, slot = match['name'], match.groupdict().get('slot')
    if slot and match['place'] and (slot == swapped or model.get(slot)):
        set_at(model, match['place'], {'False': False}.get(match['setting'], match['setting']))
        return True
    if slot is None or slot in GROUPS or slot == swapped:
        # The part that was made for the old component goes with it.
        if name != swapped and name.split('.')[0] not in ('fusion', 'encoder', 'moment_head'):
            drop(model, name)
            return True
        return False
    cfg = model.get(slot) or {}
    if match['key'] and cfg.get('type') == match['type']:
        cfg[match['key']] = match['value']
        return True
    fitting = examples()[slot]
    wanted = match['type'] or next(
        key for key in fitting
        if slot.endswith('_projector')
        or match['field'] in (*KINDS[slot].provides, *MODELS.get(key).provides)
    )  # fmt: skip
    put(model, slot, copy.deepcopy(fitting[wanted]))
    if match['key']:
        model[slot][match['key']] = match['value']
    return True


class Shop:
    """Builds components; the same config again gives what was built before.

    A model has every component once: its second one of a config is another than its first.
    """

    def __init__(self) -> None:
        self.stock: dict[str, list[Any]] = {}
        self.sold: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        return getattr(MODELS, name)

    def build(self, cfg: dict[str, Any]) -> Any:
        """A component of this config that the model does not have yet."""
        key = repr(sorted(cfg.items()))
        stock, index = self.stock.setdefault(key, []), self.sold[key]
        if index == len(stock):
            stock.append(MODELS.build(copy.deepcopy(cfg)))
        self.sold[key] += 1
        return stock[index]


SHOP = Shop()


@pytest.fixture(autouse=True)
def shop(monkeypatch):
    monkeypatch.setattr(pipeline, 'MODELS', SHOP)


def make(model: dict[str, Any]) -> Grounder:
    """Build a model of components that may be shared with others."""
    SHOP.sold.clear()
    return MODELS.build(copy.deepcopy(model))


def build(model: dict[str, Any], swapped: str) -> Grounder | None:
    """Build a model, doing what the refusals say; None where it is refused for good."""
    said: list[str] = []
    put_there: dict[str, str] = {}
    while len(said) < 12:
        try:
            return make(model)
        except ConfigError as error:
            sentence = str(error)
        assert sentence.endswith('.') and len(sentence) < 1500 and '\n' not in sentence
        needed = NEEDS.match(sentence)
        slot, wanted = (needed['slot'], needed['type']) if needed else ('', None)
        # Two components that need different ones in the same slot do not go together.
        if wanted and slot not in GROUPS and put_there.setdefault(slot, wanted) != wanted:
            return None
        assert sentence not in said, f'said and done before: {sentence}'
        said.append(sentence)
        if not obey(model, sentence, swapped):
            return None
    raise AssertionError(f'still refused: {said}')


def assert_it_learns(model: Grounder, named: bool = True) -> None:
    """Take two steps and predict; ``named`` also looks whether what learns nothing is named.

    The weights are left as they were, for the other models that have the components.
    """
    start = copy.deepcopy(model.state_dict())
    try:
        learnt, batch = train(model), noise_batch(model)
        if named:
            learns = {name for name, value in model.named_parameters() if value.requires_grad}
            model.load_state_dict(start)
            idle = learns - learnt
            assert not idle or idle <= set(unused_parameters(model, batch, steps=1))
        model.eval()
        with torch.no_grad():
            prediction = model(**model.data_preprocessor(batch, False), mode='predict')
    finally:
        model.load_state_dict(start)
    for record, clips in zip(to_records(prediction, fill=True), (12, 9)):
        assert record['pred_relevant_windows']
        if 'saliency_head' in model.slots:
            assert len(record['pred_saliency_scores']) == clips


def train(model: Grounder) -> set[str]:
    """Take two steps; return the names of the parameters that had a gradient."""
    torch.manual_seed(0)
    model.train()
    model.progress = Progress(199, 200)
    learnt, batch = set(), noise_batch(model)
    for _ in range(2):
        model.zero_grad()
        losses = model(**model.data_preprocessor(batch, True), mode='loss')
        assert all(value.isfinite() for value in losses.values()), losses
        sum(value for name, value in losses.items() if 'loss' in name).backward()
        clip_grad_norm_(model.parameters(), math.inf, error_if_nonfinite=True)  # clips nothing
        learnt |= set(with_gradient(model))
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.grad is not None:
                    parameter.sub_(parameter.grad, alpha=1e-2)
    return learnt


@pytest.mark.parametrize('slot', list(KINDS))
def test_every_component_is_shown_by_a_config(slot):
    """A component without a config would silently leave the matrix."""
    assert set(registered(slot)) <= set(examples().get(slot, {}))


def has(host: str, slot: str, name: str) -> bool:
    """Whether a system has the component anyway; the swap of its video projector stands for all."""
    return slot not in ('video_projector', *GROUPS) and name == (
        bases()[host].get(slot) or {'type': 'FixedBalancer' if slot == 'loss_balancer' else ''}
    ).get('type')


def hosts_of(slot: str, name: str) -> list[str]:
    """The systems into which a component is put."""
    return [
        host for host in bases()
        if not has(host, slot, name)
        # In a system without a second stream nothing would read it.
        and (slot != 'audio_projector' or slot in bases()[host])
    ]  # fmt: skip


SWAPPED = [(slot, name) for slot in KINDS if slot != 'auxiliary' for name in registered(slot)]
CASES = [(*swapped, host) for swapped in SWAPPED for host in hosts_of(*swapped)]
USUAL = [
    (*swapped, host)
    for index, swapped in enumerate(SWAPPED) for host in some_of(hosts_of(*swapped), index)
]  # fmt: skip


def test_every_run_meets_all_components_and_systems():
    for slot, name in SWAPPED:
        met = sum(case[:2] == (slot, name) for case in USUAL)
        assert met >= min(5, len(hosts_of(slot, name))), name
    for host in bases():
        swapped, own = sum(case[2] == host for case in USUAL), [has(host, *s) for s in SWAPPED]
        assert swapped + sum(own) >= len(SWAPPED) / 3, host


@pytest.mark.parametrize(('slot', 'name', 'host'), first(USUAL, CASES))
def test_every_component_in_every_system(slot, name, host):
    model = system(host)
    cfg = copy.deepcopy(examples()[slot][name])
    if slot == 'feedback':
        built = with_feedback(model, cfg)
    else:
        put(model, slot, cfg)
        built = build(model, f'{slot}.swapped' if slot in GROUPS else slot)
    if built is not None:
        assert_it_learns(built, looked_at(slot, name) == host)


def looked_at(slot: str, name: str) -> str:
    """The one system in which idle parameters of a component have to be named."""
    usual = [host for *swapped, host in USUAL if swapped == [slot, name]] or list(bases())
    return usual[registered(slot).index(name) % len(usual)]


@pytest.mark.parametrize('host', list(bases()))
def test_every_auxiliary_in_every_system(host):
    together = system(host)
    for name in registered('auxiliary'):
        model, cfg = system(host), copy.deepcopy(examples()['auxiliary'][name])
        put(model, 'auxiliary', cfg)
        plain = copy.deepcopy(model)
        built = build(model, 'auxiliary.swapped')
        if built is not None and model == plain:
            together['auxiliary'] = {**(together.get('auxiliary') or {}), f'added_{name}': cfg}
        elif built is not None:
            assert_it_learns(built, looked_at('auxiliary', name) == host)
    assert_it_learns(make(together))


def with_feedback(model: dict[str, Any], cfg: dict[str, Any]) -> Grounder | None:
    """Run it at the first place in the order at which the builder takes it."""
    for member in list(model.get('feedback') or {}):
        drop(model, f'feedback.{member}')
    for place in range(len(model['stages']) + 1):
        trial = copy.deepcopy(model)
        put(trial, 'feedback', cfg)
        trial['stages'].insert(place, 'feedback.swapped')
        built = build(trial, 'feedback.swapped')
        if built is not None:
            return built
    return None
