# SPDX-License-Identifier: Apache-2.0
"""Rules for the parts that the released DETR-like systems share."""

import re

from .rules import Rename

# The learned text position is in every released checkpoint and switched off in every released run.
UNUSED = (r'txt_position_embed\..+',)

HEAD = 'moment_head'
MODALITIES = {'vid': 'video', 'txt': 'text'}


def _projector(match: re.Match) -> str:
    """A released block has LayerNorm and Linear; ours lists four layers a block."""
    index = 4 * int(match[2]) + (0 if match[3] == 'LayerNorm' else 2)
    return f'{MODALITIES[match[1]]}_projector.layers.{index}.{match[4]}'


PROJECTORS: tuple[Rename, ...] = (
    (r'input_(vid|txt)_proj\.(\d+)\.(LayerNorm|net\.1)\.(\w+)', _projector),
)


def layer_rules(theirs: str, ours: str, attention: str = 'self_attn') -> tuple[Rename, ...]:
    """Rules for a stack of transformer layers.

    Args:
        theirs: Pattern of the stack, e.g. ``r'transformer\\.encoder'``; without groups.
        ours: Where its layers are, e.g. ``'encoder.layers'``.
        attention: What the released layers call their attention.
    """
    layer, place = theirs + r'\.layers\.(\d+)\.', rf'{ours}.layers.\1.'
    return (
        (rf'{layer}{attention}\.(.+)', rf'{place}attention.\2'),
        *feed_forward_rules(layer, place),
        (layer + r'(norm\d\.\w+)', rf'{place}\2'),
    )


def feed_forward_rules(layer: str, place: str) -> tuple[Rename, ...]:
    """Rules for the feed-forward network of a layer; ``layer`` has one group, its number."""
    return (
        (layer + r'linear1\.(\w+)', rf'{place}feed_forward.0.\2'),
        (layer + r'activation\.(\w+)', rf'{place}feed_forward.1.\2'),
        (layer + r'linear2\.(\w+)', rf'{place}feed_forward.3.\2'),
    )


_DECODER = r'transformer\.decoder\.'
_LAYER = _DECODER + r'layers\.(\d+)\.'
_OURS = rf'{HEAD}.decoder.layers.\1.'
_SELF = {
    'qcontent': 'self_query_content',
    'qpos': 'self_query_position',
    'kcontent': 'self_key_content',
    'kpos': 'self_key_position',
    'v': 'self_value',
}
_CROSS = {
    'qcontent': 'cross_query_content',
    'qpos': 'cross_query_position',
    'qpos_sine': 'cross_query_sine',
    'kcontent': 'cross_key_content',
    'kpos': 'cross_key_position',
    'v': 'cross_value',
}

# The dynamic-anchor decoder of QD-DETR and its successors.
SPAN_DECODER: tuple[Rename, ...] = (
    (
        _LAYER + r'sa_(\w+)_proj\.(\w+)',
        lambda m: f'{HEAD}.decoder.layers.{m[1]}.{_SELF[m[2]]}.{m[3]}',
    ),
    (
        _LAYER + r'ca_(\w+)_proj\.(\w+)',
        lambda m: f'{HEAD}.decoder.layers.{m[1]}.{_CROSS[m[2]]}.{m[3]}',
    ),
    (_LAYER + r'self_attn\.(.+)', rf'{_OURS}self_attention.\2'),
    (_LAYER + r'cross_attn\.(.+)', rf'{_OURS}cross_attention.\2'),
    *feed_forward_rules(_LAYER, _OURS),
    (_LAYER + r'(norm\d\.\w+)', rf'{_OURS}\2'),
    (_DECODER + r'norm\.(\w+)', rf'{HEAD}.decoder.norm.\1'),
    *(
        (
            rf'{_DECODER}{theirs}\.layers\.(\d+)\.(\w+)',
            # Activations stand between the linear layers.
            lambda m, ours=ours: f'{HEAD}.decoder.{ours}.{2 * int(m[1])}.{m[2]}',
        )
        for theirs, ours in (
            ('query_scale', 'query_scale'),
            ('ref_point_head', 'position_head'),
            ('ref_anchor_head', 'width_head'),
            ('bbox_embed', 'refine'),
        )
    ),
    (r'query_embed\.weight', f'{HEAD}.queries.reference_logits'),
)

# The plain decoder of Moment-DETR.
SLOT_DECODER: tuple[Rename, ...] = (
    (_LAYER + r'self_attn\.(.+)', rf'{_OURS}self_attention.\2'),
    (_LAYER + r'multihead_attn\.(.+)', rf'{_OURS}cross_attention.\2'),
    *feed_forward_rules(_LAYER, _OURS),
    (_LAYER + r'(norm\d\.\w+)', rf'{_OURS}\2'),
    (_DECODER + r'norm\.(\w+)', rf'{HEAD}.decoder.norm.\1'),
    (r'query_embed\.weight', f'{HEAD}.queries.slots'),
)

PREDICTION_HEADS: tuple[Rename, ...] = (
    (r'class_embed\.(\w+)', rf'{HEAD}.class_head.\1'),
    (r'span_embed\.layers\.(\d+)\.(\w+)', lambda m: f'{HEAD}.span_head.{2 * int(m[1])}.{m[2]}'),
    (r'contrastive_align_projection_query\.(\w+)', rf'{HEAD}.losses.align.query_proj.\1'),
    (r'contrastive_align_projection_txt\.(\w+)', rf'{HEAD}.losses.align.text_proj.\1'),
)

# Makes an embedding of the video that no loss reads.
UNUSED_ALIGNMENT = (r'contrastive_align_projection_vid\.\w+',)

CONTEXT_TOKEN: tuple[Rename, ...] = (
    (r'global_rep_token', 'encoder.context'),
    (r'global_rep_pos', 'encoder.context_position'),
)
CONTEXT_SALIENCY: tuple[Rename, ...] = (
    (r'saliency_proj1\.(\w+)', r'saliency_head.clip_proj.\1'),
    (r'saliency_proj2\.(\w+)', r'saliency_head.context_proj.\1'),
)
