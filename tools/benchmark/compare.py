#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Run two commands in turns and compare their times, on a machine that does other things as well.

Turns expose both to the same load; CPU time is that of a command and its children. The first turn
warms caches up and does not count. Example:

    python tools/benchmark/compare.py 'python a.py' 'python b.py' --repeats 7
"""

import argparse
import os
import shlex
import statistics
import subprocess
import time

from vtg.utils import ConfigError, run_main, write_json


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('a', metavar='CMD_A', help='a command as one argument')
    parser.add_argument('b', metavar='CMD_B', help='the command that it is compared with')
    parser.add_argument('--repeats', type=int, default=5, help='counted turns')
    parser.add_argument('--json', metavar='FILE', help='write all times there as well')
    return parser.parse_args()


def timed(command: str) -> tuple[float, float]:
    """Wall and CPU seconds of a command.

    Raises:
        ConfigError: The command does not exist or fails.
    """
    before, start = os.times(), time.perf_counter()
    try:
        result = subprocess.run(shlex.split(command), capture_output=True, text=True)
    except (OSError, ValueError) as error:
        raise ConfigError(f'{command!r} cannot be run ({error}); give a command.') from None
    wall, after = time.perf_counter() - start, os.times()
    if result.returncode:
        last = (result.stderr.strip() or result.stdout.strip() or 'no output').splitlines()[-1]
        raise ConfigError(f'{command!r} ended with status {result.returncode}: {last[:200]}.')
    children = (after.children_user + after.children_system) - (
        before.children_user + before.children_system
    )
    return wall, children


def main() -> None:
    args = parse_args()
    if args.repeats < 1:
        raise ConfigError(f'--repeats is {args.repeats}; expected at least 1.')
    times: dict[str, list[tuple[float, float]]] = {'A': [], 'B': []}
    for turn in range(args.repeats + 1):
        for name, command in (('A', args.a), ('B', args.b)):
            pair = timed(command)
            if turn:
                times[name].append(pair)
    print(f'{"":8}{"A":>10}{"B":>10}{"B / A":>10}   lowest and highest B / A of a turn')
    for column, title in enumerate(('wall s', 'CPU s')):
        a, b = ([pair[column] for pair in times[name]] for name in 'AB')
        ratios = [after / max(before, 1e-9) for before, after in zip(a, b)]
        print(
            f'{title:8}{statistics.median(a):10.3f}{statistics.median(b):10.3f}'
            f'{statistics.median(ratios):10.3f}   {min(ratios):.3f} {max(ratios):.3f}'
        )
    if args.json:
        record = {'a': args.a, 'b': args.b, 'times': times}
        write_json(args.json, record)


if __name__ == '__main__':
    run_main(main)
