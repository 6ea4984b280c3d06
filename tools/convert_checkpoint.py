# SPDX-License-Identifier: Apache-2.0
"""Turn a published checkpoint into one that tools/test.py loads."""

import argparse

from vtg.utils import run_main


def main() -> None:
    """Convert, and check against a config where one is given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('system', help='name of the system, e.g. sgdetr')
    parser.add_argument('source', help='published checkpoint')
    parser.add_argument('target', help='file to write')
    parser.add_argument('--config', help='check that this config loads the result')
    args = parser.parse_args()

    from vtg.conversion import convert_checkpoint

    model = None
    if args.config:  # what is wrong with it is found before anything is written
        from vtg.engine.config import load_config, model_config
        from vtg.registry import MODELS

        model = MODELS.build(model_config(load_config(args.config)))
    weights = convert_checkpoint(args.system, args.source, args.target)
    print(f'wrote {len(weights)} tensors to {args.target}')
    if model is not None:
        from vtg.engine.checkpoint import load_weights

        load_weights(model, args.target)
        print(f'{args.config} loads it')


if __name__ == '__main__':
    run_main(main)
