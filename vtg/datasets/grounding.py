# SPDX-License-Identifier: Apache-2.0
"""The dataset of queries, videos and moments; every benchmark is a configuration of it."""

import logging
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from mmengine.logging import print_log

from vtg.registry import DATASETS, TRANSFORMS
from vtg.utils import DataError, Record, check_clip_length, printable

from .annotated import AnnotatedDataset
from .assembly import Assembly
from .labelling import Labelling
from .reading import FeatureReader, Stores
from .samplers import sample_generator
from .samples import FeatureOptions, LabelOptions, SampleBuilder
from .survey import implied_clips, survey

_FEWER, _MORE = 1, 2


@DATASETS.register_module()
class GroundingDataset(AnnotatedDataset):
    """Queries with the features of their videos and, where labelled, their moments.

    A sample is a dict with ``video (L, Dv)``, ``text (N, Dt)`` and perhaps ``audio (L, Da)`` in
    float32, ``duration`` (the seconds that normalised spans are a fraction of), ``meta`` and, if
    labelled, ``targets``; ``vtg.collate`` makes the batch. Clip i covers the
    seconds ``[i, i + 1) * clip_length``. :mod:`vtg.datasets.samples` names the steps that make
    it.

    Args:
        ann_file: JSON-lines file, plain or gzip (``x.jsonl`` also finds ``x.jsonl.gz``).
        video, text: Feature stores of the video backbones and of the query, see
            :class:`~vtg.datasets.reading.FeatureReader`.
        audio: Feature stores of a second stream on the clips of the video; empty without one.
        labels: Arguments of :class:`~vtg.datasets.labelling.Labelling`.
        features: Arguments of :class:`~vtg.datasets.assembly.Assembly`.
        clip_length: Seconds per clip.
        skip_missing: Leave out records without features and count them, instead of refusing.
        augment: Config of an augmentation, see :mod:`vtg.datasets.augment`; tests leave it out.
        test_mode: Labels are optional, ``meta`` carries the record, nothing is random.
        kwargs: How the annotation is read, see :class:`~vtg.datasets.annotated.AnnotatedDataset`.

    Attributes:
        reader, assembly, labelling: The three steps.
        augment: What changes a record before them, or None.
        builder: The last two as one function, of a record and its arrays.

    Raises:
        DataError: See :func:`vtg.datasets.annotations.read_records` and
            :meth:`vtg.datasets.stores.FeatureStore.read`; files are missing; a video has a number
            of clips beyond the tolerance.
    """

    def __init__(
        self,
        ann_file: str = '',
        *,
        video: Stores,
        text: Stores,
        audio: Stores = (),
        labels: LabelOptions,
        features: FeatureOptions | None = None,
        clip_length: float = 2.0,
        skip_missing: bool = False,
        augment: Mapping[str, Any] | None = None,
        test_mode: bool = False,
        **kwargs: Any,
    ) -> None:
        clip_length = check_clip_length(clip_length, f'clip_length of {type(self).__name__}')
        self.skip_missing = skip_missing
        self.reader = FeatureReader(video, text, kwargs.get('data_root'), audio)
        self.assembly = Assembly.of(features)
        self.labelling = Labelling.of(labels)
        self.builder = SampleBuilder(self.assembly, self.labelling, clip_length, test_mode)
        self.augment = None if augment is None or test_mode else TRANSFORMS.build(augment)
        self._reported: tuple[int, int] = (0, 0)
        super().__init__(ann_file, clip_length=clip_length, test_mode=test_mode, **kwargs)

    # Loading -------------------------------------------------------------------------------------

    def full_init(self) -> None:
        """Load and check the annotation, then set up what the workers share."""
        if self._fully_initialized:
            return
        super().full_init()
        # One byte per sample, written by whichever worker reads it and counted by the main process.
        self._lengths = torch.zeros(len(self), dtype=torch.uint8).share_memory_()
        if self.augment is not None:
            records = [self.get_data_info(index) for index in range(len(self))]
            self.augment.prepare(records, self.clip_length, self.assembly.max_video_clips)

    @property
    def required(self) -> tuple[str, ...]:
        """The fields that training makes its labels of."""
        return () if self.test_mode else self.labelling.fields

    def settle(self, records: list[Record], name: str) -> list[Record]:
        """Turn checked records into those of this dataset: domain, stores, a survey."""
        records = super().settle(records, name)
        note = None if self.test_mode else self.labelling.note(records)
        if note:
            print_log(f'{name}: {note}.', logger='current', level=logging.WARNING)
        notes = survey(records, self.clip_length, self.assembly.max_video_clips)
        if notes:
            listed = '; '.join(f'{count} {text}' for text, count in notes.items())
            print_log(f'{printable(name)}, {len(records)} records: {listed}.', logger='current')
        return self.bind(records, name)

    def absent(self) -> list[str]:
        """Say of every annotation file and feature folder that is not there what is expected."""
        absent = [*super().absent(), *self.reader.absent()]
        return [line for text in absent for line in text.split('\n')]

    def bind(self, records: list[Record], name: str) -> list[Record]:
        """Introduce the records to the stores; refuse or drop those without features."""
        without = self.reader.prepare(records, self.clip_length)
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
        """Return the sample of an index, or of a :class:`~vtg.datasets.samplers.SampleKey` that
        carries the epoch."""
        return self._sample(idx, {})

    def __getitems__(self, indices: Sequence[int]) -> list[dict[str, Any]]:
        """Return the samples of a batch. In a test, those of one video hold the same array: it is
        read once, and :func:`vtg.datasets.collate` stacks it once."""
        if not self._fully_initialized:
            self.full_init()
        videos: dict[Hashable, tuple[list[int], np.ndarray, int]] = {}
        return [self._sample(idx, videos) for idx in indices]

    def _sample(self, idx: int, videos: dict[Hashable, Any]) -> dict[str, Any]:
        """Make a sample; in a test, ``videos`` holds what was read for samples before it."""
        record = self.get_data_info(idx)
        record.pop('sample_idx')
        if self.augment is not None:
            # A stream of its own, so that other draws are those of the plain sample.
            record = self.augment(record, int(idx), sample_generator(idx).spawn(2)[1])
        record, part = self.part_of(record, idx)
        key = self.video_of(record)
        if key in videos:
            lengths, features, num_clips, audio = videos[key]
            self._check_lengths(lengths, record, idx)
        else:
            both = self._arrays(record, part)
            lengths = [len(array) for array in both]
            self._check_lengths(lengths, record, idx)
            arrays, sounds = both[: len(self.reader.video)], both[len(self.reader.video) :]
            features, num_clips, audio = self.assembly.streams(arrays, sounds, record)
            if self.test_mode:
                videos[key] = lengths, features, num_clips, audio
        text, rng = self.reader.read_text(record), sample_generator(idx)
        sample = self.builder.with_features(record, features, num_clips, text, rng, audio)
        sample['meta']['index'] = int(idx)
        return self.pipeline(sample)

    def _arrays(self, record: Record, part: slice = slice(None)) -> list[np.ndarray]:
        """Read the video and the second stream of a record, or put them together from pieces."""
        if 'pieces' in record and self.augment is not None:
            return [array[part] for array in self.augment.arrays(record, self._whole)]
        return [*self.reader.read_video(record, part), *self.reader.read_audio(record, part)]

    def _whole(self, index: int) -> list[np.ndarray]:
        """Read what a piece is taken from, all of it."""
        record = self.get_data_info(index)
        arrays = self._arrays(record)
        self._check_lengths([len(array) for array in arrays], record, index)
        return arrays

    def video_of(self, record: Record) -> Hashable:
        """Return what is equal for records whose samples hold the same video features."""
        stores = (*self.reader.video, *self.reader.audio)
        names = tuple(store.name_of(record) for store in stores)
        return record['vid'], names, len(record.get('label') or ())

    def clips_of(self, record: Record) -> int:
        """Return how many clips the sample of a record has, as its annotation implies."""
        clips, most = implied_clips(record, self.clip_length), self.assembly.max_video_clips
        return clips if most is None else min(clips, most)

    def part_of(self, record: Record, idx: int) -> tuple[Record, slice]:
        """Return what a sample shows of a record, and which clips of the video: here all."""
        return record, slice(None)

    def _check_lengths(self, lengths: list[int], record: Record, idx: int) -> None:
        """Refuse arrays with too many or too few clips; note differences that are tolerated."""
        for store, length in zip((*self.reader.video, *self.reader.audio), lengths):
            problem = self.assembly.length_problem(length, record, self.clip_length)
            if problem:
                raise DataError(f'{store}: {store.name_of(record)!r} {problem}')
            surplus = self.assembly.surplus(length, record, self.clip_length)
            if surplus:
                self._lengths[int(idx)] = _FEWER if surplus < 0 else _MORE

    def report(self) -> None:
        """Log how many samples read so far differ from their duration, if that number changed."""
        counts = (int((self._lengths == _FEWER).sum()), int((self._lengths == _MORE).sum()))
        if counts != self._reported:
            self._reported = counts
            name = self.ann_file or type(self).__name__
            print_log(
                f'{name}: the features of {counts[0]} samples have fewer and those of {counts[1]} '
                f'more clips than the duration implies (tolerated up to '
                f'{self.assembly.length_tolerance}).',
                logger='current',
                level=logging.WARNING,
            )
