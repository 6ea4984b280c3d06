# SPDX-License-Identifier: Apache-2.0
"""Several processes under torchrun, with or without GPUs."""

import gc
import os

import torch
from mmengine.config import Config

from vtg.utils import ConfigError

_OF_TORCHRUN = ('RANK', 'WORLD_SIZE', 'LOCAL_RANK', 'MASTER_ADDR', 'MASTER_PORT')


def setup_distributed(cfg: Config, launcher: str) -> None:
    """Prepare the process group and the model wrapper for ``launcher``.

    MMEngine starts NCCL and pins the model to a GPU. Without CUDA this starts gloo and wraps the
    model for the CPU instead.

    Args:
        cfg: Changed in place: ``launcher`` and, on the CPU, ``model_wrapper_cfg``.
        launcher: ``'none'`` or ``'pytorch'`` (torchrun).

    Raises:
        ConfigError: The process was not started by torchrun.
    """
    missing = [name for name in _OF_TORCHRUN if name not in os.environ]
    if launcher == 'pytorch' and missing:
        raise ConfigError(
            f'--launcher pytorch is for processes that torchrun starts, but {missing[0]} is not '
            'set; write torchrun --nproc-per-node=N tools/train.py ..., or leave the option out.'
        )
    cfg.launcher = launcher
    if launcher == 'none' or torch.cuda.is_available():
        return
    if not torch.distributed.is_initialized():
        torch.distributed.init_process_group('gloo')
    cfg.setdefault(
        'model_wrapper_cfg',
        {
            'type': 'MMDistributedDataParallel',
            'device_ids': None,
            'find_unused_parameters': cfg.get('find_unused_parameters', False),
            'broadcast_buffers': False,
        },
    )


def finish_distributed(cfg: Config) -> bool:
    """Leave the process group; return whether this is the main process.

    What follows in the main process, such as a report, runs in that process alone.

    Args:
        cfg: Changed in place back to one process.
    """
    cfg.launcher = 'none'
    cfg.pop('model_wrapper_cfg', None)
    if not torch.distributed.is_initialized():
        return True
    main = torch.distributed.get_rank() == 0
    torch.distributed.barrier()
    # What still refers to the group would carry its threads into the end of the interpreter.
    gc.collect()
    torch.distributed.destroy_process_group()
    return main
