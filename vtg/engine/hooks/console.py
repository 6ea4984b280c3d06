# SPDX-License-Identifier: Apache-2.0
"""What a person at the terminal follows."""

import time
from collections.abc import Mapping
from typing import Any

import torch
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from vtg.registry import HOOKS
from vtg.utils import printable

from ..config import benchmark_name
from ..log_processor import shown_first


@HOOKS.register_module()
class ConsoleHook(Hook):
    """Says what will run, shows one progress bar, and prints a line per validation.

    The runner keeps MMEngine's own lines for the log file where this hook is one of its own
    (``default_hooks.console``); ``tools/train.py --verbose`` removes it. Where the output is no
    terminal there is no bar.

    Args:
        num_losses: Terms of the loss beside the bar, the largest first.
        num_metrics: Metrics in the line of a validation, at most.
    """

    # After the logger and the checkpoint, whose values it shows.
    priority = 'LOWEST'

    def __init__(self, num_losses: int = 3, num_metrics: int = 4) -> None:
        self.num_losses = num_losses
        self.num_metrics = num_metrics
        self._console: Console | None = None
        self._bar: Progress | None = None
        self._best: Any = None
        self._began = 0.0

    def before_train(self, runner: Any) -> None:
        """Say what runs."""
        self._began = time.perf_counter()
        self._best = _best_score(runner)
        self._say(_header(runner))
        if runner.iter:
            self._say(f'going on after epoch {runner.epoch} of {runner.max_epochs}')
        self._start_bar(runner.max_iters, runner.iter, _epoch(runner))

    def before_train_epoch(self, runner: Any) -> None:
        """Name the epoch in front of the bar."""
        self._update(description=_epoch(runner))

    def after_train_iter(
        self,
        runner: Any,
        batch_idx: int,
        data_batch: Any = None,
        outputs: Mapping[str, Any] | None = None,
    ) -> None:
        """Move the bar; the losses change when the logger has read them from the device."""
        self._update(completed=runner.iter + 1, losses=self._loss_text(runner))

    def after_val_epoch(self, runner: Any, metrics: Mapping[str, float] | None = None) -> None:
        """Print the line of a validation."""
        best, self._best = self._best, _best_score(runner)
        parts = [
            _epoch(runner, done=True),
            self._loss_text(runner),
            self._metric_text(runner, metrics),
        ]
        mark = ' (best)' if self._best != best else ''
        self._say('  '.join(part for part in parts if part) + mark)

    def after_train(self, runner: Any) -> None:
        """Say how long it took."""
        self._stop_bar()
        self._say(f'trained in {_duration(time.perf_counter() - self._began)}')

    def before_test(self, runner: Any) -> None:
        """Start a bar for the test."""
        self._start_bar(len(runner.test_dataloader), 0, 'testing')

    def after_test_iter(self, runner: Any, batch_idx: int, *args: Any, **kwargs: Any) -> None:
        """Move the bar."""
        self._update(completed=batch_idx + 1)

    def after_test(self, runner: Any) -> None:
        """Remove the bar."""
        self._stop_bar()

    def after_run(self, runner: Any) -> None:
        """Remove the bar of a run that ended early."""
        self._stop_bar()

    # ---- output

    def _say(self, text: str) -> None:
        if text and is_main_process():
            # The bar, which has taken the place of standard output, moves below the line.
            print(printable(text, keep='\n'), flush=True)

    @property
    def _terminal(self) -> Console:
        # Made late: what standard output is may change after the hook is built.
        self._console = self._console or Console()
        return self._console

    def _start_bar(self, total: int, done: int, description: str) -> None:
        if self._bar or not (is_main_process() and self._terminal.is_terminal):
            return
        self._bar = Progress(
            TextColumn('{task.description}', markup=False),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn('{task.fields[losses]}', markup=False),
            console=self._terminal,
            transient=True,
        )
        self._bar.add_task(description, total=total, completed=done, losses='')
        self._bar.start()

    def _update(self, **changes: Any) -> None:
        if self._bar:
            self._bar.update(self._bar.task_ids[0], **changes)

    def _stop_bar(self) -> None:
        if self._bar:
            self._bar.stop()
            self._bar = None

    # ---- texts

    def _loss_text(self, runner: Any) -> str:
        scalars = runner.message_hub.log_scalars
        values = {
            name.removeprefix('train/'): history.mean(50)
            for name, history in scalars.items()
            if name.startswith('train/') and 'loss' in name and not name[-1].isdigit()
        }
        if 'loss' not in values:
            return ''
        whole = values.pop('loss')
        largest = sorted(values, key=values.__getitem__, reverse=True)[: self.num_losses]
        terms = ', '.join(f'{name.removeprefix("loss_")} {values[name]:.3g}' for name in largest)
        return f'loss {whole:.4g}' + (f' ({terms})' if terms else '')

    def _metric_text(self, runner: Any, metrics: Mapping[str, float] | None) -> str:
        names = [name for name in metrics or {} if name.count('/') == 1]
        kept = [*filter(shown_first(runner.val_loop.evaluator), names)] or names
        return '  '.join(
            f'{name.rpartition("/")[2]} {metrics[name]:.2f}'  # type: ignore[index]
            for name in kept[: self.num_metrics]
        )


def _header(runner: Any) -> str:
    model, cfg = runner.bare_model, runner.cfg
    parameters = sum(weight.numel() for weight in model.parameters() if weight.requires_grad)
    device = next(model.parameters()).device
    queries = [f'{len(runner.train_dataloader.dataset):,} samples to train']
    if runner.val_loop is not None:
        queries.append(f'{len(runner.val_loop.dataloader.dataset):,} to validate')
    name = benchmark_name(cfg)
    lines = [
        f'{cfg.filename or type(model).__name__}: {parameters:,} parameters on {device}'
        f'{_threads(device)}, seed {runner.seed}',
        f'{name + ": " if name else ""}{", ".join(queries)}; {runner.max_epochs} epochs of '
        f'{len(runner.train_dataloader)} steps',
        _log_file(runner),
    ]
    return '\n'.join(lines)


def _threads(device: torch.device) -> str:
    number = torch.get_num_threads()
    return f' ({number} thread{"s" * (number > 1)})' if device.type == 'cpu' else ''


def _log_file(runner: Any) -> str:
    return f'log: {runner.log_dir}/{runner.timestamp}.log'


def _epoch(runner: Any, done: bool = False) -> str:
    return f'epoch {runner.epoch + (not done)}/{runner.max_epochs}'


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f'{hours} h {minutes} min'
    return f'{minutes} min {seconds} s' if minutes else f'{seconds} s'


def _best_score(runner: Any) -> Any:
    info = runner.message_hub.runtime_info
    return next((value for key, value in info.items() if key.startswith('best_score')), None)
