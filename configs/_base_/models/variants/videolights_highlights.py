# SPDX-License-Identifier: Apache-2.0
# VideoLights where only highlights are rated: the saliency terms are the only losses. The moment
# head stays untrained, as in the released code, because the scores of the task-coupled loss are
# made from its best moment. The scripts weigh the alignment losses, but the code never computes
# them; their layers stay so that pre-trained weights fit.
_base_ = '../videolights.py'

model = dict(
    moment_head=dict(
        losses=dict(span=None, giou=None, label=None, align=dict(weight=0.0)),
    ),
    auxiliary=dict(clip_text=dict(losses=dict(cosine=dict(weight=0.0)))),
    # From scratch. For the weight of the cosine the scripts try 1, 5 and 10.
    saliency_head=dict(
        losses=dict(hard_positive=dict(coef=1.0), hard_negative=dict(coef=1.0)),
    ),
)
