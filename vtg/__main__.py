# SPDX-License-Identifier: Apache-2.0
"""``python -m vtg`` is the command ``vtg``."""

from vtg.cli import main

if __name__ == '__main__':
    main()
