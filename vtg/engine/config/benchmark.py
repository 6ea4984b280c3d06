# SPDX-License-Identifier: Apache-2.0
"""What a config knows once its benchmark is named.

A file of ``configs/_base_/benchmarks`` states the facts of one benchmark and feature set in the
top-level dict ``benchmark``. :func:`settle_benchmark` fills in what follows from them: datasets,
evaluators, the widths of the projectors and the limits of the post-processing. Whatever a config
states itself stays, so a system's config holds only what is the system's.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from mmengine.config import Config, ConfigDict

from vtg.registry import MODELS, TASK_UTILS
from vtg.utils import ConfigError, check_keys
from vtg.utils.arguments import check_value

from ..tree import drop_deletions, tree

SPLITS = ('train', 'val', 'test')
# Columns of one temporal endpoint feature.
TEF_DIM = 2
_FEATURES = re.compile(r'^vid(eo_features)?_|(_(features?|video|visual))+$')

FACTS = {
    'name': 'name in reports; published numbers are looked up under it',
    'dataset': 'type and arguments of the dataset, the same for all splits',
    'splits': 'arguments of the dataset per split; test is val where it is not given',
    'evaluator': 'metric of val and test, or a list of several',
    'video': 'feature stores of the video',
    'text': 'feature stores of the query',
    'audio': 'feature stores of a second stream on the clips of the video, where there is one',
    'features': 'recipe of tools/extract_features.py that makes such features of other videos',
    'video_dim': 'width of the video features, where the stores do not say',
    'text_dim': 'width of the text features, where the stores do not say',
    'audio_dim': 'width of the features of the second stream, where the stores do not say',
    'clip_length': 'seconds per row of the video features',
    'duration_limit': 'seconds at which moments are cut; None: where the video ends',
    'grid': 'seconds whose multiples moments are rounded to; None does not round',
    'domains': 'names of the domains, where there is one model for each; the first is the default',
}


@dataclass(frozen=True)
class Derived:
    """A value that follows from the benchmark.

    Attributes:
        place: Dotted path in the config.
        value: The value; a dict is merged under the one that is there.
        reason: What it follows from.
    """

    place: str
    value: Any
    reason: str


def settle_benchmark(cfg: Config) -> dict[str, str]:
    """Fill in what follows from ``cfg.benchmark``, in place; do nothing where there is none.

    Returns:
        Why, by the dotted path of every value that was filled in.

    Raises:
        ConfigError: ``benchmark`` holds an unknown fact, or a width cannot be told.
    """
    if 'benchmark' not in cfg:
        return {}
    reasons: dict[str, str] = {}
    root = tree(cfg)
    for stage in (_loaders, _evaluators, _widths, _limits):
        for item in stage(cfg):
            *parents, name = item.place.split('.')
            node = root
            for parent in parents:
                node = node[parent]
            _fill(node, name, item.value, item.place, item.reason, reasons)
    drop_deletions(root)
    return reasons


def benchmark_name(cfg: Mapping[str, Any]) -> str:
    """Return the name of the data in reports, ``''`` where the config names none."""
    return (cfg.get('benchmark') or {}).get('name') or ''


def feature_names(cfg: Mapping[str, Any]) -> str:
    """The names of the video and audio features, by the folders of their stores.

    For example ``'slowfast + clip'``; ``''`` where a config names none.
    """
    benchmark = cfg.get('benchmark') or {}
    stores = [one for key in ('video', 'audio') for one in _stores_of(benchmark.get(key))]
    places = [str(one.get('folder') or one.get('path') or '') for one in stores]
    names = [_FEATURES.sub('', PurePath(place).stem) for place in places if place]
    return ' + '.join(dict.fromkeys(filter(None, names)))


def _stores_of(value: Any) -> list[Mapping[str, Any]]:
    """Stores that read files, those inside of joined ones too."""
    given = value if isinstance(value, list | tuple) else [value]
    stores = [one for one in given if isinstance(one, Mapping)]
    return [part for one in stores for part in (_stores_of(one.get('stores')) or [one])]


def _facts(cfg: Config) -> Mapping[str, Any]:
    return check_keys(cfg.benchmark, FACTS, 'benchmark')


def _loaders(cfg: Config) -> Iterator[Derived]:
    """The test loader is that of val, and every loader gets its dataset."""
    facts = _facts(cfg)
    splits = check_keys(facts.get('splits'), SPLITS, 'benchmark.splits')
    if 'val_dataloader' in cfg:
        loader = {key: value for key, value in cfg.val_dataloader.items() if key != 'dataset'}
        yield Derived('test_dataloader', loader, 'val_dataloader')
    common = dict(facts.get('dataset') or {})
    for name in ('clip_length', 'video', 'audio', 'text'):
        if name in facts:
            common[name] = facts[name]
    if facts.get('domains'):
        common['domain'] = facts['domains'][0]
    for split in SPLITS:
        own = splits.get(split, splits.get('val') if split == 'test' else None)
        if own is not None and cfg.get(f'{split}_dataloader') is not None:
            mode = {} if split == 'train' else {'test_mode': True}
            dataset = {**common, **own, **mode}
            yield Derived(f'{split}_dataloader', {'dataset': dataset}, 'benchmark')
    # A test split that a config describes only in parts is that of val in the others.
    if 'test' not in splits and 'val_dataloader' in cfg:
        dataset = cfg.val_dataloader.get('dataset') or {}
        yield Derived('test_dataloader', {'dataset': dict(dataset)}, 'val_dataloader')


def _evaluators(cfg: Config) -> Iterator[Derived]:
    if 'evaluator' not in cfg.benchmark:
        return
    evaluator, root = cfg.benchmark.evaluator, tree(cfg)
    several = isinstance(evaluator, list | tuple)
    value = [dict(one) for one in evaluator] if several else dict(evaluator)
    for split in ('val', 'test'):
        place = f'{split}_evaluator'
        if cfg.get(f'{split}_dataloader') is None:
            continue
        if not root.get(place):
            root.pop(place, None)
        yield Derived(place, value, 'benchmark.evaluator')


def _widths(cfg: Config) -> Iterator[Derived]:
    """The input widths of the projectors: those of the stores, and the temporal endpoints."""
    for modality in ('video', 'audio', 'text'):
        projector = (cfg.get('model') or {}).get(f'{modality}_projector')
        if projector is None:
            continue
        place = f'model.{modality}_projector'
        if 'type' not in projector:  # a chain: its first member reads the features
            place += f'.{next(iter(projector))}'
            projector = next(iter(projector.values()))
        if projector.get('in_dim') is None:
            width, reason = feature_width(cfg, modality)
            yield Derived(place, {'in_dim': width}, reason)


def feature_width(cfg: Config, modality: str) -> tuple[int, str]:
    """Return how wide the ``'video'``, ``'audio'`` or ``'text'`` features of a config are, and why.

    Raises:
        ConfigError: Neither a store nor the benchmark says so.
    """
    facts = _facts(cfg)
    loaders = (cfg.get(f'{split}_dataloader') for split in SPLITS)
    dataset: Mapping[str, Any] = next((loader.dataset for loader in loaders if loader), {})
    stores = dataset.get(modality)
    stores = [stores] if isinstance(stores, Mapping | str) else stores or []
    widths: list[Any] = [
        store.get('dim') if isinstance(store, Mapping) else None for store in stores
    ]
    source = f'dim of benchmark.{modality}'
    if not widths or None in widths:
        widths, source = [facts.get(f'{modality}_dim')], f'benchmark.{modality}_dim'
    if None in widths:
        raise ConfigError(
            f'the width of the {modality} features is not known: give every store of '
            f'benchmark.{modality} its dim, or set benchmark.{modality}_dim or '
            f'model.{modality}_projector.in_dim.'
        )
    for index, width in enumerate(widths):
        place = source.removeprefix('dim of ')
        place = place if place == source else f'{place}.{index}.dim'
        check_value(width, int, 'dim', '', place)
    endpoints = 0
    if modality == 'video':
        tef = (dataset.get('features') or {}).get('tef', True)
        endpoints = TEF_DIM * (int(tef) if isinstance(tef, bool) else len(tef))
    total = ' + '.join(map(str, [*widths, *([endpoints] if endpoints else [])]))
    columns = ' and the temporal endpoints' if endpoints else ''
    return sum(widths) + endpoints, f'{source}{columns}: {total}'


def _limits(cfg: Config) -> Iterator[Derived]:
    """Arguments of components that take facts of the benchmark, see ``benchmark_facts`` there."""
    facts = _facts(cfg)
    clip_length = facts.get('clip_length')
    known = {
        'duration_limit': (facts.get('duration_limit'), 'benchmark.duration_limit'),
        'clip_length': (clip_length, 'benchmark.clip_length'),
        'grid': (facts.get('grid', clip_length), 'benchmark.grid'),
    }
    if 'grid' not in facts:
        known['grid'] = known['clip_length']
    for place, node in _components(cfg.get('model') or {}, 'model'):
        cls = MODELS.get(node['type']) or TASK_UTILS.get(node['type'])
        for argument, fact in getattr(cls, 'benchmark_facts', {}).items():
            value, reason = known[fact]
            if argument not in node and value is not None:
                yield Derived(place, {argument: value}, reason)


def _components(node: Any, place: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if not isinstance(node, Mapping):
        return
    if isinstance(node.get('type'), str):
        yield place, node
    for key, value in node.items():
        yield from _components(value, f'{place}.{key}')


def _fill(
    node: Any, name: str, value: Any, place: str, reason: str, reasons: dict[str, str]
) -> None:
    """Put ``value`` under what stands at ``node[name]``, and note what was put there."""
    present = node.get(name)
    if isinstance(value, Mapping) and (name not in node or isinstance(present, Mapping)):
        if name not in node:
            node[name] = ConfigDict()
        elif present.pop('_delete_', False):
            return
        for key, inner in value.items():
            _fill(node[name], key, inner, f'{place}.{key}', reason, reasons)
        if not value:
            reasons[place] = reason
    elif name not in node:
        node[name] = ConfigDict(x=value).x  # nested dicts become config dicts too
        reasons[place] = reason
