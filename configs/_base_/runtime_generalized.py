# SPDX-License-Identifier: Apache-2.0
# Generalized moment retrieval: the best epoch has the highest mAP of the queries with a moment, and
# training stops after 50 evaluations that are not better.
_base_ = './default_runtime.py'

default_hooks = dict(
    checkpoint=dict(save_best='GMR/mAP'),
    early_stopping=dict(
        type='EarlyStoppingHook', monitor='GMR/mAP', rule='greater', patience=50, min_delta=0.0
    ),
)
