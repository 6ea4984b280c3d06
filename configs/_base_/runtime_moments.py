# SPDX-License-Identifier: Apache-2.0
# Moment retrieval without graded highlights: the best epoch has the highest `selection`, the
# weighted mean that the evaluator of the data is given.
_base_ = './default_runtime.py'

default_hooks = dict(checkpoint=dict(save_best='selection'))
