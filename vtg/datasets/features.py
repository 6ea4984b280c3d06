# SPDX-License-Identifier: Apache-2.0
"""Arithmetic on feature arrays: normalisation, concatenation, positions, token dropout."""

from collections.abc import Sequence

import numpy as np


def normalize_rows(features: np.ndarray, eps: float = 1e-5) -> np.ndarray:
    """Scale every row to unit length: ``x / (||x|| + eps)``, any shape ``(L, ..., D)``.

    ``eps`` is added to the norm, as in the loaders of the DETR family, so zero rows stay zero.
    """
    norms = np.sqrt(np.einsum('...j,...j->...', features, features))[..., None]
    return features / (norms + np.float32(eps))


def concatenate_sources(sources: Sequence[np.ndarray]) -> np.ndarray:
    """Cut arrays ``(L_k, ..., D_k)`` to the shortest and join their columns."""
    if len(sources) == 1:
        return sources[0]
    length = min(len(source) for source in sources)
    return np.concatenate([source[:length] for source in sources], axis=-1)


def append_tef(features: np.ndarray) -> np.ndarray:
    """Append the temporal endpoint feature ``[i / L, (i + 1) / L]``: ``(L, ..., D)`` to
    ``(L, ..., D + 2)``.

    Lei et al., "Detecting Moments and Highlights in Videos via Natural Language Queries", 2021.
    """
    length = len(features)
    start = np.arange(length, dtype=np.float32) / np.float32(length)
    end = start + np.float32(1.0 / length)
    ends = np.stack([start, end], axis=1).reshape(length, *(1 for _ in features.shape[1:-1]), 2)
    return np.concatenate([features, np.broadcast_to(ends, (*features.shape[:-1], 2))], axis=-1)


def pad_to_multiple(features: np.ndarray, multiple: int) -> np.ndarray:
    """Append zero rows until the length is a multiple of ``multiple``."""
    missing = -len(features) % multiple
    rest = ((0, 0),) * (features.ndim - 1)
    return np.pad(features, ((0, missing), *rest)) if missing else features


def drop_tokens(features: np.ndarray, ratio: float, rng: np.random.Generator) -> np.ndarray:
    """Set ``round(ratio * N)`` randomly chosen rows of ``(N, D)`` to zero; the length stays."""
    count = round(len(features) * ratio)
    if not count:
        return features
    features = features.copy()
    features[rng.choice(len(features), count, replace=False)] = 0
    return features
