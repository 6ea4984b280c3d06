# SPDX-License-Identifier: Apache-2.0
"""How near own features are to published ones, on features made to be near, shifted or other."""

import re

import numpy as np
import pytest

from vtg.extraction.compare import compare_features
from vtg.utils import ConfigError, DataError


@pytest.fixture
def write(tmp_path):
    def write(place, arrays, suffix='.npz'):
        folder = tmp_path / place
        folder.mkdir(parents=True, exist_ok=True)
        for name, array in arrays.items():
            if suffix == '.npy':
                np.save(folder / f'{name}.npy', array)
            else:
                np.savez(folder / f'{name}.npz', features=array, times=np.zeros((len(array), 1)))
        return tmp_path / place.split('/')[0]

    return write


def features(seed, rows=20, width=16):
    return np.random.default_rng(seed).normal(size=(rows, width)).astype(np.float32)


def test_same_near_shifted_and_other(write):
    own = {f'v{i}': features(i) for i in range(3)}
    out = write('own/kind', own)
    noise = {name: 0.1 * features(9) for name in own}
    late = {name: np.concatenate([features(7, 2), array]) for name, array in own.items()}
    for published, near, words, shift in (
        ({**own, 'x.y_1': own['v0']}, True, 'the same features up to rounding', 0),
        ({n: a.astype(np.float16) for n, a in own.items()}, True, 'the same features', 0),
        ({n: 3 * (a + noise[n]) for n, a in own.items()}, True, 'near: the same encoder', 0),
        (late, False, 'the same encoder 2 rows late', 2),
        ({n: a[3:] for n, a in own.items()}, False, 'the same encoder 3 rows early', -3),
        ({n: features(50) for n in own}, False, 'other features; check', None),
        ({n: a[:, :8] for n, a in own.items()}, False, 'other features: 16 wide, .* 8;', None),
        ({n: np.ones_like(a) for n, a in own.items()}, False, 'other features; check', None),
    ):
        place = write(f'published{words[:20]}{len(published)}', published, '.npy')
        (part,) = compare_features(out, ['kind'], place).parts
        assert part.near == near, words
        assert re.search(words, part.text()), part.text()
        assert shift is None or part.shift == shift


def test_what_is_said(write):
    base = features(0)
    own = {'a': base, 'b': features(1), 'mine': base}
    worse = base.copy()
    worse[4] = -worse[4]
    out = write('own/kind', own)
    published = write('theirs/kind', {'a': worse, 'b': features(1, 19), 'gone': base})
    write('own/more', own), write('theirs/other', own)
    found = compare_features(out, ['kind', 'more'], published)
    (part,) = found.parts
    expected = np.concatenate([np.where(np.arange(20) == 4, -1, 1), np.ones(19)]).mean()
    assert part.mean == pytest.approx(expected, abs=1e-6) and part.worst == pytest.approx(-1)
    assert part.worst_at == 'a, row 4' and part.missing == ['gone'] and part.extra == ['mine']
    text = found.text()
    assert '2 compared, 1 of other length (at most 1 rows, b: 20, 19)' in text
    assert '1 missing, such as gone' in text and '1 not published, such as mine' in text
    # All rows alike are near to anything like them, which tells nothing.
    flat = write('flat/kind', {'a': np.ones((9, 4))})
    (part,) = compare_features(flat, ['kind'], write('flat2', {'a': np.ones((9, 4))})).parts
    assert not part.near and 'hardly differ' in part.verdict()


def test_nothing_to_compare_is_a_sentence(write, tmp_path):
    out = write('own/kind', {'a': features(0)})
    for folders, place, message in (
        (['kind'], tmp_path / 'none', 'is no folder'),
        (['kind'], write('other', {'b': features(0)}), 'no file of the same name'),
        (['kind'], out, 'holds the own features'),
        (['kind', 'x'], write('own/x', {'a': features(0)}).parent, 'holds none of the folders'),
    ):
        with pytest.raises(ConfigError, match=message):
            compare_features(out, folders, place)
    odd = write('nan', {'a': np.full((20, 16), np.nan)})
    with pytest.raises(DataError, match=r'a\.npz has NaN or infinite values in 20 of 20 rows'):
        compare_features(out, ['kind'], odd)
