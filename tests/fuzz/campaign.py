# SPDX-License-Identifier: Apache-2.0
"""Seeded mutations of inputs, and the rule that every outcome obeys.

A campaign makes ``count`` mutated inputs from a seed and runs each: the outcome is a correct result
or a :class:`vtg.utils.VtgError` of one sentence. Anything else is a fault of the toolbox; the
failing test names the number of the input, and ``--fuzz-inputs`` and the seed bring it back.
"""

import copy
import random
from collections.abc import Callable
from typing import Any

from vtg.utils import VtgError

# Values that files have been seen to hold where a number, text or list was meant.
ODD_VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, -5, 99, 2**31, 2**62, 10**39, 10**400, 0.5, -0.0, 1e-300, 1e300,
    1e39, float('nan'), float('inf'), float('-inf'), '', ' ', 'abc', '1', '1e3', 'nan', '../up',
    'a/b', 'a\x00b', '\x1b[31mred', '=1+1', 'ü', '\ud800', 'x' * 300, [], {}, [[]], [None],
    [1, 2], [2, 1], [[2, 1]], [[1, 2]], [[1, 2, 3]], [[float('nan'), 2]], [[-1, 5]], [True],
    ['1', '2'], [[['deep']]], {'a': 1}, [[1, 2], [1, 2]], [0.1] * 1000,
)  # fmt: skip


def mutated_json(value: Any, rng: random.Random) -> Any:
    """Return a copy with one to three places replaced, removed, doubled or renamed."""
    value = copy.deepcopy(value)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        places = list(_places(value))
        if not places:
            return rng.choice(ODD_VALUES)
        container, key = rng.choice(places)
        action = rng.choice(('replace', 'replace', 'replace', 'remove', 'double', 'rename'))
        if action == 'replace':
            container[key] = copy.deepcopy(rng.choice(ODD_VALUES))
        elif action == 'remove':
            del container[key]
        elif action == 'double' and isinstance(container, list):
            container.insert(key, copy.deepcopy(container[key]))
        elif isinstance(container, dict):
            container[f'{key}{rng.choice(("", "_", "s"))}x'] = container.pop(key)
    return value


def mutated_bytes(content: bytes, rng: random.Random) -> bytes:
    """Return a file's content with bits flipped, a part cut out, doubled, zeroed or cut off."""
    data = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 4))):
        if not data:
            break
        at = rng.randrange(len(data))
        size = rng.choice((1, 4, 16, max(len(data) // 8, 1)))
        action = rng.choice(('flip', 'flip', 'cut', 'double', 'zero', 'end', 'noise'))
        if action == 'flip':
            data[at] ^= 1 << rng.randrange(8)
        elif action == 'cut':
            del data[at : at + size]
        elif action == 'double':
            data[at:at] = data[at : at + size]
        elif action == 'zero':
            data[at : at + size] = bytes(len(data[at : at + size]))
        elif action == 'end':
            del data[at:]
        else:
            data[at : at + size] = rng.randbytes(size)
    return bytes(data)


def outcome(run: Callable[[], Any]) -> Any:
    """Return what ``run`` returns, or the sentence (``str``) with which it refuses its input.

    Raises:
        AssertionError: It refuses with something that is not one readable sentence.
        Exception: Any error other than a :class:`vtg.utils.VtgError` is passed on.
    """
    try:
        return run()
    except VtgError as error:
        sentence = str(error)
        assert_sentence(sentence)
        return sentence


def assert_sentence(sentence: str) -> None:
    """Check that a message is readable: one line, printable, ended, and not a dump."""
    assert sentence.strip(), 'an error without a message'
    assert 'Traceback' not in sentence
    assert len(sentence) < 1500, f'{len(sentence)} characters: {sentence[:200]}'
    assert sentence.isprintable(), repr(sentence)
    assert sentence.rstrip().endswith(('.', '?', '--trust', ')')), sentence


def _places(value: Any) -> Any:
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in items:
        yield value, key
        if isinstance(item, dict | list):
            yield from _places(item)
