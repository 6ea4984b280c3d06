#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Time the evaluation of a prediction file, loading excluded."""

import argparse
import time

from vtg.evaluation.functional import evaluate_qvhighlights
from vtg.utils import read_jsonl, run_main


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('predictions', help='JSON lines, plain or .gz')
    parser.add_argument('annotations', help='JSON lines with labels, plain or .gz')
    parser.add_argument('--repeat', type=int, default=5, help='evaluations; the median is shown')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    predictions, annotations = read_jsonl(args.predictions), read_jsonl(args.annotations)
    seconds = []
    for _ in range(max(1, args.repeat)):
        start = time.perf_counter()
        evaluate_qvhighlights(predictions, annotations, extended=True)
        seconds.append(time.perf_counter() - start)
    median = sorted(seconds)[len(seconds) // 2]
    print(
        f'{len(predictions)} queries: first {seconds[0]:.3f} s, median {median:.3f} s, '
        f'{len(predictions) / median:.0f} queries/s'
    )


if __name__ == '__main__':
    run_main(main)
