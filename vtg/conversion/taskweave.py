# SPDX-License-Identifier: Apache-2.0
"""Checkpoints of TaskWeave's released code."""

from .detr import PREDICTION_HEADS, PROJECTORS, SPAN_DECODER, UNUSED, layer_rules
from .rules import Conversion, Rename, StateDict

EXPERT = 'neck.moment_expert'
BALANCER = 'loss_balancer.log_variances'


def _finish(state: StateDict) -> StateDict:
    """Give tensors that the released code stores with axes of length 1 their shape here."""
    for key in (f'{EXPERT}.norm.weight', f'{EXPERT}.norm.bias'):
        if key in state:
            state[key] = state[key].flatten()
    key = f'{EXPERT}.pointwise.weight'
    if key in state:
        state[key] = state[key].squeeze(-1)
    for key in (f'{BALANCER}.moment', f'{BALANCER}.saliency'):
        if key in state:
            state[key] = state[key].reshape(())
    return state


_DECODER: tuple[Rename, ...] = tuple(
    (pattern.replace(r'transformer\.decoder', r'transformer\.mr_decoder'), replacement)
    for pattern, replacement in SPAN_DECODER
)

TASKWEAVE = Conversion(
    renames=(
        *PROJECTORS,
        *layer_rules(r'transformer\.t2v_encoder', 'fusion'),
        *layer_rules(r'transformer\.shared_encoder', 'neck.shared'),
        (r'transformer\.mr_linear\.(\w+)', r'neck.moment_map.\1'),
        (r'transformer\.hd_linear\.(\w+)', r'neck.saliency_map.\1'),
        (r'transformer\.mr_conv\.conv\.weight', f'{EXPERT}.depthwise.weight'),
        (r'transformer\.mr_norm\.(\w+)', rf'{EXPERT}.norm.\1'),
        (r'transformer\.mr_proj\.(\w+)', rf'{EXPERT}.pointwise.\1'),
        *_DECODER,
        *PREDICTION_HEADS,
        (r'saliency_proj_linear\.(\w+)', r'saliency_head.linear.\1'),
        (r'saliency_proj_local\.(\w+)', r'saliency_head.conv.conv.\1'),
        (r'output_saliency\.(\w+)', r'saliency_head.score.\1'),
        (r'mr_log_var', f'{BALANCER}.moment'),
        (r'hd_log_var', f'{BALANCER}.saliency'),
    ),
    dropped=UNUSED,
    finish=_finish,
)
