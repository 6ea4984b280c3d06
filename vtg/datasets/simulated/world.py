# SPDX-License-Identifier: Apache-2.0
"""The world behind simulated data: what words mean and how meanings look to a backbone.

Every word has a direction in a small latent space. A sentence means the mean of its content words;
a clip that shows it carries that direction plus noise. A backbone sees latent vectors through its
own fixed random projection, so video and text have nothing in common before a model learns both
projections. All draws come from generators keyed by what they are for, never from a running state:
the same world results on every machine and in any order of access.
"""

import hashlib
from functools import lru_cache

import numpy as np

LATENT_DIM = 32


def keyed_generator(*key: int | str) -> np.random.Generator:
    """Return the generator that belongs to a key of numbers and strings."""
    digest = hashlib.blake2b(repr(key).encode(), digest_size=16).digest()
    entropy = np.frombuffer(digest, dtype='<u4').tolist()
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(entropy)))


@lru_cache(maxsize=16384)
def word_vector(world_seed: int, word: str) -> np.ndarray:
    """Return the unit direction ``(LATENT_DIM,)`` of a word."""
    vector = keyed_generator(world_seed, 'word', word).standard_normal(LATENT_DIM)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def meaning(world_seed: int, words: list[str]) -> np.ndarray:
    """Return the unit direction ``(LATENT_DIM,)`` of several words together."""
    total = np.sum([word_vector(world_seed, word) for word in words], axis=0)
    return total / np.linalg.norm(total)


@lru_cache(maxsize=64)
def projection(world_seed: int, backbone: str, dim: int) -> np.ndarray:
    """Return how a backbone sees the latent space: ``(LATENT_DIM, dim)``, about norm preserving."""
    draws = keyed_generator(world_seed, 'projection', backbone, dim)
    return draws.standard_normal((LATENT_DIM, dim), dtype=np.float32) / np.float32(np.sqrt(dim))
