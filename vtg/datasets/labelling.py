# SPDX-License-Identifier: Apache-2.0
"""The third step of a sample: an annotation becomes targets."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from vtg.registry import TRANSFORMS
from vtg.utils import ConfigError, Record, check_choice, check_keys

from .repair import widened
from .sources import SOURCE_RULES

_ARGUMENTS = (
    'saliency', 'max_windows', 'min_clips', 'cut_windows', 'duration_from', 'source_rule',
)  # fmt: skip


class Labelling:
    """Spans, saliency labels and the source video of a record.

    Args:
        saliency: The component that makes the saliency labels, see :mod:`vtg.datasets.saliency`.
        max_windows: Of more windows, keep so many in random order, drawn anew each epoch.
        min_clips: Shorter windows are widened to so many clips around their centre, within the
            clips of the video (UniVTG on Ego4D-NLQ).
        cut_windows: Cut windows to the clips that the features have, before (R2-Tuning, CausalVTG).
        duration_from: ``'clips'``: spans are a fraction of ``num_clips * clip_length``;
            ``'annotation'``: of the annotated duration.
        source_rule: How the source video is read off ``vid``, see :mod:`vtg.datasets.sources`.
    """

    def __init__(
        self,
        saliency: Mapping[str, Any],
        max_windows: int | None = None,
        min_clips: float = 0.0,
        cut_windows: bool = False,
        duration_from: Literal['clips', 'annotation'] = 'clips',
        source_rule: Literal['segment', 'underscore'] = 'segment',
    ) -> None:
        check_choice(duration_from, ('clips', 'annotation'), 'labels.duration_from')
        check_choice(source_rule, SOURCE_RULES, 'labels.source_rule')
        self.saliency = TRANSFORMS.build(saliency)
        self.max_windows = max_windows
        self.min_clips = min_clips
        self.cut_windows = cut_windows
        self.duration_from = duration_from
        self.source_rule = SOURCE_RULES[source_rule]

    @classmethod
    def of(cls, given: Mapping[str, Any] | None) -> 'Labelling':
        """Make one of the ``labels`` of a dataset's config.

        Raises:
            ConfigError: An argument is unknown, its value is, or there is no ``saliency``.
        """
        given = check_keys(given, _ARGUMENTS, 'labels')
        if given.get('saliency') is None:
            raise ConfigError(
                'labels of the dataset has no saliency; set e.g. labels=dict(saliency=dict(type='
                "'CoveredClips'))."
            )
        return cls(**given)

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that a record needs to be labelled."""
        return self.saliency.fields

    def note(self, records: Sequence[Record]) -> str | None:
        """What is remarkable about the labels of all records, if anything."""
        note = getattr(self.saliency, 'note', None)
        return None if note is None else note(records)

    def applies(self, record: Record) -> bool:
        """Whether a record has all of them."""
        return all(record.get(name) is not None for name in self.fields)

    def duration(self, record: Record, num_clips: int, clip_length: float) -> float:
        """Return the seconds that normalised spans are a fraction of."""
        if self.duration_from == 'clips':
            return num_clips * clip_length
        return float(record['duration'])

    def targets(
        self, record: Record, num_clips: int, clip_length: float, rng: np.random.Generator
    ) -> dict[str, Any]:
        """Return ``spans (W, 2)`` as centre and width from 0 to 1, ``source`` and the labels."""
        covered = num_clips * clip_length
        if self.cut_windows and record.get('relevant_windows'):
            cut = np.clip(record['relevant_windows'], 0, covered).tolist()
            record = {**record, 'relevant_windows': cut}
        if self.min_clips and record.get('relevant_windows'):
            shortest = self.min_clips * clip_length
            record = {**record, 'relevant_windows': widened(record, shortest, covered)}
        windows = np.asarray(record.get('relevant_windows') or [], dtype=np.float64).reshape(-1, 2)
        if self.max_windows is not None and len(windows) > self.max_windows:
            windows = windows[rng.permutation(len(windows))[: self.max_windows]]
        start, end = windows.T / self.duration(record, num_clips, clip_length)
        spans = np.stack([(start + end) / 2, end - start], axis=1).astype(np.float32)
        labels = self.saliency(record, num_clips, clip_length, rng)
        return {'spans': spans, 'source': self.source_rule(str(record['vid'])), **labels}
