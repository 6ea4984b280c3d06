# SPDX-License-Identifier: Apache-2.0
# EaTR as line/lighthouse runs it: with two layers in encoder and decoder, not three.
_base_ = '../eatr.py'

model = dict(encoder=dict(num_layers=2), moment_head=dict(decoder=dict(num_layers=2)))
