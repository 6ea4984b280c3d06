# SPDX-License-Identifier: Apache-2.0
"""Regular and best checkpoints of which at least one is always complete."""

import math
import re
import shutil
from pathlib import Path
from typing import Any

from mmengine.dist import is_main_process, master_only
from mmengine.hooks import CheckpointHook
from mmengine.runner import EpochBasedTrainLoop, Runner

from vtg.registry import HOOKS
from vtg.utils import ConfigError, atomic_write, nearest_names

_BEST = re.compile(r'best_.+_(epoch|iter)_\d+\.pth')


@HOOKS.register_module()
class AtomicCheckpointHook(CheckpointHook):
    """MMEngine's CheckpointHook that deletes an old file only when the new one is written.

    Together with ``GroundingRunner.save_checkpoint``, which renames finished files, a run that is
    killed at any moment leaves a checkpoint to go on from. A validation that was interrupted is
    repeated when the run goes on, so the best checkpoint is that of an uninterrupted run.

    Args:
        save_best: Metric keys; the prefix of the metric may be left out (``'MR-full-mAP'``).
        rule: ``'greater'`` or ``'less'``, or one per key. None takes ``'less'`` where the metric
            declares that lower is better, else ``'greater'``.
        kwargs: See :class:`mmengine.hooks.CheckpointHook`.
    """

    # Takes what is left of the arguments.
    hands_on = staticmethod(Runner.save_checkpoint)
    best_ckpt_path: str | None
    max_keep_ckpts: int

    def __init__(
        self,
        *args: Any,
        save_best: str | list[str] | None = None,
        rule: str | list[str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, save_best=save_best, rule=rule or 'greater', **kwargs)
        self.infers_rule = rule is None

    def before_train(self, runner: Any) -> None:
        """Find out what is better, and clean up behind a killed run."""
        super().before_train(runner)
        if self.save_best and self.infers_rule and runner.val_loop is not None:
            self.follow(runner.val_loop.evaluator)
        self._remove_unfinished()
        if self.save_best:
            self._adopt_best(runner)
        if self._validation_due(runner):
            runner.logger.info(f'The validation after epoch {runner.epoch} is repeated.')
            last = Path(self.out_dir, self.filename_tmpl.format(runner.epoch))
            self.last_ckpt = str(last) if last.is_file() else None
            runner.val_loop.run()
        if runner._resume or runner.cfg.get('resume'):
            self._remove_stale_best(runner)

    def follow(self, evaluator: Any) -> None:
        """Compare by ``'less'`` where a metric declares so."""
        lower = {
            name
            for metric in evaluator.metrics
            for one in getattr(metric, 'quantities', ())
            if not one.higher
            for name in (one.name, f'{metric.prefix}/{one.name}')
        }
        for index, key in enumerate(self.key_indicators):
            if key in lower:
                self.rules[index] = 'less'
                self.is_better_than[key] = self.rule_map['less']

    def after_val_epoch(self, runner: Any, metrics: dict[str, Any]) -> None:
        """Keep the checkpoint if it is the best so far; a metric that is NaN is no best one."""
        keys = self.key_indicators if self.save_best and metrics else []
        named = {key: _resolve(key, metrics) for key in keys}
        for key, value in named.items():
            if isinstance(value, float) and math.isnan(value):
                runner.logger.warning(f'{key} is NaN: no best checkpoint in this epoch.')
        runner.message_hub.update_info('validated_epoch', runner.epoch)
        earlier = self._best_paths()
        if self.save_best and len(self.key_indicators) == 1:
            self.best_ckpt_path = None  # keeps MMEngine from deleting it before the new one exists
        elif self.save_best:
            self.best_ckpt_path_dict = dict.fromkeys(self.key_indicators)
        super().after_val_epoch(runner, {**metrics, **named})
        self._settle_best(earlier)

    def best_by(self, filename: str) -> str | None:
        """The metric by which a file of this run is the best one; None for other files."""
        for key, path in self._best_paths().items():
            if path is not None and Path(path).name == filename:
                return key
        return None

    def _best_paths(self) -> dict[str, str | None]:
        if not self.save_best:
            return {}
        if len(self.key_indicators) == 1:
            return {self.key_indicators[0]: self.best_ckpt_path}
        return dict(self.best_ckpt_path_dict)

    def _set_best_path(self, key: str, path: str | None) -> None:
        if len(self.key_indicators) == 1:
            self.best_ckpt_path = path
        else:
            self.best_ckpt_path_dict[key] = path

    def _adopt_best(self, runner: Any) -> None:
        """Find the best files that the checkpoint names; forget the score of one that is lost.

        The folder may have been moved or copied since, or the run goes on in a new one.
        """
        for key, path in self._best_paths().items():
            if path is None:
                continue
            here = Path(self.out_dir, Path(path).name)
            beside = Path(runner._load_from or '.').parent / here.name
            if not here.is_file() and beside.is_file() and is_main_process():
                with atomic_write(here) as temporary:
                    shutil.copyfile(beside, temporary)
            lost = not here.is_file() and not beside.is_file()
            self._set_best_path(key, None if lost else str(here))
            if lost:
                runner.logger.warning(f'{here} is lost: its score does not count any more.')
                suffix = '' if len(self.key_indicators) == 1 else f'_{key}'
                for name in (f'best_score{suffix}', f'best_ckpt{suffix}', 'validated_epoch'):
                    runner.message_hub.runtime_info.pop(name, None)

    def _validation_due(self, runner: Any) -> bool:
        """Whether a resumed run was stopped before the end of a validation that was to take place.

        A validation that found no better score is not noted in the checkpoint and repeated too.
        """
        loop = runner.train_loop
        if not runner._resume or runner.val_loop is None or not runner.epoch:
            return False
        if not isinstance(loop, EpochBasedTrainLoop):
            return False
        loop._decide_current_val_interval()
        due = runner.epoch % loop.val_interval == 0 or runner.epoch == runner.max_epochs
        done = runner.message_hub.runtime_info.get('validated_epoch') == runner.epoch
        return due and runner.epoch >= loop.val_begin and not done

    @master_only
    def _remove_stale_best(self, runner: Any) -> None:
        """Remove best files of a part of the run that is repeated, or that were replaced."""
        kept = {Path(path).name for path in self._best_paths().values() if path}
        for path in Path(self.out_dir).iterdir():
            if _BEST.fullmatch(path.name) and path.name not in kept:
                runner.logger.info(f'{path.name} is no longer the best checkpoint and is removed.')
                path.unlink(missing_ok=True)

    def _settle_best(self, earlier: dict[str, str | None]) -> None:
        """Delete best files that were replaced, remember those that were not."""
        for key, new in self._best_paths().items():
            old = earlier[key]
            if new is None:
                self._set_best_path(key, old)
            elif old is not None and old != new and is_main_process():
                Path(old).unlink(missing_ok=True)

    def _save_checkpoint_with_step(self, runner: Any, step: int, meta: dict[str, Any]) -> None:
        keep, surplus = self.max_keep_ckpts, []
        if keep > 0:
            kept = [kept for kept in self.keep_ckpt_ids if kept != step] + [step]
            surplus = kept[:-keep]
            self.keep_ckpt_ids.clear()
            self.keep_ckpt_ids.extend(kept[-keep:])
            runner.message_hub.update_info('keep_ckpt_ids', kept[-keep:])
        self.max_keep_ckpts = -1  # the deletion below replaces MMEngine's, which comes too early
        try:
            super()._save_checkpoint_with_step(runner, step, meta)
        finally:
            self.max_keep_ckpts = keep
        if is_main_process():
            for old in surplus:
                Path(self.out_dir, self.filename_tmpl.format(old)).unlink(missing_ok=True)

    @master_only
    def _remove_unfinished(self) -> None:
        """Remove the temporary files of a process that was killed while writing."""
        for path in Path(self.out_dir).glob('.*.pth.*'):
            path.unlink(missing_ok=True)


def _resolve(key: str, metrics: dict[str, Any]) -> Any:
    """Return the metric called ``key``, with or without the prefix of its evaluator."""
    matches = [name for name in metrics if name == key or name.endswith(f'/{key}')]
    if len(matches) == 1:
        return metrics[matches[0]]
    close = matches or nearest_names(key, metrics) or sorted(metrics)
    raise ConfigError(
        f'default_hooks.checkpoint.save_best names {key!r}, which '
        f'{"several metrics" if matches else "no metric"} of the validation match; choose '
        f'{" or ".join(close)}.'
    )
