# SPDX-License-Identifier: Apache-2.0
"""The epoch counter and the seed of every epoch."""

from vtg.engine import load_weights
from vtg.engine.hooks.epoch_seed import epoch_seed
from vtg.structures import Progress


def test_the_model_knows_the_epoch(toy_train, tmp_path):
    model = toy_train().model
    assert model.seen == [Progress(epoch, 3) for epoch in range(3) for _ in range(4)]
    model.progress = Progress()
    load_weights(model, tmp_path / 'run/epoch_2.pth')
    assert model.progress == Progress(1, 3)


def test_seeds_differ_by_run_epoch_and_process():
    seeds = {
        epoch_seed(run, epoch, rank) for run in range(3) for epoch in range(5) for rank in (0, 1)
    }
    assert len(seeds) == 30
