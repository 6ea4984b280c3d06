#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Time the evaluation of prediction files: given ones, or generated ones of growing size.

Given files are evaluated from memory, generated ones as tools/eval_predictions.py does it, reading
included, every size in a process of its own. See docs/speed.md.
"""

import argparse
import multiprocessing
import resource
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from vtg.evaluation.functional import evaluate_qvhighlights
from vtg.utils import read_jsonl, run_main, write_json, write_jsonl

CLIPS, MOMENTS = 75, 10


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('files', nargs='*', help='predictions and annotations as JSON lines')
    parser.add_argument('--queries', type=int, nargs='+', default=[1550, 15500, 155000],
                        help='sizes of generated files, where none are given')  # fmt: skip
    parser.add_argument('--repeat', type=int, default=5, help='evaluations; the median is shown')
    parser.add_argument('--json', metavar='FILE', help='write the numbers there as well')
    args = parser.parse_args()
    if len(args.files) not in (0, 2):
        parser.error('give the predictions and the annotations, or no file.')
    return args


def generated(folder: Path, count: int) -> tuple[Path, Path]:
    """Write predictions and annotations of the size of QVHighlights' per query."""
    random = np.random.default_rng(0)

    def predictions() -> Any:
        for qid in range(count):
            windows = np.sort(2 * random.integers(0, CLIPS + 1, (MOMENTS, 2)), axis=1)
            scores = -np.sort(-random.random((MOMENTS, 1)), axis=0).round(4)
            yield {
                'qid': qid, 'query': f'a person does the thing with number {qid}',
                'vid': f'video_{qid // 5}_0.0_150.0',
                'pred_relevant_windows': np.hstack((windows, scores)).tolist(),
                'pred_saliency_scores': random.normal(size=CLIPS).round(4).tolist(),
            }  # fmt: skip

    def annotations() -> Any:
        for qid in range(count):
            first, size = random.integers(0, CLIPS // 2), random.integers(3, CLIPS // 2)
            ids = list(range(first, first + size))
            yield {
                'qid': qid, 'query': f'a person does the thing with number {qid}',
                'vid': f'video_{qid // 5}_0.0_150.0', 'duration': 150,
                'relevant_windows': [[2 * int(first), 2 * int(first + size)]],
                'relevant_clip_ids': [int(clip) for clip in ids],
                'saliency_scores': random.integers(0, 5, (size, 3)).tolist(),
            }  # fmt: skip

    paths = folder / f'predictions_{count}.jsonl', folder / f'annotations_{count}.jsonl'
    write_jsonl(paths[0], predictions())
    write_jsonl(paths[1], annotations())
    return paths


def measured(predictions: Path, annotations: Path, repeat: int) -> dict[str, float]:
    """CPU seconds of reading and evaluating, and the most memory that the process held."""
    from vtg.apis.evaluation import evaluate_files

    idle = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds = []
    for _ in range(repeat):
        start = time.process_time()
        evaluate_files(predictions, annotations, extended=True)
        seconds.append(time.process_time() - start)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        'seconds': statistics.median(seconds),
        'peak_bytes': most * 1024,
        'grown_bytes': (most - idle) * 1024,
    }


def sizes(args: argparse.Namespace) -> dict[int, dict[str, float]]:
    """The figures by number of queries."""
    print(f'{"queries":>9} {"CPU s":>8} {"us/query":>9} {"peak MiB":>9} {"KiB/query":>10}')
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        for count in args.queries:
            files = generated(Path(folder), count)
            with multiprocessing.get_context('spawn').Pool(1) as pool:
                row = pool.apply(measured, (*files, args.repeat))
            results[count] = row
            print(
                f'{count:>9} {row["seconds"]:>8.2f} {1e6 * row["seconds"] / count:>9.0f} '
                f'{row["peak_bytes"] / 2**20:>9.0f} {row["grown_bytes"] / 1024 / count:>10.1f}',
                flush=True,
            )
    return results


def in_memory(files: list[str], repeat: int) -> dict[str, float]:
    """Wall seconds of the evaluation of given files, reading excluded."""
    predictions, annotations = map(read_jsonl, files)
    seconds = []
    for _ in range(repeat):
        start = time.perf_counter()
        evaluate_qvhighlights(predictions, annotations, extended=True)
        seconds.append(time.perf_counter() - start)
    median = statistics.median(seconds)
    print(
        f'{len(predictions)} queries: first {seconds[0]:.3f} s, median {median:.3f} s, '
        f'{len(predictions) / median:.0f} queries/s'
    )
    return {'queries': len(predictions), 'seconds': median}


def main() -> None:
    args = parse_args()
    repeat = max(1, args.repeat)
    results: Any = in_memory(args.files, repeat) if args.files else sizes(args)
    if args.json:
        write_json(args.json, results)


if __name__ == '__main__':
    run_main(main)
