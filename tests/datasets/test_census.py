# SPDX-License-Identifier: Apache-2.0
"""Counting annotation files; the published ones have exactly the faults that are known of them."""

import json

import pytest

from vtg.datasets.annotations import correct_records, read_records
from vtg.datasets.census import Census, Reading
from vtg.datasets.repair import Tolerance

# Files in the common format; the others are read by their converters.
PUBLISHED = (
    'activitynet_val_1', 'ego4d_nlq_val_cgdetr', 'qvm2_test', 'qvm2_val_new',
    'soccer_gmr_standard_val', 'soccer_gmr_standard_test_A', 'charades_rf_test_first_half',
    'na_vmr_qvhl_ood_neg_val_first200', 'castella_train_before_fixes', 'tut2017_test',
    'clotho_moment_val_first200',
)  # fmt: skip


@pytest.mark.parametrize('name', PUBLISHED)
@pytest.mark.parametrize('training', [True, False])
def test_published_files_have_the_known_faults_and_are_read(shared, name, training):
    folder = shared / 'data/more'
    expected = json.loads((folder / 'expected_counts.json').read_text())['files']
    expected = expected[f'{name}.jsonl.gz']
    clip_length = expected['clip_length_s']
    qid = 'renumber' if expected['repeated_qids'] else 'unique'
    reading = Reading(clip_length, Tolerance('repair', qid))
    path = folder / f'{name}.jsonl.gz'
    required = ('relevant_windows',) if training else ()
    records = correct_records(read_records(path, clip_length, required, reading=reading), path)
    counts = reading.census.counts()
    assert {key: counts[key] for key in expected} == expected
    lost = counts['empty_query']
    if not training:
        assert len(records) == expected['queries'] - lost
    else:
        assert all(e - s > 1e-3 for record in records for s, e in record['relevant_windows'])
    nulls = [record for record in records if record['relevant_windows'] == []]
    assert len(nulls) == expected['no_moment']
    # Mended copies have nothing left to mend.
    again = Census(clip_length)
    for record in records:
        again.add(record)
    left = {'zero_length', 'outside', 'shorter_than_1_ms'} if not training else set()
    assert not {line.split()[0] for line in again.lines()} - left - {'videos_with'}


def test_lines_say_what_was_found_and_done():
    base = {'query': 'a dog', 'vid': 'v', 'duration': 10}
    census = Census(2.0, Tolerance('repair'))
    for qid, windows in ((1, [[2, 10.5]]), (1, [[5, 8], [0, 6]]), (2, []), (3, [[1, 1.5]])):
        census.add({**base, 'qid': qid, 'relevant_windows': windows})
    census.add({**base, 'qid': 4, 'duration': 12})
    assert [line.split()[:2] for line in census.lines()] == [
        ['over_end', '1'], ['repeated_qids', '1'], ['videos_with_several_durations', '1'],
    ]  # fmt: skip
    everything = {line.split()[0]: int(line.split()[1]) for line in census.lines(True)}
    assert everything == {
        'over_end': 1, 'repeated_qids': 1, 'records_beyond_first_of_a_qid': 1,
        'videos_with_several_durations': 1, 'no_moment': 1, 'shorter_than_clip': 1,
        'unsorted_queries': 1, 'overlapping_queries': 1,
    }  # fmt: skip
    assert census.summary().startswith('1 windows end after the video by more than 1 ms: cut; ')
    counts = census.counts()
    assert (counts['queries'], counts['videos'], counts['windows']) == (5, 1, 4)
    assert counts['max_over_s'] == 0.5
    strict = Census(2.0)
    strict.add({**base, 'qid': 1, 'relevant_windows': [[2, 11]]})
    assert strict.summary() == '1 windows end after the video by more than 1 ms'


def test_a_file_of_other_videos_is_warned_of():
    census = Census(2.0)
    for qid in range(20):
        windows = [[2, 4], [299, 4800]] if qid == 7 else [[2, 4]]
        census.add(
            {'qid': qid, 'query': 'x', 'vid': 'v', 'duration': 299, 'relevant_windows': windows}
        )
    assert '(qid 7: [299, 4800] in 299 s)' in census.warning()
    assert Census(2.0).warning() is None


def test_ids_are_numbered_anew_and_the_old_ones_kept():
    reading = Reading(2.0, Tolerance(qid='renumber'))
    found = [reading.settle({'qid': qid, 'query': 'x', 'vid': 'v'}) for qid in ('a', 'a', 5)]
    assert [(r['qid'], r['text_key']) for r in found] == [(0, 'a'), (1, 'a'), (2, 5)]
    assert Reading(2.0, Tolerance(qid='renumber')).settle(found[1])['text_key'] == 'a'


def test_unusable_queries_are_dropped_where_asked_for():
    lost = {'relevant_windows': [[10, 10]], 'unreachable': 'outside'}
    assert Reading(2.0).finish(lost, training=False) is lost
    assert Reading(2.0, Tolerance('repair', unusable='drop')).finish(lost, training=False) is None
    assert Reading(2.0).finish(lost, training=True) is None
