# SPDX-License-Identifier: Apache-2.0
"""Token embeddings and position encodings."""

from .token_embedding import TokenEmbedding

__all__ = ['TokenEmbedding']
