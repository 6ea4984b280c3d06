# SPDX-License-Identifier: Apache-2.0
"""An annotation to targets, without features."""

import numpy as np
import pytest

from vtg.datasets.labelling import Labelling
from vtg.utils import ConfigError

RECORD = {'vid': 'a_b_1.0_2.0', 'duration': 11.0, 'relevant_windows': [[0, 2], [4, 8]]}
COVERED = {'type': 'CoveredClips'}


def targets(**options):
    return Labelling(COVERED, **options).targets(RECORD, 5, 2.0, np.random.default_rng(0))


def test_spans_are_a_fraction_of_the_clips_or_of_the_duration():
    np.testing.assert_allclose(targets()['spans'], [[0.1, 0.2], [0.6, 0.4]], rtol=1e-6)
    spans = targets(duration_from='annotation')['spans']
    np.testing.assert_allclose(spans, np.array([[1, 2], [6, 4]]) / 11, rtol=1e-6)
    assert targets()['relevant'].tolist() == [True, False, True, True, False]


def test_windows_beyond_the_maximum_are_drawn():
    assert len(targets(max_windows=1)['spans']) == 1
    assert len(targets(max_windows=2)['spans']) == 2


def test_short_windows_become_a_clip_within_the_video():
    windows = [[4.5, 5.0], [0.1, 0.3], [9.8, 10.6], [2.0, 8.0]]
    record = {**RECORD, 'relevant_windows': windows}
    labelling = Labelling({'type': 'AllWindows', 'clip_from': 'clip_length'}, min_clips=1.0)
    found = labelling.targets(record, 5, 2.0, np.random.default_rng(0))
    expected = np.array([[4.75, 2], [1, 2], [9, 2], [5, 6]]) / 10
    np.testing.assert_allclose(found['spans'], expected, rtol=1e-6)
    # Labels follow: clip 4 was not reached before.
    assert found['relevant'].all() and record['relevant_windows'] is windows
    assert len(labelling.targets({**RECORD, 'relevant_windows': []}, 5, 2.0, None)['spans']) == 0


@pytest.mark.parametrize(
    ('window', 'kept'),
    [
        ((4.0, 7.0), (4.0, 7.0)),
        ((7.0, 11.0), (7.0, 10.0)),  # the features have five clips of 2 s
        ((4.5, 5.1), (3.8, 5.8)),
        ((9.9, 11.0), (8.0, 10.0)),
    ],
)
def test_windows_are_cut_to_the_clips_of_the_features(window, kept):
    labelling = Labelling(COVERED, cut_windows=True, min_clips=1.0)
    record = {**RECORD, 'relevant_windows': [list(window)]}
    found = labelling.targets(record, 5, 2.0, np.random.default_rng(0))
    centre, width = found['spans'][0] * 10
    np.testing.assert_allclose((centre - width / 2, centre + width / 2), kept, atol=1e-5)
    clips = np.flatnonzero(found['relevant'])
    assert kept[0] < 2 * clips[0] + 2 and 2 * clips[-1] < kept[1]
    assert record['relevant_windows'] == [list(window)]


def test_the_source_follows_its_rule():
    assert targets()['source'] == 'a_b'
    assert targets(source_rule='underscore')['source'] == 'a_b'
    assert Labelling(COVERED).source_rule('a_b_c') == 'a_b_c'
    assert Labelling(COVERED, source_rule='underscore').source_rule('a_b_c') == 'a'


def test_a_record_without_its_fields_has_no_labels():
    labelling = Labelling(COVERED)
    assert labelling.fields == ('relevant_windows',) and labelling.applies(RECORD)
    assert not labelling.applies({**RECORD, 'relevant_windows': None})


def test_arguments_are_checked():
    with pytest.raises(ConfigError, match='labels of the dataset has no saliency; set'):
        Labelling.of({'max_windows': 3})
    with pytest.raises(ConfigError, match='labels has no window; did you mean max_windows'):
        Labelling.of({'saliency': COVERED, 'window': 3})
    with pytest.raises(ConfigError, match=r'labels\.duration_from'):
        Labelling.of({'saliency': COVERED, 'duration_from': 'video'})
