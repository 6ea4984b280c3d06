# SPDX-License-Identifier: Apache-2.0
"""Rules for what CG-DETR and its successors share: dummies and adaptive cross-attention."""

from .detr import layer_rules
from .rules import Rename

ADAPTIVE_ATTENTION: tuple[Rename, ...] = (
    (r'token_type_embeddings\.weight', 'embedding.modality.weight'),
    (r'dummy_rep_token', 'refiner.tokens'),
    (r'dummy_rep_pos', 'refiner.positions'),
    *layer_rules('txtproj_encoder', 'refiner.layers'),
    *layer_rules(r'transformer\.t2v_encoder', 'fusion'),
    *layer_rules(r'transformer\.encoder', 'encoder.layers'),
)
