# SPDX-License-Identifier: Apache-2.0
"""Every system gives the stored values through converter and config."""

from pathlib import Path

import numpy as np
import pytest
from reference_values.checks import run_check

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'

# Quantities that are compared at least.
SETS = {
    'bam_detr': 640,
    'causalvtg': 315,
    'cg_detr': 361,
    'eatr': 275,
    'encoder_internvideo2': 20,
    'encoder_internvideo2_llama': 6,
    'encoder_internvideo2_text': 9,
    'flashmmr': 95,
    'gmr': 276,
    'la_detr': 181,
    'ld_detr': 540,
    'flashvtg': 389,
    'moment_detr': 122,
    'qd_detr': 185,
    'qd_detr_audio': 176,
    'r2_tuning': 441,
    'sgdetr': 702,
    'taskweave': 1537,
    'tr_detr': 213,
    'umt': 355,
    'univtg': 108,
    'uvcom': 443,
    'videolights': 478,
}
# Why a quantity of a batch without padding may be skipped.
REASONS = (
    'a part of ',
    'a value for the log',
    'before the selection',
    'follows from the assignment',
    'goes into the decoder',
    'inside ',
    'no output of ours',
    'no part of the model',
    'official-only: ',
    'the moment of every positive anchor',
    'weight 0',
)


def folder_of(shared, name):
    """The folder that holds a set."""
    found = [path for path in (shared / 'golden', shared / 'golden_more')
             if (path / f'{name}.json').is_file()]  # fmt: skip
    return found[0] if found else pytest.skip(f'no reference set {name} below {shared}')


@pytest.mark.parametrize('name', SETS)
def test_everything_is_compared_and_within_the_tolerance(shared, name):
    folder = folder_of(shared, name)
    rows = list(run_check(name, folder, CONFIGS))
    assert [row for row in rows if row.failed] == []
    compared = {row.name.split(' ')[0] for row in rows if not row.skipped}
    assert sum(not row.skipped for row in rows) >= SETS[name]
    reasons = {row.name: row.note for row in rows if row.skipped}
    assert '' not in reasons.values() and 'no row is about it' not in reasons.values()
    for key in np.load(folder / f'{name}.npz').files:
        if key.startswith('nopad') and '/in/' not in key and '/sd/' not in key:
            found = key in compared or any(row.startswith(f'{key}/') for row in compared)
            assert found or reasons[key].startswith(REASONS), key
