# SPDX-License-Identifier: Apache-2.0
"""A sample is a function of a record and its arrays.

Three steps make it, each an object of its own: :class:`~vtg.datasets.reading.FeatureReader` reads
the arrays, :class:`~vtg.datasets.assembly.Assembly` makes features of them and
:class:`~vtg.datasets.labelling.Labelling` makes targets of the annotation. A dataset has all three;
whoever has arrays in memory leaves the first away.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import numpy as np

from vtg.utils import Record
from vtg.utils.arguments import ArgumentsOf

from .assembly import Assembly
from .labelling import Labelling

FeatureOptions = Annotated[Mapping[str, Any], ArgumentsOf(Assembly)]
LabelOptions = Annotated[Mapping[str, Any], ArgumentsOf(Labelling)]


class SampleBuilder:
    """Makes the sample of a record from its arrays.

    Args:
        assembly: How arrays become features.
        labelling: How the annotation becomes targets.
        clip_length: Seconds per clip.
        test_mode: Nothing of the features is random, and ``meta`` carries the record.
    """

    def __init__(
        self, assembly: Assembly, labelling: Labelling, clip_length: float, test_mode: bool = False
    ) -> None:
        self.assembly = assembly
        self.labelling = labelling
        self.clip_length = clip_length
        self.test_mode = test_mode

    def __call__(
        self,
        record: Record,
        video: Sequence[np.ndarray],
        text: Sequence[np.ndarray],
        rng: np.random.Generator,
        audio: Sequence[np.ndarray] = (),
    ) -> dict[str, Any]:
        """Make the sample.

        Args:
            record: ``qid``, ``vid``, ``query``, ``duration`` and, where labelled, what the labels
                are made from.
            video: Arrays ``(L_k, D_k)`` of the video, in the order of the columns.
            text: Arrays ``(N_k, D_k)`` of the query.
            rng: Dropped tokens, then windows and clips of the labels are drawn from it.
            audio: Arrays ``(L_k, D_k)`` of a second stream on the clips of the video.

        Returns:
            ``video (L, Dv)``, ``text (N, Dt)``, ``duration``, ``meta``, ``audio (L, Da)`` where
            there is some and, if the record is labelled, ``targets``.
        """
        features, num_clips, joined = self.assembly.streams(video, audio, record)
        return self.with_features(record, features, num_clips, text, rng, joined)

    def with_features(
        self,
        record: Record,
        features: np.ndarray,
        num_clips: int,
        text: Sequence[np.ndarray],
        rng: np.random.Generator,
        audio: np.ndarray | None = None,
    ) -> dict[str, Any]:
        """Make the sample of a record with what :meth:`Assembly.streams` made of its video."""
        sample = {
            'video': features,
            'text': self.assembly.text(text, None if self.test_mode else rng),
            'duration': self.labelling.duration(record, num_clips, self.clip_length),
            'meta': self._meta(record, num_clips),
        }
        if audio is not None:
            sample['audio'] = audio
        if self.labelling.applies(record):
            sample['targets'] = self.labelling.targets(record, num_clips, self.clip_length, rng)
        return sample

    def _meta(self, record: Record, num_clips: int) -> dict[str, Any]:
        meta = {name: record[name] for name in ('qid', 'vid', 'query')}
        meta['duration'] = float(record['duration'])
        meta['num_clips'] = num_clips
        meta['clip_length'] = self.clip_length
        if self.test_mode:
            meta['annotation'] = record
        return meta
