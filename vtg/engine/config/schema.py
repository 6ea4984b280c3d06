# SPDX-License-Identifier: Apache-2.0
"""What a run reads from the top of a config, and of which kind it is.

Components check their own arguments, see :mod:`vtg.utils.arguments`; these are the keys that belong
to no component. Names in MMEngine's documentation are its own.
"""

from collections.abc import Sequence
from typing import Any, Literal, TypedDict


class Loader(TypedDict, total=False):
    """A data loader: PyTorch's arguments, with configs in place of objects."""

    dataset: dict
    batch_size: int
    num_workers: int
    persistent_workers: bool
    prefetch_factor: int | None
    pin_memory: bool
    pin_memory_device: str
    drop_last: bool
    timeout: float
    in_order: bool
    multiprocessing_context: Literal['fork', 'forkserver', 'spawn'] | None
    sampler: dict
    batch_sampler: dict | None
    collate_fn: dict
    worker_init_fn: dict | None
    num_batch_per_epoch: int | None


class Randomness(TypedDict, total=False):
    """Where random numbers come from."""

    seed: int | None
    deterministic: bool
    diff_rank_seed: bool


class Processes(TypedDict, total=False):
    """How workers start."""

    mp_start_method: Literal['fork', 'forkserver', 'spawn']
    opencv_num_threads: int


class Environment(TypedDict, total=False):
    """Settings of the process."""

    cudnn_benchmark: bool
    mp_cfg: Processes
    dist_cfg: dict[str, Any]
    resource_limit: int


class Benchmark(TypedDict, total=False):
    """The facts of a benchmark, see :data:`vtg.engine.config.FACTS`."""

    name: str
    dataset: dict
    splits: dict[str, dict | None]
    evaluator: Sequence[dict] | dict
    video: str | dict | Sequence[str | dict]
    text: str | dict | Sequence[str | dict]
    audio: str | dict | Sequence[str | dict]
    features: str | None
    video_dim: int | None
    text_dim: int | None
    audio_dim: int | None
    clip_length: float
    duration_limit: float | None
    grid: float | None
    domains: Sequence[str]


class Run(TypedDict, total=False):
    """The top of a config."""

    model: dict
    work_dir: str | None
    default_scope: Literal['vtg']
    experiment_name: str | None
    launcher: Literal['none', 'pytorch', 'slurm', 'mpi']
    train_dataloader: Loader | None
    val_dataloader: Loader | None
    test_dataloader: Loader | None
    train_cfg: dict | None
    val_cfg: dict | None
    test_cfg: dict | None
    val_evaluator: Sequence[dict] | dict | None
    test_evaluator: Sequence[dict] | dict | None
    optim_wrapper: dict | None
    param_scheduler: Sequence[dict] | dict | None
    auto_scale_lr: dict | None
    default_hooks: dict[str, dict | None]
    custom_hooks: Sequence[dict] | None
    model_wrapper_cfg: dict | None
    visualizer: dict | None
    log_processor: dict
    log_level: Literal['DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL']
    env_cfg: Environment
    randomness: Randomness
    compile: bool | dict[str, Any]
    load_from: str | None
    weights_from: str | None
    load_parts: Sequence[str] | None
    resume: bool | str
    resume_schedule: Literal['saved', 'new']
    find_unused_parameters: bool
    report_after_training: bool
    benchmark: Benchmark
    lineage: Sequence[str]
    domains: Sequence[str] | dict[str, Any]
    custom_imports: dict | None
