# SPDX-License-Identifier: Apache-2.0
"""What a reader of an original annotation format is."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

from vtg.utils import DataError, Record, is_number, read_json, shown

Lengths = Callable[[str], float]
"""Seconds of a video by its id."""


class AnnotationFormat:
    """Reads a file in the format in which a benchmark was published.

    Records come in the common format, field by field as the file has them: nothing is mended here,
    so that whoever mends can count. What is not understood is refused.

    Args:
        lengths: Seconds of a video by its id; needed where the file does not have them.

    Attributes:
        title: What the format is, in a few words.
        clip_length: Seconds per clip of the published features.
        reversed_windows, zero_window, white_space: See :class:`vtg.datasets.repair.Tolerance`.
        qid_names_text: Ids repeat, because they name the text features and not the query.
    """

    title: ClassVar[str] = ''
    clip_length: ClassVar[float] = 2.0
    reversed_windows: ClassVar[Literal['swap', 'drop']] = 'swap'
    zero_window: ClassVar[Literal['window', 'no_moment']] = 'window'
    white_space: ClassVar[Literal['collapse', 'keep']] = 'collapse'
    qid_names_text: ClassVar[bool] = False

    def __init__(self, lengths: Lengths | None = None) -> None:
        self.lengths = lengths

    def read(self, path: Path) -> Iterator[Record]:
        """Yield the records of a file, plain or gzip.

        Raises:
            DataError: The file cannot be read or has another format; says where and what.
        """
        raise NotImplementedError

    @classmethod
    def recognises(cls, content: Any) -> bool:
        """Whether a parsed file looks like this format; ``content`` is text where it is no JSON."""
        return False

    def refuse(self, path: Path, place: str, problem: str) -> DataError:
        """The error for something that the format does not allow."""
        where = f'{path}, {place}' if place else str(path)
        return DataError(f'{where}: {problem}; expected {self.title}.')


class ByVideo(AnnotationFormat):
    """One JSON object with an entry for every video."""

    def read(self, path: Path) -> Iterator[Record]:
        """See :class:`AnnotationFormat`."""
        content = read_json(path)
        if not isinstance(content, dict):
            raise self.refuse(path, '', f'the file holds a {kind_of(content)}')
        for vid, entry in content.items():
            place = f'video {shown(vid)}'
            if not isinstance(entry, dict):
                raise self.refuse(path, place, f'the entry is a {kind_of(entry)}')
            try:
                yield from self.records(vid, entry)
            except (LookupError, TypeError, ValueError, ZeroDivisionError, OverflowError) as error:
                raise self.refuse(path, place, reason(error)) from None

    def records(self, vid: str, entry: Mapping[str, Any]) -> Iterator[Record]:
        """Yield the records of a video; any error of look-up or type means another format."""
        raise NotImplementedError


def pairs(first: Any, second: Any, names: tuple[str, str]) -> Iterator[tuple[Any, Any]]:
    """Yield the pairs of two lists.

    Raises:
        ValueError: They are no lists of equal lengths.
    """
    if not isinstance(first, list) or not isinstance(second, list) or len(first) != len(second):
        sizes = [len(x) if isinstance(x, list) else 'no list of' for x in (first, second)]
        raise ValueError(f'there are {sizes[0]} {names[0]} and {sizes[1]} {names[1]}')
    yield from zip(first, second)


def times(value: Any) -> list[float]:
    """Return ``[start, end]``.

    Raises:
        ValueError: The value is no pair of numbers.
    """
    if not isinstance(value, list) or len(value) != 2 or not all(map(is_number, value)):
        raise ValueError(f'{shown(value)} is no pair of times')
    return value


def number(value: Any, name: str) -> float:
    """Return a positive number.

    Raises:
        ValueError: The value is none.
    """
    if not is_number(value) or value <= 0:
        raise ValueError(f'{name} is {shown(value)}')
    return value


def kind_of(value: Any) -> str:
    """What a JSON value is, in a word."""
    kinds = {dict: 'JSON object', list: 'JSON list', str: 'text', bool: 'truth value'}
    return kinds.get(type(value), 'number' if is_number(value) else 'null')


def reason(error: Exception) -> str:
    """What is wrong with an entry, as a part of a sentence."""
    if isinstance(error, KeyError):
        return f'there is no field {error}'
    text = str(error) or type(error).__name__
    return text if isinstance(error, ValueError) else f'a field has another shape ({text})'
