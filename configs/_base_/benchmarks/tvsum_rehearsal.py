# SPDX-License-Identifier: Apache-2.0
# A rehearsal of TVSum: the real annotation files with small simulated features, to try the protocol
# before the real features are downloaded. Any config can be rehearsed in its own widths with
# `tools/train.py --rehearsal`.
_base_ = './tvsum.py'

benchmark = dict(
    name='TVSum with simulated features',
    video=[dict(type='SimulatedVideo', dim=64, difficulty=0.5)],
    text=[dict(type='SimulatedText', dim=64)],
)
