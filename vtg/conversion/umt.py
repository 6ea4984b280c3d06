# SPDX-License-Identifier: Apache-2.0
"""Checkpoints of UMT's released code on nncore 0.3.6 or 0.3.7."""

import re

import torch

from .rules import Conversion, Rename, StateDict

# Query, key and value are three layers there and one here.
PACKED = re.compile(r'(.*\.in_proj_(?:weight|bias))\.[012]')


def attention(theirs: str, ours: str) -> tuple[Rename, ...]:
    """Rules for an attention with the layers q, k, v and m; both names are for a whole key."""

    def packed(match: re.Match) -> str:
        return f'{match.expand(ours)}.in_proj_{match["kind"]}.{"qkv".index(match["part"])}'

    return (
        (rf'{theirs}\.(?P<part>[qkv])\.(?P<kind>weight|bias)', packed),
        (rf'{theirs}\.m\.(?P<kind>weight|bias)', rf'{ours}.out_proj.\g<kind>'),
    )


def feed_forward(theirs: str, ours: str) -> tuple[Rename, ...]:
    """Rules for a feed-forward network; ours has the norm in front of it as its first member."""
    return (
        (rf'{theirs}\.mapping\.(?P<layer>[03])\.(?P<kind>\w+)', rf'{ours}.1.\g<layer>.\g<kind>'),
    )


def pack(state: StateDict) -> StateDict:
    """Join the input projections of every attention."""
    for name in dict.fromkeys(match[1] for key in state if (match := PACKED.fullmatch(key))):
        state[name] = torch.cat([state.pop(f'{name}.{part}') for part in range(3)])
    return state


def _finish(state: StateDict) -> StateDict:
    """Tables of positions and tokens have a batch axis there; the query generator may be empty."""
    state = pack(state)
    for key in list(state):
        if re.fullmatch(r'.*positions\.table|fusion\.tokens', key) and state[key].dim() == 3:
            state[key] = state[key].squeeze(0)
    return state


_STREAM, _FUSION = r'(?P<stream>video|audio)_enc', r'cross_enc\.encoder\.encoder\.(?P<i>\d+)'
_DECODER = r'query_dec\.decoder\.(?P<i>\d+)'
_ENCODED, _FUSED = r'refiner.\g<stream>.layers.0', r'fusion.layers.\g<i>'
_DECODED = r'encoder.layers.\g<i>'


def _fusion_rules() -> tuple[Rename, ...]:
    rules: list[Rename] = []
    for index in range(2):
        rules += attention(rf'{_FUSION}\.att{index + 1}', rf'{_FUSED}.collect.{index}')
        rules += attention(rf'{_FUSION}\.att{index + 3}', rf'{_FUSED}.expand.{index}')
        rules += feed_forward(rf'{_FUSION}\.ffn{index + 1}', rf'{_FUSED}.feed_forward.{index}')
        rules += (
            (rf'{_FUSION}\.norm{index + 1}\.(?P<k>\w+)', rf'{_FUSED}.norms.{index}.\g<k>'),
            (
                rf'{_FUSION}\.norm{index + 5}\.(?P<k>\w+)',
                rf'{_FUSED}.feed_forward.{index}.0.\g<k>',
            ),
        )
    return (
        *rules,
        (rf'{_FUSION}\.norm3\.(?P<k>\w+)', rf'{_FUSED}.token_norm.\g<k>'),
        (rf'{_FUSION}\.norm4\.(?P<k>\w+)', rf'{_FUSED}.bottleneck_norm.\g<k>'),
    )


UMT = Conversion(
    renames=(
        (rf'{_STREAM}\.mapping\.linear\.(?P<k>\w+)', r'\g<stream>_projector.layers.1.\g<k>'),
        (rf'{_STREAM}\.pos_enc\.pe', r'refiner.\g<stream>.positions.table'),
        *attention(rf'{_STREAM}\.encoder\.att', rf'{_ENCODED}.attention'),
        *feed_forward(rf'{_STREAM}\.encoder\.ffn', rf'{_ENCODED}.feed_forward'),
        (rf'{_STREAM}\.encoder\.norm1\.(?P<k>\w+)', rf'{_ENCODED}.norm.\g<k>'),
        (rf'{_STREAM}\.encoder\.norm2\.(?P<k>\w+)', rf'{_ENCODED}.feed_forward.0.\g<k>'),
        (r'cross_enc\.pos_enc\.pe', 'fusion.positions.table'),
        (r'cross_enc\.encoder\.token', 'fusion.tokens'),
        (r'cross_enc\.norm\.(\w+)', r'fusion.norm.\1'),
        *_fusion_rules(),
        (r'query_gen\.mapping\.linear\.(\w+)', r'text_projector.layers.1.\1'),
        (r'query_gen\.mapping\.norm\.(\w+)', r'text_projector.layers.2.\1'),
        *attention(r'query_gen\.encoder', 'encoder.generator'),
        (r'query_dec\.q_pos_enc\.pe', 'encoder.query_positions.table'),
        (r'query_dec\.k_pos_enc\.pe', 'encoder.key_positions.table'),
        *attention(rf'{_DECODER}\.att1', rf'{_DECODED}.self_attention'),
        *attention(rf'{_DECODER}\.att2', rf'{_DECODED}.cross_attention'),
        *feed_forward(rf'{_DECODER}\.ffn', rf'{_DECODED}.feed_forward'),
        (rf'{_DECODER}\.norm1\.(?P<k>\w+)', rf'{_DECODED}.self_norm.\g<k>'),
        (rf'{_DECODER}\.norm2\.(?P<k>\w+)', rf'{_DECODED}.cross_norm.\g<k>'),
        (rf'{_DECODER}\.norm3\.(?P<k>\w+)', rf'{_DECODED}.feed_forward.0.\g<k>'),
        (r'query_dec\.norm\.(\w+)', r'encoder.norm.\1'),
        (r'pred_head\.\d+\.saliency_pred\.linear\.(\w+)', r'saliency_head.score.\1'),
        (r'pred_head\.\d+\.center_pred\.linear\.(\w+)', r'moment_head.centre.\1'),
        (r'pred_head\.\d+\.(window|offset)_pred\.linear\.(\w+)', r'moment_head.\1.\2'),
    ),
    finish=_finish,
)
