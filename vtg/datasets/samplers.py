# SPDX-License-Identifier: Apache-2.0
"""A sampler whose indices carry the epoch, and the random generator that is keyed by them.

Whatever a sample draws at random has to differ per epoch, yet be the same with any number of
workers, in any order of access and after a resume. A worker's own random state has none of these
properties, so every draw uses a generator made from (seed, epoch, sample index).
"""

from collections.abc import Iterator

import numpy as np
from mmengine.dataset import DefaultSampler

from vtg.registry import DATA_SAMPLERS


class SampleKey(int):
    """The index of a sample that knows for which epoch and under which seed it is drawn.

    It is an ordinary integer for whatever only wants an index. Differences and remainders keep
    the epoch, which is how MMEngine's ``ConcatDataset`` and ``RepeatDataset`` pass an index on.
    """

    epoch: int
    seed: int

    def __new__(cls, index: int, epoch: int = 0, seed: int = 0) -> 'SampleKey':
        key = super().__new__(cls, index)
        key.epoch = epoch
        key.seed = seed
        return key

    def __getnewargs__(self) -> tuple[int, int, int]:  # type: ignore[override]
        return int(self), self.epoch, self.seed

    def __sub__(self, other: int) -> 'SampleKey':
        return SampleKey(int(self) - int(other), self.epoch, self.seed)

    def __mod__(self, other: int) -> 'SampleKey':
        return SampleKey(int(self) % int(other), self.epoch, self.seed)


def sample_generator(index: int) -> np.random.Generator:
    """Return the generator of one sample in one epoch; a plain integer means epoch 0, seed 0."""
    key = (getattr(index, 'seed', 0), getattr(index, 'epoch', 0), int(index))
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(key)))


@DATA_SAMPLERS.register_module()
class EpochSampler(DefaultSampler):
    """MMEngine's ``DefaultSampler`` with indices that carry the epoch and the seed of the run.

    Order (by seed + epoch), sharding over processes and rounding up are those of the base class;
    ``DistSamplerSeedHook`` sets the epoch. At both ends of a pass the dataset may report what its
    workers counted (:meth:`vtg.datasets.GroundingDataset.report`).
    """

    def __iter__(self) -> Iterator[int]:
        report = getattr(self.dataset, 'report', lambda: None)
        report()
        for index in super().__iter__():
            yield SampleKey(index, self.epoch, self.seed)
        report()
