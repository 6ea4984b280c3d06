# SPDX-License-Identifier: Apache-2.0
"""Features of many videos and queries: resumable, parallel; a bad file never stops the others."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np

from vtg.datasets.stores import FolderStore
from vtg.datasets.stores.base import pattern_fields
from vtg.registry import ENCODERS
from vtg.utils import (
    ConfigError,
    DataError,
    check_clip_length,
    file_name,
    has_words,
    remove_leftovers,
    shown,
)

from .decoding import exact_seconds
from .encoders.base import Encoder
from .executor import RayOptions, run_work
from .files import stored_query, write_arrays

# Frames that wait for the encoder, and frames per piece; longer videos are decoded piece by piece.
WHOLE_BYTES = 1 << 30
PIECE_BYTES = 1 << 28
_BATCH = 64
OnStart = Callable[[int], Callable[[], object]]


def silent(total: int) -> Callable[[], object]:
    """A progress bar that shows nothing."""
    return lambda: None


@dataclass
class ExtractionReport:
    """What was done: names with their number of rows, what was there already, what failed."""

    written: dict[str, int] = field(default_factory=dict)
    skipped: int = 0
    problems: dict[str, str] = field(default_factory=dict)

    def summary(self) -> str:
        rows = sum(self.written.values())
        text = f'{len(self.written)} written ({rows} rows), {self.skipped} there already'
        return f'{text}, {len(self.problems)} failed'


Pieces = Iterable[Any]
"""What :meth:`Encoder.iter_clips` yields."""


def decode_video(path: str | Path, clip_length: float, encoder: Encoder) -> Pieces:
    """Decode a video for an encoder, and leave what would take much memory to the iteration over
    the pieces.

    Raises:
        DataError: The video cannot be decoded, here or while the pieces are iterated over.
    """
    size, sampler = encoder.image_size, encoder.sampler
    clips = PIECE_BYTES // (sampler.steps(exact_seconds(clip_length)) * size * size * 3)
    # Full batches of an encoder, so that pieces change no number.
    clips = clips // _BATCH * _BATCH or max(1, clips)
    pieces = encoder.iter_clips(path, clip_length, clips)
    # What a container says about its length is not believed: it is decoded as far as there is room.
    decoded = list(islice(pieces, WHOLE_BYTES // PIECE_BYTES))
    return chain(decoded, pieces)


def encode_video(encoder: Encoder, pieces: Pieces) -> dict[str, np.ndarray]:
    """Return ``features (L, D)``, ``times (L, f)``, ``clip_length`` and ``duration`` of a video."""
    features, times = [], []
    for clips in pieces:
        features.append(encoder.encode_clips(clips))
        times.append(clips.times)
    return {
        'features': np.concatenate(features),
        'times': np.concatenate(times),
        'clip_length': np.asarray(clips.clip_length, np.float64),
        'duration': np.asarray(clips.duration, np.float64),
    }


def decode_ahead(
    paths: Sequence[Path], decode: Callable[[Path], Pieces], threads: int
) -> Iterator[Pieces | DataError]:
    """Yield the clips of every video, or its error, while the next ones are being decoded.

    At most ``threads`` decoded videos wait in memory.
    """
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future] = deque()
        for path in paths:
            if len(waiting) >= threads:
                yield _outcome(waiting.popleft())
            waiting.append(pool.submit(decode, path))
        while waiting:
            yield _outcome(waiting.popleft())


def _outcome(future: Future) -> Pieces | DataError:
    try:
        return future.result()
    except DataError as error:
        return error


class VideoExtractor:
    """A worker that decodes videos, encodes their clips and writes one ``.npz`` file for each.

    A file holds ``features (L, D)``, ``times (L, f)`` of the frames in seconds, ``clip_length`` and
    ``duration``.

    Args:
        encoder: Config of the encoder.
        folder: Where the files go.
        clip_length: Seconds per clip.
        dtype: Type of the stored features.
        threads: Threads that decode ahead.
    """

    def __init__(
        self, encoder: dict, folder: str, clip_length: float, dtype: str, threads: int
    ) -> None:
        self.encoder = ENCODERS.build(encoder)
        self.folder = Path(folder)
        self.dtype = dtype
        self.threads = threads
        self.decode = partial(decode_video, clip_length=clip_length, encoder=self.encoder)

    def __call__(self, items: Sequence[tuple[str, str]]) -> Iterator[tuple[str, int, str]]:
        """Take ``(name, path)`` and yield ``(name, rows, problem)``."""
        paths = [Path(path) for _, path in items]
        for (name, _), pieces in zip(items, decode_ahead(paths, self.decode, self.threads)):
            try:
                if isinstance(pieces, DataError):
                    raise pieces
                arrays = encode_video(self.encoder, pieces)
            except DataError as error:
                yield name, 0, str(error)
                continue
            arrays['features'] = arrays['features'].astype(self.dtype)
            write_arrays(self.folder / f'{name}.npz', **arrays)
            yield name, len(arrays['features']), ''


class TextExtractor:
    """A worker that encodes queries into one ``.npz`` file each.

    A file holds ``last_hidden_state (N, D)``, ``pooler_output (E,)`` and the ``query``.

    Args:
        encoder, folder, dtype: See :class:`VideoExtractor`.
    """

    def __init__(self, encoder: dict, folder: str, dtype: str) -> None:
        self.encoder = ENCODERS.build(encoder)
        self.folder = Path(folder)
        self.dtype = dtype

    def __call__(self, items: Sequence[tuple[str, str]]) -> Iterator[tuple[str, int, str]]:
        """Take ``(name, query)`` and yield ``(name, rows, problem)``."""
        for name, query in items:
            if not has_words(query):
                yield name, 0, f'query {name!r} has no words; correct it or remove the record.'
                continue
            text = self.encoder.encode_text(query)
            write_arrays(
                self.folder / f'{name}.npz',
                last_hidden_state=text.tokens.astype(self.dtype),
                pooler_output=text.pooled.astype(self.dtype),
                query=np.array(query),
            )
            yield name, len(text.tokens), ''


def _run(
    make_worker: Callable[[], Any],
    items: Sequence[tuple[str, str]],
    folder: Path,
    ray: RayOptions | None,
    on_start: OnStart,
) -> ExtractionReport:
    remove_leftovers(folder, r'.+\.npz')
    todo = [item for item in items if not (folder / f'{item[0]}.npz').is_file()]
    report = ExtractionReport(skipped=len(items) - len(todo))
    step = on_start(len(todo))
    for name, rows, problem in run_work(make_worker, todo, ray):
        if problem:
            report.problems[name] = problem
        else:
            report.written[name] = rows
        step()
    return report


def extract_videos(
    videos: Mapping[str, str | Path],
    encoder: dict,
    folder: str | Path,
    clip_length: float = 2.0,
    dtype: str = 'float32',
    threads: int = 1,
    ray: RayOptions | None = None,
    on_start: OnStart = silent,
) -> ExtractionReport:
    """Write the features of videos to ``folder/{name}.npz``; what is there already is left alone.

    Args:
        videos: Path of every video by name.
        encoder: Config of the encoder, e.g. ``dict(type='ClipEncoder', weights=...)``.
        folder: Where the files go.
        clip_length: Seconds per clip.
        dtype: ``'float16'`` or ``'float32'``.
        threads: Threads that decode ahead of the encoder, per process.
        ray: Work on Ray instead of in this process.
        on_start: Called with the number of videos; returns what is called after each.

    Returns:
        What was written and, by name, the sentence for every video that could not be read.
    """
    check_clip_length(clip_length)
    if threads < 1:
        raise ConfigError(f'{threads} threads cannot decode; use at least 1 (--jobs).')
    folder = Path(folder)
    items = [(file_name(name, f'name of {path}'), str(path)) for name, path in videos.items()]
    worker = partial(VideoExtractor, encoder, str(folder.absolute()), clip_length, dtype, threads)
    return _run(worker, items, folder, ray, on_start)


def extract_texts(
    records: Sequence[dict[str, Any]],
    encoder: dict,
    folder: str | Path,
    pattern: str = 'qid{qid}',
    dtype: str = 'float32',
    ray: RayOptions | None = None,
    on_start: OnStart = silent,
) -> ExtractionReport:
    """Write the features of queries to ``folder/{pattern}.npz``; see :func:`extract_videos`.

    Args:
        records: Annotation records with ``query`` and the fields of ``pattern``.

    Raises:
        DataError: A record has no query, an id that can name no file, the file of another query, or
            another query than the one whose features are there already.
    """
    folder = Path(folder)
    items = _named_queries(records, FolderStore(str(folder), pattern))
    changed = [
        (name, old, query)
        for name, query in items
        if (old := stored_query(folder / f'{name}.npz')) not in (None, query)
    ]
    if changed:
        name, old, query = changed[0]
        raise DataError(
            f'{folder / name}.npz holds features of {shown(old, 200)}, but the query is now '
            f'{shown(query, 200)} ({len(changed)} such files); delete them or choose another '
            'folder.'
        )
    worker = partial(TextExtractor, encoder, str(folder.absolute()), dtype)
    return _run(worker, items, folder, ray, on_start)


def _named_queries(records: Sequence[dict[str, Any]], store: FolderStore) -> list[tuple[str, str]]:
    """Name and query of every file; records may share one if they agree in ids and query."""
    fields = pattern_fields(store.pattern)
    found: dict[str, tuple[Any, int]] = {}
    for number, record in enumerate(records, start=1):
        query = record.get('query')
        if not isinstance(query, str):
            raise DataError(f'record {number} has no field query; expected a sentence.')
        name = store.name_of(record)
        # 1 and '1' give the same name.
        ids = [(type(record[field]), record[field]) for field in fields]
        key = (*ids, query)
        first, earlier = found.setdefault(name, (key, number))
        if first != key:
            raise DataError(
                f'record {number} and record {earlier} would share the file {name}.npz, but their '
                f'{" or ".join([*fields, "query"])} differs; give them different ids.'
            )
    return [(name, key[-1]) for name, (key, _) in found.items()]
