# SPDX-License-Identifier: Apache-2.0
"""The batched assignment against the solver of scipy."""

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from vtg.models.task_modules import batched_linear_assignment


def check(cost, mask):
    """Every problem is solved exactly, with every column used at most once."""
    result = batched_linear_assignment(cost, mask)
    assert result.shape == mask.shape and result.dtype == np.int64
    columns = cost.shape[2]
    for problem, (matrix, real, assigned) in enumerate(zip(cost, mask, result)):
        assert (assigned[~real] == -1).all(), problem
        rows = np.flatnonzero(assigned >= 0)
        assert len(rows) == min(real.sum(), columns), problem
        assert len(set(assigned[rows])) == len(rows), problem
        i, j = linear_sum_assignment(matrix[real])
        best = matrix[real][i, j].sum()
        found = matrix[rows, assigned[rows]].sum()
        assert found == pytest.approx(best, rel=1e-9, abs=1e-9), problem
    return result


@pytest.mark.parametrize('rows, columns', [(1, 1), (3, 10), (10, 10), (10, 25), (7, 4), (5, 1)])
@pytest.mark.parametrize('kind', ['independent', 'shared', 'ties', 'constant'])
def test_optimal(rows, columns, kind) -> None:
    rng = np.random.default_rng(rows * 100 + columns)
    shape = (200, rows, columns)
    cost = {
        'independent': lambda: rng.normal(size=shape),
        # All rows prefer the same columns: every row but one has to be inserted.
        'shared': lambda: rng.normal(size=(200, 1, columns)) + 0.01 * rng.normal(size=shape),
        'ties': lambda: rng.integers(-2, 3, shape).astype(float),
        'constant': lambda: np.full(shape, -3.0),
    }[kind]()
    mask = rng.random(shape[:2]) < rng.random((200, 1))  # scattered, with empty problems
    check(cost, mask)


def test_unique_optimum_gives_the_same_pairs() -> None:
    rng = np.random.default_rng(0)
    cost = rng.normal(size=(300, 6, 12))
    result = check(cost, np.ones((300, 6), dtype=bool))
    for matrix, assigned in zip(cost, result):
        assert assigned.tolist() == linear_sum_assignment(matrix)[1].tolist()


def test_problems_do_not_influence_each_other() -> None:
    rng = np.random.default_rng(1)
    cost = rng.normal(size=(20, 5, 8)) * 10.0 ** rng.integers(-3, 4, (20, 1, 1))
    mask = np.arange(5) < rng.integers(0, 6, (20, 1))
    together = batched_linear_assignment(cost, mask)
    for index in range(20):
        own = cost[index][mask[index]][None]
        alone = batched_linear_assignment(own, np.ones(own.shape[:2], dtype=bool))
        assert together[index, mask[index]].tolist() == alone[0].tolist()


@pytest.mark.parametrize('rows, columns', [(3, 10), (6, 6), (7, 4)])
def test_masked_columns_are_never_taken(rows, columns) -> None:
    rng = np.random.default_rng(rows)
    cost = rng.normal(size=(200, rows, columns))
    row_mask = rng.random((200, rows)) < 0.7
    column_mask = rng.random((200, columns)) < rng.random((200, 1))
    cost = np.where(column_mask[:, None], cost, -100.0)
    result = batched_linear_assignment(cost, row_mask, column_mask)
    for matrix, real, usable, assigned in zip(cost, row_mask, column_mask, result):
        names = np.flatnonzero(usable)
        own = batched_linear_assignment(matrix[None, :, usable], real[None])[0]
        assert assigned.tolist() == [names[column] if column >= 0 else -1 for column in own]


def test_nothing_to_assign() -> None:
    for shape in [(0, 3, 4), (2, 0, 4), (2, 3, 4), (2, 3, 0)]:
        result = batched_linear_assignment(np.zeros(shape), np.zeros(shape[:2], dtype=bool))
        assert result.shape == shape[:2] and (result == -1).all()
    real = batched_linear_assignment(np.zeros((2, 3, 0)), np.ones((2, 3), dtype=bool))
    assert (real == -1).all()


def test_by_hand() -> None:
    cost = np.array([[[1.0, 2.0, 9.0], [1.0, 5.0, 9.0]], [[4.0, 1.0, 2.5], [2.0, 0.0, 5.0]]])
    result = batched_linear_assignment(cost, np.ones((2, 2), dtype=bool))
    assert result.tolist() == [[1, 0], [2, 1]]
