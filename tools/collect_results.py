#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Collect every recorded run into one table by benchmark, system and features.

Runs are found by their report_*.json; a CSV file that this tool wrote is a place of runs too.
"""

import argparse
from pathlib import Path

from vtg.apis.command_line import ArgumentParser
from vtg.reports.collection import TITLE, collect, read_results, results_csv, results_page
from vtg.utils import check_replaceable, read_text, run_main, write_text


def parse_args() -> argparse.Namespace:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument('places', nargs='+', metavar='PLACE', help='folders of runs, CSV files')
    parser.add_argument(
        '--page', metavar='FILE.md', help='write the table, and the runs as FILE.csv beside it'
    )
    args = parser.parse_args()
    if args.page and Path(args.page).suffix == '.csv':
        parser.error('--page takes a file of Markdown; the CSV is written beside it')
    return args


def main() -> None:
    args = parse_args()
    if args.page:
        check_replaceable(
            args.page, lambda path: read_text(path).startswith(f'# {TITLE}'), 'a page of results'
        )
        beside = Path(args.page).with_suffix('.csv')
        check_replaceable(beside, lambda path: bool(read_results(path)), 'a file of results')
    runs, notes = collect(args.places)
    for note in notes:
        print(f'note: {note}')
    page = results_page(runs)
    if not args.page:
        print(page)
        return
    write_text(beside, results_csv(runs))
    write_text(args.page, page)
    print(f'{len(runs)} runs; written: {args.page}, {beside}')


if __name__ == '__main__':
    run_main(main)
