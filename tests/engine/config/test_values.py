# SPDX-License-Identifier: Apache-2.0
"""A value of the wrong kind is named with its place."""

from pathlib import Path

import pytest

from vtg.engine import load_config
from vtg.utils import ConfigError

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    ('option', 'sentence'),
    [
        (
            'model.encoder.num_layers=-1',
            'model.encoder.num_layers is -1; TransformerEncoder',
        ),
        ('model.defaults.dropout=2', 'model.defaults.dropout is 2'),
        ('+model.encoder.x=5', 'model.encoder.x is no argument of TransformerEncoder'),
        ('model.encoder.type=None', 'model.encoder.type is None'),
        ('+model.defaults.num_head=4', 'model.defaults has no num_head; did you mean num_heads'),
        ('+model.test_cfg.outptu=detr', 'test_cfg has no outptu; did you mean output'),
        ('+model.test_cfg.saliency_dtype=float15', "did you mean 'float16'"),
        ('+model.negatives.stage=fusion', 'has no stage; did you mean stages'),
        ('+model.moment_head.stage_weights.layer=1', 'has no layer; did you mean layers'),
        (
            '+model.moment_head.ranking.by=clas',
            "model.moment_head.ranking.by is 'clas'; did you mean",
        ),
        ('train_dataloader.batch_size=0', 'train_dataloader.batch_size is 0'),
        ('train_dataloader.num_workers=-1', 'train_dataloader.num_workers is -1'),
        ('+train_dataloader.batchsize=4', 'has no batchsize; did you mean batch_size'),
        ('train_dataloader.sampler.type=EpochSampeler', 'did you mean EpochSampler'),
        ('randomness.seed=-1', 'randomness.seed is -1'),
        ('train_cfg.val_interval=0', 'train_cfg.val_interval is 0'),
        ('train_cfg.max_epochs=0', 'train_cfg.max_epochs is 0'),
        ('model.moment_head.queries.num_queries=1000000', 'num_queries is 1000000'),
        ('optim_wrapper.optimizer.lr=abc', "optim_wrapper.optimizer.lr is 'abc'"),
        ('+optim_wrapper.optimizer.momentm=1', 'optim_wrapper.optimizer.momentm is no argument'),
        ('param_scheduler.0.start_factor=x', "param_scheduler.0.start_factor is 'x'"),
        ('work_dir=5', 'work_dir is 5'),
        ('default_hooks.checkpoint.interval=x', "default_hooks.checkpoint.interval is 'x'"),
        ('val_evaluator=5', 'val_evaluator is 5'),
        ('default_scope=mm', "default_scope is 'mm'"),
    ],
)
def test_a_wrong_value_is_named_with_its_place(option, sentence):
    from vtg.registry import MODELS

    with pytest.raises(ConfigError) as caught:
        key = '+work_dir=5' if option == 'work_dir=5' else option
        MODELS.build(load_config(ROOT / 'configs/qd_detr/demo.py', [key]).model)
    assert sentence in str(caught.value)
