# SPDX-License-Identifier: Apache-2.0
"""FlashMMR as its released code predicts, for loading its weights.

The code verifies no moment and pools no query. It predicts one video at a time, where no quirk of
FlashVTG but the clip length has an effect.
"""

_base_ = './qvhl.py'

model = dict(
    auxiliary=None,
    # Clips last 2 s whatever the features.
    moment_head=dict(unit_seconds=2.0),
)
# Pairs of clips are of others only where there are two.
train_dataloader = dict(dataset=dict(labels=dict(saliency=dict(min_outside=2))))
