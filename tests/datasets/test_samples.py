# SPDX-License-Identifier: Apache-2.0
"""A sample is a function: the dataset's own way, with arrays that are in memory."""

import ast
from pathlib import Path

import numpy as np
import pytest

from vtg.datasets import GroundingDataset, SampleKey, SimulatedDataset
from vtg.datasets.samplers import sample_generator
from vtg.datasets.stores import FolderStore

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize('test_mode', [False, True])
def test_the_builder_makes_the_sample_of_the_dataset(disk, test_mode):
    dataset = disk.build(
        test_mode=test_mode,
        features=dict(txt_drop_ratio=0.5, pad_to_multiple=4),
        labels=dict(max_windows=3),
    )
    key = SampleKey(2, 1, 5)
    expected = dataset[key]
    assert expected['meta'].pop('index') == 2
    record = dataset.get_data_info(2)
    record.pop('sample_idx')
    arrays = (dataset.reader.read_video(record), dataset.reader.read_text(record))
    found = dataset.builder(record, *arrays, sample_generator(key))
    assert found.keys() == expected.keys() and found['meta'] == expected['meta']
    assert ('annotation' in found['meta']) == test_mode
    for name in ('video', 'text'):
        np.testing.assert_array_equal(found[name], expected[name])
    for name, value in expected['targets'].items():
        np.testing.assert_array_equal(found['targets'][name], value)


def test_an_unlabelled_record_has_no_targets(disk):
    dataset = disk.build(test_mode=True)
    record = {'qid': 0, 'vid': 'v', 'query': 'words', 'duration': 8.0}
    arrays = ([np.ones((4, 6), np.float32)], [np.ones((2, 4), np.float32)])
    sample = dataset.builder(record, *arrays, np.random.default_rng(0))
    assert 'targets' not in sample and sample['duration'] == 8
    assert sample['video'].shape == (4, 8) and sample['meta']['annotation'] is record


def _assigned(tree):
    """Attributes that are assigned on something else than ``self``, with their lines."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, ast.AnnAssign | ast.AugAssign):
            targets = [node.target]
        elif isinstance(node, ast.Call) and getattr(node.func, 'id', '') == 'setattr':
            name = node.args[1]
            yield node.args[0], name.value if isinstance(name, ast.Constant) else None, node.lineno
            continue
        else:
            continue
        for target in targets:
            for part in ast.walk(target):
                if isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Store):
                    yield part.value, part.attr, part.lineno


def patches(source, attributes):
    """Lines that assign to an attribute of a dataset, a store or a step from outside."""
    for owner, name, line in _assigned(ast.parse(source)):
        text = ast.unparse(owner)
        if text in ('self', 'cls') or text.startswith('cfg.'):
            continue
        named = any(word in text.rpartition('.')[2] for word in ('dataset', 'store', 'reader'))
        if name in attributes or named:
            yield f'{line}: {text}.{name}'


def _attributes(disk):
    """What datasets, stores and steps are made of; ``.name`` and the like are everybody's."""
    dataset, simulated = disk.build(), SimulatedDataset(num_samples=2)
    things = [dataset, simulated, dataset.assembly, dataset.labelling, dataset.reader]
    things += [dataset.builder, *dataset.reader.video, *simulated.reader.video]
    names = {name for thing in things for name in vars(thing)}
    names |= {name for cls in (*GroundingDataset.__mro__[:2], FolderStore) for name in vars(cls)}
    return {name for name in names if not name.startswith('__')} - {'seed', 'metainfo'}


def test_nothing_assigns_to_a_dataset_from_outside(disk):
    attributes = _attributes(disk)
    assert {'reader', 'clip_length', 'pattern', 'load_data_list', 'builder'} <= attributes
    for text in (
        'dataset.video, dataset.text = own.video, own.text',
        'store.pattern = "x"',
        'plain.load_data_list = lambda: []',
        'object.length_tolerance = 3',
        'setattr(own, "clip_length", 3)',
        'a.b.dataset.something = 1',
    ):
        assert list(patches(text, attributes)), text
    assert not list(patches('self.reader = 1\ncfg.work_dir = 2', attributes))
    found = {
        str(path.relative_to(ROOT)): lines
        for folder in ('vtg', 'tools')
        for path in sorted((ROOT / folder).rglob('*.py'))
        if (lines := list(patches(path.read_text(encoding='utf-8'), attributes)))
    }
    assert found == {}
