# SPDX-License-Identifier: Apache-2.0
"""UniVTG that rejects queries, on NA-VMR's QVHighlights: a head says whether there is a moment.

Settings of UniVTG-NA, which starts from a pre-training and has another head; README.md says which.
"""

_base_ = [
    '../_base_/models/univtg.py',
    '../_base_/benchmarks/na_vmr_qvhighlights_slowfast_clip.py',
    '../_base_/schedules/adamw_200e_drop80.py',
    '../_base_/default_runtime.py',
]

# As in qvhl.py.
benchmark = dict(dataset=dict(features=dict(max_text_tokens=None), labels=dict(max_windows=None)))
model = dict(auxiliary=dict(existence=dict(type='ExistenceHead')))
train_cfg = dict(val_interval=1)
randomness = dict(seed=2018)
