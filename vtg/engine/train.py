# SPDX-License-Identifier: Apache-2.0
"""Training from a config."""

from pathlib import Path

from mmengine.config import Config

from vtg.registry import DATASETS
from vtg.utils import ConfigError

from .dist import setup_distributed
from .runner import GroundingRunner

AMP_TYPES = {'bf16': 'bfloat16', 'fp16': 'float16'}


def configure(
    cfg: Config,
    work_dir: str | None = None,
    resume: str | bool = False,
    amp: str | None = None,
    seed: int | None = None,
) -> Config:
    """Apply the options of ``tools/train.py`` to a config, in place.

    Args:
        cfg: A config with a file name.
        work_dir: Output folder; by default ``work_dirs/<folder>_<name>`` of the config file.
        resume: ``'auto'`` or the path of a checkpoint.
        amp: ``'bf16'`` or ``'fp16'``.
        seed: Random seed.
    """
    if work_dir is not None:
        cfg.work_dir = work_dir
    elif cfg.get('work_dir') is None:
        file = Path(cfg.filename).resolve()
        cfg.work_dir = f'work_dirs/{file.parent.name}_{file.stem}'
    if resume:
        cfg.resume = resume
    if amp is not None:
        if cfg.optim_wrapper.type not in ('GroundingOptimWrapper', 'AutocastOptimWrapper'):
            raise ConfigError(
                f'--amp needs optim_wrapper.type GroundingOptimWrapper, the config has '
                f'{cfg.optim_wrapper.type}; set that type or leave --amp away.'
            )
        cfg.optim_wrapper.update(type='AutocastOptimWrapper', dtype=AMP_TYPES[amp])
    if seed is not None:
        cfg.merge_from_dict({'randomness.seed': seed})
    return cfg


def check_data(cfg: Config) -> None:
    """Check that the data of training and validation are there, before a run folder is made.

    Raises:
        DataError: An annotation file or a feature folder is absent.
    """
    for name in ('train_dataloader', 'val_dataloader'):
        dataset = (cfg.get(name) or {}).get('dataset') or {}
        if hasattr(DATASETS.get(dataset.get('type')), 'check_sources'):
            DATASETS.build({**dataset, 'lazy_init': True}).check_sources()


def train(cfg: Config, launcher: str = 'none') -> GroundingRunner:
    """Train a model as ``cfg`` says and return the runner, which knows its best checkpoint."""
    setup_distributed(cfg, launcher)
    check_data(cfg)
    runner = GroundingRunner.from_cfg(cfg)
    runner.train()
    # The distributed wrapper would keep the process group and its threads alive.
    runner.model = runner.bare_model
    return runner
