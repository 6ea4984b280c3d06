# SPDX-License-Identifier: Apache-2.0
"""A dataset that reads an annotation file: which records there are, before any features."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from mmengine.dataset import BaseDataset
from mmengine.logging import print_log

from vtg.utils import DataError, Record, check_choice, check_clip_length, missing_data, printable

from .annotations import Line, correct_records, find_annotations, read_records
from .census import Census, Reading
from .repair import Tolerance


class AnnotatedDataset(BaseDataset):
    """The records of an annotation file, checked, counted and, if asked for, mended.

    Args:
        ann_file: JSON-lines file, plain or gzip (``x.jsonl`` also finds ``x.jsonl.gz``).
        clip_length: Seconds per clip.
        windows: ``'strict'`` refuses what is wrong; ``'repair'`` mends the known faults of
            published files and counts them, see :mod:`vtg.datasets.repair`.
        qid: ``'unique'`` refuses ids that repeat; ``'renumber'`` counts the records from 0, and the
            old ids name the text features.
        unusable: Queries that lost all their windows, because they lie outside the video, count as
            ``'wrong'`` in evaluation, or are dropped (``'drop'``). Training leaves them out.
        domain: Keep the records of this domain only (TVSum, YouTube Highlights: one model each).
        duration_unit: ``'seconds'``; ``'clips'`` where the annotation counts clips, as in TVSum.
        annotations_from: Where the annotation file can be had, quoted when it is missing.
        test_mode: Labels are optional, and nothing is widened or left out for training.
        kwargs: ``data_root`` (joined to relative paths), ``indices`` (keep the first n) and others
            of MMEngine's ``BaseDataset``.

    Attributes:
        tolerance: How strictly the file is read.
        census: What it holds and what was wrong, once it has been read.
    """

    def __init__(
        self,
        ann_file: str = '',
        *,
        clip_length: float = 2.0,
        windows: Literal['strict', 'repair'] = 'strict',
        qid: Literal['unique', 'renumber'] = 'unique',
        unusable: Literal['wrong', 'drop'] = 'wrong',
        domain: str | None = None,
        duration_unit: Literal['seconds', 'clips'] = 'seconds',
        annotations_from: str | None = None,
        test_mode: bool = False,
        **kwargs: Any,
    ) -> None:
        check_choice(duration_unit, ('seconds', 'clips'), f'duration_unit of {type(self).__name__}')
        self.clip_length = check_clip_length(clip_length, f'clip_length of {type(self).__name__}')
        self.tolerance = Tolerance(windows, qid, unusable)
        self.census = Census(self.clip_length, self.tolerance)
        self.domain = domain
        self.duration_unit = duration_unit
        self.annotations_from = annotations_from
        super().__init__(ann_file=ann_file, test_mode=test_mode, **kwargs)

    @property
    def required(self) -> tuple[str, ...]:
        """The fields that every record needs; none in a test."""
        return ()

    def load_data_list(self) -> list[Record]:
        """Read the annotation file, check all of it and find out whose features are missing."""
        self.check_sources()
        path = find_annotations(self.ann_file) or Path(self.ann_file)
        records = correct_records(self.read_lines(path), path)
        self._tell(str(path))
        return self.settle(records, str(path))

    def read_lines(self, path: Path) -> Iterator[Line]:
        """Yield the lines of an annotation file with their records and what is wrong with them."""
        reading = Reading(self.clip_length, self.tolerance)
        self.census = reading.census
        yield from self.lines_of(path, reading)

    def lines_of(self, path: Path, reading: Reading) -> Iterator[Line]:
        """Yield the lines in the format of the benchmarks."""
        yield from read_records(
            path, self.clip_length, self.required, self.domain, self.duration_unit, reading
        )

    def _tell(self, name: str) -> None:
        """Log what was mended, and warn where that was much."""
        summary, warning = self.census.summary(), self.census.warning()
        if summary and self.tolerance != Tolerance():
            print_log(printable(f'{name}: {summary}.'), logger='current')
        if warning:
            text = printable(f'{name}: {warning}.')
            print_log(text, logger='current', level=logging.WARNING)

    def settle(self, records: list[Record], name: str) -> list[Record]:
        """Turn checked records into those of this dataset: here those of its domain."""
        if self.domain is None:
            return records
        domains = sorted({str(record.get('domain'))[:60] for record in records})
        records = [record for record in records if record.get('domain') == self.domain]
        if not records:
            raise DataError(
                f'{name} has no record of the domain {self.domain!r}; it has '
                f'{", ".join(domains[:10])}.'
            )
        return records

    def check_sources(self) -> None:
        """Check that the files are there at all; reads none of them.

        Raises:
            DataError: Names every annotation file and feature folder that is absent.
        """
        absent = self.absent()
        if absent:
            raise missing_data(absent)

    def absent(self) -> list[str]:
        """Say that the annotation file is not there, if so."""
        if not self.ann_file or find_annotations(self.ann_file) is not None:
            return []
        origin = f' (from {self.annotations_from})' if self.annotations_from else ''
        return [f'annotation file {self.ann_file}{origin}']
