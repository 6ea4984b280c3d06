# SPDX-License-Identifier: Apache-2.0
"""Damaged annotation files, of every format: a sentence with the line, or finite labels.

Every file is loaded for training, with all targets built and collated, for testing, and validated;
what the loader takes, the validator finds nothing in, and the other way round.
"""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from campaign import assert_sentence, mutated_bytes, mutated_json, outcome

from vtg.datasets import CustomDataset, GroundingDataset, QVHighlights, collate
from vtg.datasets.validation import validate_dataset
from vtg.datasets.video_ratings import read_video_ratings

CLIPS = 10
QUERY = 'a dog runs on the beach'


def _benchmark(number, **labels):
    return {'qid': number, 'query': QUERY, 'vid': f'v{number}', 'duration': 20, **labels}


RECORDS = {
    'qvhighlights': [
        _benchmark(
            number,
            relevant_windows=[[2, 8]],
            relevant_clip_ids=[1, 2, 3],
            saliency_scores=[[1, 2, 3], [4, 4, 4], [2, 2, 2]],
        )
        for number in range(3)
    ],
    'windows': [_benchmark(number, relevant_windows=[[1.5, 12.25]]) for number in range(3)],
    'covered': [_benchmark(number, relevant_windows=[[0, 3], [9, 20]]) for number in range(3)],
    'ratings': [
        _benchmark(number, label=[[1 + i % 5, 3, 2] for i in range(CLIPS)], domain='dog')
        for number in range(3)
    ],
    'custom': [
        {
            'qid': number, 'query': QUERY, 'video': f'v{number}', 'duration': 20,
            'windows': [[2, 8], [10, 20]], 'saliency': [0, 1, 2, 3, 4, 0.5, 1, 2, 3, 4],
        }
        for number in range(3)
    ],
}  # fmt: skip
SALIENCY = {
    'windows': dict(type='SingleWindow'),
    'covered': dict(type='CoveredClips'),
    'ratings': dict(type='ClipRatings'),
}


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """Features of four videos and queries."""
    root = tmp_path_factory.mktemp('annotations')
    rng = np.random.default_rng(0)
    for name, rows in (('v{}', CLIPS), ('qid{}', 5)):
        for number in range(4):
            features = rng.normal(size=(rows, 4)).astype(np.float32)
            np.save(root / f'{name.format(number)}.npy', features)
    return root


def build(kind: str, folder: Path, path: Path, test_mode: bool) -> GroundingDataset:
    stores = {
        name: dict(type='FolderStore', folder=str(folder), pattern=pattern, dim=4)
        for name, pattern in (('video', '{vid}'), ('text', 'qid{qid}'))
    }
    options = dict(**stores, test_mode=test_mode, lazy_init=True)
    if kind == 'custom':
        return CustomDataset(str(path), data_root='', **options)
    if kind == 'qvhighlights':
        return QVHighlights(str(path), **options)
    domain = 'dog' if kind == 'ratings' else None
    labels = dict(saliency=SALIENCY[kind])
    return GroundingDataset(ann_file=str(path), labels=labels, domain=domain, **options)


def load(dataset: GroundingDataset) -> dict:
    """Load everything into one batch."""
    dataset.full_init()
    return collate([dataset[index] for index in range(len(dataset))])


def check_batch(batch: dict, training: bool) -> None:
    duration = batch['duration'][:, None]
    assert np.isfinite(duration).all() and (duration > 0).all()
    assert not training or 'targets' in batch
    if 'targets' not in batch:
        return
    targets = batch['targets']
    assert all(np.isfinite(values.numpy()).all() for values in targets.values())
    center, width = (values[targets['span_mask']] for values in targets['spans'].unbind(-1))
    seconds = duration.expand_as(targets['span_mask'])[targets['span_mask']]
    assert (center - width / 2 >= -1e-5).all() and (width > 0).all()
    # The features may be a clip shorter than the video, which may end within a clip.
    assert ((center + width / 2) * seconds <= seconds + 4.1).all()
    assert (targets['saliency'].abs() <= 100 * 20).all()
    for name in ('pos_clips', 'neg_clips'):
        clips = targets[name]
        assert ((clips >= 0) & (clips < batch['video_mask'].sum(1)[:, None])).all()


def run(kind: str, folder: Path, path: Path) -> list[str]:
    """Load and validate one file in both modes and return the sentences."""
    sentences = []
    for test_mode in (False, True):
        found = outcome(lambda mode=test_mode: load(build(kind, folder, path, mode)))
        if isinstance(found, str):
            assert str(path) in found or 'FolderStore' in found or 'npy' in found, found
            sentences.append(found)
        else:
            check_batch(found, not test_mode)
        validated = validate_dataset(build(kind, folder, path, test_mode), threads=1)
        for problem in validated.problems:
            assert_sentence(str(problem))
        assert validated.text().replace('\n', '').isprintable()
        assert bool(validated.problems) == isinstance(found, str), (found, validated.text())
    return sentences


def dump(records: list) -> str:
    return '\n'.join(map(json.dumps, records))


@pytest.mark.parametrize('kind', RECORDS)
def test_mutated_records(kind, folder, tmp_path, inputs):
    path = tmp_path / 'train.jsonl'
    path.write_text(dump(RECORDS[kind]))
    assert run(kind, folder, path) == []
    refused = 0
    for number, rng in inputs(8):
        records = list(RECORDS[kind])
        for index in {1, rng.randrange(3)}:
            records[index] = mutated_json(records[index], rng)
        path.write_text(dump(records))
        try:
            refused += bool(run(kind, folder, path))
        except Exception as error:
            raise AssertionError(f'input {number}: {path.read_text()}') from error
    assert refused


@pytest.mark.parametrize('kind', ['qvhighlights', 'custom'])
def test_mutated_bytes(kind, folder, tmp_path, inputs):
    content = dump(RECORDS[kind]).encode()
    for number, rng in inputs(8):
        path = tmp_path / ('train.jsonl', 'train.jsonl.gz')[number % 2]
        damaged = mutated_bytes(gzip.compress(content, mtime=0) if number % 2 else content, rng)
        path.write_bytes(damaged)
        try:
            run(kind, folder, path)
        except Exception as error:
            raise AssertionError(f'input {number}: {damaged!r}') from error


def test_mutated_video_ratings(tmp_path, inputs):
    """The original files of TVSum and YouTube Highlights, by video."""
    content = {
        'a': {'frames': 600, 'fps': '30', 'domain': 'dog', 'title': 'x', 'anno': [[1, 5]] * 10},
        'b': {
            'frames': 600, 'fps': 30.0, 'domain': 'dog', 'match': [1, 0, -1],
            'info': ['', '', '', '', '', 'title'],
        },
    }  # fmt: skip
    splits = {'dog': {'train': ['a'], 'val': ['b']}}
    for _, rng in inputs(10):
        damaged, which = mutated_json(content, rng), mutated_json(splits, rng)
        (tmp_path / 'anno.json').write_text(json.dumps(damaged))
        (tmp_path / 'splits.json').write_text(json.dumps(which))
        for paths in ([tmp_path / 'anno.json'], [tmp_path / 'anno.json', tmp_path / 'splits.json']):
            found = outcome(lambda paths=paths: read_video_ratings(*paths))
            for record in [] if isinstance(found, str) else found:
                assert np.isfinite(np.asarray(record['label'], dtype=float)).all()
                assert 0 < record['duration'] < 1e8 and record['query'].strip()


def test_the_known_cases(shared, folder):
    """Files that once gave a traceback or labels that are no numbers."""
    for path in sorted((shared / 'cases/annotations').iterdir()):
        kind = 'custom' if path.name.startswith('custom') else 'qvhighlights'
        found = outcome(lambda p=path, k=kind: load(build(k, folder, p, False)))
        assert isinstance(found, str) and str(path) in found, (path.name, found)
        assert ', line ' in found or path.suffix == '.gz', found
        tested = build(kind, folder, path, True)
        found = outcome(tested.load_data_list)
        assert isinstance(found, str) != (path.stem == 'relevant_windows__'), (path.name, found)
