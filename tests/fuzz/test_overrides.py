# SPDX-License-Identifier: Apache-2.0
"""Every value of a config may be anything: the run trains, or one sentence says what is wrong.

Each input overrides a leaf of the resolved config of a system with an odd value, as
``--cfg-options`` does, and builds everything that training builds before its first step. A share of
what is accepted goes on through its first epoch and validation.
"""

import contextlib
import copy
import gc
import json
from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest
from campaign import outcome
from mmengine.hooks import Hook

from vtg.apis.train import check_data, configure
from vtg.datasets import rehearse
from vtg.engine import load_config
from vtg.engine.config import parse_options
from vtg.engine.runner import GroundingRunner
from vtg.engine.tree import flatten, tree

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'
DEMOS = tuple(sorted(f'{path.stem}/demo.py' for path in CONFIGS.glob('_base_/models/*.py')))
BENCHMARKS = (
    'qd_detr/qvhl.py', 'sgdetr/charades.py', 'qd_detr/tvsum.py', 'la_detr/qvhl.py', 'umt/qvhl.py',
    'r2_tuning/qvhl.py',
)  # fmt: skip
ODD = (
    None, True, False, 0, 1, -1, 2, 3, 5, 7, 65, 130, 10**6, 2**31, 2**40, 10**400, 0.5, 2.5, -0.5,
    1e-30, 1e300, float('nan'), float('inf'), '', 'abc', 'trian', '1', [], [1], [0, -1], ['x'],
    [None], [[1]], [1, 2, 3, 4], {}, {'a': 1}, {'type': 'SGAC'}, {'type': None}, {'type': 'SGCA'},
)  # fmt: skip
# Processes are not what is tried here.
MOST_WORKERS = 1


@pytest.fixture(autouse=True, scope='module')
def _quick():
    """The garbage collection of every dataset need not look at what was there before."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


class Finished(Exception):
    """The first epoch and its validation are over."""


class FirstEpoch(Hook):
    """Ends training behind the first validation, or where a second epoch would begin."""

    priority = 'LOWEST'

    def after_val_epoch(self, runner: Any, metrics: Any = None) -> None:
        raise Finished

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        if runner.iter > 2:
            raise Finished

    def before_train_epoch(self, runner: Any) -> None:
        if runner.epoch:
            raise Finished


@cache
def leaves(config: str) -> list[tuple[str, Any]]:
    """Every leaf of a config, and the dicts and lists that hold them."""
    root = tree(load_config(CONFIGS / config)).to_dict()
    found = dict(flatten(root))
    for place in list(found):
        parts = place.split('.')
        found.update({'.'.join(parts[:n]): None for n in range(1, len(parts))})
    return sorted(found.items(), key=lambda item: item[0])


def annotations(folder: Path) -> Path:
    """Records that every benchmark can read."""
    path = folder / 'annotations.jsonl'
    clips = list(range(2, 4))
    records = [
        dict(qid=f'q{n}', query='a dog', vid=f'v{n}', duration=12.0, domain='BK',
             relevant_windows=[[4, 8]], relevant_clip_ids=clips,
             saliency_scores=[[3, 2, 4]] * len(clips), label=[[1.0 + n, 3.0] * 10] * 6)
        for n in range(2)
    ]  # fmt: skip
    path.write_text(''.join(f'{json.dumps(record)}\n' for record in records))
    return path


def small(config: str, folder: Path) -> dict[str, Any]:
    """What makes a config quick to build: two samples of a few clips, a narrow model."""
    options: dict[str, Any] = {'train_cfg.val_interval': 1}
    options |= {'model.defaults.dim': 16, 'model.defaults.hidden_dim': 16}
    if config in DEMOS:
        facts = {'num_samples': 2, 'num_clips': [10, 14], 'moment_clips': [2, 4]}
        names = [(n, key) for n in ('train', 'val') for key in facts]
        return options | {f'{n}_dataloader.dataset.{key}': facts[key] for n, key in names}
    options |= {'model.defaults.num_heads': 4}
    path = str(annotations(folder))
    options |= {f'{n}_dataloader.dataset.ann_file': path for n in ('train', 'val', 'test')}
    return options | {f'{n}_dataloader.num_workers': 0 for n in ('train', 'val', 'test')}


def build(config: str, options: dict[str, Any], folder: Path) -> GroundingRunner:
    """Build what ``tools/train.py`` builds before the first step."""
    folder.mkdir(parents=True, exist_ok=True)
    cfg = load_config(CONFIGS / config, small(config, folder) | options)
    if config in BENCHMARKS:
        rehearse(cfg)
    configure(cfg, str(folder / 'run'))
    check_data(cfg)
    runner = GroundingRunner.from_cfg(cfg)
    runner._train_loop = runner.build_train_loop(runner._train_loop)
    runner.optim_wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
    if runner.param_schedulers is not None:
        runner.param_schedulers = runner.build_param_scheduler(runner.param_schedulers)
    if runner._val_loop is not None:
        runner._val_loop = runner.build_val_loop(runner._val_loop)
    return runner


def train(config: str, options: dict[str, Any], folder: Path) -> GroundingRunner:
    """Build, and train an epoch of one step."""
    runner = build(config, options, folder)
    if any(loop and loop.dataloader.num_workers > MOST_WORKERS for loop in loops(runner)):
        return runner
    runner.register_hook(FirstEpoch())
    with contextlib.suppress(Finished):
        runner.train()
    return runner


def loops(runner: GroundingRunner) -> Iterator[Any]:
    yield runner._train_loop
    yield runner._val_loop


def mutation(config: str, rng: Any) -> dict[str, Any]:
    """One override: another value, a misspelt text or key, or a key that does not belong there."""
    place, value = rng.choice(leaves(config))
    odd = copy.deepcopy(rng.choice(ODD))
    parent, _, name = place.rpartition('.')
    kind = rng.random()
    if kind < 0.1:
        return {f'+{parent or "model"}.x': odd}
    if kind < 0.2 and parent:
        at = rng.randrange(len(name))
        return {f'+{parent}.{name[:at]}{name[at + 1 :] or "x"}': value}
    if kind < 0.5 and isinstance(value, str) and value:
        at = rng.randrange(len(value))
        return {place: value[:at] + value[at + 1 :]}
    if kind < 0.5 and isinstance(value, int | float):
        return {place: rng.choice((-value, value + 1, value * 3, value / 2, [value], str(value)))}
    return {place: odd}


def check(run: Any, number: int, what: str) -> bool:
    """Whether the input was refused, with a sentence; anything but that and a result fails."""
    try:
        return isinstance(outcome(run), str)
    except Exception as error:
        pytest.fail(f'input {number}, {what}: {type(error).__name__}: {error}')


def test_every_override_is_built_or_refused(inputs, tmp_path):
    refused = []
    for number, rng in inputs(50):
        config = rng.choice(DEMOS + BENCHMARKS)
        options = mutation(config, rng)
        run = train if number % 5 == 0 else build
        what = f'{config} {options}'
        refused.append(check(partial(run, config, options, tmp_path / str(number)), number, what))
    assert set(refused) == {True, False}


KEYS_OF_A_LOOP = ('dataloader', 'evaluator', 'cfg')
NAMED = {
    'model.defaults.dim=65': 'dim must be a multiple of num_heads',
    'model.defaults.num_heads=7': 'dim must be a multiple of num_heads',
    'model.defaults.dropout=2': 'at least 0 and below 1',
    '+model.defaults.num_haeds=4': 'did you mean num_heads?',
    '+model.encoder.x=5': 'model.encoder.x is no argument of TransformerEncoder',
    '+model.test_cfg.digits=2': 'model.test_cfg has no digits; did you mean score_digits?',
    '+model.negatives.stage=fusion': 'did you mean stages?',
    'train_dataloader.batch_size=0': 'at least 1',
    'randomness.seed=-1': 'at least 0',
    'train_cfg.val_interval=0': 'at least 1',
    'optim_wrapper.optimizer.lr=abc': 'expects a number, at least 0',
    'optim_wrapper.clip_grad.max_norm=abc': 'clip_grad_norm_ expects a number, above 0',
    '+optim_wrapper.clip_grad.x=1': 'x is no argument of clip_grad_norm_',
    '+default_hooks.checkpoint.savebest=x': 'did you mean save_best?',
    '+default_hooks.ema={"type": "EMAHook", "x": 1}': 'hook EMAHook: EMAHook cannot be built',
    'visualizer.vis_backends=[[1]]': 'visualizer.vis_backends.0 is [1]; expected a dict',
    'visualizer.vis_backends={"_delete_": true}': 'visualizer: the visualizer cannot be built',
    'visualizer.type=': "visualizer.type is ''",
    'model.text_projector.in_dim=3': 'reads 3 columns, but the text features have 64',
    'benchmark.text_dim=[1]': 'benchmark.text_dim is [1]',
    'val_dataloader.dataset.test_mode=False': 'evaluation needs the annotations',
    # The names of modules of Python, which are no components.
    'model.moment_head.type=abc': "model.moment_head.type is 'abc', which is not a registered",
    'default_hooks.nan_guard.type=os.path': "nan_guard.type is 'os.path', which is not a",
    'train_cfg=None': 'set all of train_dataloader, train_cfg, optim_wrapper',
    'optim_wrapper=None': 'optim_wrapper is None, but train_cfg and train_dataloader is set',
    'val_evaluator=None': 'val_evaluator is None, but val_cfg and val_dataloader is set',
    'env_cfg.mp_cfg.opencv_num_threads=2147483648': 'from 0 to 1024',
    'train_dataloader.num_workers=1000000': 'from 0 to 1024',
    'benchmark.dataset.video_dims=[]': 'video_dims is empty',
    'train_dataloader.dataset.num_samples=1000000000': 'from 1 to 100000',
    'val_dataloader.dataset.num_clips=[10, 1000000000]': 'from 1 to 100000',
}


@pytest.mark.parametrize('option', NAMED)
def test_what_was_seen_gets_a_sentence(option, tmp_path):
    sentence = outcome(partial(train, 'qd_detr/demo.py', parse_options([option]), tmp_path))
    assert isinstance(sentence, str) and NAMED[option] in sentence


def test_a_training_without_validation(tmp_path):
    options = dict.fromkeys(f'{n}_{k}' for n in ('val', 'test') for k in KEYS_OF_A_LOOP)
    runner = outcome(partial(build, 'qd_detr/tvsum.py', options, tmp_path))
    assert runner.val_loop is None and len(runner.train_dataloader.dataset) == 2


def test_a_query_asks_for_no_more_moments_than_there_are_clips(tmp_path):
    """Two billion are as good as fourteen; they took all memory."""
    options = {'val_dataloader.dataset.max_moments': 2**31}
    assert not isinstance(outcome(partial(train, 'qd_detr/demo.py', options, tmp_path)), str)
