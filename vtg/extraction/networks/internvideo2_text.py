# SPDX-License-Identifier: Apache-2.0
"""The text towers of InternVideo2, as models of Hugging Face ``transformers``."""

import re
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from vtg.utils.optional import require

from .internvideo2_sizes import TextSizes


class TextOutput(NamedTuple):
    """States ``(B, N, D)``, these in the space of the clips, and the sentences ``(B, E)`` there."""

    states: Tensor
    projected: Tensor
    pooled: Tensor


class BertText(nn.Module):
    """The first layers of BERT, before those that see the video, and a projection."""

    start, end = 'cls_token', 'sep_token'
    tokenizer = 'the tokenizer of BERT, such as google-bert/bert-large-uncased'
    prefixes = ('text_encoder.bert.', 'text_proj.')

    def __init__(self, sizes: TextSizes) -> None:
        super().__init__()
        transformers = require('transformers', 'the text tower of InternVideo2')
        config = transformers.BertConfig(
            vocab_size=sizes.vocabulary, hidden_size=sizes.dim, num_hidden_layers=sizes.layers,
            num_attention_heads=sizes.heads, intermediate_size=sizes.mlp_dim, hidden_act='gelu',
            max_position_embeddings=sizes.positions, layer_norm_eps=1e-12,
        )  # fmt: skip
        self.bert = transformers.BertModel(config, add_pooling_layer=False)
        self.text_proj = nn.Linear(sizes.dim, sizes.projected_dim)
        _renew_buffers(self, config)

    @staticmethod
    def own_name(name: str) -> str:
        """Name here of a tensor of a file."""
        return name.removeprefix('text_encoder.')

    @staticmethod
    def optional(name: str, layers: int) -> bool:
        """Whether a tensor of a file belongs to no layer that runs."""
        layer = re.match(r'bert\.encoder\.layer\.(\d+)\.', name)
        other = name.startswith(('bert.pooler.', 'bert.embeddings.position_ids'))
        return other or bool(layer and int(layer[1]) >= layers)

    def forward(self, ids: Tensor, mask: Tensor) -> TextOutput:
        """Map ``(B, N)``, mask True at tokens, to their states."""
        places = torch.arange(ids.shape[1], device=ids.device)[None]
        states = self.bert(
            input_ids=ids, attention_mask=mask.long(), position_ids=places,
            token_type_ids=torch.zeros_like(ids),
        ).last_hidden_state  # fmt: skip
        projected = self.text_proj(states)
        return TextOutput(states, projected, projected[:, 0])


class LlamaText(nn.Module):
    """LLaMA and a projection of the state of the last token."""

    start, end = 'bos_token', 'eos_token'
    tokenizer = 'the tokenizer of InternVL-C, the folder chinese_alpaca_lora_7b'
    prefixes = ('text_encoder.transformer.', 'text_encoder.text_projection')

    def __init__(self, sizes: TextSizes) -> None:
        super().__init__()
        transformers = require('transformers', 'the text tower of InternVideo2')
        config = transformers.LlamaConfig(
            vocab_size=sizes.vocabulary, hidden_size=sizes.dim, num_hidden_layers=sizes.layers,
            num_attention_heads=sizes.heads, intermediate_size=sizes.mlp_dim, rms_norm_eps=1e-6,
            max_position_embeddings=sizes.positions,
        )  # fmt: skip
        self.transformer = transformers.LlamaModel(config)
        self.text_projection = nn.Parameter(torch.zeros(sizes.dim, sizes.projected_dim))
        _renew_buffers(self, config)

    @staticmethod
    def own_name(name: str) -> str:
        """Name here of a tensor of a file; what the package of the corrections adds is dropped."""
        name = name.removeprefix('text_encoder.').replace('base_model.model.', '')
        return name.replace('.base_layer.', '.')

    @staticmethod
    def optional(name: str, layers: int) -> bool:
        """Whether a tensor of a file is none of the network."""
        return 'rotary_emb' in name or 'lora_' in name or 'lm_head' in name

    def forward(self, ids: Tensor, mask: Tensor) -> TextOutput:
        """Map ``(B, N)``, mask True at tokens, to their states."""
        states = self.transformer(
            input_ids=ids, attention_mask=mask.long(), use_cache=False
        ).last_hidden_state
        last = (mask * torch.arange(1, ids.shape[1] + 1, device=ids.device)).argmax(dim=1)
        projected = states @ self.text_projection
        return TextOutput(states, projected, projected[torch.arange(len(ids)), last])


def _renew_buffers(model: nn.Module, config: Any) -> None:
    """Give a model of the meta device the tables that no checkpoint holds."""
    for module in model.modules():
        if hasattr(module, 'rotary_emb'):
            kind: Any = type(module.rotary_emb)
            with torch.device('cpu'):
                module.rotary_emb = kind(config=config)
        for name, buffer in module.named_buffers(recurse=False):
            if buffer.is_meta:  # BERT's, which are given with every call
                setattr(module, name, torch.zeros_like(buffer, device='cpu'))
