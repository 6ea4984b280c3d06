# SPDX-License-Identifier: Apache-2.0
"""The dataset of queries, videos and moments; every benchmark is a configuration of it."""

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from mmengine.dataset import BaseDataset
from mmengine.logging import print_log

from vtg.registry import DATASETS, TRANSFORMS
from vtg.utils import ConfigError, DataError, check_clip_length, missing_data, printable

from .annotations import Line, Record, correct_records, find_annotations, read_records
from .features import append_tef, concatenate_sources, drop_tokens, normalize_rows, pad_to_multiple
from .samplers import sample_generator
from .sources import SOURCE_RULES
from .stores import FeatureStore
from .survey import implied_clips, survey

_FEWER, _MORE = 1, 2


@DATASETS.register_module()
class GroundingDataset(BaseDataset):
    """Queries with the features of their videos and, where labelled, their moments.

    A sample is a dict with ``video (L, Dv)`` and ``text (N, Dt)`` in float32, ``duration`` (the
    seconds that normalised spans are a fraction of), ``meta`` and, if labelled, ``targets``;
    ``vtg.collate`` makes the batch. Clip i covers the seconds ``[i, i + 1) * clip_length``.

    Args:
        ann_file: JSON-lines file, plain or gzip (``x.jsonl`` also finds ``x.jsonl.gz``).
        video: Feature stores of the video backbones. Each is cut to ``max_video_clips`` and
            normalised, then all are cut to the shortest and concatenated in this order.
        text: Feature stores of the query, treated alike with ``max_text_tokens``.
        saliency: The component that makes the saliency labels, see :mod:`vtg.datasets.saliency`.
        clip_length: Seconds per clip.
        max_video_clips, max_text_tokens: Cut longer features; None keeps all.
        max_windows: Of more windows, keep so many in random order, drawn anew each epoch.
        normalize_video, normalize_text: Scale rows to unit length.
        tef: Append the temporal endpoint feature to the video; or the numbers of the stores that it
            follows, e.g. ``(1, 2)`` where audio features bring their own as in QD-DETR.
        txt_drop_ratio: Share of the text tokens set to zero at random, in training only.
        pad_to_multiple: Append zero rows to the video up to a multiple of this.
        padding_is_valid: Count these rows as clips: they enter the mask and the duration, as in the
            official code of SG-DETR. Off, they are padding like that of the batch.
        duration_from: ``'clips'``: spans are a fraction of ``num_clips * clip_length``;
            ``'annotation'``: of the annotated duration.
        length_tolerance: How many clips the features may have more or fewer than the duration
            implies, per backbone. Such samples are counted in the log.
        source_rule: How the source video is read off ``vid``, see :mod:`vtg.datasets.sources`.
        domain: Keep the records of this domain only (TVSum, YouTube Highlights: one model each).
        duration_unit: ``'seconds'``; ``'clips'`` where the annotation counts clips, as in TVSum.
        unrated_clips: What happens to clips beyond the ratings of a video (``label``): ``'cut'``
            them, after the temporal endpoint feature was made, or ``'keep'`` them without label.
        skip_missing: Leave out records without features and count them, instead of refusing.
        annotations_from: Where the annotation file can be had, quoted when it is missing.
        test_mode: Labels are optional, ``meta`` carries the record, nothing is random.
        kwargs: ``data_root`` (joined to relative paths), ``indices`` (keep the first n) and others
            of MMEngine's ``BaseDataset``.

    Raises:
        DataError: See :func:`read_records` and :meth:`FeatureStore.read`; files are missing; a
            video has a number of clips beyond the tolerance.
    """

    def __init__(
        self,
        ann_file: str = '',
        *,
        video: Sequence[dict] | dict,
        text: Sequence[dict] | dict,
        saliency: dict,
        clip_length: float = 2.0,
        max_video_clips: int | None = None,
        max_text_tokens: int | None = None,
        max_windows: int | None = None,
        normalize_video: bool = True,
        normalize_text: bool = True,
        tef: bool | Sequence[int] = True,
        txt_drop_ratio: float = 0.0,
        pad_to_multiple: int = 1,
        padding_is_valid: bool = False,
        duration_from: Literal['clips', 'annotation'] = 'clips',
        length_tolerance: int = 1,
        source_rule: Literal['segment', 'underscore'] = 'segment',
        domain: str | None = None,
        duration_unit: Literal['seconds', 'clips'] = 'seconds',
        unrated_clips: Literal['cut', 'keep'] = 'cut',
        skip_missing: bool = False,
        annotations_from: str | None = None,
        test_mode: bool = False,
        **kwargs: Any,
    ) -> None:
        if duration_from not in ('clips', 'annotation'):
            raise ConfigError(f"duration_from is 'clips' or 'annotation', got {duration_from!r}.")
        if duration_unit not in ('seconds', 'clips'):
            raise ConfigError(f"duration_unit is 'seconds' or 'clips', got {duration_unit!r}.")
        if unrated_clips not in ('cut', 'keep'):
            raise ConfigError(f"unrated_clips is 'cut' or 'keep', got {unrated_clips!r}.")
        if source_rule not in SOURCE_RULES:
            raise ConfigError(f'source_rule is one of {sorted(SOURCE_RULES)}, got {source_rule!r}.')
        self.clip_length = check_clip_length(clip_length, f'clip_length of {type(self).__name__}')
        self.max_video_clips = max_video_clips
        self.max_text_tokens = max_text_tokens
        self.max_windows = max_windows
        self.normalize_video = normalize_video
        self.normalize_text = normalize_text
        self.txt_drop_ratio = 0.0 if test_mode else txt_drop_ratio
        self.pad_to_multiple = pad_to_multiple
        self.padding_is_valid = padding_is_valid
        self.duration_from = duration_from
        self.length_tolerance = length_tolerance
        self.source_rule = SOURCE_RULES[source_rule]
        self.domain = domain
        self.duration_unit = duration_unit
        self.unrated_clips = unrated_clips
        self.skip_missing = skip_missing
        self.annotations_from = annotations_from
        self.saliency = TRANSFORMS.build(saliency)
        data_root = kwargs.get('data_root')
        self.video = _build_stores(video, data_root)
        last = len(self.video) - 1
        self.tef_after = tuple(tef) if isinstance(tef, Sequence) else (last,) if tef else ()
        self.text = _build_stores(text, data_root)
        self._reported: tuple[int, int] = (0, 0)
        super().__init__(ann_file=ann_file, test_mode=test_mode, **kwargs)

    # Loading -------------------------------------------------------------------------------------

    def full_init(self) -> None:
        """Load and check the annotation, then set up what the workers share."""
        if self._fully_initialized:
            return
        super().full_init()
        # One byte per sample, written by whichever worker reads it and counted by the main process.
        self._lengths = torch.zeros(len(self), dtype=torch.uint8).share_memory_()

    def load_data_list(self) -> list[Record]:
        """Read the annotation file, check all of it and find out whose features are missing."""
        self.check_sources()
        path = find_annotations(self.ann_file) or Path(self.ann_file)
        return self.settle(correct_records(self.read_lines(path), path), str(path))

    def read_lines(self, path: Path) -> Iterator[Line]:
        """Yield the lines of an annotation file with their records and what is wrong with them."""
        required = () if self.test_mode else self.saliency.fields
        yield from read_records(path, self.clip_length, required, self.domain, self.duration_unit)

    def settle(self, records: list[Record], name: str) -> list[Record]:
        """Turn checked records into those of this dataset: domain, stores, a survey."""
        if self.domain is not None:
            domains = sorted({str(record.get('domain'))[:60] for record in records})
            records = [record for record in records if record.get('domain') == self.domain]
            if not records:
                raise DataError(
                    f'{name} has no record of the domain {self.domain!r}; it has '
                    f'{", ".join(domains[:10])}.'
                )
        if not self.test_mode and hasattr(self.saliency, 'note'):
            note = self.saliency.note(records)
            if note:
                print_log(f'{name}: {note}.', logger='current', level=logging.WARNING)
        notes = survey(records, self.clip_length, self.max_video_clips)
        if notes:
            listed = '; '.join(f'{count} {text}' for text, count in notes.items())
            print_log(f'{printable(name)}, {len(records)} records: {listed}.', logger='current')
        return self._bind_stores(records, name)

    def check_sources(self) -> None:
        """Check that the files are there at all; reads none of them.

        Raises:
            DataError: Names every annotation file and feature folder that is absent.
        """
        absent = self.absent()
        if absent:
            raise missing_data(absent)

    def absent(self) -> list[str]:
        """Say of every annotation file and feature folder that is not there what is expected."""
        absent = [store.absent() for store in (*self.video, *self.text)]
        if self.ann_file and find_annotations(self.ann_file) is None:
            origin = f' (from {self.annotations_from})' if self.annotations_from else ''
            absent.insert(0, f'annotation file {self.ann_file}{origin}')
        return [line for text in absent if text for line in text.split('\n')]

    def _bind_stores(self, records: list[Record], name: str) -> list[Record]:
        """Introduce the records to the stores; refuse or drop those without features."""
        without: dict[int, FeatureStore] = {}
        for store in (*self.video, *self.text):
            store.prepare(records, self.clip_length)
            without.update(dict.fromkeys(store.missing(records), store))
        if not without:
            return records
        first, store = next(iter(without.items()))
        if not self.skip_missing or len(without) == len(records):
            raise DataError(
                f'features of {len(without)} of {len(records)} records of {name} are missing in '
                f'{store}, the first is {store.name_of(records[first])!r}; add the files or set '
                'skip_missing=True.'
            )
        print_log(
            f'{name}: left out {len(without)} of {len(records)} records without features.',
            logger='current',
            level=logging.WARNING,
        )
        return [record for index, record in enumerate(records) if index not in without]

    # Samples -------------------------------------------------------------------------------------

    def prepare_data(self, idx: int) -> dict[str, Any]:
        """Return the sample of an index, or of a :class:`SampleKey` that carries the epoch."""
        record = self.get_data_info(idx)
        record.pop('sample_idx')
        rng = sample_generator(idx)
        video, num_clips = self._video_features(record, idx)
        text = self._text_features(record, rng)
        duration = float(record['duration'])
        if self.duration_from == 'clips':
            duration = num_clips * self.clip_length
        sample = {
            'video': video,
            'text': text,
            'duration': duration,
            'meta': self._meta(record, num_clips),
        }
        if self._labelled(record):
            sample['targets'] = self._targets(record, num_clips, duration, rng)
        return self.pipeline(sample)

    def _labelled(self, record: Record) -> bool:
        return all(record.get(name) is not None for name in self.saliency.fields)

    def _meta(self, record: Record, num_clips: int) -> dict[str, Any]:
        meta = {name: record[name] for name in ('qid', 'vid', 'query')}
        meta['duration'] = float(record['duration'])
        meta['num_clips'] = num_clips
        meta['clip_length'] = self.clip_length
        if self.test_mode:
            meta['annotation'] = record
        return meta

    def _video_features(self, record: Record, index: int) -> tuple[np.ndarray, int]:
        """Return ``(L, Dv)`` and the number of clips that count as real."""
        sources = []
        for store in self.video:
            features = store.read(record)[: self.max_video_clips]
            self._check_length(len(features), record, store, index)
            sources.append(normalize_rows(features) if self.normalize_video else features)
        num_clips = min(map(len, sources))
        video = concatenate_sources(
            [
                append_tef(features[:num_clips]) if number in self.tef_after else features
                for number, features in enumerate(sources)
            ]
        )
        if record.get('label') and self.unrated_clips == 'cut':
            video = video[: len(record['label'])]
            num_clips = len(video)
        video = pad_to_multiple(video, self.pad_to_multiple)
        return video, len(video) if self.padding_is_valid else num_clips

    def _text_features(self, record: Record, rng: np.random.Generator) -> np.ndarray:
        """Return ``(N, Dt)``."""
        sources = [store.read(record)[: self.max_text_tokens] for store in self.text]
        if self.normalize_text:
            sources = [normalize_rows(source) for source in sources]
        return drop_tokens(concatenate_sources(sources), self.txt_drop_ratio, rng)

    def _targets(
        self, record: Record, num_clips: int, duration: float, rng: np.random.Generator
    ) -> dict[str, Any]:
        windows = np.asarray(record.get('relevant_windows') or [], dtype=np.float64).reshape(-1, 2)
        if self.max_windows is not None and len(windows) > self.max_windows:
            windows = windows[rng.permutation(len(windows))[: self.max_windows]]
        start, end = windows.T / duration
        spans = np.stack([(start + end) / 2, end - start], axis=1).astype(np.float32)
        labels = self.saliency(record, num_clips, self.clip_length, rng)
        return {'spans': spans, 'source': self.source_rule(str(record['vid'])), **labels}

    # Numbers of clips ----------------------------------------------------------------------------

    def implied_clips(self, record: Record) -> int:
        """Return how many clips the annotation implies, cut to ``max_video_clips``."""
        implied = implied_clips(record, self.clip_length)
        return implied if self.max_video_clips is None else min(implied, self.max_video_clips)

    def _check_length(self, length: int, record: Record, store: FeatureStore, index: int) -> None:
        implied = self.implied_clips(record)
        if length == implied:
            return
        if abs(length - implied) > self.length_tolerance:
            raise DataError(
                f'{store}: {store.name_of(record)!r} has {length} clips, expected {implied} '
                f'({_ground(record, self.clip_length)}, tolerance {self.length_tolerance}); '
                'extract the features again or set length_tolerance.'
            )
        self._lengths[int(index)] = _FEWER if length < implied else _MORE

    def report(self) -> None:
        """Log how many samples read so far differ from their duration, if that number changed."""
        counts = (int((self._lengths == _FEWER).sum()), int((self._lengths == _MORE).sum()))
        if counts != self._reported:
            self._reported = counts
            name = self.ann_file or type(self).__name__
            print_log(
                f'{name}: the features of {counts[0]} samples have fewer and those of {counts[1]} '
                f'more clips than the duration implies (tolerated up to {self.length_tolerance}).',
                logger='current',
                level=logging.WARNING,
            )


def _ground(record: Record, clip_length: float) -> str:
    """Say what the expected number of clips follows from."""
    if record.get('label'):
        return 'one per row of label'
    return f'{record["duration"]} s at {clip_length:g} s per clip'


def _build_stores(cfg: Sequence[dict] | dict, data_root: str | None) -> list[FeatureStore]:
    """Build one or several feature stores; relative paths are joined to ``data_root``."""
    stores = [cfg] if isinstance(cfg, dict) else cfg
    return [TRANSFORMS.build(_rooted(store, data_root) if data_root else store) for store in stores]


def _rooted(store: dict, root: str) -> dict:
    """Join ``folder`` and ``file`` of a store, and of those inside it, to ``root``."""
    paths = {key: str(Path(root) / store[key]) for key in ('folder', 'file') if key in store}
    if 'stores' in store:
        paths['stores'] = [_rooted(inner, root) for inner in store['stores']]
    return {**store, **paths}
