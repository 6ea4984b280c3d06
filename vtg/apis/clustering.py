# SPDX-License-Identifier: Apache-2.0
"""Typical videos and texts of a training split, one per k-means cluster."""

from collections.abc import Hashable
from dataclasses import replace

import numpy as np
from mmengine.config import Config
from scipy.cluster.vq import kmeans2

from vtg.datasets.grounding import GroundingDataset
from vtg.registry import DATASETS
from vtg.utils import ConfigError, DataError


def typical_features(cfg: Config, rows: int = 256, seed: int = 42) -> dict[str, np.ndarray]:
    """Cluster the mean features of the training videos and of its queries.

    The means are those of what the model reads, normalised where the config says so, without
    temporal endpoints. Of every cluster a random member is returned, not the centre: the
    dictionaries of CausalVTG (NeurIPS 2025) start from such rows, see
    :class:`vtg.models.refiners.FrontDoorEncoder`.

    Args:
        cfg: A complete config.
        rows: Clusters, K.
        seed: Of the clustering and of the choice.

    Returns:
        ``'video'``: ``(K, Fv)`` and ``'text'``: ``(K, Ft)``, float32, in the order of the clusters.

    Raises:
        ConfigError: The training data are none with features of videos and texts.
        DataError: There are fewer than ``rows`` different videos or queries.
    """
    loader = cfg.get('train_dataloader')
    if loader is None:
        raise ConfigError('the config has no train_dataloader, whose features would be clustered.')
    dataset = DATASETS.build(loader.dataset)
    if not isinstance(dataset, GroundingDataset):
        raise ConfigError(
            f'train_dataloader.dataset is {type(dataset).__name__}; expected a dataset with '
            'features of videos and texts.'
        )
    assembly = replace(dataset.assembly, tef=False)
    means: dict[str, dict[Hashable, np.ndarray]] = {'video': {}, 'text': {}}
    for index in range(len(dataset)):
        record = dataset.get_data_info(index)
        video = dataset.video_of(record)
        if video not in means['video']:
            clips, count = assembly.video(dataset.reader.read_video(record), record)
            means['video'][video] = clips[:count].mean(axis=0)
        tokens = assembly.text(dataset.reader.read_text(record))
        means['text'][index] = tokens.mean(axis=0)
    rng = np.random.default_rng(seed)
    return {
        name: one_per_cluster(np.stack(list(values.values())), rows, rng, name)
        for name, values in means.items()
    }


def one_per_cluster(
    features: np.ndarray, rows: int, rng: np.random.Generator, name: str = 'feature'
) -> np.ndarray:
    """Return a random member ``(K, F)`` of each of K k-means clusters of ``features (N, F)``.

    Raises:
        DataError: There are fewer than ``rows`` different features.
    """
    distinct = np.unique(features, axis=0)
    if len(distinct) < rows:
        raise DataError(
            f'The training split has {len(distinct)} different {name} features for {rows} '
            'clusters; give --rows no more than that, and num_rows of the model the same.'
        )
    _, labels = kmeans2(distinct.astype(np.float64), rows, minit='++', seed=rng, missing='warn')
    # A random order makes the first member of every label a random one.
    order = rng.permutation(len(distinct))
    found, first = np.unique(labels[order], return_index=True)
    chosen = order[first]
    # k-means may leave a cluster empty: others that were not chosen stand in.
    spare = np.setdiff1d(order, chosen)
    extra = rng.choice(spare, rows - len(found), replace=False)
    return distinct[np.concatenate((chosen, extra))].astype(np.float32)
