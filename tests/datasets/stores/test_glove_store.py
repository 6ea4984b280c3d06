# SPDX-License-Identifier: Apache-2.0
"""Word vectors: tokens, unknown words, the cached index, and files that are broken."""

import numpy as np
import pytest

from vtg.datasets import GloveStore
from vtg.datasets.stores import tokenize
from vtg.registry import TRANSFORMS
from vtg.utils import DataError

LINES = ['the 1 0 0', 'person 0 1 0', 'door 0 0 1', '. 5 5 5', 'café 0.5 -0.5 1e-1']
QUERY = {'qid': 3, 'query': 'The Person opens the door.'}


@pytest.fixture
def file(tmp_path):
    path = tmp_path / 'glove.txt'
    path.write_text('\n'.join(LINES) + '\n', encoding='utf-8')
    return path


def _read(file, record=QUERY, **options):
    store = TRANSFORMS.build(dict(type='GloveStore', file=str(file), dim=3, **options))
    store.prepare([record], 1.0)
    return store.read(record)


def test_tokens():
    assert tokenize('A man, "smiling", sits.') == ['a', 'man', 'smiling', 'sits']
    assert tokenize("the person's bag - open.") == ['the', "person's", 'bag', 'open']
    assert tokenize('Opens the door.', literal=True) == ['opens', 'the', 'door.']


def test_vectors_of_words_and_zeros_for_unknown_ones(file):
    features = _read(file)
    expected = [[1, 0, 0], [0, 1, 0], [0, 0, 0], [1, 0, 0], [0, 0, 1]]
    np.testing.assert_array_equal(features, np.array(expected, np.float32))
    assert features.dtype == np.float32


def test_literal_words_lose_the_last_one(file):
    literal, stripped = _read(file, literal=True), _read(file)
    np.testing.assert_array_equal(literal[:-1], stripped[:-1])
    assert not literal[-1].any() and stripped[-1].any()


def test_index_is_cached_and_made_again_when_the_file_changes(file):
    first = _read(file)
    cache = file.with_name('glove.txt.index.npz')
    assert cache.is_file()
    stamp = cache.stat().st_mtime_ns
    np.testing.assert_array_equal(_read(file), first)
    assert cache.stat().st_mtime_ns == stamp
    file.write_text('opens 7 7 7\n' + file.read_text(encoding='utf-8'), encoding='utf-8')
    np.testing.assert_array_equal(_read(file)[2], [7, 7, 7])
    np.testing.assert_array_equal(_read(file)[0], first[0])
    cache.write_bytes(b'not an archive')
    np.testing.assert_array_equal(_read(file)[4], [0, 0, 1])


def test_other_alphabets_and_queries_without_known_words(file):
    np.testing.assert_allclose(_read(file, {'qid': 1, 'query': 'Café!'}), [[0.5, -0.5, 0.1]])
    assert _read(file, {'qid': 1, 'query': '...'}).tolist() == [[0, 0, 0]]


def test_another_width_is_refused(file, tmp_path):
    store = GloveStore(str(file), dim=4)
    with pytest.raises(DataError, match="'door' does not hold 4 numbers"):
        store.prepare([{'qid': 1, 'query': 'door'}], 1.0)
    assert 'nlp.stanford.edu' in GloveStore(str(tmp_path / 'absent.txt')).absent()


def test_a_file_that_gives_only_zeros_is_refused(tmp_path):
    file = tmp_path / 'glove.txt'
    content = '\n'.join([*LINES, ''])
    for wrong in (
        content.encode('utf-16'), content.replace(' ', '\t').encode(), b'',
        b'the 0 0 0\nperson 0 0 0\n', b'und 1 2 3\n',
    ):  # fmt: skip
        file.write_bytes(wrong)
        with pytest.raises(DataError, match='features would be zero'):
            _read(file)


def test_lines_that_are_no_utf8_leave_the_others(file):
    file.write_bytes(b'caf\xe9 9 9 9\n' + file.read_bytes())
    np.testing.assert_array_equal(_read(file)[0], [1, 0, 0])
    assert _read(file, {'qid': 1, 'query': 'the caf\ufffd'}).shape == (2, 3)


@pytest.mark.parametrize(
    'changes', [{'offsets': [0] * 5}, {'offsets': [10**12] * 5}, {'offsets': [0]}, {'words': [65]}]
)
def test_a_cache_that_does_not_fit_is_made_again(file, changes):
    expected = _read(file)
    cache = file.with_name('glove.txt.index.npz')
    with np.load(cache) as stored:
        arrays = dict(stored)
    for name, value in changes.items():
        arrays[name] = np.array(value, arrays[name].dtype)
    np.savez(cache, **arrays)
    np.testing.assert_array_equal(_read(file), expected)
    cache.write_bytes(cache.read_bytes()[:-30])
    np.testing.assert_array_equal(_read(file), expected)


def test_a_line_without_end_is_refused(tmp_path):
    (tmp_path / 'glove.txt').write_bytes(b'x' * (1 << 21))
    with pytest.raises(DataError, match='has a line of more than'):
        _read(tmp_path / 'glove.txt')
