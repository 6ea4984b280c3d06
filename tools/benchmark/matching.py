# SPDX-License-Identifier: Apache-2.0
"""Time the assignment of the matcher against one sparse block matrix, per shape of the problems.

The matcher calls scipy's dense solver once per layer and sample. The alternative puts all problems
into one block-diagonal matrix and solves it with scipy's sparse solver in one call.
"""

import argparse
import time
from collections.abc import Callable

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import min_weight_full_bipartite_matching

from vtg.models.task_modules import assign_rows

Array = np.ndarray
# layers, samples, queries, most moments per sample
SIZES = ((4, 128, 25, 10), (4, 128, 25, 5), (4, 32, 25, 5), (4, 32, 10, 10), (1, 32, 10, 5))


def loop(cost: Array, mask: Array) -> Array:
    """Solve as the matcher does, one dense problem after the other."""
    return assign_rows(cost, mask, np.ones((len(cost), cost.shape[2]), dtype=bool))


def block(cost: Array, mask: Array) -> Array:
    """Solve one block-diagonal sparse problem; needs at least as many columns as rows."""
    problem, row = np.nonzero(mask)
    count, columns = len(problem), cost.shape[2]
    values = cost[problem, row] - cost.min() + 1  # an explicit 0 would be no edge
    place = (problem[:, None] * columns + np.arange(columns)).ravel()
    bounds = np.arange(0, count * columns + 1, columns)
    shape = (count, len(cost) * columns)
    i, j = min_weight_full_bipartite_matching(csr_matrix((values.ravel(), place, bounds), shape))
    result = np.full(mask.shape, -1)
    result[problem[i], row[i]] = j % columns
    return result


def problems(size: tuple[int, ...], similar: bool, rng: np.random.Generator) -> tuple[Array, Array]:
    """Draw costs ``(layers * samples, moments, queries)`` and the mask of the moments.

    ``similar`` moments compete for the same queries, as they do at the start of training.
    """
    layers, samples, queries, moments = size
    cost = rng.normal(size=(layers * samples, moments, queries))
    if similar:
        cost = 0.05 * cost + rng.normal(size=(layers * samples, 1, queries))
    count = rng.integers(1, moments + 1, (samples, 1))
    return cost, np.tile(np.arange(moments) < count, (layers, 1))


def measure(solve: Callable, cost: Array, mask: Array, repeats: int) -> tuple[float, float]:
    """Return the best time in milliseconds and the total cost of the solution."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        result = solve(cost, mask)
        times.append(time.perf_counter() - start)
    chosen = np.take_along_axis(cost, np.maximum(result, 0)[..., None], axis=2)[..., 0]
    return min(times) * 1e3, float(chosen[mask].sum())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--repeats', type=int, default=10, help='the best of this many runs counts')
    repeats = parser.parse_args().repeats
    solvers = {'loop': loop, 'block': block}
    print(
        f'{"layers x samples x queries x moments":38}{"costs":13}'
        + '  '.join(f'{name + " ms":>10}' for name in solvers)
    )
    for size in SIZES:
        for similar in (False, True):
            cost, mask = problems(size, similar, np.random.default_rng(0))
            results = [measure(solve, cost, mask, repeats) for solve in solvers.values()]
            assert np.ptp([total for _, total in results]) < 1e-6, 'the solvers disagree'
            print(
                f'{" x ".join(map(str, size)):38}{"similar" if similar else "independent":13}'
                + '  '.join(f'{milliseconds:10.2f}' for milliseconds, _ in results)
            )


if __name__ == '__main__':
    main()
