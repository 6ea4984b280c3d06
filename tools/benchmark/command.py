# SPDX-License-Identifier: Apache-2.0
"""What the commands of this folder share that measure configs: arguments, counts and the table."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import measure
import torch

from vtg.utils import write_json

TYPES = {'fp32': torch.float32, 'bf16': torch.bfloat16}
# Key of a figure, title, format, and what it is multiplied by.
Column = tuple[str, str, str, float]
COUNTED: tuple[Column, ...] = (
    ('operations', 'operations', '{:.0f}', 1),
    ('synchronisations', 'syncs', '{:.0f}', 1),
    ('peak_bytes', 'peak MiB', '{:.0f}', 2**-20),
    ('flops', 'GFLOP', '{:.1f}', 1e-9),
)
Figures = dict[str, dict[str, float]]


def make_parser(
    description: str | None, example: str, clips: int, precision: Sequence[str], repeats: int
) -> argparse.ArgumentParser:
    """The arguments that all commands take, with the defaults of one of them."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument('configs', nargs='+', help=f'config files, e.g. {example}')
    parser.add_argument('--clips', type=int, default=clips, help='clips of every video')
    parser.add_argument('--words', type=int, default=20, help='most words of a query')
    parser.add_argument('--precision', nargs='+', choices=tuple(TYPES), default=list(precision))
    parser.add_argument('--device', default='cpu')
    parser.add_argument('--threads', type=int, default=1, help='CPU threads')
    parser.add_argument('--repeats', type=int, default=repeats, help='timed calls; 0 counts only')
    parser.add_argument('--top', action='store_true', help='name the most frequent operations')
    parser.add_argument('--json', metavar='FILE', help='write the numbers there as well')
    parser.add_argument(
        '--cfg-options', nargs='+', action='extend', default=[], metavar='KEY=VALUE',
        help='override config values',
    )  # fmt: skip
    return parser


def counted(work: measure.Work, device: torch.device, title: str = '') -> dict[str, float]:
    """What a call costs without a clock.

    Args:
        work: The call.
        device: Where it runs.
        title: In front of its most frequent operations, which are printed; nothing where empty.
    """
    figures: dict[str, float] = {**measure.counts(work), 'flops': measure.flops(work)}
    if device.type == 'cuda':
        torch.cuda.reset_peak_memory_stats()
        work()
        figures['peak_bytes'] = torch.cuda.max_memory_allocated()
    if title:
        print(f'{title}: ' + ', '.join(f'{k} {v}' for k, v in measure.frequent(work)))
    return figures


def print_table(
    args: argparse.Namespace,
    columns: Sequence[Column],
    measured: Callable[[argparse.Namespace, str], Figures],
    facts: Mapping[str, Any],
) -> None:
    """Measure all configs and print a line for each of their variants, as soon as it is known.

    Args:
        args: Of :func:`make_parser`.
        columns: Of the table.
        measured: Gives the figures of a config by variant.
        facts: What else the numbers depend on.
    """
    torch.set_num_threads(args.threads)
    facts = {
        'commit': measure.commit(), 'torch': torch.__version__, 'device': args.device,
        'threads': args.threads, 'clips': args.clips, 'words': args.words, **facts,
    }  # fmt: skip
    print(', '.join(f'{key} {value}' for key, value in facts.items() if value))
    width = max(map(len, args.configs))
    print(f'{"config":{width}}  {"":9}' + ' '.join(f'{title:>13}' for _, title, *_ in columns))
    results = {}
    for config in args.configs:
        results[config] = measured(args, config)
        for name, figures in results[config].items():
            cells = (
                form.format(figures[key] * scale) if key in figures else '-'
                for key, _, form, scale in columns
            )
            row = ' '.join(f'{cell:>13}' for cell in cells)
            print(f'{config:{width}}  {name:9}{row}', flush=True)
    if args.json:
        write_json(args.json, {**facts, 'results': results})
