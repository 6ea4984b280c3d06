# SPDX-License-Identifier: Apache-2.0
"""Times in texts."""

import pytest

from vtg.evaluation.reading.times import first_span_in, spans_in

TEXTS = {
    'The event happens from 12.5 to 30 seconds.': [[12.5, 30]],
    'The event happens in 12.5 - 30.0 seconds': [[12.5, 30]],
    'It happens in 3s\u201310s, and in 20 s to 25 s.': [[3, 10]],
    'between 5 seconds and 9.25 seconds': [[5, 9.25]],
    'from 00:05 to 01:10': [[5, 70]],
    '1:02:03.5 - 1:02:10': [[3723.5, 3730]],
    '[12.5, 30.0]': [[12.5, 30]],
    '{"start": 4, "end": 6.5}, {"start": 8, "end": 9}': [[4, 6.5], [8, 9]],
    '1, 2, 3, 4, 5': [[1, 2], [3, 4]],
    '<think>Perhaps 1 to 2.</think><answer>7 to 9</answer>': [[7, 9]],
    '30 to 12.5': [[30, 12.5]],
    'at 12 seconds': [],
    'I cannot find it.': [],
    '': [],
}


@pytest.mark.parametrize('text', TEXTS)
def test_spans(text):
    assert spans_in(text) == TEXTS[text]


@pytest.mark.parametrize(
    ('text', 'expected'),
    [
        ('The given query happens in 30.0 - 20.8 seconds.', [[20.8, 30]]),
        ('The start time is 0.8 seconds.\nThe end time is 1.1 seconds.', [[0.8, 1.1]]),
        ('It starts at 00:00:18!\nIt ends at 00:00:23', [[18, 23]]),
        ('5 - 6, then 7 - 8', [[5, 6]]),
        ('5 and 6', []),
    ],
)
def test_what_timechat_reads(text, expected):
    assert first_span_in(text) == expected
