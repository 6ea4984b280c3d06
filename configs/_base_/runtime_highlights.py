# SPDX-License-Identifier: Apache-2.0
# Highlights only, one model per domain: the best epoch by mean average precision. Epochs are a few
# steps long, so they are not all stored.
_base_ = './default_runtime.py'

default_hooks = dict(checkpoint=dict(interval=50, save_best='HL-mAP'))
