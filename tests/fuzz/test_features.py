# SPDX-License-Identifier: Apache-2.0
"""Damaged feature files, packs and word vectors give finite features or a sentence."""

import contextlib
import io
import json
import shutil
from functools import partial

import numpy as np
import pytest
import torch
from campaign import mutated_bytes, mutated_json, outcome

from vtg.datasets import FolderStore, GloveStore, PackedStore, pack_features
from vtg.datasets.stores.packed_index import index_checksum
from vtg.search import EncodedFile, VideoIndex

WORDS = ('the', 'dog', 'runs', 'a')
ROWS = np.linspace(-1, 1, 24, dtype=np.float32).reshape(6, 4)


def _npz(save):
    file = io.BytesIO()
    save(file, features=ROWS, times=ROWS[:, 0])
    return file.getvalue()


def _saved(save, content):
    file = io.BytesIO()
    save(file, content) if save is np.save else save(content, file)
    return file.getvalue()


FILES = {
    'a.npy': _saved(np.save, ROWS),
    'b.npz': _npz(np.savez),
    'c.npz': _npz(np.savez_compressed),
    'd.pt': _saved(torch.save, torch.from_numpy(ROWS)),
    'e.pt': _saved(torch.save, {'features': torch.from_numpy(ROWS)}),
    'f.pt': _saved(
        partial(torch.save, _use_new_zipfile_serialization=False), torch.from_numpy(ROWS)
    ),
}


def _check(features):
    if isinstance(features, str):
        return
    assert features.dtype == np.float32 and features.ndim == 2 and features.shape[1] == 4
    assert 0 < len(features) < 100 and np.isfinite(features).all()


@pytest.mark.parametrize('name', FILES)
def test_mutated_files(name, inputs, tmp_path):
    store = FolderStore(str(tmp_path), '{vid}', dim=4)
    for _, rng in inputs(8):
        (tmp_path / name).write_bytes(mutated_bytes(FILES[name], rng))
        _check(outcome(partial(store.read, {'vid': name[0]})))


@pytest.fixture
def pack(tmp_path):
    (tmp_path / 'files').mkdir()
    for name in 'abc':
        np.save(tmp_path / 'files' / f'{name}.npy', ROWS)
    pack_features(tmp_path / 'files', tmp_path / 'pack')
    return tmp_path / 'pack'


def _read_pack(folder):
    store = PackedStore(str(folder), dim=4)
    return [store.read({'vid': name}) for name in 'abc']


def test_mutated_indices(pack, inputs):
    index = json.loads((pack / 'index.json').read_text())
    for number, rng in inputs(12):
        changed = mutated_json(index, rng)
        if number % 4 and isinstance(changed, dict):
            # Somebody who wants harm makes the checksum fit.
            with contextlib.suppress(KeyError):
                changed['sha256'] = index_checksum(changed)
        (pack / 'index.json').write_text(json.dumps(changed))
        found = outcome(partial(_read_pack, pack))
        for features in [] if isinstance(found, str) else found:
            _check(features)


def test_mutated_packs(pack, inputs, tmp_path):
    for number, rng in inputs(8):
        copy = tmp_path / 'copy'
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(pack, copy)
        file = copy / ('features.bin', 'index.json')[number % 2]
        file.write_bytes(mutated_bytes(file.read_bytes(), rng))
        found = outcome(partial(_read_pack, copy))
        for features in [] if isinstance(found, str) else found:
            _check(features)
        # What is damaged is neither replaced by force nor in the way of an error without words.
        outcome(partial(pack_features, tmp_path / 'files', copy, force=True))


def test_mutated_indices_of_videos(inputs, tmp_path):
    """What ``vtg index`` has written: clips of finite features, or a sentence."""
    video, index = tmp_path / 'a.mp4', tmp_path / 'index'
    video.write_bytes(b'a')
    settings = {'type': 'ClipEncoder', 'weights': 'x'}
    VideoIndex.create(index, settings, 2.0).add(
        [video], lambda: lambda path: EncodedFile(path, ROWS, 12.0)
    )
    (features,) = (index / 'features').iterdir()
    files = [index / 'settings.json', index / 'videos.json', features]
    contents = [file.read_bytes() for file in files]
    seen = set()
    for number, rng in inputs(15):
        changed = number % 3
        content = contents[changed]
        if changed < 2 and rng.random() < 0.7:
            damaged = json.dumps(mutated_json(json.loads(content), rng)).encode()
        else:
            damaged = mutated_bytes(content, rng)
        files[changed].write_bytes(damaged)
        found = outcome(lambda: VideoIndex(index).read())
        seen.add(isinstance(found, str))
        for item in [] if isinstance(found, str) else found[0]:
            _check(item.features)
            assert item.path == video and 0 < item.duration < 1e8
        files[changed].write_bytes(content)
    assert seen == {True, False}


def test_mutated_word_vectors(inputs, tmp_path):
    lines = [f'{word} 0.5 {number} -1e-3 2' for number, word in enumerate(WORDS)]
    file, cache = tmp_path / 'glove.txt', tmp_path / 'glove.txt.index.npz'
    content = '\n'.join([*lines, 'café 1 2 3 4', '']).encode()
    record = {'qid': 1, 'query': 'The dog runs.'}

    def read():
        store = GloveStore(str(file), dim=4)
        store.prepare([record], 2.0)
        return store.read(record)

    file.write_bytes(content)
    expected, index = read(), cache.read_bytes()
    for number, rng in inputs(16):
        if number % 2:
            file.write_bytes(content)
            cache.write_bytes(mutated_bytes(index, rng))
            np.testing.assert_array_equal(read(), expected)
        else:
            file.write_bytes(mutated_bytes(content, rng))
            cache.unlink(missing_ok=True)
            _check(outcome(read))
