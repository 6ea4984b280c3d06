#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Turn the original annotation file of TVSum or YouTube Highlights into records per split."""

import argparse
from functools import partial
from pathlib import Path
from typing import Any

from vtg.utils import check_output, check_replaceable, read_jsonl, run_main, write_jsonl


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('annotations', help='youtube_anno.json or tvsum_train_sfc.json, or .gz')
    parser.add_argument('splits', help='youtube_splits.json or tvsum_splits.json')
    parser.add_argument('out', help='folder for train.jsonl and val.jsonl')
    return parser.parse_args()


def holds(records: list[dict[str, Any]], path: Path) -> bool:
    """Whether a file holds these records already."""
    return read_jsonl(path) == records


def main() -> None:
    args = parse_args()
    # Imported here so that --help and a mistyped option answer at once.
    from vtg.datasets.video_ratings import read_video_ratings

    written = {}
    for split in ('train', 'val'):
        path = check_output(Path(args.out) / f'{split}.jsonl', [args.annotations, args.splits])
        records = read_video_ratings(args.annotations, args.splits, split)
        check_replaceable(path, partial(holds, records), 'the same split')
        written[path] = records
    for path, records in written.items():
        write_jsonl(path, records)
        print(f'{path}: {len(records)} videos')


if __name__ == '__main__':
    run_main(main)
