# SPDX-License-Identifier: Apache-2.0
"""Training from a config."""

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.dist import is_main_process
from mmengine.logging import print_log

from vtg.datasets import keep_first, rehearse
from vtg.datasets.stores import packing_advice
from vtg.engine.checkpoint import find_latest_checkpoint
from vtg.engine.dist import setup_distributed
from vtg.engine.run_folder import AMP_TYPES, check_free, locked, store_options
from vtg.engine.runner import GroundingRunner
from vtg.registry import DATASETS
from vtg.utils import CheckpointError, ConfigError, missing_data


def configure(
    cfg: Config,
    work_dir: str | None = None,
    resume: str | bool = False,
    amp: str | None = None,
    seed: int | None = None,
    compiled: bool | None = None,
    rehearsal: bool | None = None,
    limit: int | None = None,
) -> Config:
    """Apply options of ``tools/train.py`` and others to a config, in place.

    Args:
        cfg: A config with a file name.
        work_dir: Output folder; by default ``work_dirs/<folder>_<name>`` of the config file.
        resume: ``'auto'`` or the path of a checkpoint.
        amp: ``'bf16'`` or ``'fp16'``.
        seed: Random seed.
        compiled: Compile the losses of a training step.
        rehearsal: Simulated features, see :func:`reduce_data`.
        limit: The same.
    """
    reduce_data(cfg, rehearsal, limit)
    if work_dir is not None:
        cfg.work_dir = work_dir
    elif cfg.get('work_dir') is None:
        file = Path(cfg.filename).resolve()
        cfg.work_dir = f'work_dirs/{file.parent.name}_{file.stem}'
    if resume:
        cfg.resume = resume
    if amp is not None:
        wrapper = (cfg.get('optim_wrapper') or {}).get('type')
        if wrapper not in ('GroundingOptimWrapper', 'AutocastOptimWrapper'):
            raise ConfigError(
                f'--amp needs optim_wrapper.type GroundingOptimWrapper, the config has '
                f'{wrapper}; set that type or leave --amp away.'
            )
        cfg.optim_wrapper.update(type='AutocastOptimWrapper', dtype=AMP_TYPES[amp])
    if seed is not None:
        cfg.merge_from_dict({'randomness.seed': seed})
    if compiled:
        cfg.compile = cfg.get('compile') or True
    return cfg


def reduce_data(cfg: Config, rehearsal: bool | None = None, limit: int | None = None) -> Config:
    """Let a config do with simulated features, or with few samples, in place.

    Args:
        cfg: A config.
        rehearsal: Simulated features, see :func:`vtg.datasets.rehearse`.
        limit: Samples of every split, see :func:`vtg.datasets.keep_first`.
    """
    if rehearsal:
        rehearse(cfg)
    if limit is not None:
        keep_first(cfg, limit)
    return cfg


def check_data(cfg: Config) -> None:
    """Check that the data of training and validation are there, before a run folder is made.

    Training does not need the data of the test split; what is absent of it is named with the rest.

    Raises:
        DataError: An annotation file or a feature folder is absent; names all that are.
    """
    absent = {
        name: dataset.absent()
        for name in ('train', 'val', 'test')
        if (dataset := _files_of(cfg, name)) is not None
    }
    if absent.get('train') or absent.get('val'):
        raise missing_data(text for texts in absent.values() for text in texts)


def check_weights(cfg: Config) -> None:
    """Check that the weights are there which a fine-tuning config starts from.

    Such a config says in ``weights_from`` how the file of its ``load_from`` is made, and does not
    start from random weights unless told to. A run that is resumed has weights of its own.

    Raises:
        CheckpointError: The file is absent; names what makes it and how to do without.
    """
    how, file, resume = cfg.get('weights_from'), cfg.get('load_from'), cfg.get('resume')
    if resume in (True, 'auto'):
        resume = find_latest_checkpoint(cfg.get('work_dir') or '.')
    if how is None or resume or (file is not None and ('://' in file or Path(file).is_file())):
        return
    what = 'load_from is None' if file is None else f'{file} does not exist'
    raise CheckpointError(
        f'{cfg.filename or "the config"} starts from pre-trained weights, but {what}: make them '
        f'with {how} and set load_from to the file, or set load_from=None weights_from=None to '
        'start from random weights.'
    )


def read_data(cfg: Config) -> None:
    """Read the annotations of training and validation and look for the features of every record.

    Raises:
        DataError: See :func:`check_data` and :class:`vtg.datasets.GroundingDataset`.
        CheckpointError: See :func:`check_weights`.
    """
    check_data(cfg)
    check_weights(cfg)
    for name in ('train', 'val'):
        dataset = _files_of(cfg, name)
        if dataset is not None:
            dataset.full_init()


def advise(cfg: Config) -> None:
    """Log how the features of the training could be read faster."""
    dataset = _files_of(cfg, 'train')
    reader = getattr(dataset, 'reader', None)
    if reader is not None:
        for text in packing_advice((*reader.video, *reader.text)):
            print_log(text, 'current')


def _files_of(cfg: Config, split: str) -> Any:
    """The dataset of a split, nothing of it read; None where it reads no files."""
    dataset = (cfg.get(f'{split}_dataloader') or {}).get('dataset') or {}
    if 'type' not in dataset or not hasattr(DATASETS.get(dataset['type']), 'absent'):
        return None
    return DATASETS.build({**dataset, 'lazy_init': True})


def train(
    cfg: Config, launcher: str = 'none', options: Mapping[str, Any] | None = None
) -> GroundingRunner:
    """Train a model as ``cfg`` says and return the runner, which knows its best checkpoint.

    Args:
        cfg: A config with a work directory.
        launcher: ``'none'`` or ``'pytorch'`` (torchrun).
        options: What :func:`~vtg.engine.run_folder.store_options` keeps for ``--resume``.

    Raises:
        ConfigError: The work directory holds another run, or another process trains in it.
        DataError: An annotation file or a feature folder is absent.
        CheckpointError: See :func:`check_weights`.
    """
    if cfg.get('train_cfg') is None:
        raise ConfigError(
            'train_cfg is None, so there is nothing to train; use a config with train_dataloader, '
            'train_cfg and optim_wrapper.'
        )
    setup_distributed(cfg, launcher)
    check_weights(cfg)
    check_data(cfg)
    with _own_folder(cfg, launcher, options):
        runner = GroundingRunner.from_cfg(cfg)
        if is_main_process():
            advise(cfg)
        runner.train()
    # The distributed wrapper would keep the process group and its threads alive.
    runner.model = runner.bare_model
    return runner


@contextlib.contextmanager
def _own_folder(cfg: Config, launcher: str, options: Mapping[str, Any] | None) -> Iterator[None]:
    """Hold the work directory of a run; of several processes the first does."""
    if launcher != 'none' and int(os.environ.get('RANK', 0)):
        yield
        return
    check_free(cfg.work_dir, cfg.get('resume') or False)
    with locked(cfg.work_dir):
        if options is not None:
            store_options(cfg.work_dir, options)
        yield
