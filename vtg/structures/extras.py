# SPDX-License-Identifier: Apache-2.0
"""What some papers add to the state: small dataclasses that live beside their components.

A paper declares one where it needs it, and nothing here changes::

    @dataclass(frozen=True)
    class ClipGain(Extra):
        gain: Tensor

Its components name it in ``requires``, ``reads`` and ``provides`` (``'clip_gain'``), return
``{'clip_gain': ClipGain(gain)}`` and find it as ``state.extras[ClipGain].gain``.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, ClassVar, TypeVar

import torch

E = TypeVar('E', bound='Extra')

# All that are declared, by name.
EXTRAS: dict[str, type['Extra']] = {}
# Names that the state has for itself.
RESERVED: set[str] = set()


# ``field(metadata=FROM_TEXT)`` declares what is made from the text alone: the negative pass rolls
# it by a sample.
FROM_TEXT = {'text': True}


def text_of(values: torch.Tensor, partner: torch.Tensor | None) -> torch.Tensor:
    """``values (B, ...)`` of the samples ``partner (B,)``; None is the next one, after the last the
    first."""
    return torch.roll(values, -1, dims=0) if partner is None else values[partner]


@dataclass(frozen=True)
class Extra:
    """Base class: a frozen dataclass of tensors.

    Attributes:
        name: That of the class in snake case.
        hint: Without any effect unless a later component reads it.
        stream: Made by feedback from the matching text; the negative pass starts without.
    """

    name: ClassVar[str] = ''
    hint: ClassVar[bool] = False
    stream: ClassVar[bool] = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.name = re.sub(r'(?<!^)(?=[A-Z])', '_', cls.__name__).lower()
        if cls.name in RESERVED:
            raise TypeError(f'`{cls.name}` is a field of the state; name {cls.__name__} otherwise')
        other = EXTRAS.setdefault(cls.name, cls)
        if f'{other.__module__}.{other.__qualname__}' != f'{cls.__module__}.{cls.__qualname__}':
            raise TypeError(f'{cls.__module__} and {other.__module__} both declare {cls.__name__}')
        EXTRAS[cls.name] = cls

    @classmethod
    def of_text(cls) -> bool:
        """Whether it is made from the text alone, see :data:`FROM_TEXT`."""
        return any(item.metadata.get('text') for item in fields(cls))

    def rolled(self: E, partner: torch.Tensor | None = None) -> E:
        """Return it for every sample as its partner has it, where it is made from the text."""
        values = {
            item.name: text_of(getattr(self, item.name), partner)
            for item in fields(self) if item.metadata.get('text')
        }  # fmt: skip
        return replace(self, **values) if values else self


@dataclass(frozen=True)
class Extras:
    """The extras of a state, found by their class."""

    values: dict[str, Extra] = field(default_factory=dict)

    def __getitem__(self, kind: type[E]) -> E:
        """Return what a component has set; what is declared in ``requires`` always is."""
        found = self.get(kind)
        if found is None:
            raise KeyError(f'nothing has set {kind.name!r}; declare it in `requires`')
        return found

    def get(self, kind: type[E]) -> E | None:
        """Return what a component has set, or None."""
        found = self.values.get(kind.name)
        assert found is None or isinstance(found, kind)
        return found

    def __contains__(self, kind: type[Extra]) -> bool:
        return kind.name in self.values

    def update(self, values: Mapping[str, Extra | None]) -> 'Extras':
        """Return a copy with new values by name; None takes one away."""
        for name, value in values.items():
            if value is not None and not isinstance(value, EXTRAS[name]):
                raise TypeError(f'{name} is a {EXTRAS[name].__name__}, not {type(value).__name__}')
        merged = {**self.values, **values}
        return Extras({name: value for name, value in merged.items() if value is not None})

    def of_next_text(self, partner: torch.Tensor | None = None) -> 'Extras':
        """Return them for the negative pass with the texts of ``partner``."""
        kept = ((name, value) for name, value in self.values.items() if not value.stream)
        return Extras({name: value.rolled(partner) for name, value in kept})

    def with_text_of(self, others: 'Extras') -> 'Extras':
        """Return them for the negative pass with what others have that is made from the text."""
        kept = {name: value for name, value in self.values.items() if not value.stream}
        for name, value in kept.items():
            other = others.values[name]
            texts = {
                item.name: getattr(other, item.name)
                for item in fields(value) if item.metadata.get('text')
            }  # fmt: skip
            kept[name] = replace(value, **texts) if texts else value
        return Extras(kept)
