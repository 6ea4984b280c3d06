# SPDX-License-Identifier: Apache-2.0
"""What the page does, without the page: uploads, encoding once, answers and their files."""

import re
import tempfile
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from vtg.extraction import probe
from vtg.search import Answer, EncodedFile, exports
from vtg.search.encoding import check_length
from vtg.search.index import digest_of
from vtg.search.results import cut_moments, write_subtitles
from vtg.utils import ConfigError, DataError, has_words, write_text
from vtg.utils.text import fitting

from .models import Model

ALL = 0
"""Number that stands for all videos of the index; they themselves count from 1."""
MOST_SENTENCES, MOST_LETTERS = 50, 500
# Encoded videos that are kept, those used last.
_KEPT = 256


@dataclass(frozen=True)
class Choice:
    """The videos that are asked about.

    Attributes:
        files: One, or all of the index.
        keys: What each is known by: the digest of an upload, or its number in the index.
    """

    files: tuple[Path, ...]
    keys: tuple[str | int, ...]


@dataclass(frozen=True)
class Found:
    """What was found.

    Attributes:
        choice: The videos.
        answers: Of every model, by its name; one answer per sentence.
    """

    choice: Choice
    answers: dict[str, list[Answer]]


class Service:
    """Answers sentences about uploads and about the videos of an index.

    Args:
        models: What can be chosen, by name.
        folder: Where uploads lie; nothing else that a browser names is opened.
        listed: The videos of an index.
        longest: Minutes above which a video is refused.
        top: Moments per sentence.
    """

    def __init__(
        self,
        models: Mapping[str, Model],
        folder: Path,
        listed: Sequence[EncodedFile] = (),
        longest: float = 60.0,
        top: int = 5,
    ) -> None:
        self.models = dict(models)
        self.folder = folder.resolve()
        self.listed = list(listed)
        self.longest = longest
        self.top = top
        self._encoded: OrderedDict[tuple[str, str | int], Any] = OrderedDict()

    def receive(self, upload: str) -> Choice:
        """Look at an uploaded file without decoding it.

        Raises:
            DataError: It is no video, or is too long.
        """
        path = Path(upload).resolve()
        if not path.is_relative_to(self.folder) or not path.is_file():
            raise DataError('this is no upload that is still here; drop the video again.')
        check_length(path, probe(path).duration, self.longest)
        return Choice((path,), (digest_of(path),))

    def choose(self, number: object) -> Choice:
        """Take a video of the index by its number, or all.

        Raises:
            DataError: There is no such number.
        """
        if type(number) is not int or not 0 <= number <= len(self.listed) or not self.listed:
            raise DataError('there is no such video in the index; choose one of the list.')
        rows = range(len(self.listed)) if number == ALL else [number - 1]
        return Choice(tuple(self.listed[row].path for row in rows), tuple(row + 1 for row in rows))

    def encode(self, choice: Choice, names: Sequence[str]) -> Iterator[tuple[int, int]]:
        """Encode what is not encoded yet; yields clips done and clips expected.

        Raises:
            DataError: The video cannot be decoded.
        """
        for name in self._known(names):
            for path, key in zip(choice.files, choice.keys):
                place = (name, key)
                if place not in self._encoded:
                    model = self.models[name]
                    if isinstance(key, int):
                        self._encoded[place] = model.prepare(self.listed[key - 1])
                    else:
                        self._encoded[place] = yield from model.steps(path)
                self._encoded.move_to_end(place)
        while len(self._encoded) > max(_KEPT, len(names) * len(choice.keys)):
            self._encoded.popitem(last=False)

    def answer(self, choice: Choice, names: Sequence[str], text: str) -> Found:
        """Answer sentences, one per line, about videos that are encoded.

        Raises:
            ConfigError: There is no sentence, or there are too many.
        """
        sentences = [line.strip() for line in text.splitlines() if line.strip()]
        sentences = list(dict.fromkeys(sentences))
        if not sentences or not all(map(has_words, sentences)):
            raise ConfigError('a sentence has no words; write what to look for.')
        if len(sentences) > MOST_SENTENCES or max(map(len, sentences)) > MOST_LETTERS:
            raise ConfigError(
                f'this is too much at once; write at most {MOST_SENTENCES} sentences of at most '
                f'{MOST_LETTERS} letters.'
            )
        answers = {}
        for name in self._known(names):
            # The same content may have been uploaded under another name before.
            videos = [
                replace(self._encoded[name, key], path=path)
                for path, key in zip(choice.files, choice.keys)
            ]
            answers[name] = self.models[name](videos, sentences)
        return Found(choice, answers)

    def texts(self, found: Found) -> list[Path]:
        """Write subtitles and edit lists; returns the files."""
        written = []
        for name, answers in found.answers.items():
            place = self._place(found, name)
            for kind in ('srt', 'vtt'):
                make = getattr(exports, kind)
                written += write_subtitles(make, Path(f'{place}.{kind}'), answers, self.top)
            write_text(f'{place}.edl', exports.edl(answers, self.top))
            written.append(Path(f'{place}.edl'))
        return written

    def clips(self, found: Found) -> list[Path]:
        """Cut the moments as videos; returns the files.

        Raises:
            DataError: The video cannot be cut.
        """
        return [
            clip
            for name, answers in found.answers.items()
            for clip in cut_moments(self._place(found, name).parent, answers, self.top)
        ]

    def _place(self, found: Found, name: str) -> Path:
        """A new folder, and in it the name of files about an answer without their suffix."""
        folder = Path(tempfile.mkdtemp(prefix='files-', dir=self.folder))
        alone = len(found.choice.files) == 1
        stem = fitting(found.choice.files[0].stem, 150) if alone else 'moments'
        name = fitting(re.sub(r'[^\w.=-]+', '_', name), 50)
        return folder / (stem if len(found.answers) == 1 else f'{stem}.{name}')

    def _known(self, names: Sequence[str]) -> list[str]:
        known = [name for name in self.models if name in names]
        if not known:
            raise ConfigError('no model is chosen; choose at least one.')
        return known
