# SPDX-License-Identifier: Apache-2.0
"""Conversion of published annotation files: exact counts, and results that are read strictly."""

import json

import pytest

from vtg.apis.convert import convert_annotations, lengths_from
from vtg.apis.validate import validate_files
from vtg.utils import ConfigError, DataError, read_jsonl, write_jsonl

PUBLISHED = {
    'activitynet_val_1.jsonl.gz': 'eatr',
    'activitynet_train_original_excerpt.json.gz': 'activitynet',
    'ego4d_nlq_val_cgdetr.jsonl.gz': 'cg_detr',
    'ego4d_nlq_val_original_excerpt.json.gz': 'ego4d_nlq',
    'qvm2_test.jsonl.gz': 'qvm2',
    'qvm2_val_new.jsonl.gz': 'qvm2',
    'soccer_gmr_standard_val.jsonl.gz': 'soccer_gmr',
    'soccer_gmr_standard_test_A.jsonl.gz': 'soccer_gmr',
    'tacos_test_original.json.gz': 'tacos',
    'charades_sta_test.txt.gz': 'charades_sta',
    'charades_sta_train_defects.txt': 'charades_sta',
    'charades_cd_val.json.gz': 'charades_cd',
    'charades_cg_novel_word.json.gz': 'charades_cg',
    'charades_rf_test_first_half.jsonl.gz': 'causalvtg',
    'charades_rf_test_original_excerpt.json.gz': 'ratsg',
    'na_vmr_qvhl_ood_neg_val_first200.jsonl.gz': 'na_vmr',
    'castella_train_before_fixes.jsonl.gz': 'castella',
    'tut2017_test.jsonl.gz': 'tut2017',
    'clotho_moment_val_first200.jsonl.gz': 'clotho_moment',
}


@pytest.mark.parametrize('name', PUBLISHED)
def test_published_files(name, shared, tmp_path):
    folder = shared / 'data/more'
    expected = json.loads((folder / 'expected_counts.json').read_text())['files'][name]
    options = {}
    if PUBLISHED[name] == 'charades_sta':
        options['lengths'] = lengths_from(folder / 'charades_lengths.csv.gz')
    out = tmp_path / 'out.jsonl'
    converted = convert_annotations(PUBLISHED[name], folder / name, out, **options)
    counts = converted.census.counts()
    # Ids of nested files are made here, and say nothing of the file.
    assert {key: counts[key] for key in expected} == expected
    dropped = counts['reversed'] if PUBLISHED[name] == 'charades_sta' else 0
    assert len(converted.records) == expected['queries'] - expected['empty_query'] - dropped
    for labelled in (True, False):
        result = validate_files(
            str(out), [], [], clip_length=expected['clip_length_s'], labelled=labelled
        )
        assert not result.problems
        assert not [line for line in result.found if 'several durations' not in line]


@pytest.mark.parametrize(
    ('name', 'source', 'target', 'options'),
    [
        ('charades_sta', 'charades_sta_test.txt.gz',
         'charades_sta/charades_sta_test_tvr_format.jsonl.gz', {'first_qid': 12404}),
        ('tacos', 'tacos_test_original.json.gz', 'tacos/test.jsonl.gz', {}),
    ],
)  # fmt: skip
def test_the_common_files_come_out(name, source, target, options, shared):
    folder = shared / 'data'
    if name == 'charades_sta':
        options = {**options, 'lengths': lengths_from(folder / 'more/charades_lengths.csv.gz')}
    converted = convert_annotations(name, folder / 'more' / source, **options)
    assert converted.records == read_jsonl(folder / target)


def test_didemo_keeps_the_annotators(shared):
    converted = convert_annotations('didemo', shared / 'data/more/didemo_val_data.json.gz')
    counts = converted.census.counts()
    assert (counts['queries'], counts['videos']) == (4180, 1094)
    assert (counts['outer_whitespace'], counts['newline_in_query']) == (12, 8)
    agreed = sum(max(map(r['times'].count, r['times'])) >= 3 for r in converted.records)
    assert agreed == 3127


def test_lengths_of_videos(shared):
    length = lengths_from(videos=shared / 'data/more')
    pytest.importorskip('av')
    assert length('charades_3MSZA') == pytest.approx(31.0, abs=0.1)
    with pytest.raises(DataError, match="has no video 'none'"):
        length('none')


RECORDS = [
    {'qid': 5, 'query': 'a', 'vid': 'v', 'duration': 10, 'relevant_windows': [[1, 12]]},
    {'qid': 5, 'query': 'b', 'vid': 'w', 'duration': 10, 'relevant_windows': [[0, 0.001]],
     'no_answer': True},
]  # fmt: skip


def test_ids_that_name_the_text_are_numbered_anew(tmp_path):
    source, out = tmp_path / 'a.jsonl', tmp_path / 'out.jsonl.gz'
    write_jsonl(source, RECORDS)
    convert_annotations('causalvtg', source, out)
    found = read_jsonl(out)
    assert [(r['qid'], r['text_key'], r['relevant_windows']) for r in found] == [
        (0, 5, [[1, 10]]), (1, 5, []),
    ]  # fmt: skip
    convert_annotations('causalvtg', source, out)  # the same again
    with pytest.raises(DataError, match=r'record 2: the qid 5 is already used.*--qid renumber'):
        convert_annotations('jsonl', source, tmp_path / 'b.jsonl')
    with pytest.raises(DataError, match=r'record 1: window .* lies outside the video'):
        convert_annotations('causalvtg', source, windows='strict')
    assert not (tmp_path / 'b.jsonl').exists()


def test_mistakes(tmp_path):
    source = tmp_path / 'a.json'
    source.write_text(
        json.dumps({'v': {'duration': 5, 'timestamps': [[1, 2]], 'sentences': ['x']}})
    )
    with pytest.raises(ConfigError, match='the format activitynet has no use for --split'):
        convert_annotations('activitynet', source, split='val')
    with pytest.raises(DataError, match=r'expected TACoS.*; the file looks like activitynet'):
        convert_annotations('tacos', source)
    with pytest.raises(ConfigError, match=r'a\.json'):
        convert_annotations('activitynet', source, source)
    (tmp_path / 'own.jsonl').write_text('something of the user')
    with pytest.raises(ConfigError, match='is not overwritten'):
        convert_annotations('activitynet', source, tmp_path / 'own.jsonl')
    with pytest.raises(ConfigError, match='--lengths'):
        lengths_from('a.csv', 'videos')
    (tmp_path / 'l.csv').write_text('id,length\nA,3\n')
    with pytest.raises(DataError, match="has no length of the video 'B'"):
        lengths_from(tmp_path / 'l.csv')('B')
