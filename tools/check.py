#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Check on noise what every component of a config has to keep: padding, neighbours, gradients.

No data are needed. The status is 1 if a check fails; every failure names the component, loss or
parameter where it begins.
"""

import argparse

from vtg.apis.command_line import ArgumentParser
from vtg.utils import run_main


def parse_args() -> argparse.Namespace:
    parser = ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='config file, e.g. sgdetr/demo')
    parser.add_argument(
        'component', nargs='?',
        help='judge this one alone: a slot (fusion), a member of a chain (fusion.gate), a part '
        '(moment_head.losses.span) or a class (WordGate)',
    )  # fmt: skip
    parser.add_overrides()
    return parser.parse_args()


def main() -> int:
    args = parse_args()
    from mmengine.registry import init_default_scope

    from vtg.engine import load_config
    from vtg.engine.config import model_config
    from vtg.models.checks import check_model
    from vtg.registry import MODELS

    cfg = load_config(args.config, args.cfg_options)
    init_default_scope('vtg')
    findings = check_model(lambda: MODELS.build(model_config(cfg)), args.component)
    failed = sum(not finding.passed for finding in findings)
    print(f'{args.config}{f", {args.component}" if args.component else ""}')
    for finding in findings:
        print(f'  {"ok  " if finding.passed else "FAIL"}  {finding.name}: {finding.text}')
    print(f'{len(findings)} checks, {failed or "none"} failed')
    return 1 if failed else 0


if __name__ == '__main__':
    run_main(main)
