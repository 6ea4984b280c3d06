# SPDX-License-Identifier: Apache-2.0
# TaskWeave where only highlights are rated: no moments, so no feedback from them, and feedback to
# them leaves the saliency as it is. The group without losses drops out of the learned balance; the
# released code stops there.
_base_ = '../taskweave.py'

model = dict(
    feedback=dict(moment_guided=None),
    moment_head=None,
)
