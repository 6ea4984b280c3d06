# SPDX-License-Identifier: Apache-2.0
"""Running the trainings of a sweep as processes."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from mmengine.config import Config

import vtg
from vtg.apis.train import read_data, reduce_data
from vtg.engine.config import apply_options, config_text, load_config
from vtg.utils import ConfigError, Stopped, read_json, write_json, write_text

from .cell import DONE
from .grid import Cell, apply_cell, make_cells
from .page import table_place, write_page
from .systems import system_cells
from .table import Summary, summarise

CONFIG = 'config.py'
FAILED = 'failed.json'
LOG = 'log.txt'
# What trains one cell; gets the config, the folder and --seed.
COMMAND = (sys.executable, '-m', 'vtg.sweeps.cell')


@dataclass
class Run:
    """One training: a cell with one seed.

    Attributes:
        cell: The combination. seed: The seed.
        folder: Its work directory.
        config: The resolved config file.
        process: The process, once it is started. slot: Its place among those at work.
        flags: Further words of its command.
    """

    cell: Cell
    seed: int
    folder: Path
    config: Path
    process: subprocess.Popen = field(init=False, repr=False, compare=False)
    slot: int = 0
    flags: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The run for people."""
        return f'{self.cell.label}, seed {self.seed}'

    @property
    def result(self) -> dict[str, Any] | None:
        """What a finished training reported, else None."""
        path = self.folder / DONE
        return read_json(path) if path.is_file() else None

    @property
    def failure(self) -> str | None:
        """The last line of a training that crashed, else None."""
        path = self.folder / FAILED
        return read_json(path)['line'] if path.is_file() and self.result is None else None


def run_sweep(
    config: str | Path | Sequence[str | Path],
    grids: Sequence[str],
    seeds: Sequence[int],
    out: str | Path,
    jobs: int = 1,
    cfg_options: Sequence[str] = (),
    metrics: Sequence[str] = (),
    say: Callable[[str], None] = print,
    add: Sequence[str | Path] = (),
    untrained: bool = False,
    page: str | Path | None = None,
    rehearsal: bool = False,
    limit: int | None = None,
) -> Summary:
    """Train every combination with every seed and summarise.

    Every training is a process of its own. One that crashes is recorded with the last line of its
    log, and the others go on. Called again with the same ``out``, finished trainings are kept,
    interrupted ones go on from their last checkpoint and crashed ones are tried again.

    Args:
        config: A config file, or several: each is then trained with every combination.
        grids: ``'key=value,value,...'`` texts; see :func:`make_cells` and :func:`apply_cell`.
        seeds: Seeds of every combination.
        out: Folder of the sweep.
        jobs: Trainings at a time.
        cfg_options: Overrides for all of them.
        metrics: Names for the table; empty shows the usual ones.
        say: Gets a line per event.
        add: Fragments of a config; every config is trained without them and with each, see
            :func:`vtg.sweeps.systems.system_cells`.
        untrained: Also evaluate the random weights that every training starts from; their metrics
            are called ``untrained/<name>``.
        page: Markdown page that gets the table, see :func:`vtg.sweeps.page.write_page`.
        rehearsal, limit: See :func:`vtg.apis.train.reduce_data`.

    Raises:
        ConfigError: The grid does not fit a config, the folder holds another sweep's runs, or the
            page has no place for a table.
    """
    if page is not None:
        table_place(page)  # before the first training

    def save(runs: Sequence[Run]) -> Summary:
        results = [(run.cell, run.seed, run.result, run.failure) for run in runs]
        summary = summarise(results, metrics)
        summary.save(out)
        if page is not None:
            write_page(page, summary)
        return summary

    configs = [config] if isinstance(config, str | Path) else list(config)
    cells: Sequence[Cell] = make_cells(grids)
    if len(configs) > 1 or add:
        cells = system_cells(configs, add, cells, cfg_options)
    base = load_config(configs[0])
    apply_options(base, cfg_options)
    flags = ('--untrained',) if untrained else ()
    reduced = partial(reduce_data, rehearsal=rehearsal, limit=limit)
    return save(run_cells(base, cells, seeds, Path(out), jobs, say, save, flags, reduced))


def run_cells(
    base: Config,
    cells: Sequence[Cell],
    seeds: Sequence[int],
    out: Path,
    jobs: int,
    say: Callable[[str], None],
    save: Callable[[Sequence[Run]], Any],
    flags: tuple[str, ...] = (),
    change: Callable[[Config], Any] | None = None,
) -> list[Run]:
    """Train every cell with every seed, as :func:`run_sweep` describes.

    Args:
        base: The config that the cells change.
        cells: What to train.
        save: Called with all runs whenever one has ended.
        flags: Further words of the command of every training.
        change: Changes the config of every cell, in place.

    Returns:
        All runs, also those that failed.
    """
    if jobs < 1:
        raise ConfigError(f'--jobs must be at least 1, got {jobs}.')
    runs = _prepare(base, cells, seeds, out, say, change)
    for run in runs:
        run.flags = flags
    waiting = [run for run in runs if run.result is None]
    if len(waiting) < len(runs):
        say(f'{len(runs) - len(waiting)} of {len(runs)} trainings are finished already')
    _work_off(waiting, jobs, say, lambda: save(runs))
    return runs


def _prepare(
    base: Config,
    cells: Sequence[Cell],
    seeds: Sequence[int],
    out: Path,
    say: Callable[[str], None],
    change: Callable[[Config], Any] | None,
) -> list[Run]:
    """Write the config of every cell; all of them are checked before the first training starts."""
    if len(set(seeds)) < len(seeds) or not seeds:
        raise ConfigError(f'--seeds must be different numbers, got {list(seeds)}.')
    prepared: list[tuple[Cell, Config]] = []
    for cell in cells:
        cfg = cell.start(base)
        for note in apply_cell(cfg, cell):
            say(f'note: {note}')
        if change is not None:
            change(cfg)
        prepared.append((cell, cfg))
    for cfg in _different_data(prepared, seeds, out):
        read_data(cfg)
    runs = []
    for cell, cfg in prepared:
        path = out / cell.name / CONFIG
        text = config_text(cfg)
        started = [file for name in (DONE, '*.pth') for file in path.parent.glob(f'*/{name}')]
        if started and path.is_file() and path.read_text(encoding='utf-8') != text:
            raise ConfigError(
                f'{path.parent} holds trainings of another config; remove that folder or choose '
                'another --out.'
            )
        write_text(path, text)
        runs += [Run(cell, seed, path.parent / f'seed_{seed}', path) for seed in seeds]
    return runs


def _different_data(
    prepared: Sequence[tuple[Cell, Config]], seeds: Sequence[int], out: Path
) -> list[Config]:
    """One config of every different set of loaders that an unfinished training reads."""
    different: dict[str, Config] = {}
    for cell, cfg in prepared:
        if not all((out / cell.name / f'seed_{seed}' / DONE).is_file() for seed in seeds):
            loaders = [cfg.get(f'{split}_dataloader') for split in ('train', 'val')]
            different.setdefault(repr([(loader or {}).get('dataset') for loader in loaders]), cfg)
    return list(different.values())


def _work_off(
    waiting: list[Run], jobs: int, say: Callable[[str], None], save: Callable[[], Any]
) -> None:
    """Start up to ``jobs`` processes at a time until all have ended; stop them on interruption."""
    total, started = len(waiting), 0
    waiting, running = list(waiting), list[Run]()
    with _stop_request() as stop:
        try:
            while waiting or running:
                if stop:
                    raise Stopped(stop[0])
                if waiting and len(running) < jobs:
                    run = waiting.pop(0)
                    run.slot = min(set(range(jobs)) - {other.slot for other in running})
                    started += 1
                    say(f'[{started}/{total}] {run.name}')
                    _start(run, jobs)
                    running.append(run)
                    continue
                time.sleep(0.1)
                for run in [run for run in running if run.process.poll() is not None]:
                    running.remove(run)
                    _finish(run, say)
                    save()
        finally:
            _stop(running)


@contextlib.contextmanager
def _stop_request() -> Iterator[list[int]]:
    """Give a list that is empty until Ctrl-C or SIGTERM asks to stop.

    An exception in the middle of starting a process would leave it behind; hence a list that the
    loop looks at.
    """
    asked: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return
    numbers = (signal.SIGINT, signal.SIGTERM)
    previous = [signal.signal(number, lambda got, _: asked.append(got)) for number in numbers]
    try:
        yield asked
    finally:
        for number, handler in zip(numbers, previous):
            signal.signal(number, handler)


def _start(run: Run, jobs: int) -> None:
    run.folder.mkdir(parents=True, exist_ok=True)
    (run.folder / FAILED).unlink(missing_ok=True)
    command = [*COMMAND, str(run.config), str(run.folder), '--seed', str(run.seed), *run.flags]
    with (run.folder / LOG).open('a', encoding='utf-8') as log:
        # A session of its own, so that its loader workers can be stopped with it.
        run.process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=_environment(run.slot, jobs),
            start_new_session=True,
        )


def _environment(slot: int, jobs: int) -> dict[str, str]:
    """The environment of a process: this package, a share of the cores, one of several GPUs."""
    environment = dict(os.environ)
    paths = [str(Path(vtg.__file__).resolve().parents[1]), environment.get('PYTHONPATH')]
    environment['PYTHONPATH'] = os.pathsep.join(filter(None, paths))
    if jobs > 1:
        environment.setdefault('OMP_NUM_THREADS', str(max(1, (os.cpu_count() or 1) // jobs)))
        devices = environment.get('CUDA_VISIBLE_DEVICES', '').split(',')
        if len(devices) > 1:
            environment['CUDA_VISIBLE_DEVICES'] = devices[slot % len(devices)]
    return environment


def _finish(run: Run, say: Callable[[str], None]) -> None:
    status = run.process.returncode
    result = run.result
    if status == 0 and result is not None:
        say(f'finished in {result["seconds"]:.0f} s: {run.name}')
        return
    line = _last_line(run.folder / LOG)
    if status < 0:
        line = f'killed by {signal.Signals(-status).name}; {line}'
    write_json(run.folder / FAILED, {'status': status, 'line': line})
    say(f'failed: {run.name}: {line}')


def _last_line(path: Path) -> str:
    lines = path.read_text(encoding='utf-8', errors='replace').splitlines()
    return next((line.strip() for line in reversed(lines) if line.strip()), 'no output')


def _stop(running: Sequence[Run], patience: float = 10.0) -> None:
    """Stop processes and their children, gently first."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        for run in running:
            if run.process.poll() is None:
                os.killpg(run.process.pid, number)
        deadline = time.time() + patience
        while any(run.process.poll() is None for run in running) and time.time() < deadline:
            time.sleep(0.05)
