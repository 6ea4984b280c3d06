# SPDX-License-Identifier: Apache-2.0
"""Times in the answers of language models: "from 12.5 to 30 seconds"."""

import re

Span = list[float]

_NUMBER = r'(?<![\d.:])\d{1,12}(?:\.\d{1,12})?(?![\d:])'
_UNIT = r'\s*(?:s|secs?|seconds?)?\.?\s*'
_CLOCK = re.compile(r'(?<![\d:.])(?:(\d{1,3}):)?(\d{1,3}):(\d{2}(?:\.\d{1,6})?)(?![\d:])')
_DASH = re.compile(f'({_NUMBER}){_UNIT}[-\u2013\u2014~]{_UNIT}({_NUMBER})')
_WORD = re.compile(f'({_NUMBER}){_UNIT}(?:to|until|till|and)\\s+({_NUMBER})')
_ANY = re.compile(_NUMBER)
_ANSWER = re.compile(r'<answer>(.*?)(?:</answer>|$)', re.DOTALL)
_THOUGHT = re.compile(r'<think>.*?</think>', re.DOTALL)
_SENTENCE_END = re.compile(r'[!?\n]')
_MOMENT_WORDS = ('start', 'end', 'happen')
_LONGEST = 100_000
"""Characters of an answer that are looked at."""


def spans_in(text: str) -> list[Span]:
    """The time spans that a text names, in seconds and in its order.

    The first of these rules that finds a pair decides: clock times (``1:02:03.5``, ``02:03``) two
    by two; ``a - b``; ``a to b``, ``a and b``; any numbers two by two, of which an odd last one is
    left out. Of a text with ``<answer>`` only what stands in it is read, and nothing in
    ``<think>``. A pair may be the wrong way round. (TimeLens reads answers in this order.)
    """
    text = _spoken(text)
    clocks = [_seconds(*match.groups()) for match in _CLOCK.finditer(text)]
    if len(clocks) > 1:
        return _pairs(clocks)
    for pattern in (_DASH, _WORD):
        found = [[float(a), float(b)] for a, b in pattern.findall(text)]
        if found:
            return found
    return _pairs([float(number) for number in _ANY.findall(text)])


def first_span_in(text: str) -> list[Span]:
    """The time span that TimeChat's evaluation reads, in a list; empty where it finds none.

    ``a - b`` anywhere, else the first number of every sentence that speaks of a start or an end,
    else the first clock time ``h:m:s`` of each. Only the first pair counts, in the order of time.
    """
    text = text[:_LONGEST].lower()
    found = [[float(a), float(b)] for a, b in _DASH.findall(text)]
    if not found:
        sentences = [s for s in _SENTENCE_END.split(text) if any(w in s for w in _MOMENT_WORDS)]
        numbers = [float(match[0]) for s in sentences if (match := _ANY.search(s))]
        found = _pairs(numbers)
        if not found:
            clocks = [_seconds(*match.groups()) for s in sentences if (match := _CLOCK.search(s))]
            found = _pairs(clocks)
    return [sorted(found[0])] if found else []


def _spoken(text: str) -> str:
    """What a model says in the end, without its thoughts."""
    text = _THOUGHT.sub(' ', text[:_LONGEST])
    answer = _ANSWER.search(text)
    return (answer[1] if answer else text).lower()


def _seconds(hours: str | None, minutes: str, seconds: str) -> float:
    return 3600.0 * int(hours or 0) + 60 * int(minutes) + float(seconds)


def _pairs(numbers: list[float]) -> list[Span]:
    return [[a, b] for a, b in zip(numbers[::2], numbers[1::2])]
