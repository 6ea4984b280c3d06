# SPDX-License-Identifier: Apache-2.0
"""Search over many videos, the index, and what answers are written as."""

import json
import os
import signal
from pathlib import Path

import numpy as np
import pytest
from media import write_late_pictures, write_video

from vtg.apis.inference import GroundingResult
from vtg.extraction.encoders import Encoder, TextFeatures
from vtg.search import Answer, EncodedFile, VideoIndex, ZeroShotSearcher, exports
from vtg.search.cutting import cut
from vtg.search.results import subtitle_files
from vtg.utils import ConfigError, DataError, VtgError

WIDTH = 12
SETTINGS = {'type': 'ConceptEncoder'}


class Toy(Encoder):
    """Every word has a direction of its own."""

    has_text = joint = True

    def encode_text(self, text: str) -> TextFeatures:
        rows = np.stack([direction(word) for word in text.split()])
        return TextFeatures(rows, rows.mean(0))


def direction(word):
    return np.random.default_rng(sum(map(ord, word))).normal(size=WIDTH).astype(np.float32)


def video(name, clips, inside=(), word='dog', noise=0.3):
    rng = np.random.default_rng(len(name) + clips)
    rows = rng.normal(size=(clips, WIDTH)).astype(np.float32) * noise
    rows[list(inside)] += direction(word)
    return EncodedFile(Path(f'/videos/{name}.mp4'), rows, 2.0 * clips)


def test_the_right_moment_of_the_right_video_is_found_whatever_else_is_searched():
    videos = [video('a', 40), video('bb', 7), video('ccc', 90, range(30, 41)), video('d', 3)]
    search = ZeroShotSearcher(Toy(), 2.0)
    dog, cat = search(videos, ['dog', 'cat'])
    best = dog.moments(3)[0]
    assert best.video.name == 'ccc.mp4' and abs(best.start - 60) <= 4 and abs(best.end - 82) <= 4
    assert best.relevance > 0.6 and best.score > 2 * cat.moments(1)[0].score
    # Videos of other lengths in the same search pad each other, which changes nothing.
    again = search(videos[::-1], ['cat', 'dog'])[1]
    for one, other in zip(dog.results, again.results[::-1]):
        np.testing.assert_allclose(one.saliency, other.saliency, atol=1e-5)
        np.testing.assert_allclose(one.moments, other.moments, atol=1e-3)
    # Of one video the mean clip of that video is taken away, as the config does it.
    rows = videos[2].features / np.linalg.norm(videos[2].features, axis=1, keepdims=True)
    rows = rows - rows.mean(0)
    scores = rows / np.linalg.norm(rows, axis=1, keepdims=True) @ direction('dog')
    scores /= np.linalg.norm(direction('dog'))
    (alone,) = search(videos[2:3], ['dog'])
    np.testing.assert_allclose(
        alone.results[0].saliency[1:-1], np.convolve(scores, np.ones(3) / 3, 'valid'), atol=1e-4
    )


def answer():
    results = [
        GroundingResult('x', 'v', 8.0, 2.0, [[2.0, 6.0, 0.5], [0.0, 2.0, 0.1]], [-3.0, 1.0, 1, -1]),
        GroundingResult('x', 'w', 4000.0, 2.0, [[3700.0, 3723.4, 0.2]], [-1.0, -1.0]),
    ]
    return Answer('a <b> --> c', [Path('v.mp4'), Path('w.mp4')], results)


def test_relevance_is_the_place_between_the_lowest_and_the_highest_score():
    moments = answer().moments(5)
    assert [m.score for m in moments] == [0.5, 0.2, 0.1]
    assert [m.relevance for m in moments] == [1.0, 0.5, 0.0]
    assert answer()._distinct == [result.distinct() for result in answer().results]
    assert answer().to_dict(2)['videos'][0]['relevance'] == [0.0, 1.0, 1.0, 0.5]
    only = Answer('x', [Path('v')], [GroundingResult('x', 'v', 4, 2, [[0, 2, 5.0], [2, 4, -5.0]])])
    assert [m.relevance for m in only.moments(2)] == [1.0, 0.0]
    same = Answer('x', [Path('v')], [GroundingResult('x', 'v', 4, 2, [[0, 4, 0.1]], [0.3, 0.3])])
    assert same.moments(2)[0].relevance == 0.0


def test_texts():
    answers = [answer()]
    lines = exports.listing(answers, 2).splitlines()
    assert lines[1:] == [
        '  1. 0:02 - 0:06         relevance 1.00   score   0.500   v.mp4',
        '  2. 1:01:40 - 1:02:03   relevance 0.50   score   0.200   w.mp4',
    ]
    assert exports.srt(answers, Path('w.mp4'), 2) == (
        '1\n01:01:40,000 --> 01:02:03,400\na <b> -> c (0.50)\n'
    )
    assert exports.vtt(answers, Path('v.mp4'), 1) == (
        'WEBVTT\n\n00:00:02.000 --> 00:00:06.000\na &lt;b> -> c (1.00)\n'
    )
    edl = exports.edl(answers, 2).splitlines()
    assert edl[3].split()[4:] == ['00:00:02:00', '00:00:06:00', '00:00:00:00', '00:00:04:00']
    assert edl[7].split()[4:] == ['01:01:40:00', '01:02:03:10', '00:00:04:00', '00:00:27:10']
    assert edl[4] == '* FROM CLIP NAME: v.mp4'


class Counting:
    """An encoder of files that counts; it may kill its process."""

    def __init__(self, kill_at=None):
        self.made, self.kill_at = [], kill_at

    def __call__(self, path):
        self.made.append(path.name)
        if len(self.made) == self.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        return EncodedFile(path, np.full((3, 4), len(path.name), np.float32), 6.0)


def test_an_index_encodes_every_content_once(tmp_path):
    files = [tmp_path / f'{name}.mp4' for name in 'abcd']
    for number, file in enumerate(files):
        file.write_bytes(bytes([number % 3]) * 10)  # the last is a copy of the first
    index = VideoIndex.create(tmp_path / 'index', SETTINGS, 2.0)
    first = Counting()
    assert not index.add(files, lambda: first)
    assert first.made == ['a.mp4', 'b.mp4', 'c.mp4'] and len(index) == 4
    # Nothing is new: no encoder is made. A changed file is noticed, a missing one is left out.
    assert not VideoIndex(tmp_path / 'index').add(files, lambda: pytest.fail('encoded again'))
    files[1].write_bytes(b'other')
    files[2].unlink()
    found, changed = VideoIndex(tmp_path / 'index').read()
    assert [item.path.name for item in found] == ['a.mp4', 'd.mp4'] and len(changed) == 2
    second = Counting()
    problems = VideoIndex(tmp_path / 'index').add(files, lambda: second)
    assert second.made == ['b.mp4'] and 'does not exist' in problems[files[2]]
    found, changed = VideoIndex(tmp_path / 'index').read()
    assert len(found) == 3 and not changed and found[0].duration == 6.0
    with pytest.raises(ConfigError, match=r'written with clip_length=2\.0, now it is 1\.0'):
        VideoIndex.create(tmp_path / 'index', SETTINGS, 1.0)
    with pytest.raises(ConfigError, match=r'is no index of videos; make one with: vtg index'):
        VideoIndex(tmp_path)


def test_a_killed_run_loses_one_video(tmp_path):
    files = [tmp_path / f'{name}.mp4' for name in 'abcd']
    for file in files:
        file.write_bytes(file.name.encode())
    child = os.fork()
    if not child:
        try:
            killer = Counting(kill_at=3)
            VideoIndex.create(tmp_path / 'index', SETTINGS, 2.0).add(files, lambda: killer)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    index = VideoIndex.create(tmp_path / 'index', SETTINGS, 2.0)
    assert len(index.read()[0]) == 2
    second = Counting()
    assert not index.add(files, lambda: second)
    assert second.made == ['c.mp4', 'd.mp4']
    assert (
        sorted(path.suffix for path in (tmp_path / 'index' / 'features').iterdir()) == ['.npz'] * 4
    )


def test_an_index_of_somebody_else_is_read_as_data(tmp_path):
    """Nothing that it names is called or opened, and what it holds is features or a sentence."""
    file = tmp_path / 'a.mp4'
    file.write_bytes(b'a')
    VideoIndex.create(tmp_path / 'index', SETTINGS, 2.0).add([file], Counting)
    (stored,) = (tmp_path / 'index/features').iterdir()
    np.savez(tmp_path / 'index/other.npz', features=np.ones((1, 2)), duration=2.0)

    def refused(name, change, sentence):
        place = tmp_path / 'index' / name
        before = place.read_bytes()
        content = json.loads(before)
        change(content if name == 'settings.json' else content[str(file)])
        place.write_text(json.dumps(content))
        with pytest.raises(VtgError, match=sentence) as caught:
            VideoIndex(tmp_path / 'index').read()
        assert str(caught.value).endswith('.')
        place.write_bytes(before)

    refused('settings.json', lambda s: s['encoder'].update(type='os.system'), 'not a registered')
    refused('settings.json', lambda s: s.update(encoder=['x']), 'names no encoder')
    refused('settings.json', lambda s: s.update(clip_length='x'), "clip_length of .* is 'x'")
    for digest in ('../other', '/etc/passwd', 3, None):
        refused('videos.json', lambda v, d=digest: v.update(digest=d), 'videos.json is damaged')
    for arrays in (
        {'features': np.full((3, 4), np.nan)}, {'features': np.ones(3)}, {'duration': -1.0},
        {'features': np.array([{}], dtype=object)}, {'features': np.ones((3, 4), complex)},
    ):  # fmt: skip
        np.savez(stored, **{'features': np.ones((3, 4)), 'duration': 6.0, **arrays})
        with pytest.raises(DataError, match=r'is damaged .*; delete it and run vtg index again'):
            VideoIndex(tmp_path / 'index').read()
    stored.write_bytes(b'')
    with pytest.raises(DataError, match='is damaged'):
        VideoIndex(tmp_path / 'index').read()


def test_an_index_runs_a_program_only_if_the_user_names_it(tmp_path):
    """A TorchScript file or .pt2 program can do whatever the user can."""
    program = {'type': 'TorchScriptEncoder', 'weights': str(tmp_path / 'x.pt2')}
    for number, encoder in enumerate(
        (program, {'type': 'JoinedEncoder', 'encoders': [SETTINGS, program]})
    ):
        folder = tmp_path / str(number)
        assert VideoIndex.create(folder, encoder, 2.0).encoder == encoder
        assert VideoIndex(folder, encoder).encoder == encoder
        for other in (None, {**encoder, 'weights': 'other'}):
            with pytest.raises(ConfigError, match='is a TorchScriptEncoder, whose file is a prog'):
                VideoIndex(folder, other)


def test_a_file_with_a_name_that_is_no_text(tmp_path):
    """It is named; the others are encoded."""
    files = [tmp_path / os.fsdecode(b'v\xff.mp4'), tmp_path / 'w.mp4']
    for file in files:
        file.write_bytes(b'x')
    index = VideoIndex.create(tmp_path / 'index', SETTINGS, 2.0)
    problems = index.add(files, Counting)
    assert list(problems) == files[:1] and 'no valid UTF-8; rename' in problems[files[0]]
    assert [item.path for item in VideoIndex(tmp_path / 'index').read()[0]] == files[1:]


def test_every_video_has_subtitles_of_its_own():
    """Equal names, names that look like numbered ones, long names, and names that are no text."""
    videos = [
        'a/x.mp4',
        'b/x.mp4',
        'x.2.mp4',
        f'{"é" * 120}.mp4',
        f'{"é" * 120}.mkv',
        'v\udcff.mp4',
    ]
    found = subtitle_files(Path('to/o.srt'), list(map(Path, videos)))
    names = [place.name for place in found.values()]
    assert len(set(names)) == len(videos) and names[:2] == ['o.x.srt', 'o.x.2.srt']
    assert all(len(name.encode()) < 240 for name in names)
    assert {place.parent for place in found.values()} == {Path('to')}
    assert subtitle_files(Path('o.srt'), [Path('a/x.mp4')]) == {Path('a/x.mp4'): Path('o.srt')}


def test_a_part_is_copied_from_the_key_frame_before_it(tmp_path, monkeypatch):
    av = pytest.importorskip('av', reason='needs the extra "video"')
    monkeypatch.chdir(tmp_path)  # the colons make no address
    source = write_video(tmp_path / 'v.mkv', 20.0, audio=True).rename('12:30.mkv')
    made = cut(source, 8.0, 12.0, Path('12:38'))
    assert made.name == '12:38.mkv'
    with av.open(f'file:{source}') as whole, av.open(f'file:{made}') as part:
        keys = [frame.key_frame for frame in whole.decode(video=0)]
        whole.seek(0)
        frames = [frame.to_ndarray(format='gray') for frame in whole.decode(video=0)]
        copied = [frame.to_ndarray(format='gray') for frame in part.decode(video=0)]
        assert {stream.type for stream in part.streams} == {'video', 'audio'}
    # 5 pictures per second: 8 s is picture 40.
    first = max(number for number in range(41) if keys[number])
    assert first > 0 and len(copied) == 60 - first
    np.testing.assert_array_equal(copied[0], frames[first])
    np.testing.assert_array_equal(copied[-1], frames[59])


def test_a_part_of_a_video_whose_sound_begins_long_before_it(tmp_path):
    av = pytest.importorskip('av', reason='needs the extra "video"')
    source = write_late_pictures(tmp_path / 'v.mkv')
    made = cut(source, 0.0, 2.0, tmp_path / 'part')
    with av.open(str(made)) as part:
        assert sum(1 for _ in part.decode(video=0)) == 10
