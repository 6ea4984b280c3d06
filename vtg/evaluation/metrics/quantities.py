# SPDX-License-Identifier: Apache-2.0
"""The numbers of the usual evaluators, in the order of tables."""

from vtg.structures import Quantity

_HEADLINES = (
    'MR-full-R1@0.5',
    'MR-full-R1@0.7',
    'MR-full-mAP',
    'HL-min-VeryGood-mAP',
    'HL-min-VeryGood-Hit1',
)


def _quantities(*names: str) -> tuple[Quantity, ...]:
    return tuple(Quantity(name, headline=name in _HEADLINES) for name in names)


MOMENTS = _quantities(
    *(f'MR-full-{rank}@{t}' for rank in ('R1', 'R5') for t in ('0.3', '0.5', '0.7')),
    *(f'MR-full-mAP{t}' for t in ('@0.5', '@0.75', '')),
    *(f'MR-{name}-mAP' for name in ('short', 'middle', 'long')),
    'MR-full-mIoU',
)
"""Moment retrieval."""
HIGHLIGHTS = _quantities(
    *(f'HL-min-{grade}-{m}' for grade in ('Fair', 'Good', 'VeryGood') for m in ('mAP', 'Hit1'))
)
"""Highlight detection against graded clips."""
