# SPDX-License-Identifier: Apache-2.0
"""Whether the arguments that a config gives to a class are ones that it takes.

Names, types and choices come from the signature: ``Literal['sum', 'mean']`` is a choice, ``int`` a
whole number, ``dict[str, float]`` a dict of numbers, a ``TypedDict`` a dict with these keys,
``Annotated[Mapping, ArgumentsOf(Part)]`` the arguments of another class. Ranges come from
:data:`vtg.utils.ranges.RANGES` by the name of the argument.
"""

import inspect
import math
import types
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Literal, Union

from .errors import ConfigError
from .names import check_choice, check_keys, did_you_mean, listed
from .ranges import ANY, in_range, range_of
from .text import shown as _shown


@dataclass(frozen=True)
class Argument:
    """One argument of a class: its type hint, and whether it has to be given."""

    hint: Any
    required: bool
    default: Any = inspect.Parameter.empty


@dataclass(frozen=True)
class Signature:
    """The arguments that a class takes.

    Attributes:
        arguments: By name.
        rest: Type hint of any others; None if there are none.
    """

    arguments: dict[str, Argument]
    rest: Any = None


@dataclass(frozen=True)
class ArgumentsOf:
    """Says in an ``Annotated`` type hint that a dict holds arguments of ``target``."""

    target: Any


class PlacedError(ConfigError):
    """A value of a config is wrong; ``place`` grows on its way up to the root of the config.

    Args:
        text: What follows the place in the sentence.
        place: Dotted place below ``owner``.
        owner: Name of the component, shown where its own place in the config is not known.
        cfg: The config that the component was built from.
    """

    def __init__(self, text: str, place: str = '', owner: str = '', cfg: Any = None) -> None:
        self.text, self.place, self.owner, self.cfg = text, place, owner, cfg
        where = '.'.join(part for part in (owner, place) if part)
        super().__init__(f'{where}{text}' if where else text.lstrip(': '))

    def within(self, key: str, owner: str = '', cfg: Any = None) -> 'PlacedError':
        """The same error seen from the component, or the file, that holds ``cfg`` at ``key``."""
        place = '.'.join(part for part in (key, self.place) if part)
        error = PlacedError(self.text, place, owner, cfg)
        error.__cause__ = self.__cause__
        return error


def check_arguments(
    target: Any, given: Mapping[str, Any], complete: bool = True, what: str = ''
) -> None:
    """Check names, types, choices and ranges of the arguments that a config gives.

    Args:
        target: A class or function; ``aside`` of a class has the type hints of what stands beside
            its arguments in a config and is read by whoever builds it.
        given: Its arguments by name.
        complete: All of them are there; one without a default that is missing is an error.
        what: What to call ``target``; its name by default.

    Raises:
        PlacedError: One is wrong.
    """
    signature = signature_of(target)
    aside = {name: Argument(hint, False) for name, hint in getattr(target, 'aside', {}).items()}
    what = what or getattr(target, '__name__', str(target))
    for name, value in given.items():
        argument = signature.arguments.get(name) or aside.get(name)
        if argument is None and signature.rest is None:
            known = [key for key in signature.arguments if not key.startswith('_')]
            hint = did_you_mean(str(name), known, 1) or f'it takes {listed(known)}.'
            if getattr(target, 'takes_chain', False) and isinstance(value, Mapping):
                hint = f'to let {what} make way for a chain, set _delete_=True beside {name}.'
            raise PlacedError(f' is no argument of {what}; {hint}', str(name), what)
        if argument is not None and value is argument.default:
            continue
        hint = signature.rest if argument is None else argument.hint
        check_value(value, hint, name, what, name)
    missing = [
        name for name, argument in signature.arguments.items()
        if argument.required and name not in given
    ]  # fmt: skip
    if complete and missing:
        raise PlacedError(f': {what} needs the argument {" and ".join(missing)}.', '', what)
    _check_division(signature, given, what)


@cache
def signature_of(target: Any) -> Signature:
    """The arguments of a class, those that it hands on as ``**kwargs`` to its bases included.

    A class that hands others on to a function names it in ``hands_on``.
    """
    handed = getattr(target, 'hands_on', None)
    if handed is not None:
        own, further = _class_signature(target), _own_signature(handed)
        later = {
            name: replace(argument, required=False) for name, argument in further.arguments.items()
        }
        return Signature(later | own.arguments, further.rest)
    return _class_signature(target)


def _class_signature(target: Any) -> Signature:
    if not inspect.isclass(target):
        return _own_signature(target)
    arguments: dict[str, Argument] = {}
    rest: Any = None
    for cls in target.__mro__:
        if '__init__' not in vars(cls):
            continue
        if cls is object:
            return Signature(arguments, rest)
        own = _own_signature(vars(cls)['__init__'])
        # A class may set arguments of its bases itself, so only its own are known to be needed.
        inherited = cls is not target
        arguments = {
            name: replace(argument, required=False) if inherited else argument
            for name, argument in own.arguments.items()
        } | arguments
        if own.rest is not Any:
            return Signature(arguments, rest or own.rest)
        # Other packages also hand **kwargs to functions, and PyTorch's root takes them in vain.
        if not cls.__module__.startswith(('vtg.', 'torch.nn')):
            rest = Any
    return Signature(arguments, rest)


def _own_signature(function: Any) -> Signature:
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # written in C
        return Signature({}, Any)
    try:
        hints = typing.get_type_hints(inspect.unwrap(function), include_extras=True)
    except Exception:  # hints are code, and some only hold in the module that has them
        hints = {}
    arguments, rest = {}, None
    for parameter in parameters:
        hint = hints.get(parameter.name, _hint_of(parameter.default))
        if parameter.name == 'self' or parameter.kind is parameter.VAR_POSITIONAL:
            continue
        if parameter.kind is parameter.VAR_KEYWORD:
            rest = hint
        else:
            required = parameter.default is parameter.empty
            arguments[parameter.name] = Argument(hint, required, parameter.default)
    return Signature(arguments, rest)


def _hint_of(default: Any) -> Any:
    """The type of an argument without a hint, from its default."""
    kinds = {bool: bool, int: float, float: float, str: str}
    return kinds.get(type(default), Any)


def _check_division(signature: Signature, given: Mapping[str, Any], what: str) -> None:
    """Attention splits the channels among its heads."""
    defaults = {name: argument.default for name, argument in signature.arguments.items()}
    values = defaults | dict(given)
    dim, heads = values.get('dim'), values.get('num_heads')
    if isinstance(dim, int) and isinstance(heads, int) and dim % heads:
        raise PlacedError(
            f': {what} cannot split dim={dim} among num_heads={heads}; dim must be a multiple '
            'of num_heads.', '', what,
        )  # fmt: skip


def check_value(value: Any, hint: Any, name: str, what: str, place: str) -> None:
    """Check one value against a type hint and the range of its name.

    Args:
        value: What the user wrote.
        hint: The type hint.
        name: Name of the argument.
        what: The component that takes it.
        place: Dotted place of the value.

    Raises:
        PlacedError: It does not fit; names the place of the first problem.
    """
    for where, item, expected in _problems(value, hint, name):
        full = '.'.join(part for part in (place, where) if part)
        if isinstance(expected, ConfigError):
            sentence = str(expected).partition(' ')[2]  # without the name
            raise PlacedError(f' {sentence}', full, what)
        by = f'{what} expects' if what else 'expected'
        raise PlacedError(f' is {shown(item)}; {by} {expected}.', full, what)


def _problems(value: Any, hint: Any, name: str) -> Iterator[tuple[str, Any, Any]]:
    """Yield ``(place below, value, what was expected)`` of what does not fit a type hint."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if hint is typing.Annotated or origin is typing.Annotated:
        inside = [item.target for item in inner[1:] if isinstance(item, ArgumentsOf)]
        if inside and isinstance(value, Mapping):
            arguments = signature_of(inside[0]).arguments
            hints = {key: argument.hint for key, argument in arguments.items()}
            yield from _options_problems(value, hints, name)
        else:
            yield from _problems(value, inner[0], name)
    elif origin in (Union, types.UnionType):
        yield from _union_problems(value, inner, name)
    elif origin is Literal:
        try:
            check_choice(value, inner, name)
        except ConfigError as error:
            yield '', value, error
    elif hint in _SCALARS:
        expected, fits = _SCALARS[hint]
        if not fits(value) or (hint in (int, float) and not in_range(value, name)):
            yield '', value, _with_range(expected, name, hint)
    elif typing.is_typeddict(hint):
        yield from _options_problems(value, typing.get_type_hints(hint), name)
    elif _is_kind(origin or hint, Mapping):
        if not isinstance(value, Mapping):
            yield '', value, 'a dict'
        elif len(inner) == 2:
            for key, item in value.items():
                for where, wrong, expected in _problems(item, inner[1], name):
                    yield '.'.join(filter(None, (str(key), where))), wrong, expected
    elif _is_kind(origin or hint, Sequence) and hint is not str:
        yield from _sequence_problems(value, origin or hint, inner, name)
    elif inspect.isclass(hint) and isinstance(value, _PLAIN) and not _is_instance(value, hint):
        yield '', value, f'the config of a {hint.__name__}'


def _options_problems(
    value: Any, hints: dict[str, Any], name: str
) -> Iterator[tuple[str, Any, Any]]:
    if value is None:  # an empty dict elsewhere
        yield '', value, 'a dict'
        return
    try:
        check_keys(value, hints, name)
    except ConfigError as error:
        yield '', value, error
        return
    for key, item in value.items():
        # Weights and factors are ranged by the name of the dict, other options by their own.
        ranged = name if range_of(name) else key
        for where, wrong, expected in _problems(item, hints[key], ranged):
            yield '.'.join(filter(None, (key, where))), wrong, expected


def _sequence_problems(
    value: Any, kind: Any, inner: tuple[Any, ...], name: str
) -> Iterator[tuple[str, Any, Any]]:
    fixed = kind is tuple and inner and inner[-1] is not Ellipsis
    if not isinstance(value, list | tuple | range):
        yield '', value, f'a list of {len(inner)}' if fixed else 'a list'
        return
    if fixed and len(value) != len(inner):
        yield '', value, f'a list of {len(inner)}'
        return
    hints = inner if fixed else [inner[0] if inner else Any] * len(value)
    for index, (item, hint) in enumerate(zip(value, hints)):
        for where, wrong, expected in _problems(item, hint, name):
            yield '.'.join(filter(None, (str(index), where))), wrong, expected


def _union_problems(
    value: Any, members: tuple[Any, ...], name: str
) -> Iterator[tuple[str, Any, Any]]:
    found = [list(_problems(value, member, name)) for member in members]
    if not all(found):
        return
    # A list with one wrong item, or a choice misspelt, says more than a list of types.
    inside = [problem for problems in found for problem in problems if problem[0]]
    choices = [p for ps in found for p in ps if isinstance(p[2], ConfigError)]
    if inside or (choices and isinstance(value, str | Mapping)):
        yield (inside or choices)[0]
    else:
        texts = [
            _alternative(member) if isinstance(problems[0][2], ConfigError) else problems[0][2]
            for member, problems in zip(members, found)
        ]
        yield '', value, ' or '.join(dict.fromkeys(texts))


def _alternative(hint: Any) -> str:
    if typing.is_typeddict(hint):
        return f'a dict with {listed(list(typing.get_type_hints(hint)))}'
    return ' or '.join(map(repr, typing.get_args(hint)))


def _is_kind(hint: Any, kind: type) -> bool:
    return inspect.isclass(hint) and issubclass(hint, kind)


def _is_instance(value: Any, kind: type) -> bool:
    try:
        return isinstance(value, kind)
    except TypeError:  # a protocol
        return True


def _is_float(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return isinstance(value, int) or not math.isnan(value)


# What a config holds where an object is meant by mistake.
_PLAIN = (bool, int, float, str, list, tuple, type(None))
_SCALARS: dict[Any, tuple[str, Callable[[Any], bool]]] = {
    bool: ('True or False', lambda value: isinstance(value, bool)),
    int: ('a whole number', lambda v: isinstance(v, int) and not isinstance(v, bool)),
    float: ('a number', _is_float),
    str: ('text', lambda value: isinstance(value, str)),
    type(None): ('None', lambda value: value is None),
    None: ('None', lambda value: value is None),
}


def _with_range(expected: str, name: str, hint: Any) -> str:
    if hint not in (int, float):
        return expected
    rule = range_of(name)
    return f'{expected}, {"at most 1e12" if rule in (None, ANY) else rule[0]}'


def shown(value: Any) -> str:
    """A value of a config as it may stand in a sentence."""
    return _shown(value, 100)
