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
        # A loader's worker hands the error on with its whole traceback in front of the sentence.
        sentence = str(error).rsplit(f'{type(error).__name__}: ', 1)[-1].strip()
        print(f'error: {sentence}', file=sys.stderr)
        status = 1
    sys.exit(status or 0)
