# SPDX-License-Identifier: Apache-2.0
"""Every value of a config may be anything: the run is built, or one sentence says what is wrong.

Each input overrides one leaf of the resolved config of a system with an odd value, as
``--cfg-options`` does, and builds everything that training builds before its first step.
"""

import copy
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest
from campaign import outcome

from vtg.apis.train import configure
from vtg.engine import load_config
from vtg.engine.config import flatten
from vtg.engine.runner import GroundingRunner

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'
SYSTEMS = ('sgdetr', 'qd_detr', 'flashvtg', 'taskweave', 'cg_detr', 'univtg')
ODD = (
    None, True, False, 0, 1, -1, 7, 65, 2**40, 0.5, 2.5, -0.5, 1e300, float('nan'), float('inf'),
    '', 'abc', 'trian', [], [1], [0, -1], ['x'], {}, {'a': 1}, {'type': 'SGAC'}, {'type': None},
)  # fmt: skip


@cache
def leaves(system: str) -> list[tuple[str, Any]]:
    """Every leaf of a config, and the dicts and lists that hold them."""
    root = load_config(CONFIGS / system / 'demo.py')._cfg_dict.to_dict()
    found = dict(flatten(root))
    for place in list(found):
        parts = place.split('.')
        found.update({'.'.join(parts[:n]): None for n in range(1, len(parts))})
    return sorted(found.items(), key=lambda item: item[0])


def build(system: str, options: dict[str, Any], folder: Path) -> GroundingRunner:
    """Build what ``tools/train.py`` builds before the first step."""
    small = {f'{split}_dataloader.dataset.num_samples': 4 for split in ('train', 'val')}
    cfg = load_config(CONFIGS / system / 'demo.py', small | options)
    configure(cfg, str(folder))
    runner = GroundingRunner.from_cfg(cfg)
    runner._train_loop = runner.build_train_loop(runner._train_loop)
    runner.optim_wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
    if runner.param_schedulers is not None:
        runner.param_schedulers = runner.build_param_scheduler(runner.param_schedulers)
    if runner._val_loop is not None:
        runner._val_loop = runner.build_val_loop(runner._val_loop)
    return runner


def mutation(system: str, rng: Any) -> dict[str, Any]:
    """One override: another value, a misspelt text, or a key that does not belong there."""
    place, value = rng.choice(leaves(system))
    odd = copy.deepcopy(rng.choice(ODD))
    kind = rng.random()
    if isinstance(value, str) and value and kind < 0.3:
        at = rng.randrange(len(value))
        return {place: value[:at] + value[at + 1 :]}
    if kind < 0.15:
        return {f'+{place.rpartition(".")[0] or "model"}.x': odd}
    return {place: odd}


def test_every_override_is_built_or_refused(inputs, tmp_path):
    for number, rng in inputs(50):
        system = rng.choice(SYSTEMS)
        options = mutation(system, rng)
        run = partial(build, system, options, tmp_path / str(number))
        try:
            outcome(run)
        except Exception as error:
            pytest.fail(f'input {number}, {system} {options}: {type(error).__name__}: {error}')
