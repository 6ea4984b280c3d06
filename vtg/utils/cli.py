# SPDX-License-Identifier: Apache-2.0
"""How the scripts in ``tools/`` end."""

import sys
from collections.abc import Callable

from .errors import VtgError


def run_main(main: Callable[[], int | None]) -> None:
    """Run ``main`` and exit with its status; an error of the user's input is one sentence."""
    try:
        status = main()
    except VtgError as error:
        print(f'error: {error}', file=sys.stderr)
        status = 1
    sys.exit(status or 0)
