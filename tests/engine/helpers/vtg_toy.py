# SPDX-License-Identifier: Apache-2.0
"""A toy model with dropout, a toy dataset and a toy metric for runs of the engine."""

import os
import signal

import torch
from mmengine.evaluator import BaseMetric
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from torch import nn
from torch.utils.data import Dataset

from vtg.registry import DATASETS, FUNCTIONS, HOOKS, METRICS, MODELS
from vtg.structures import Progress


@MODELS.register_module()
class ToyModel(BaseModel):
    """A regression with dropout and batch normalisation, so with floating and integer buffers."""

    def __init__(self, dim: int = 8, nan_at: int = -1) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(4, dim), nn.BatchNorm1d(dim), nn.ReLU(), nn.Dropout(0.5), nn.Linear(dim, 1)
        )
        self.progress = Progress()
        self.seen: list[Progress] = []
        self.nan_at = nan_at
        self.steps = 0

    def forward(self, video, targets, meta, mode='tensor'):
        out = self.net(video)[:, 0]
        if mode == 'predict':
            return [{'qid': item['qid'], 'value': float(value)} for item, value in zip(meta, out)]
        self.seen.append(self.progress)
        bad = float('nan') if self.steps == self.nan_at else 1.0
        self.steps += 1
        return {
            'loss_square': (out - targets).square().mean(),
            'loss_abs': bad * (out - targets).abs().mean(),
        }


@DATASETS.register_module()
class ToyDataset(Dataset):
    """Thirty-two fixed samples."""

    metainfo = {'name': 'toy'}

    def __len__(self) -> int:
        return 32

    def __getitem__(self, index):
        generator = torch.Generator().manual_seed(index)
        video = torch.randn(4, generator=generator)
        return {'video': video, 'targets': video.sum(), 'qid': index, 'vid': f'v{index}'}

    def get_data_info(self, index):
        return {'index': index}

    def clips_of(self, record):
        return 2 + record['index'] % 3

    def video_of(self, record):
        return record['index']


@FUNCTIONS.register_module()
def toy_collate(samples):
    """Stack the samples."""
    return {
        'video': torch.stack([sample['video'] for sample in samples]),
        'targets': torch.stack([sample['targets'] for sample in samples]),
        'meta': [{'qid': sample['qid'], 'vid': sample['vid']} for sample in samples],
    }


@METRICS.register_module()
class ToyMetric(BaseMetric):
    """Grows with the number of calls; counts the samples it has seen."""

    default_prefix = 'toy'
    calls = 0

    def process(self, data_batch, data_samples):
        self.results.extend(data_samples)

    def compute_metrics(self, results):
        type(self).calls += 1
        return {
            'score': float(self.calls),
            'samples': len({result['qid'] for result in results}),
            'mean': sum(result['value'] for result in results) / len(results),
        }


@HOOKS.register_module()
class KillHook(Hook):
    """Kills the process without a chance to clean up, after training step ``iteration`` or in
    the validation after epoch ``validation``."""

    priority = 'LOWEST'

    def __init__(self, iteration: int = -1, validation: int = -1) -> None:
        self.iteration = iteration
        self.validation = validation

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.iter == self.iteration:
            os.kill(os.getpid(), signal.SIGKILL)

    def after_val_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.epoch == self.validation:
            os.kill(os.getpid(), signal.SIGKILL)
