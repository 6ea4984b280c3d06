# SPDX-License-Identifier: Apache-2.0
"""The size of the fuzzing campaigns."""

import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def inputs(request):
    """``inputs(share)`` yields ``(number, generator)`` for every input of a campaign.

    ``share`` is the number of inputs in a plain run; ``--fuzz-inputs N`` runs N instead, and
    ``--fuzz-seed S`` makes others.
    """
    seed = request.config.getoption('--fuzz-seed')

    def make(share: int):
        count = request.config.getoption('--fuzz-inputs') or share
        for number in range(count):
            yield number, random.Random(f'{seed}{request.node.nodeid}:{number}')

    return make
