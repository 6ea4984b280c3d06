# SPDX-License-Identifier: Apache-2.0
"""Measure how many samples per second the feature stores deliver through a data loader."""

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from vtg.utils import run_main, terminal_table, write_json, write_jsonl


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--samples', type=int, default=512)
    parser.add_argument('--clips', type=int, default=75, help='clips per video')
    parser.add_argument('--video-dims', type=int, nargs='+', default=[512])
    parser.add_argument('--text-dim', type=int, default=512)
    parser.add_argument('--batch-size', type=int, default=32)
    parser.add_argument('--workers', type=int, default=0)
    parser.add_argument('--passes', type=int, default=3, help='the fastest pass counts')
    parser.add_argument('--json', metavar='FILE', help='write the numbers there as well')
    return parser.parse_args()


def write_features(root: Path, args: argparse.Namespace) -> Path:
    """Write a simulated dataset as the files that real features come in."""
    from vtg.datasets import SimulatedDataset, pack_features

    source = SimulatedDataset(
        num_samples=args.samples,
        num_clips=(args.clips, args.clips),
        video_dims=args.video_dims,
        text_dim=args.text_dim,
    )
    records = [source.get_data_info(index) for index in range(len(source))]
    write_jsonl(root / 'annotations.jsonl', records)
    stores = {f'video{i}': store for i, store in enumerate(source.video)}
    for name, store in (stores | {'text': source.text[0]}).items():
        folder = root / name
        folder.mkdir()
        for record in records:
            np.savez(folder / f'{store.name_of(record)}.npz', features=store.read(record))
        pack_features(folder, root / f'{name}_packed')
    return root / 'annotations.jsonl'


def make_stores(kind: str, root: Path, args: argparse.Namespace) -> dict:
    """Return the ``video`` and ``text`` arguments of a dataset that reads this kind of store."""
    if kind == 'simulated':
        video = [
            {'type': 'SimulatedVideo', 'dim': dim, 'backbone': f'video{i}', 'cache_mib': 0}
            for i, dim in enumerate(args.video_dims)
        ]
        return {
            'video': video,
            'text': {'type': 'SimulatedText', 'dim': args.text_dim, 'cache_mib': 0},
        }
    store, suffix = {'folder': ('FolderStore', ''), 'packed': ('PackedStore', '_packed')}[kind]
    video = [
        {'type': store, 'folder': str(root / f'video{i}{suffix}')}
        for i in range(len(args.video_dims))
    ]
    text = {'type': store, 'folder': str(root / f'text{suffix}'), 'pattern': '{qid}'}
    return {'video': video, 'text': text}


def measure(dataset: Any, args: argparse.Namespace) -> float:
    """Return samples per second of the fastest pass."""
    from torch.utils.data import DataLoader

    from vtg.datasets import EpochSampler, collate

    loader = DataLoader(
        dataset,
        batch_size=args.batch_size,
        sampler=EpochSampler(dataset, shuffle=True, seed=0),
        num_workers=args.workers,
        persistent_workers=args.workers > 0,
        collate_fn=collate,
    )
    seconds = []
    for _ in range(args.passes):
        start = time.perf_counter()
        for _ in loader:
            pass
        seconds.append(time.perf_counter() - start)
    return len(dataset) / min(seconds)


def main() -> int:
    args = parse_args()
    from vtg.datasets import QVHighlights

    rates = {}
    with tempfile.TemporaryDirectory() as folder:
        annotations = write_features(Path(folder), args)
        for kind in ('folder', 'packed', 'simulated'):
            stores = make_stores(kind, Path(folder), args)
            dataset = QVHighlights(
                str(annotations), features=dict(max_video_clips=args.clips), **stores
            )
            rates[kind] = measure(dataset, args)
    rows = [[kind, f'{rate:.0f}', f'{1000 / rate:.2f}'] for kind, rate in rates.items()]
    print(terminal_table(['store', 'samples/s', 'ms/sample'], rows))
    if args.json:
        write_json(args.json, rates)
    return 0


if __name__ == '__main__':
    run_main(main)
