# SPDX-License-Identifier: Apache-2.0
"""Checkpoints of SG-DETR's released code."""

import re

import torch

from .rules import Conversion, StateDict

QUERY_HEAD = 'moment_head.query_head'
DENSE_HEAD = 'moment_head.dense_head'
# Linear and PReLU inside a feed-forward network.
FFN = r'ffn\.mapping\.(\d+)\.(\w+)'


def _projector(match: re.Match) -> str:
    """A block of the released projector is LayerNorm and Linear; ours lists four layers a block."""
    modality = {'vid': 'video', 'txt': 'text'}[match[1]]
    return f'{modality}_projector.layers.{4 * int(match[2]) + int(match[3])}.{match[4]}'


def _pyramid(match: re.Match) -> str:
    level = {'upscale': 'up2', 'level0': 'same', 'level1': 'down2', 'level2': 'down4'}[match[1]]
    # Levels that start with an upsampling or an activation count from 1.
    index = int(match[2]) - (match[1] in ('upscale', 'level2'))
    conv = index // 3 + 1
    return f'neck.{level}.{"norm" if match[3] == "norm" else "conv"}{conv}.' + (
        match[4] if match[3] == 'norm' else f'{match[3]}.{match[4]}'
    )


def _tower(match: re.Match) -> str:
    tower = {'classification': 'class_tower', 'regression': 'span_tower'}[match[1]]
    index = int(match[2]) // 4
    if match[3]:
        return f'{DENSE_HEAD}.{tower}.norms.{index}.{match[4]}'
    return f'{DENSE_HEAD}.{tower}.convs.{index}.conv.{match[4]}'


def _finish(state: StateDict) -> StateDict:
    """Join parameters that the released code stores apart."""
    scales = sorted(key for key in state if key.startswith(f'{DENSE_HEAD}.scales.'))
    if scales:
        state[f'{DENSE_HEAD}.scales'] = torch.cat([state.pop(key) for key in scales])
    reference = f'{QUERY_HEAD}.queries.reference_logits'
    if f'{reference}.center' in state:
        parts = [state.pop(f'{reference}.{name}') for name in ('center', 'width')]
        state[reference] = torch.cat(parts, dim=1)
    content = f'{QUERY_HEAD}.denoising_content'
    if content in state:
        state[content] = state[content].squeeze(0)
    if 'local_saliency_head.pooling.layers.1.attention_norm.weight' not in state:
        # A single pooling layer never uses the norm between layers.
        for name in ('weight', 'bias'):
            state.pop(f'local_saliency_head.pooling.norm.{name}', None)
    return state


_DECODER = r'main_det_head\.decoder'
_LAYER = _DECODER + r'\.layers\.(\d+)'
_OURS = rf'{QUERY_HEAD}.decoder.layers.\1'

SGDETR = Conversion(
    renames=(
        (r'input_(vid|txt)_proj\.linear_mapper\.(\d+)\.mapper\.(\d+)\.(\w+)', _projector),
        (r'modality_embeddings\.weight', 'embedding.modality.weight'),
        (
            r'txt2vis_sal_encoder\.t2v_encoder\.layers\.(\d+)\.self_attn\.(.+)',
            r'fusion.layers.\1.attention.\2',
        ),
        (
            r'txt2vis_sal_encoder\.t2v_encoder\.layers\.(\d+)\.' + FFN,
            r'fusion.layers.\1.feed_forward.\2.\3',
        ),
        (r'txt2vis_sal_encoder\.t2v_encoder\.(.+)', r'fusion.\1'),
        *(
            rule
            for theirs, ours in (
                (r'det_encoder\.encoder', 'encoder'),
                (r'sent_encoder\.sent_cls_encoder', 'auxiliary.alignment.sentence_encoder'),
                (r'moment_encoder\.mcls_encoder', 'auxiliary.alignment.moment_encoder'),
            )
            for rule in (
                (
                    theirs + r'\.layers\.(\d+)\.self_attn\.(.+)',
                    rf'{ours}.layers.layers.\1.attention.\2',
                ),
                (
                    theirs + r'\.layers\.(\d+)\.' + FFN,
                    rf'{ours}.layers.layers.\1.feed_forward.\2.\3',
                ),
                (theirs + r'\.layers\.(\d+)\.(.+)', rf'{ours}.layers.layers.\1.\2'),
            )
        ),
        (r'sent_encoder\.sent_rep_token', 'auxiliary.alignment.sentence_encoder.token'),
        (r'sent_encoder\.sent_rep_pos', 'auxiliary.alignment.sentence_encoder.position'),
        (r'moment_encoder\.moment_rep_token', 'auxiliary.alignment.moment_encoder.token'),
        (r'moment_encoder\.moment_rep_pos', 'auxiliary.alignment.moment_encoder.position'),
        (r'fpn\.(\w+)\.(\d+)\.(depthwise|pointwise|norm)\.(\w+)', _pyramid),
        (r'query_selector\.enc_output\.(\w+)', rf'{QUERY_HEAD}.queries.project.\1'),
        (r'query_selector\.enc_output_norm\.(\w+)', rf'{QUERY_HEAD}.queries.norm.\1'),
        (
            r'query_selector\.enc_out_span_embed\.linear_mapper\.(.+)',
            rf'{QUERY_HEAD}.queries.span_head.\1',
        ),
        (r'query_selector\.enc_out_class_embed\.(\w+)', rf'{QUERY_HEAD}.queries.class_head.\1'),
        (r'query_selector\.enc_out_iou_embed\.(\w+)', rf'{QUERY_HEAD}.queries.quality_head.\1'),
        (r'main_det_head\.label_enc\.weight', f'{QUERY_HEAD}.queries.content'),
        (
            r'main_det_head\.refpoint_embed\.(center|width)\.weight',
            rf'{QUERY_HEAD}.queries.reference_logits.\1',
        ),
        (r'main_det_head\.co_mapper\.(.+)', r'moment_head.collab_content.\1'),
        (r'main_det_head\.dn_label_enc\.weight', f'{QUERY_HEAD}.denoising_content'),
        (
            _LAYER + r'\.self_attention\.(query|key)_(content|pos)_proj\.(\w+)',
            lambda m: (
                f'{QUERY_HEAD}.decoder.layers.{m[1]}.self_{m[2]}_'
                f'{"position" if m[3] == "pos" else "content"}.{m[4]}'
            ),
        ),
        (_LAYER + r'\.self_attention\.value_proj\.(\w+)', rf'{_OURS}.self_value.\2'),
        (_LAYER + r'\.self_attention\.self_attn\.(.+)', rf'{_OURS}.self_attention.\2'),
        (_LAYER + r'\.self_attention\.norm1\.(\w+)', rf'{_OURS}.norm1.\2'),
        (_LAYER + r'\.ca_qcontent_proj\.(\w+)', rf'{_OURS}.cross_query_content.\2'),
        (_LAYER + r'\.ca_qpos_sine_proj\.(\w+)', rf'{_OURS}.cross_query_sine.\2'),
        (_LAYER + r'\.ca_kcontent_proj\.(\w+)', rf'{_OURS}.cross_key_content.\2'),
        (_LAYER + r'\.ca_kpos_proj\.(\w+)', rf'{_OURS}.cross_key_position.\2'),
        (_LAYER + r'\.ca_value_proj\.(\w+)', rf'{_OURS}.cross_value.\2'),
        (_LAYER + r'\.cross_attn\.(.+)', rf'{_OURS}.cross_attention.\2'),
        (_LAYER + r'\.' + FFN, rf'{_OURS}.feed_forward.\2.\3'),
        (_LAYER + r'\.(norm[23]\.\w+)', rf'{_OURS}.\2'),
        (_DECODER + r'\.query_scale\.linear_mapper\.(.+)', rf'{QUERY_HEAD}.decoder.query_scale.\1'),
        (
            _DECODER + r'\.ref_point_head\.linear_mapper\.(.+)',
            rf'{QUERY_HEAD}.decoder.position_head.\1',
        ),
        (
            _DECODER + r'\.ref_anchor_head\.linear_mapper\.(.+)',
            rf'{QUERY_HEAD}.decoder.width_head.\1',
        ),
        (_DECODER + r'\.span_embed\.linear_mapper\.(.+)', rf'{QUERY_HEAD}.decoder.refine.\1'),
        (
            _DECODER + r'\.quality_score_embed\.linear_mapper\.(.+)',
            rf'{QUERY_HEAD}.quality_head.\1',
        ),
        (_DECODER + r'\.norm\.(\w+)', rf'{QUERY_HEAD}.decoder.norm.\1'),
        (r'main_det_head\.span_embed\.linear_mapper\.(.+)', rf'{QUERY_HEAD}.span_head.\1'),
        (r'main_det_head\.class_embed\.(\w+)', rf'{QUERY_HEAD}.class_head.\1'),
        (
            r'aux_det_head\.(classification|regression)_head\.stem\.layers\.(\d+)\.(norm\.)?(\w+)',
            _tower,
        ),
        (
            r'aux_det_head\.classification_head\.cls_logits\.layers\.1\.(\w+)',
            rf'{DENSE_HEAD}.class_conv.conv.\1',
        ),
        (
            r'aux_det_head\.regression_head\.bbox_reg\.layers\.1\.(\w+)',
            rf'{DENSE_HEAD}.span_conv.conv.\1',
        ),
        (
            r'aux_det_head\.regression_head\.bbox_ctrness\.layers\.1\.(\w+)',
            rf'{DENSE_HEAD}.centerness_conv.conv.\1',
        ),
        (r'aux_det_head\.regression_head\.scales\.(\d+)\.scale', rf'{DENSE_HEAD}.scales.\1'),
        (r'local_saliency_head\.temp', 'local_saliency_head.scale'),
        (r'local_saliency_head\.a_param', 'local_saliency_head.shift'),
        (r'local_saliency_head\.sentence_pooling\.cls_q', 'local_saliency_head.pooling.query'),
        (
            r'local_saliency_head\.sentence_pooling\.norm\.(\w+)',
            r'local_saliency_head.pooling.norm.\1',
        ),
        (
            r'local_saliency_head\.sentence_pooling\.layers\.(\d+)\.(attn|ffn)(_norm)?\.(?:mapping\.)?(.+)',
            lambda m: (
                f'local_saliency_head.pooling.layers.{m[1]}.'
                f'{"attention" if m[2] == "attn" else "feed_forward"}{m[3] or ""}.{m[4]}'
            ),
        ),
        (r'global_saliency_head\.(\w+)', r'saliency_head.offset.\1'),
    ),
    # The text position table is switched off in every released config; anchors are computed.
    dropped=(r'txt_position_embed\..+', r'aux_det_head\.anchor_generator\..+'),
    finish=_finish,
)
