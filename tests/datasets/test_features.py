# SPDX-License-Identifier: Apache-2.0
"""Feature arithmetic against the formulas of the specification."""

import numpy as np

from vtg.datasets.features import (
    append_tef,
    concatenate_sources,
    drop_tokens,
    normalize_rows,
    pad_to_multiple,
)


def test_rows_are_divided_by_norm_plus_eps():
    rows = np.array([[3, 4], [0, 0]], dtype=np.float32)
    expected = np.array([[3, 4], [0, 0]]) / np.array([[5 + 1e-5], [1]])
    np.testing.assert_allclose(normalize_rows(rows), expected, rtol=1e-6)
    assert normalize_rows(rows).dtype == np.float32


def test_sources_are_cut_to_the_shortest():
    a, b = np.ones((5, 2), np.float32), np.zeros((4, 3), np.float32)
    joined = concatenate_sources([a, b])
    assert joined.shape == (4, 5)
    np.testing.assert_array_equal(joined[0], [1, 1, 0, 0, 0])


def test_tef_is_start_and_end_of_each_clip():
    tef = append_tef(np.zeros((75, 1), np.float32))[:, 1:]
    np.testing.assert_allclose(tef[0], [0, 1 / 75], atol=1e-7)
    np.testing.assert_allclose(tef[74], [74 / 75, 1], atol=1e-6)
    assert tef.dtype == np.float32


def test_padding_appends_zero_rows():
    padded = pad_to_multiple(np.ones((75, 3), np.float32), 4)
    assert padded.shape == (76, 3)
    assert not padded[75].any()
    assert pad_to_multiple(np.ones((72, 3)), 4).shape == (72, 3)


def test_dropped_tokens_are_zero_and_counted_half_to_even():
    rng = np.random.default_rng(0)
    tokens = np.ones((10, 2), np.float32)
    for ratio, zeros in ((0.0, 0), (0.25, 2), (0.35, 4), (1.0, 10)):
        dropped = drop_tokens(tokens, ratio, rng)
        assert (dropped == 0).all(axis=1).sum() == zeros
        assert len(dropped) == 10
    assert tokens.all()
