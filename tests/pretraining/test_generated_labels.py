# SPDX-License-Identifier: Apache-2.0
"""The pairs that the documented command makes train the ranking loss of the documented config."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch

from vtg.engine import load_config
from vtg.pretraining.synthetic import interval_clips, make_record, saliency_of
from vtg.registry import MODELS, TRANSFORMS

CONFIG = Path(__file__).resolve().parents[2] / 'configs/videolights/pretrain_generated.py'


def rank_loss(saliency_cfg, kind):
    """The config's ranking loss of random scores, on the labels of a record, and its gradient."""
    cfg = load_config(CONFIG)
    clips = interval_clips(10.0, 20.0, 12, 2.0)
    scores = saliency_of(np.array([0.21, 0.24, 0.31, 0.27, 0.25]), kind)
    record = make_record('v', 24.0, (10.0, 20.0), 'a dog runs', clips, scores)
    labels = TRANSFORMS.build(saliency_cfg)(record, 12, 2.0, np.random.default_rng(0))
    state = SimpleNamespace(
        video_mask=torch.ones(1, 12, dtype=torch.bool),
        targets=SimpleNamespace(saliency=torch.from_numpy(labels['saliency'])[None]),
    )
    logits = torch.randn(1, 12, generator=torch.Generator().manual_seed(0)).requires_grad_()
    loss = MODELS.build(cfg.model.saliency_head.losses.rank).compute(logits, state, None)
    return loss, torch.autograd.grad(loss, logits)[0]


def test_the_ranking_loss_learns_from_similarities():
    saliency = load_config(CONFIG).train_dataloader.dataset.labels.saliency
    for kind in ('similarity', 'exponential'):
        loss, grad = rank_loss(saliency, kind)
        assert loss > 0.1 and grad.norm() > 0.01
        assert grad[0, 7] < 0 < grad[0, 0]  # the best clip goes up, a clip outside goes down


def test_similarities_as_they_are_would_train_nothing():
    loss, grad = rank_loss({'type': 'AnnotatorSum'}, 'similarity')
    assert loss == 0 and not grad.any()
