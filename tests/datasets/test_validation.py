# SPDX-License-Identifier: Apache-2.0
"""Checking a dataset as a whole."""

import gzip

import numpy as np
import pytest
from mmengine.config import Config

from vtg.apis.validate import validate_config, validate_files
from vtg.datasets import pack_features
from vtg.datasets.simulated import export_simulated
from vtg.utils import ConfigError, read_jsonl, write_jsonl


@pytest.fixture
def folder(tmp_path):
    export_simulated(tmp_path, 10)
    return tmp_path


def config(folder, **dataset):
    data = dict(type='CustomDataset', data_root=str(folder), **dataset)
    return Config(dict(
        train_dataloader=dict(dataset=dict(ann_file='train.jsonl', **data)),
        test_dataloader=dict(dataset=dict(ann_file='test.jsonl', test_mode=True, **data)),
        model=dict(video_projector=dict(in_dim=66), text_projector=dict(in_dim=64)),
    ))  # fmt: skip


def problems(result):
    return [(problem.line, problem.text) for problem in result.problems]


def test_good_data_has_a_summary_and_no_problem(folder):
    results = validate_config(config(folder))
    assert list(results) == ['train', 'test']
    for split, result in results.items():
        records = read_jsonl(folder / f'{split}.jsonl')
        assert not result.problems and result.text().endswith('no problems')
        assert result.summary['queries'].startswith(f'{len(records)}, words 5 to')
        assert result.summary['graded queries'] == str(len(records))
        videos = {record['video']: record['duration'] for record in records}
        assert result.summary['video length'] == f'{len(videos)} as the duration implies'
        assert 'width 64, float32' in result.summary['text features']
        shares = [
            sum(end - start for start, end in record['windows']) / record['duration']
            for record in records
        ]
        assert result.summary['coverage'].startswith(f'{np.mean(shares):.1%}')


def test_every_problem_is_listed_with_its_line(folder):
    path = folder / 'train.jsonl'
    records = read_jsonl(path)
    first, second = records[0]['video'], records[-1]['video']
    lines = {record['qid']: number for number, record in enumerate(records, start=1)}
    records[2]['windows'] = [[5, 2], [0, 1000]]
    records[3]['duration'] = -1
    write_jsonl(path, records)
    with path.open('a') as file:
        file.write('{"video": \n')
    np.savez(folder / f'video_features/{first}.npz', features=np.full((5, 64), np.nan))
    np.savez(folder / f'video_features/{second}.npz', features=np.ones((200, 64), np.float16))
    third = records[4]['qid']
    (folder / f'text_features/qid{third}.npz').write_bytes(b'PK\x03\x04 cut')
    fourth = records[5]['qid']
    np.savez(folder / f'text_features/qid{fourth}.npz', features=np.ones((4, 32)))
    (folder / f'text_features/qid{records[6]["qid"]}.npz').unlink()

    result = validate_config(config(folder), ['train'])['train']
    found = problems(result)
    assert [line for line, _ in found] == sorted(line for line, _ in found)
    expected = [
        (3, 'window [5, 2] does not end after its start'),
        (3, 'window [0, 1000] lies outside the video'),
        (4, 'duration is -1'),
        (len(records) + 1, 'not valid JSON'),
        (lines[f'{first}-0'], 'has NaN or infinite values in 5 of 5 rows'),
        (lines[f'{second}-0'], f'{second!r} has 200 clips, expected'),
        (5, f'qid{third}.npz cannot be read'),
        (6, 'the features are 32 wide, most others 64'),
        (7, f'qid{records[6]["qid"]}.npz does not exist'),
    ]
    for line, text in expected:
        assert any(where == line and text in what for where, what in found), (line, text, found)
    assert len(found) == len(expected)
    assert 'float16 and float32' in result.summary['video features']
    assert f'{path}:4: duration is -1' in result.text()
    assert '... and 6 more' in result.text(most=3) and '9 problems' in result.text(most=3)


def test_widths_are_compared_with_the_model(folder):
    cfg = config(folder, video=['video_features', 'video_features'])
    result = validate_config(cfg, ['train'])['train']
    assert problems(result) == [(None, (
        'video features have 128 columns and 2 temporal endpoint features, but '
        'model.video_projector.in_dim is 66; set it to 130.'
    ))]  # fmt: skip
    assert 'video 2 features' in result.summary


def test_other_clip_length_and_missing_folders(folder):
    result = validate_config(config(folder, text='nowhere'), ['train'])['train']
    ((_, text),) = problems(result)
    assert text.startswith('missing: feature folder')
    # The grades are for clips of 2 s.
    result = validate_config(config(folder, clip_length=1.0), ['train'])['train']
    texts = [text for _, text in problems(result)]
    assert all('one per clip' in text for text in texts[:-1])
    assert texts[-1] == 'no line is a correct record.'
    missing = validate_config(config(folder / 'none'), ['train'])['train']
    assert [text for _, text in problems(missing)] == ['the annotation file does not exist.']
    with pytest.raises(ConfigError, match='no data for val'):
        validate_config(config(folder), ['val'])
    with pytest.raises(ConfigError, match='reads no annotation'):
        validate_config(Config(dict(test_dataloader=dict(dataset=dict(type='SimulatedDataset')))))


def test_plain_files_and_packed_features(folder):
    pack_features(folder / 'video_features', folder / 'packed', dtype='float16')
    ticks = []
    result = validate_files(
        str(folder / 'val.jsonl'), [str(folder / 'packed')], [str(folder / 'text_features')],
        sample=2, on_start=lambda total: lambda: ticks.append(total),
    )  # fmt: skip
    assert not result.problems
    assert result.summary['video features'].startswith('2 arrays, width 64, float16')
    assert ticks == [4] * 4


def test_text_features_that_are_no_tokens_are_noted(disk):
    disk.build(lazy_init=True)
    plain = validate_files(str(disk.annotations), [str(disk.video)], [str(disk.text)])
    assert not plain.problems and not any('row of text features' in note for note in plain.notes)
    for rows, words in ((lambda query: 1, 'vector of the whole sentence'), (len, 'per character')):
        for record in disk.records:
            np.savez(disk.text / f'qid{record["qid"]}.npz', x=np.ones((rows(record['query']), 4)))
        result = validate_files(str(disk.annotations), [str(disk.video)], [str(disk.text)])
        (note,) = [note for note in result.notes if 'row of text features' in note]
        # The query of one word says nothing.
        assert words in note and result.notes[note] == 2 and not result.problems


def test_an_unreadable_file_is_a_problem(disk):
    disk.build(lazy_init=True)
    packed = disk.root / 'a.jsonl.gz'
    packed.write_bytes(gzip.compress(disk.annotations.read_bytes())[:-10])
    result = validate_files(str(packed), [str(disk.video)], [str(disk.text)])
    assert problems(result)[0][1].startswith(f'{packed} cannot be read')
    assert result.text().count(str(packed)) == 2  # as the heading, and in the sentence


def test_texts_of_users_are_printable(disk):
    disk.records[0]['vid'] = '\x1b[31mred'
    disk.build(lazy_init=True)
    text = validate_files(str(disk.annotations), [str(disk.video)], [str(disk.text)]).text()
    assert '\x1b' not in text and r'\x1b[31mred' in text


def test_benchmark_files(disk):
    """Files in the format of the benchmarks, with the checks of their loaders."""
    disk.records[1]['relevant_windows'] = [[0, 30]]
    disk.build(lazy_init=True)
    result = validate_files(str(disk.annotations), [str(disk.video)], [str(disk.text)])
    ((line, text),) = problems(result)
    assert line == 2 and text.startswith('window [0, 30] lies outside the video (0 to 20 s)')
    assert result.summary['queries'].startswith('2, ')


def test_real_annotations(shared):
    """All lines of a published file are accepted; its features are missing here."""
    path = shared / 'data/qvhighlights/highlight_val_release.jsonl.gz'
    result = validate_files(str(path), ['nowhere'], ['nowhere'])
    assert len(result.problems) == 2 and all('missing' in p.text for p in result.problems)
    assert result.summary['queries'].startswith('1550, ')
