# SPDX-License-Identifier: Apache-2.0
"""Model configs of the DETR-like systems in the sizes of a reference set."""

import re
from typing import Any

from .common import copy_config
from .core import ReferenceSet

# Weighted terms of ours by the name of the released unweighted one.
DETECTION = {'span': 'loss_span', 'giou': 'loss_giou', 'label': 'loss_label'}


def depth(data: ReferenceSet, stack: str) -> int:
    """Number of layers of a stack, e.g. ``'transformer.encoder'``, in the stored weights."""
    pattern = re.compile(rf'sd/{re.escape(stack)}\.layers\.(\d+)\.')
    found = [int(match[1]) for key in data if (match := pattern.match(key))]
    return max(found, default=-1) + 1


def resize_detr(base: dict, data: ReferenceSet) -> Any:
    """Give the model of a config the sizes, depths and weights of a reference set.

    Args:
        base: A model config with the slots of the DETR family.
        data: Its description holds ``config`` and ``weights``.
    """
    cfg, sizes, weights = copy_config(base), data.info['config'], data.info['weights']
    cfg.defaults.update(
        dim=sizes['hidden_dim'],
        num_heads=sizes['nheads'],
        hidden_dim=sizes['dim_feedforward'],
    )
    for name, modality in (('vid', 'video'), ('txt', 'text')):
        norm = data[f'sd/input_{name}_proj.0.LayerNorm.weight']
        cfg[f'{modality}_projector'].update(in_dim=len(norm), num_layers=sizes['n_input_proj'])
    if depth(data, 'transformer.t2v_encoder'):
        cfg.fusion.num_layers = depth(data, 'transformer.t2v_encoder')
    if cfg.get('encoder') is not None and 'num_layers' in cfg.encoder:
        cfg.encoder.num_layers = depth(data, 'transformer.encoder')
    head = cfg.moment_head
    head.queries.num_queries = sizes['num_queries']
    head.decoder.num_layers = depth(data, 'transformer.decoder')
    costs = head.matcher.costs
    costs.span.weight = sizes['set_cost_span']
    costs.giou.weight = sizes['set_cost_giou']
    costs.label.weight = sizes['set_cost_class']
    head.loss.weights = {name: weights[f'loss_{name}'] for name in DETECTION}
    # The released code gives every layer the weights of the last one, or none.
    head.loss.stage_weights = dict(layers=1.0 if sizes['aux_loss'] else 0.0)
    if 'background_weight' in head.loss.class_loss:
        head.loss.class_loss.background_weight = sizes['eos_coef']
    if sizes.get('contrastive_align_loss') and head.get('alignment') is not None:
        head.alignment.update(
            embed_dim=sizes['contrastive_hdim'],
            temperature=sizes['temperature'],
            weight=weights['loss_contrastive_align'],
        )
    for loss in cfg.saliency_head.get('losses', {}).values():
        loss.weight = loss.get('weight', 1.0) * weights['loss_saliency']
        if loss.type == 'MarginPairLoss':
            loss.margin = sizes['saliency_margin']
    return cfg
