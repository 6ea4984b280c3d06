# SPDX-License-Identifier: Apache-2.0
"""Features of many videos and queries: resumable, parallel; a bad file never stops the others."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from vtg.datasets.stores import FolderStore, write_arrays
from vtg.datasets.stores.base import pattern_fields
from vtg.datasets.stores.files import stored_number
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

from .encoders.base import Encoder
from .executor import RayOptions, run_work
from .files import stored_query
from .media import SoundMissing
from .pieces import Pieces
from .report import ExtractionReport, Outcome

OnStart = Callable[[int], Callable[[], object]]


def silent(total: int) -> Callable[[], object]:
    """A progress bar that shows nothing."""
    return lambda: None


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


class Width(NamedTuple):
    """How wide features have to be.

    Attributes:
        dim: Values per row.
        used: The weights that are used, for sentences.
        wanted: What gives so many, for sentences.
    """

    dim: int
    used: str
    wanted: str


def _check_width(encoder: Encoder, features: np.ndarray, expected: Width | None) -> None:
    if expected is not None and features.shape[1] != expected.dim:
        raise ConfigError(
            f'{type(encoder).__name__} with {expected.used} gives features {features.shape[1]} '
            f'wide instead of {expected.dim}; wanted is {expected.wanted}.'
        )


def _as_stored(features: np.ndarray, dtype: str, of: str) -> np.ndarray:
    """Features of a file or query in the type in which they are stored.

    Raises:
        DataError: They are no finite numbers in it.
    """
    with np.errstate(over='ignore'):
        stored = features.astype(dtype)
    if not np.isfinite(stored).all():
        what = f'too large for {dtype}' if np.isfinite(features).all() else 'NaN or infinite'
        raise DataError(
            f'{of}: the encoder gives features that are {what}; use --dtype float32 and no --amp, '
            'or other weights.'
        )
    return stored


class VideoExtractor:
    """A worker that decodes videos, encodes their clips and writes one file for each.

    A ``.npz`` file holds ``features (L, D)``, ``times (L, f)`` of the frames in seconds,
    ``clip_length``, ``duration``, and ``video_bytes``, the size of the video, by which a changed
    one is noticed; a ``.npy`` file holds the features alone.

    Args:
        encoder: Config of the encoder.
        folder: Where the files go.
        clip_length: Seconds per clip.
        dtype: Type of the stored features.
        threads: Threads that decode ahead.
        suffix: ``'.npz'`` or ``'.npy'``.
        expected: How wide the features have to be.
    """

    def __init__(
        self,
        encoder: dict,
        folder: str,
        clip_length: float,
        dtype: str,
        threads: int,
        suffix: str = '.npz',
        expected: Width | None = None,
    ) -> None:
        self.encoder = ENCODERS.build(encoder)
        self.folder = Path(folder)
        self.dtype = dtype
        self.threads = threads
        self.suffix = suffix
        self.expected = expected
        self.decode = partial(self.encoder.decode, clip_length=clip_length)

    def __call__(self, items: Sequence[tuple[str, str]]) -> Iterator[Outcome]:
        """Take ``(name, path)``."""
        paths = [Path(path) for _, path in items]
        # Before they are read: one that is still being copied is another one later.
        sizes = {path: path.stat().st_size for path in paths if path.is_file()}
        decoded = decode_ahead(paths, self.decode, self.threads)
        for (name, path), pieces in zip(items, decoded):
            try:
                if isinstance(pieces, DataError):
                    raise pieces
                begin, before = perf_counter(), pieces.seconds
                arrays = self.encoder.encode(pieces)
                _check_width(self.encoder, arrays['features'], self.expected)
                arrays['features'] = _as_stored(arrays['features'], self.dtype, str(path))
            except DataError as error:
                missing = isinstance(error, SoundMissing)
                yield Outcome(name, problem=str(error), without_sound=missing)
                continue
            encoding = perf_counter() - begin - (pieces.seconds - before)
            rows = len(arrays['features'])
            cut = int(arrays['rows'].max()) - rows if 'rows' in arrays else 0
            arrays['video_bytes'] = np.array(sizes.get(Path(path), 0))
            write_arrays(self.folder / f'{name}{self.suffix}', **arrays)
            yield Outcome(name, rows, cut=cut, decoding=pieces.seconds, encoding=encoding)


class TextExtractor:
    """A worker that encodes queries into one ``.npz`` file each.

    A file holds ``last_hidden_state (N, D)``, ``pooler_output (E,)`` and the ``query``.

    Args:
        encoder, folder, dtype, expected: See :class:`VideoExtractor`.
    """

    def __init__(
        self, encoder: dict, folder: str, dtype: str, expected: Width | None = None
    ) -> None:
        self.encoder = ENCODERS.build(encoder)
        self.folder = Path(folder)
        self.dtype = dtype
        self.expected = expected

    def __call__(self, items: Sequence[tuple[str, str]]) -> Iterator[Outcome]:
        """Take ``(name, query)``."""
        for name, query in items:
            if not has_words(query):
                problem = f'query {name!r} has no words; correct it or remove the record.'
                yield Outcome(name, problem=problem)
                continue
            text = self.encoder.encode_text(query)
            _check_width(self.encoder, text.tokens, self.expected)
            try:
                arrays = {
                    'last_hidden_state': _as_stored(text.tokens, self.dtype, f'query {name!r}'),
                    'pooler_output': _as_stored(text.pooled, self.dtype, f'query {name!r}'),
                }
            except DataError as error:
                yield Outcome(name, problem=str(error))
                continue
            write_arrays(self.folder / f'{name}.npz', **arrays, query=np.array(query))
            yield Outcome(name, len(text.tokens))


def _run(
    make_worker: Callable[[], Any],
    items: Sequence[tuple[str, str]],
    folder: Path,
    ray: RayOptions | None,
    on_start: OnStart,
    suffix: str = '.npz',
    changed: Callable[[Path, str], bool] = lambda features, source: False,
) -> ExtractionReport:
    remove_leftovers(folder, rf'.+\{suffix}')
    files = {name: folder / f'{name}{suffix}' for name, _ in items}
    again = {name for name, of in items if files[name].is_file() and changed(files[name], of)}
    todo = [item for item in items if item[0] in again or not files[item[0]].is_file()]
    report = ExtractionReport(skipped=len(items) - len(todo), changed=len(again))
    step, begin = on_start(len(todo)), perf_counter()
    for outcome in run_work(make_worker, todo, ray):
        report.add(outcome)
        step()
    report.seconds = perf_counter() - begin
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
    suffix: str = '.npz',
    expected: Width | None = None,
) -> ExtractionReport:
    """Write the features of videos to ``folder/{name}.npz``; what is there already is left alone,
    unless the video has another size than the one it was made from.

    Args:
        videos: Path of every video by name.
        encoder: Config of the encoder, e.g. ``dict(type='ClipEncoder', weights=...)``.
        folder: Where the files go.
        clip_length: Seconds per clip.
        dtype: ``'float16'`` or ``'float32'``.
        threads: Threads that decode ahead of the encoder, per process.
        ray: Work on Ray instead of in this process.
        on_start: Called with the number of videos; returns what is called after each.
        suffix: ``'.npz'`` with times and duration, or ``'.npy'`` without.
        expected: How wide they have to be.

    Returns:
        What was written and, by name, the sentence for every video that could not be read.
    """
    check_clip_length(clip_length)
    if threads < 1:
        raise ConfigError(f'{threads} threads cannot decode; use at least 1 (--jobs).')
    folder = Path(folder)
    items = [(file_name(name, f'name of {path}'), str(path)) for name, path in videos.items()]
    place = str(folder.absolute())
    worker = partial(VideoExtractor, encoder, place, clip_length, dtype, threads, suffix, expected)
    return _run(worker, items, folder, ray, on_start, suffix, _of_another_video)


def _of_another_video(features: Path, video: str) -> bool:
    """Whether features tell that their video had another size; a time would change with a copy."""
    size = stored_number(features, 'video_bytes')
    return size is not None and Path(video).is_file() and Path(video).stat().st_size != size


def extract_texts(
    records: Sequence[dict[str, Any]],
    encoder: dict,
    folder: str | Path,
    pattern: str = 'qid{qid}',
    dtype: str = 'float32',
    ray: RayOptions | None = None,
    on_start: OnStart = silent,
    expected: Width | None = None,
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
    worker = partial(TextExtractor, encoder, str(folder.absolute()), dtype, expected)
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
