# SPDX-License-Identifier: Apache-2.0
"""Arguments are checked by their type hints, and no component can forget to declare them."""

import typing
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, TypedDict

import pytest

from vtg import registry
from vtg.registry import MODELS, Registry
from vtg.utils import ConfigError
from vtg.utils.arguments import ArgumentsOf, check_arguments, signature_of
from vtg.utils.ranges import range_of

# Text that is no choice: a path, a name, a pattern, a description.
FREE_TEXT = {
    'annotations_from', 'ann_file', 'architecture', 'backbone', 'checkpointing', 'collect_dir',
    'collect_device', 'columns', 'duration', 'split',
    'data_root', 'device', 'domain', 'features_from', 'file', 'folder', 'hide',
    'out_file', 'pattern', 'prefix', 'rows_file', 'rule', 'save_best', 'show', 'stages', 'suffixes',
    'text', 'text_projector', 'text_weights', 'tokenizer', 'video_projector', 'video', 'weights',
}  # fmt: skip
# Numbers of which any is right, and lists that say more than their numbers.
FREE_NUMBERS = {
    'anchor_offset', 'domains', 'high', 'indices', 'low', 'margin', 'mean', 'offset',
    'ranges', 'selection', 'tef', 'width_offset',
}  # fmt: skip
# Choices that are checked by the component itself, against a table.
TABLES = {'layout', 'mode'}


class Options(TypedDict, total=False):
    size: int


class Inner:
    def __init__(self, size: int, kind: Literal['sum', 'mean'] = 'sum') -> None:
        pass


class Part:
    def __init__(
        self,
        dim: int,
        kind: Literal['sum', 'mean'] = 'sum',
        rate: float = 0.5,
        flags: Sequence[bool] = (),
        pair: tuple[int, int] = (0, 1),
        options: Options | None = None,
        inner: Annotated[Mapping[str, Any], ArgumentsOf(Inner)] | None = None,
    ) -> None:
        pass


@pytest.mark.parametrize(
    ('given', 'sentence'),
    [
        ({'dim': 0}, 'Part.dim is 0; Part expects a whole number, at least 1'),
        ({'dim': True}, 'Part.dim is True'),
        ({'dim': 2.0}, 'Part.dim is 2.0'),
        ({'dim': 1, 'kind': 'men'}, "Part.kind is 'men'; did you mean 'mean'"),
        ({'dim': 1, 'rate': 'x'}, "Part.rate is 'x'"),
        ({'dim': 1, 'rate': float('nan')}, 'Part.rate is nan'),
        ({'dim': 1, 'rate': float('inf')}, 'Part.rate is inf'),
        ({'dim': 1, 'rate': 10**400}, 'Part expects a number, at most 1e12'),
        ({'dim': 1, 'flags': [True, 1]}, 'Part.flags.1 is 1'),
        ({'dim': 1, 'pair': [1]}, 'Part.pair is [1]; Part expects a list of 2'),
        ({'dim': 1, 'options': {'sise': 3}}, 'did you mean size'),
        ({'dim': 1, 'options': {'size': 'x'}}, "Part.options.size is 'x'"),
        ({'dim': 1, 'inner': {'size': 'x'}}, "Part.inner.size is 'x'; Part expects a whole"),
        ({'dim': 1, 'inner': {'kind': 'men'}}, "Part.inner.kind is 'men'; did you mean 'mean'"),
        ({'dim': 1, 'inner': {'sise': 3}}, 'Part.inner has no sise; did you mean size'),
        ({'dim': 1, 'inner': 3}, 'Part.inner is 3; Part expects a dict or None'),
        ({'dim': 1, 'dims': 1}, 'Part.dims is no argument of Part; did you mean dim'),
        ({}, 'Part needs the argument dim'),
    ],
)
def test_what_does_not_fit_is_named(given, sentence):
    with pytest.raises(ConfigError) as caught:
        check_arguments(Part, given)
    assert sentence in str(caught.value)


def test_what_fits_is_accepted():
    options = {'size': 3}
    given = {'dim': 4, 'rate': 1, 'flags': (True,), 'pair': [3, 4], 'options': options}
    check_arguments(Part, given)
    with pytest.raises(ConfigError):  # and each of them is looked at
        check_arguments(Part, given | {'pair': [3]})


def test_every_choice_of_the_package_is_checked():
    count = 0
    for _, cls in components():
        for name, argument in signature_of(cls).arguments.items():
            members = (argument.hint, *typing.get_args(argument.hint))
            if any(typing.get_origin(member) is Literal for member in members):
                count += 1
                with pytest.raises(ConfigError, match=f'{name} is '):
                    check_arguments(cls, {name: 'nonsense'}, complete=False)
    assert count > 30


def test_heads_divide_the_channels():
    with pytest.raises(ConfigError, match='dim must be a multiple of num_heads'):
        MODELS.build(dict(type='TransformerEncoder', dim=65))


def test_errors_of_a_constructor_name_the_place_and_keep_the_cause(monkeypatch):
    cls = MODELS.get('TransformerEncoder')

    def fail(self, dim: int) -> None:
        raise ZeroDivisionError('no luck')

    monkeypatch.setattr(cls, '__init__', fail)
    signature_of.cache_clear()
    with pytest.raises(ConfigError, match=r'cannot be built .* no luck') as caught:
        MODELS.build(dict(type='TransformerEncoder', dim=4))
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    monkeypatch.undo()
    signature_of.cache_clear()


def components() -> list[tuple[str, Any]]:
    found = []
    for item in vars(registry).values():
        if isinstance(item, Registry):
            item.import_from_location()
            ours = (cls for cls in item.module_dict.values() if cls.__module__.startswith('vtg.'))
            found += [(cls.__name__, cls) for cls in ours]
    return found


@pytest.mark.parametrize(('name', 'cls'), components())
def test_every_argument_of_the_package_declares_what_it_takes(name, cls):
    for argument, facts in signature_of(cls).arguments.items():
        leaves = set(_leaves(facts.hint))
        if str in leaves and argument not in FREE_TEXT | TABLES and isinstance(cls, type):
            own = argument in getattr(cls.__init__, '__annotations__', {})
            assert not own, f'{name}.{argument} is text: declare its choices as Literal[...]'


@pytest.mark.parametrize(('name', 'cls'), components())
def test_every_number_of_the_package_has_a_range(name, cls):
    for argument, facts in signature_of(cls).arguments.items():
        if {int, float} & set(_leaves(facts.hint)) and argument not in FREE_NUMBERS:
            assert range_of(argument), (
                f'{name}.{argument} is a number: give its name a range in vtg/utils/ranges.py, or '
                'put it on the list of free numbers.'
            )


def _leaves(hint: Any) -> Any:
    inner = typing.get_args(hint)
    if typing.get_origin(hint) is Literal or isinstance(hint, list):  # of a Callable
        return
    if not inner:
        yield hint
    is_dict = typing.get_origin(hint) in (dict, Mapping)
    for item in inner[is_dict:]:
        yield from _leaves(item)
