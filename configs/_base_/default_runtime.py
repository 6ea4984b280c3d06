# SPDX-License-Identifier: Apache-2.0
# What every run shares: hooks, logging, environment, seed. See docs/engine.md.
default_scope = 'vtg'

# Every hook has a name, so a child config replaces one or removes it with None.
default_hooks = dict(
    runtime_info=dict(type='SparseRuntimeInfoHook', keep=1000),
    timer=dict(type='IterTimerHook'),
    # Curves of training and validation have one x axis, the number of steps.
    logger=dict(type='LoggerHook', interval=50, log_metric_by_epoch=False),
    param_scheduler=dict(type='ParamSchedulerHook'),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    progress=dict(type='ProgressHook'),
    epoch_seed=dict(type='EpochSeedHook'),
    nan_guard=dict(type='NanGuardHook'),
    unused_parameters=dict(type='UnusedParametersHook'),
    checkpoint=dict(
        type='AtomicCheckpointHook',
        interval=1,
        max_keep_ckpts=2,
        save_best='MR-full-mAP',
    ),
    resume_guard=dict(type='ResumeGuardHook'),
    plain_checkpoint=dict(type='PlainCheckpointHook'),
    console=dict(type='ConsoleHook'),
)
# Averaged weights: default_hooks = dict(ema=dict(type='EMAHook', momentum=0.001, strict_load=True))
custom_hooks = []

# TensorBoard beside the JSON log, in a child config (needs: pip install 'vtg-toolbox[optional]'):
# visualizer = dict(vis_backends=[dict(type='LocalVisBackend'), dict(type='TensorboardVisBackend')])
visualizer = dict(type='Visualizer', vis_backends=[dict(type='LocalVisBackend')])
log_processor = dict(type='BriefLogProcessor', window_size=50, by_epoch=True)
log_level = 'INFO'

val_cfg = dict()
test_cfg = dict()

env_cfg = dict(
    cudnn_benchmark=False,
    # OpenCV threads deadlock with forked loader workers.
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    dist_cfg=dict(backend='nccl'),
)
# Some systems have parameters that a step does not reach (a branch that is off, an unused level).
find_unused_parameters = True

randomness = dict(seed=0)
load_from = None
# How the weights of load_from are made: without them, a config that says so does not start.
weights_from = None
# Slots of the model that start from load_from, e.g. ['fusion', 'encoder']; None for all of it.
load_parts = None
# 'auto' goes on from the last checkpoint in work_dir; a path goes on from that file.
resume = False
# 'saved' refuses to resume under another schedule; 'new' moves the current one to that epoch.
resume_schedule = 'saved'
# Evaluate the best checkpoint on the validation split when training ends.
report_after_training = True
