# SPDX-License-Identifier: Apache-2.0
"""MMEngine's Runner with checkpoints that are whole, plain and fit."""

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from mmengine.dist import master_only
from mmengine.hooks import EMAHook
from mmengine.model import is_model_wrapper
from mmengine.registry import RUNNERS
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from vtg.registry import DATASETS, located
from vtg.utils import CheckpointError, ConfigError, atomic_write, write_text
from vtg.utils.threads import settle_threads

from .checkpoint import (
    check_fit,
    find_latest_checkpoint,
    only_parts,
    read_checkpoint,
    setup,
    weights_of,
)
from .config import config_text, model_config
from .console import make_brief
from .hooks.atomic_checkpoint import AtomicCheckpointHook
from .loader import LOADER_TIMEOUT, WatchedLoader
from .resume_state import plain_meta, resumable_state

_RUN_NUMBER = itertools.count()
_MMENGINE_HOOKS = {
    'runtime_info', 'timer', 'sampler_seed', 'logger', 'param_scheduler', 'checkpoint',
}  # fmt: skip
# What training, validation and test need; each of them has all of it or is left out.
_WHOLE = (
    ('train_dataloader', 'train_cfg', 'optim_wrapper'),
    ('val_dataloader', 'val_cfg', 'val_evaluator'),
    ('test_dataloader', 'test_cfg', 'test_evaluator'),
)


def _check_whole(parts: Mapping[str, Any]) -> None:
    for names in _WHOLE:
        lacking = [name for name in names if parts.get(name) is None]
        if lacking and len(lacking) < len(names):
            raise ConfigError(
                f'{lacking[0]} is None, but {" and ".join(sorted({*names} - {*lacking}))} is set; '
                f'set all of {", ".join(names)}, or all to None to leave that part out.'
            )


@RUNNERS.register_module()
class GroundingRunner(Runner):
    """The Runner of the toolbox.

    Args:
        resume: False; True or ``'auto'`` to go on from the last checkpoint in ``work_dir`` where
            there is one; or the path of a checkpoint to go on from.
        load_from: Checkpoint whose weights a new run starts from. A resumed run ignores it.
        experiment_name: Name of logger and message hub; made unique in the process by default,
            because MMEngine shares them between runs of one name within a second.
    """

    def __init__(
        self,
        *args: Any,
        work_dir: str,
        resume: bool | str = False,
        load_from: str | None = None,
        experiment_name: str | None = None,
        **kwargs: Any,
    ) -> None:
        setup()
        if resume in (True, 'auto'):
            latest = find_latest_checkpoint(work_dir)
            resume, load_from = latest is not None, str(latest) if latest else load_from
        elif resume:
            resume, load_from = True, str(resume)
        _check_whole(kwargs)
        number = next(_RUN_NUMBER)
        if experiment_name is None and number:
            experiment_name = f'run{number}'
        super().__init__(
            *args,
            work_dir=work_dir,
            resume=resume,
            load_from=load_from,
            experiment_name=experiment_name,
            **kwargs,
        )
        self.logger.info(settle_threads(self.model), extra={'brief': False})

    @classmethod
    def from_cfg(cls, cfg: Any) -> 'GroundingRunner':
        """Build a runner; raises :class:`ConfigError` where the config has no model."""
        model_config(cfg)
        return super().from_cfg(cfg)

    @property
    def bare_model(self) -> Any:
        """The model without a distributed wrapper."""
        return self.model.module if is_model_wrapper(self.model) else self.model

    def _maybe_compile(self, target: str) -> None:
        """Compile the losses of a training step where the config says ``compile``: True, or
        arguments of ``torch.compile``. MMEngine would compile the optimizer and predictions too."""
        options = self.cfg.get('compile')
        if target == 'train_step' and options:
            self.bare_model.compile(**({} if options is True else options))
            self.logger.info(
                'compiling the training step: the first steps take minutes (see docs/speed.md)'
            )

    @property
    def best_checkpoint(self) -> str:
        """The best checkpoint of the run (by the first ``save_best`` key), else the last one.

        Raises:
            CheckpointError: The run has saved none.
        """
        info = self.message_hub.runtime_info
        best = [value for key, value in info.items() if key.startswith('best_ckpt') and value]
        path = best[0] if best else info.get('last_ckpt')
        if path is None:
            raise CheckpointError(
                f'{self.work_dir} holds no checkpoint to report on; let default_hooks.checkpoint '
                'save one, or set report_after_training=False.'
            )
        # The folder may have been moved since the path was stored.
        here = Path(self.work_dir, Path(path).name)
        return str(here) if here.is_file() else path

    def train(self) -> Any:
        """Train and return the model; the workers of the loaders end with the last epoch."""
        return self._end_workers(super().train())

    def val(self) -> Any:
        """Validate once and return the metrics; the workers of the loader end with it."""
        return self._end_workers(super().val())

    def test(self) -> Any:
        """Test and return the metrics; the workers of the loader end with it."""
        return self._end_workers(super().test())

    def _end_workers(self, result: Any) -> Any:
        for loop in (self._train_loop, self._val_loop, self._test_loop):
            loader = getattr(loop, 'dataloader', None)
            if isinstance(loader, WatchedLoader):
                loader.end_workers()
        return result

    def build_logger(self, *args: Any, **kwargs: Any) -> Any:
        """Build the logger; what a hook prints at the terminal is not followed by all the rest."""
        logger = super().build_logger(*args, **kwargs)
        if (self.cfg.get('default_hooks') or {}).get('console'):
            make_brief(logger)
        return logger

    def build_model(self, model: Any) -> Any:
        """Build the model; whatever is wrong with it is named with its place."""
        with located(model, 'model', 'the model'):
            return super().build_model(model)

    def build_train_loop(self, loop: Any) -> Any:
        """Build the training loop and its loader."""
        with located(
            {'train_cfg': loop, 'train_dataloader': self._train_dataloader}, '', 'the loop'
        ):
            return super().build_train_loop(loop)

    def build_val_loop(self, loop: Any) -> Any:
        """Build the validation loop, its loader and its evaluator."""
        with located(self._loop_parts('val', loop), '', 'the loop'):
            return super().build_val_loop(loop)

    def build_test_loop(self, loop: Any) -> Any:
        """Build the test loop, its loader and its evaluator."""
        with located(self._loop_parts('test', loop), '', 'the loop'):
            return super().build_test_loop(loop)

    def _loop_parts(self, split: str, loop: Any) -> dict[str, Any]:
        return {
            f'{split}_cfg': loop,
            f'{split}_dataloader': getattr(self, f'_{split}_dataloader'),
            f'{split}_evaluator': getattr(self, f'_{split}_evaluator'),
        }

    @staticmethod
    def build_dataloader(dataloader: Any, *args: Any, **kwargs: Any) -> DataLoader:
        """Build a loader; workers that freeze, as on a lost network drive, are not waited for.

        A ``timeout`` of the config, in seconds per batch, replaces :data:`LOADER_TIMEOUT`. Batches
        are pinned where there is a CUDA device, unless ``pin_memory=False``. What is wrong
        with the loader or its dataset is named with its place.
        """
        with located(dataloader, '', 'the loader'):
            if isinstance(dataloader, Mapping):
                options = {'timeout': LOADER_TIMEOUT} if dataloader.get('num_workers') else {}
                # From there the model's preprocessor copies without waiting for the device.
                options['pin_memory'] = torch.cuda.is_available()
                options |= dataloader
                if isinstance(options.get('dataset'), dict):
                    options['dataset'] = DATASETS.build(options['dataset'])
                    if hasattr(options['dataset'], 'full_init'):
                        options['dataset'].full_init()
                dataloader = options
            loader = Runner.build_dataloader(dataloader, *args, **kwargs)
            if type(loader) is DataLoader:  # MMEngine builds no other class
                loader.__class__ = WatchedLoader
            return loader

    def build_optim_wrapper(self, optim_wrapper: Any) -> Any:
        """Build optimizer and wrapper."""
        with located(optim_wrapper, 'optim_wrapper', 'the optimizer'):
            return super().build_optim_wrapper(optim_wrapper)

    def build_param_scheduler(self, scheduler: Any) -> Any:
        """Build the schedulers."""
        with located(scheduler, 'param_scheduler', 'the schedule'):
            return super().build_param_scheduler(scheduler)

    def register_hook(self, hook: Any, priority: Any = None) -> None:
        """Register a hook."""
        name = hook.get('type') if isinstance(hook, dict) else type(hook).__name__
        with located(hook, f'hook {name}', str(name)):
            super().register_hook(hook, priority)

    def call_hook(self, fn_name: str, **kwargs: Any) -> None:
        """Call all hooks; before the run, a value that a hook cannot work with is one sentence."""
        if fn_name != 'before_run':
            super().call_hook(fn_name, **kwargs)
            return
        for hook in self.hooks:
            name = type(hook).__name__
            with located(None, f'hook {name}', name):
                hook.before_run(self, **kwargs)

    def build_visualizer(self, visualizer: Any = None) -> Any:
        """Build the visualizer and its backends."""
        with located(visualizer, 'visualizer', 'the visualizer'):
            return super().build_visualizer(visualizer)

    def register_default_hooks(self, hooks: dict[str, Any] | None = None) -> None:
        """Register the named hooks; None removes any of them, not only MMEngine's own."""
        hooks = {
            name: hook
            for name, hook in (hooks or {}).items()
            if hook is not None or name in _MMENGINE_HOOKS
        }
        super().register_default_hooks(hooks)

    def get_hooks_info(self) -> str:
        """Name the hooks in their order; MMEngine lists them anew for each of 18 stages."""
        return 'Hooks: ' + ', '.join(type(hook).__name__ for hook in self.hooks)

    def build_evaluator(self, evaluator: Any) -> Any:
        """Build the evaluator; processes exchange results directly, not through a folder."""
        with located(evaluator, '', 'the evaluator'):
            built = super().build_evaluator(evaluator)
        for metric in built.metrics:
            # MMEngine's name for collectives; with the gloo backend they work on the CPU.
            metric.collect_device = 'gpu'
        return built

    @master_only
    def dump_config(self) -> None:
        """Write the resolved config beside the checkpoints; a run that only evaluates does not.

        The file trains and tests on its own: what belongs to this start of the run is left out.
        """
        if self.cfg.get('train_dataloader') is None:
            return
        cfg = self.cfg.copy()
        cfg.resume, cfg.launcher = False, 'none'
        name = Path(self.cfg.filename).name if self.cfg.filename else f'{self.timestamp}.py'
        write_text(Path(self.work_dir) / name, config_text(cfg))

    def load_checkpoint(
        self, filename: str, map_location: Any = 'cpu', strict: bool = True, **kwargs: Any
    ) -> dict[str, Any]:
        """Load weights; names and shapes must agree exactly.

        Raises:
            CheckpointError: The file is unsafe, unreadable or does not fit the model.
        """
        if not strict:
            raise ConfigError(
                f'{filename} can only be loaded strictly; set load_parts to the slots of the model '
                'that should start from it, e.g. load_parts=["fusion", "encoder"].'
            )
        checkpoint = read_checkpoint(filename, map_location)
        state = weights_of(checkpoint, filename)
        if not self._resume and self.cfg.get('load_parts'):
            state = only_parts(self.bare_model, state, self.cfg.load_parts)
        check_fit(self.bare_model, state, filename)
        # Hooks and MMEngine get known fields only, whichever of them are at work.
        if self._resume:
            checkpoint = resumable_state(checkpoint, self, filename)
            for hook in self.hooks:
                if isinstance(hook, EMAHook):
                    averages = checkpoint['ema_state_dict']
                    check_fit(hook.ema_model, averages, f'{filename} (ema_state_dict)')
        else:
            meta = plain_meta(checkpoint, filename) if 'state_dict' in checkpoint else {}
            checkpoint = {'meta': meta}
        checkpoint['state_dict'] = state
        self.call_hook('after_load_checkpoint', checkpoint=checkpoint)
        self.bare_model.load_state_dict(checkpoint['state_dict'])
        self._has_loaded = True
        self.logger.info(f'Load checkpoint from {filename}')
        return checkpoint

    def resume(self, filename: str, *args: Any, **kwargs: Any) -> None:
        """Go on from a checkpoint of an unfinished run; see :class:`Runner.resume`.

        With ``cfg.resume_schedule='new'`` the schedule is the one of the current config, moved
        to the epoch of the checkpoint; otherwise it is the saved one, which must be the same.
        """
        if self.cfg.get('resume_schedule', 'saved') == 'new':
            self._resume_with_new_schedule(filename, *args, **kwargs)
        else:
            super().resume(filename, *args, **kwargs)
        self.message_hub.update_info('seed', self.seed)
        # The seed is that of the checkpoint now, but the loader was built before.
        loader = self.train_dataloader
        samplers: list[Any] = [loader.sampler, getattr(loader.batch_sampler, 'sampler', None)]
        for sampler in samplers:
            if hasattr(sampler, 'seed'):
                sampler.seed = self.seed

    def _resume_with_new_schedule(self, filename: str, *args: Any, **kwargs: Any) -> None:
        fresh = [
            {key: value for key, value in group.items() if key != 'params'}
            for group in self.optim_wrapper.param_groups
        ]
        super().resume(filename, *args, resume_param_scheduler=False, **kwargs)
        for group, settings in zip(self.optim_wrapper.param_groups, fresh):
            group.update(settings)
        self._advance_schedulers()

    def _advance_schedulers(self) -> None:
        """Step freshly built schedulers as often as training until now would have."""
        steps_per_epoch = self.iter // self.epoch if self.epoch else self.iter
        by_iter = [item for item in self.param_schedulers or [] if not item.by_epoch]
        by_epoch = [item for item in self.param_schedulers or [] if item.by_epoch]
        # Schedulers warn when they step before the optimizer has; here that is intended.
        self.optim_wrapper._global_step = max(self.iter, 0)
        for _ in range(max(self.epoch, 1)):
            for _ in range(steps_per_epoch if by_iter else 0):
                for scheduler in by_iter:
                    scheduler.step()
            for scheduler in by_epoch if self.epoch else ():
                scheduler.step()

    @master_only
    def save_checkpoint(
        self,
        out_dir: str,
        filename: str,
        *args: Any,
        meta: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Write a checkpoint to a temporary file and rename it.

        A process killed while writing leaves the earlier checkpoints as they were. ``meta.best_by``
        of a best checkpoint is the metric that it was chosen by.

        Raises:
            CheckpointError: The system cannot write the file, for example on a full disk.
        """
        path = Path(out_dir) / filename
        # MMEngine hands the same dict to the regular checkpoint that follows a best one.
        meta = dict(meta or {})
        for hook in self.hooks:
            if isinstance(hook, AtomicCheckpointHook) and (key := hook.best_by(filename)):
                meta['best_by'] = key
        try:
            with atomic_write(path) as temporary:
                super().save_checkpoint(out_dir, temporary.name, *args, meta=meta, **kwargs)
        except OSError as error:
            raise CheckpointError(
                f'{path} cannot be written ({error.strerror or error}); the earlier checkpoints '
                'are as they were: make room, then go on with --resume.'
            ) from error
