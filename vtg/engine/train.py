# SPDX-License-Identifier: Apache-2.0
"""Training from a config."""

from pathlib import Path

from mmengine.config import Config

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


def train(cfg: Config, launcher: str = 'none') -> GroundingRunner:
    """Train a model as ``cfg`` says and return the runner, which knows its best checkpoint."""
    setup_distributed(cfg, launcher)
    runner = GroundingRunner.from_cfg(cfg)
    runner.train()
    # The distributed wrapper would keep the process group and its threads alive.
    runner.model = runner.bare_model
    return runner
