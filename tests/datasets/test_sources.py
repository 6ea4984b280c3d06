# SPDX-License-Identifier: Apache-2.0
"""Source videos read off ids."""

import pytest

from vtg.datasets.sources import segment_source, underscore_source


@pytest.mark.parametrize(
    ('vid', 'segment', 'underscore'),
    [
        ('abc_60.0_210.0', 'abc', 'abc'),
        ('a_b-c_60.0_210.0', 'a_b-c', 'a_b-c'),
        ('_xMr-HKMfVA', '_xMr-HKMfVA', ''),
        ('AB_cd', 'AB_cd', 'AB'),
        ('s17-d69', 's17-d69', 's17-d69'),
        ('a_b_c', 'a_b_c', 'a'),
    ],
)
def test_rules(vid, segment, underscore):
    assert segment_source(vid) == segment
    assert underscore_source(vid) == underscore
