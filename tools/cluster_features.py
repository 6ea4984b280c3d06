#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Choose typical training videos and texts, one per cluster, for dictionaries of features.

Writes OUT/video.npy and OUT/text.npy, to be named by `rows_file` of a FrontDoorEncoder.
"""

import argparse

from vtg.apis.command_line import ArgumentParser, seed, whole_number
from vtg.utils import run_main


def parse_args() -> argparse.Namespace:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config file, e.g. configs/causalvtg/qvhl.py')
    parser.add_argument('out', help='folder')
    parser.add_argument('--rows', type=whole_number(), default=256, help='clusters (256)')
    parser.add_argument('--seed', type=seed, default=42)
    parser.add_subset()
    parser.add_overrides()
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    from vtg.apis.clustering import typical_features
    from vtg.apis.train import reduce_data
    from vtg.datasets.stores import write_arrays
    from vtg.engine import load_config
    from vtg.utils import ConfigError, check_output

    cfg = reduce_data(load_config(args.config, args.cfg_options), args.rehearsal, args.limit)
    out = check_output(args.out, [args.config])
    if written := [name for name in ('video.npy', 'text.npy') if (out / name).exists()]:
        raise ConfigError(f'{out} holds a {written[0]} already; give another folder.')
    for name, features in typical_features(cfg, args.rows, args.seed).items():
        path = out / f'{name}.npy'
        write_arrays(path, features=features)
        print(f'{path}: {len(features)} rows of {features.shape[1]} columns')


if __name__ == '__main__':
    run_main(main)
