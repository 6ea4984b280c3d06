# SPDX-License-Identifier: Apache-2.0
"""Features of many files: contents, resuming, bad files; tests/pretraining has them on Ray."""

import os
import shutil

import numpy as np
import pytest
from media import write_audio, write_video

from vtg.datasets import FolderStore, read_queries
from vtg.extraction import (
    extract_texts,
    extract_videos,
    find_videos,
    keep_settings,
    read_clips,
)
from vtg.extraction.encoders import Encoder, TextFeatures
from vtg.registry import ENCODERS
from vtg.utils import ConfigError, DataError, atomic_write, read_json


@pytest.fixture
def clip(tiny_clip):
    return dict(type='ClipEncoder', weights=str(tiny_clip), device='cpu')


def test_good_and_bad_files(videos, clip, tmp_path):
    (tmp_path / 'empty.mp4').write_bytes(b'')
    (tmp_path / 'broken.mp4').write_bytes(b'x' * 5000)
    write_audio(tmp_path / 'sound.mp4')
    paths = find_videos([videos, tmp_path, tmp_path / 'missing.mp4'])
    shown = []
    report = extract_videos(
        paths, clip, tmp_path / 'out', threads=2, on_start=lambda n: lambda: shown.append(n)
    )
    assert report.written == {'v0': 5, 'v1': 6, 'v2': 12}
    assert set(report.problems) == {'empty', 'broken', 'sound', 'missing'}
    assert '3 written (23 rows), 0 there already, 4 failed' in report.summary()
    assert shown == [7] * 7

    stored = np.load(tmp_path / 'out/v2.npz')
    clips = read_clips(videos / 'v2.mp4', 2.0, 32)
    expected = ENCODERS.build(clip).encode_frames(clips.frames)
    np.testing.assert_array_equal(stored['features'], expected)
    np.testing.assert_array_equal(stored['times'], clips.times)
    assert stored['duration'] == pytest.approx(23.0) and stored['clip_length'] == 2.0
    assert FolderStore(str(tmp_path / 'out')).read({'vid': 'v1'}).shape == (6, 24)

    again = extract_videos(paths, clip, tmp_path / 'out')
    assert again.skipped == 3 and not again.written and len(again.problems) == 4
    assert not [path for path in (tmp_path / 'out').iterdir() if path.suffix != '.npz']


def test_a_changed_video_is_encoded_anew(videos, clip, tmp_path):
    paths = {name: tmp_path / f'{name}.mp4' for name in ('a', 'b')}
    for name, path in paths.items():
        shutil.copy(videos / f'v{"ab".index(name)}.mp4', path)
    extract_videos(paths, clip, tmp_path / 'out')
    shutil.copy(videos / 'v2.mp4', paths['a'])
    os.utime(paths['b'], (1, 1))  # copied, say; the content stays
    again = extract_videos(paths, clip, tmp_path / 'out')
    assert again.written == {'a': 12} and again.skipped == 1 and again.changed == 1
    assert '1 there already, 1 anew because their videos have changed, 0 failed' in again.summary()
    assert not extract_videos(paths, clip, tmp_path / 'out').written
    paths['a'].unlink()  # features of a video that is gone are still there
    assert extract_videos(paths, clip, tmp_path / 'out').skipped == 2
    # Features of another tool say nothing of their video.
    np.savez(tmp_path / 'out/b.npz', features=np.ones((5, 24), np.float32))
    assert extract_videos(paths, clip, tmp_path / 'out').skipped == 2


def test_long_videos_are_encoded_in_pieces(videos, clip, tmp_path, monkeypatch):
    path = {'v2': videos / 'v2.mp4'}
    extract_videos(path, clip, tmp_path / 'whole')
    monkeypatch.setattr('vtg.extraction.pieces.WHOLE_BYTES', 0)
    monkeypatch.setattr('vtg.extraction.pieces.PIECE_BYTES', 5 * 32 * 32 * 3)
    report = extract_videos({**path, 'gone': tmp_path / 'gone.mp4'}, clip, tmp_path / 'pieces')
    assert report.written == {'v2': 12} and 'does not exist' in report.problems['gone']
    whole, pieces = (np.load(tmp_path / name / 'v2.npz') for name in ('whole', 'pieces'))
    for key in whole:
        np.testing.assert_allclose(whole[key], pieces[key], atol=1e-6)


def test_texts(clip, tmp_path):
    records = [dict(qid=7, query='a dog'), dict(qid=8, query='the red door')]
    report = extract_texts(records, clip, tmp_path, dtype='float16')
    stored = np.load(tmp_path / 'qid7.npz')
    expected = ENCODERS.build(clip).encode_text('a dog')
    assert list(report.written) == ['qid7', 'qid8']
    np.testing.assert_array_equal(stored['last_hidden_state'], expected.tokens.astype(np.float16))
    np.testing.assert_array_equal(stored['pooler_output'], expected.pooled.astype(np.float16))
    with pytest.raises(DataError, match='no field query'):
        extract_texts([dict(qid=1)], clip, tmp_path)
    with pytest.raises(ConfigError, match='vid'):
        extract_texts(records, clip, tmp_path, pattern='{vid}')


def test_other_settings_and_equal_names_are_refused(videos, tmp_path):
    keep_settings(tmp_path / 's.json', dict(a=1, b=None))
    keep_settings(tmp_path / 's.json', dict(a=1, b=None))
    with pytest.raises(ConfigError, match='a=1, now it is 2'):
        keep_settings(tmp_path / 's.json', dict(a=2, b=None))
    with pytest.raises(ConfigError, match='same name'):
        find_videos([videos / 'v0.mp4', tmp_path / 'v0.mkv'])


def test_settings_of_a_job_that_wrote_nothing_give_way(tmp_path):
    file, output = tmp_path / 's.json', tmp_path / 'video'
    keep_settings(file, dict(a=1), [output])
    output.mkdir()
    keep_settings(file, dict(a=2), [output])
    assert read_json(file) == dict(a=2)
    (output / 'v.npz').touch()
    with pytest.raises(ConfigError, match='a=2, now it is 3'):
        keep_settings(file, dict(a=3), [output])


def test_ids_that_leave_the_folder_are_refused(shared):
    with pytest.raises(DataError, match=r'traversal_queries.jsonl, line 1: qid.*path separator'):
        read_queries(shared / 'cases' / 'traversal_queries.jsonl')


@pytest.mark.parametrize(
    'qid', ['../up', 'a/b', 'a\x00b', '..\\up', 'x' * 201, '', True, [1], None]
)
def test_ids_that_are_no_file_names_write_nothing(clip, tmp_path, qid):
    with pytest.raises(DataError, match='name of a file'):
        extract_texts([dict(qid=qid, query='a dog')], clip, tmp_path / 'out')
    with pytest.raises(DataError, match='name of a file'):
        extract_videos({qid: 'v.mp4'} if isinstance(qid, str) else {True: 'v.mp4'}, clip, tmp_path)
    with pytest.raises(DataError, match='name of a file'):
        FolderStore(str(tmp_path), '{qid}').read(dict(qid=qid))
    assert not list(tmp_path.iterdir())


def test_one_id_has_one_query(clip, tmp_path):
    record = dict(qid=1, query='a dog', vid='v')
    for other in (record | dict(qid='1'), record | dict(query='the door')):
        with pytest.raises(DataError, match=r'record 2 and record 1 .*qid1\.npz'):
            extract_texts([record, other], clip, tmp_path)
    assert extract_texts([record, dict(record)], clip, tmp_path).written == {'qid1': 6}
    assert extract_texts([record], clip, tmp_path).skipped == 1
    with pytest.raises(DataError, match="holds features of 'a dog', but the query is now 'a man'"):
        extract_texts([record | dict(query='a man')], clip, tmp_path)


def test_leftovers_of_killed_runs_are_removed(clip, tmp_path):
    mine = tmp_path / '.qid1.notes'
    mine.write_text('kept')
    (tmp_path / '.qid1.npz.abcd_123').write_bytes(b'half')
    with atomic_write(tmp_path / 'qid2.npz') as living:
        extract_texts([dict(qid=1, query='a dog')], clip, tmp_path)
        assert living.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == [mine.name, 'qid1.npz', 'qid2.npz']


def test_settings_do_not_cover_what_was_there_before(tmp_path):
    (tmp_path / 'video').mkdir()
    keep_settings(tmp_path / 'a.json', {}, [tmp_path / 'video'])
    (tmp_path / 'video' / 'v.npz').write_bytes(b'mine')
    keep_settings(tmp_path / 'a.json', {}, [tmp_path / 'video'])
    with pytest.raises(ConfigError, match='made in another way'):
        keep_settings(tmp_path / 'b.json', {}, [tmp_path / 'video'])
    (tmp_path / 'c.json').write_text('[1]')
    with pytest.raises(ConfigError, match='no settings of this tool'):
        keep_settings(tmp_path / 'c.json', {})


@pytest.mark.parametrize('clip_length', [0, -2.0, float('nan'), float('inf'), 1e-9])
def test_clips_without_a_length_are_refused(videos, clip, tmp_path, clip_length):
    with pytest.raises(ConfigError, match='clip_length'):
        extract_videos({'v': videos / 'v0.mp4'}, clip, tmp_path, clip_length)
    with pytest.raises(ConfigError, match='clip_length'):
        read_clips(videos / 'v0.mp4', clip_length)


class Constant(Encoder):
    """Gives one number."""

    image_size = 8
    has_text = True

    def __init__(self, number):
        self.number = number

    def encode_frames(self, frames):
        return np.full((len(frames), 4), self.number, np.float32)

    def encode_text(self, text):
        return TextFeatures(np.full((2, 4), self.number, np.float32), np.zeros(4, np.float32))


@pytest.mark.parametrize(
    ('number', 'dtype', 'what'),
    [(1e6, 'float16', 'too large for float16'), (np.nan, 'float32', 'NaN or infinite')],
)
def test_what_no_system_can_read_is_not_written(tmp_path, number, dtype, what):
    class Odd(Constant):
        def __init__(self):
            super().__init__(number)

    cfg = {'type': Odd}
    video = write_video(tmp_path / 'v0.mp4', 4.0)
    reports = [
        extract_videos({'v0': video}, cfg, tmp_path / 'video', dtype=dtype),
        extract_texts([{'qid': 1, 'query': 'a dog'}], cfg, tmp_path / 'text', dtype=dtype),
    ]
    for report, name in zip(reports, ('v0.mp4', 'qid1')):
        ((_, problem),) = report.problems.items()
        assert name in problem and what in problem and not report.written
    assert not list(tmp_path.rglob('*.npz'))


@pytest.mark.parametrize(
    'pattern', ['../{qid}', '/tmp/{qid}', 'a/../../{qid}', '', ' ', 'a\0{qid}']
)
def test_names_lie_in_the_folder(tmp_path, pattern):
    with pytest.raises(ConfigError, match='is no name with fields in braces'):
        extract_texts([{'qid': 1, 'query': 'a dog'}], {'type': Constant}, tmp_path, pattern)
    assert not list(tmp_path.iterdir())
