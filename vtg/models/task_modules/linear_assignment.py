# SPDX-License-Identifier: Apache-2.0
"""The linear assignment problem for many small matrices at once, in numpy.

A shortest augmenting path method (Jonker and Volgenant, "A shortest augmenting path algorithm for
dense and sparse linear assignment problems", 1987): every row starts at its cheapest column, and
the rows that lose a conflict are inserted one by one along a shortest path in reduced costs. All
problems take each step together, so the number of numpy calls depends on the number of rows, not
on the number of problems.
"""

import numpy as np

Array = np.ndarray


def batched_linear_assignment(
    cost: Array, row_mask: Array, column_mask: Array | None = None
) -> Array:
    """Assign every real row of every problem to a column of its own at the least total cost.

    Args:
        cost: ``(P, R, C)`` finite costs of P problems. Values that a mask excludes are ignored.
        row_mask: ``(P, R)`` True where a row is real.
        column_mask: ``(P, C)`` True where a column may be taken; None allows all.

    Returns:
        ``(P, R)`` int64 column of every row, -1 where the row is masked or, with more rows than
        columns, left over. Exact in double precision; among equal optima any one.
    """
    if cost.size == 0:
        return np.full(row_mask.shape, -1, dtype=np.int64)
    if column_mask is None:
        column_mask = np.ones((cost.shape[0], cost.shape[2]), dtype=bool)
    cost, column_mask = _with_spare_columns(np.asarray(cost, np.float64), row_mask, column_mask)
    # Dual variables: cost - u - v >= 0 everywhere and = 0 on assigned pairs, at all times.
    u, v = cost.min(axis=2), np.zeros((cost.shape[0], cost.shape[2]))
    column_of, row_of = _assign_cheapest(cost, row_mask)
    free = row_mask & (column_of < 0)
    while free.any():
        active = np.flatnonzero(free.any(axis=1))
        start = free[active].argmax(axis=1)
        _insert_rows(cost, u, v, column_of, row_of, active, start)
        free[active, start] = False
    usable = np.take_along_axis(column_mask, column_of, axis=1)
    return np.where(usable & row_mask, column_of, -1)


def _with_spare_columns(cost: Array, row_mask: Array, column_mask: Array) -> tuple[Array, Array]:
    """Make masked columns so dear that they are a last resort; add more if rows outnumber columns.

    Rows that must stay over end up there. Returns the costs and the mask with the added columns.
    """
    rows, columns = cost.shape[1:]
    extra = max(0, rows - columns)
    if not extra and column_mask.all():
        return cost, column_mask
    pairs = row_mask[:, :, None] & column_mask[:, None, :]
    used = cost[pairs] if pairs.any() else np.zeros(1)
    dear = (rows + 1) * (np.ptp(used) + 1) + used.max()
    cost = np.where(column_mask[:, None, :], cost, dear)
    cost = np.pad(cost, ((0, 0), (0, 0), (0, extra)), constant_values=dear)
    return cost, np.pad(column_mask, ((0, 0), (0, extra)))


def _assign_cheapest(cost: Array, row_mask: Array) -> tuple[Array, Array]:
    """Give every row its cheapest column; where several want the same one, the first row gets it.

    Returns ``(P, R)`` column of every row and ``(P, C)`` row of every column, -1 for none.
    """
    cheapest = cost.argmin(axis=2)
    row_of = np.full((cost.shape[0], cost.shape[2]), -1)
    for row in reversed(range(cost.shape[1])):
        real = np.flatnonzero(row_mask[:, row])
        row_of[real, cheapest[real, row]] = row
    won = np.take_along_axis(row_of, cheapest, axis=1) == np.arange(cost.shape[1])
    return np.where(won & row_mask, cheapest, -1), row_of


def _insert_rows(
    cost: Array, u: Array, v: Array, column_of: Array, row_of: Array, active: Array, start: Array
) -> None:
    """Insert row ``start[k]`` into problem ``active[k]`` for all k, in place."""
    via, end, distance, reach, scanned = _shortest_paths(cost, u, v, row_of, active, start)
    gain = np.where(scanned, reach[:, None] - distance, 0.0)
    v[active] -= gain
    u[active, start] += reach
    owner = row_of[active]
    k, column = np.nonzero(scanned & (owner >= 0))
    u[active[k], owner[k, column]] += gain[k, column]

    # Walk back from the free column and shift every assignment by one along the path.
    k, column = np.arange(len(active)), end
    while k.size:
        row = via[k, column]
        previous = column_of[active[k], row]
        column_of[active[k], row] = column
        row_of[active[k], column] = row
        more = row != start[k]
        k, column = k[more], previous[more]


def _shortest_paths(
    cost: Array, u: Array, v: Array, row_of: Array, active: Array, start: Array
) -> tuple[Array, Array, Array, Array, Array]:
    """Dijkstra from row ``start[k]`` to the nearest free column of problem ``active[k]``.

    Returns, for K active problems, the row before every column on its shortest path ``(K, C)``, the
    free column reached ``(K,)``, the distances ``(K, C)``, the distance reached ``(K,)`` and the
    columns whose distance is final ``(K, C)``.
    """
    shape = (len(active), cost.shape[2])
    distance, via = np.full(shape, np.inf), np.full(shape, -1)
    scanned = np.zeros(shape, dtype=bool)
    reach, end = np.zeros(shape[0]), np.full(shape[0], -1)
    k, row = np.arange(shape[0]), start
    while k.size:
        problem = active[k]
        step = cost[problem, row] - u[problem, row][:, None] - v[problem]
        length = np.where(scanned[k], np.inf, reach[k][:, None] + step)  # (K, C)
        known = distance[k]
        better = length < known
        known[better] = length[better]
        distance[k] = known
        via[k] = np.where(better, row[:, None], via[k])
        known[scanned[k]] = np.inf
        column = known.argmin(axis=1)
        reach[k] = known[np.arange(k.size), column]
        scanned[k, column] = True
        owner = row_of[problem, column]
        done = owner < 0
        end[k[done]] = column[done]
        k, row = k[~done], owner[~done]
    return via, end, distance, reach, scanned
