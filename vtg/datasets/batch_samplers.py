# SPDX-License-Identifier: Apache-2.0
"""Which samples make a batch: so many clips, or the queries of a video, instead of so many samples.

Set them as ``batch_sampler`` of a loader. Each takes the dataset, the shuffling, the seed, the
epoch and the share of this process from the ``sampler`` of the loader, and its ``batch_size`` as
the most samples of a batch.
"""

from collections.abc import Hashable, Iterator, Sequence
from typing import Any

import numpy as np
from mmengine.dataset import DefaultSampler

from vtg.registry import DATA_SAMPLERS
from vtg.utils import ConfigError

from .samplers import SampleKey


class BatchSampler:
    """Base class: all processes make the same batches and take turns at them.

    The batches of an epoch are a function of the seed and the epoch, so that a resumed run goes on
    with those of the interrupted one; their number is the same in every epoch.

    Args:
        sampler: That of the loader.
        batch_size: Most samples of a batch; its ``batch_size`` is that of the loader.
        max_clips: Most clips of a batch, padding included. A video that is longer is a batch of its
            own. None does not limit them.

    Raises:
        ConfigError: The dataset does not tell the lengths and videos of its samples.
    """

    def __init__(
        self, sampler: DefaultSampler, batch_size: int, max_clips: int | None = None
    ) -> None:
        name = type(self).__name__
        if max_clips is not None and max_clips < 1:
            raise ConfigError(f'max_clips of {name} is {max_clips}; expected at least 1, or None.')
        self.sampler = sampler
        self.batch_size = batch_size
        self.max_clips = max_clips
        dataset: Any = sampler.dataset
        if not hasattr(dataset, 'clips_of') or not hasattr(dataset, 'video_of'):
            raise ConfigError(
                f'{name} needs a dataset that knows its videos, such as GroundingDataset, but the '
                f'loader has a {type(dataset).__name__}; leave batch_sampler away.'
            )
        records = [dataset.get_data_info(index) for index in range(len(dataset))]
        self.lengths = [int(dataset.clips_of(record)) for record in records]
        self.videos: list[Hashable] = [dataset.video_of(record) for record in records]
        self._count = len(self._batches(np.random.default_rng(0)))

    def _batches(self, rng: np.random.Generator) -> list[list[int]]:
        """All batches of an epoch, in order; draws from ``rng`` if the sampler shuffles."""
        raise NotImplementedError

    def _order(self, rng: np.random.Generator) -> np.ndarray:
        count = len(self.lengths)
        return rng.permutation(count) if self.sampler.shuffle else np.arange(count)

    def _fits(self, samples: int, longest: int, videos: int) -> bool:
        """Whether a batch may have so many samples and videos, all padded to the longest."""
        return samples <= self.batch_size and (
            self.max_clips is None or videos * longest <= self.max_clips
        )

    def __iter__(self) -> Iterator[list[int]]:
        sampler = self.sampler
        report = getattr(sampler.dataset, 'report', lambda: None)
        report()
        batches = self._batches(np.random.default_rng([sampler.seed, sampler.epoch]))
        # As samplers round up: the first batches once more, so that all processes have as many.
        missing = -len(batches) % sampler.world_size
        batches += [batches[i % len(batches)] for i in range(missing)]
        for batch in batches[sampler.rank :: sampler.world_size]:
            yield [SampleKey(index, sampler.epoch, sampler.seed) for index in batch]
        report()

    def __len__(self) -> int:
        """Batches of this process in an epoch."""
        return -(-self._count // self.sampler.world_size)


@DATA_SAMPLERS.register_module()
class LengthBatches(BatchSampler):
    """Batches of samples of similar length, with at most ``max_clips`` clips.

    Samples are sorted by length, equal ones in random order, and cut into batches, whose order is
    random. What is short comes in large batches and what is long in small ones, with little
    padding. Where all lengths are equal, this is plain shuffling.
    """

    def _batches(self, rng: np.random.Generator) -> list[list[int]]:
        order = self._order(rng)
        order = order[np.argsort(np.asarray(self.lengths)[order], kind='stable')]
        batches: list[list[int]] = []
        for index in order.tolist():
            size = len(batches[-1]) + 1 if batches else 0
            if batches and self._fits(size, self.lengths[index], size):
                batches[-1].append(index)
            else:
                batches.append([index])
        if self.sampler.shuffle:
            batches = [batches[i] for i in rng.permutation(len(batches)).tolist()]
        return batches


@DATA_SAMPLERS.register_module()
class VideoBatches(BatchSampler):
    """Batches of queries about the same videos, for tests.

    The dataset reads a video once per batch, and the model encodes it once. Videos stay in the
    order in which they appear; one with more queries than ``batch_size`` has several batches. The
    metrics put the predictions back into the order of the annotation. Nothing is shuffled.
    """

    def _batches(self, rng: np.random.Generator) -> list[list[int]]:
        groups: dict[Hashable, list[int]] = {}
        for index, video in enumerate(self.videos):
            groups.setdefault(video, []).append(index)
        batches: list[list[int]] = []
        videos = longest = 0
        for group in groups.values():
            length = self.lengths[group[0]]
            for part in _parts(group, self.batch_size):
                together = len(batches[-1]) + len(part) if batches else 0
                if batches and self._fits(together, max(longest, length), videos + 1):
                    batches[-1] += part
                    videos, longest = videos + 1, max(longest, length)
                else:
                    batches.append(list(part))
                    videos, longest = 1, length
        return batches


def _parts(items: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
