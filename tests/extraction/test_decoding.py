# SPDX-License-Identifier: Apache-2.0
"""Which frames are taken: against time stamps read on their own and against FFmpeg's fps filter."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from media import filtered, write_video

from vtg.extraction import Sampler, count_clips, iter_clips, probe, read_clips
from vtg.utils import ConfigError, DataError

av = pytest.importorskip('av', reason='needs the extra "video"')


def stamps(path):
    """All time stamps of the pictures of a file, in seconds from the first."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        times = [picture.pts * stream.time_base for picture in container.decode(stream)]
    return [time - times[0] for time in times]


@pytest.mark.parametrize('clip_length', (1.0, 2.0, 0.5))
def test_times_of_the_sample_video(shared, clip_length):
    path = shared / 'data/sample_video/charades.mp4'
    times = stamps(path)
    clips = read_clips(path, clip_length, size=32)
    middles = [(i + 0.5) * clip_length for i in range(len(clips))]
    expected = [float(max(time for time in times if time < middle)) for middle in middles]
    assert clips.times[:, 0].tolist() == pytest.approx(expected, abs=1e-9)
    assert len(clips) == int(clips.duration / clip_length + 0.5)
    assert clips.duration == pytest.approx(30.70, abs=0.03)
    assert clips.frames.shape == (len(clips), 1, 32, 32, 3) and clips.frames.dtype == np.uint8


@pytest.mark.parametrize(('fps', 'seconds', 'step'), ((5, 9.0, 2), (25, 3.3, 1), (4, 7.0, 3)))
def test_frames_are_those_of_the_fps_filter(tmp_path, fps, seconds, step):
    path = write_video(tmp_path / 'v.mp4', seconds, fps, width=48, height=48)
    clips = read_clips(path, step, size=48)
    expected = filtered(path, step)
    assert len(clips) == len(expected)
    for taken, official in zip(clips.frames[:, 0], expected):
        # Conversion from YUV may differ by rounding, other frames differ by far more.
        assert np.abs(taken.astype(int) - official.astype(int)).mean() < 1.5


def test_the_sample_video_has_as_many_clips_as_its_published_features(shared):
    folder = shared / 'data/sample_video'
    published = np.load(folder / 'vid.npz')['features']
    assert len(read_clips(folder / 'charades.mp4', 2.0, size=16)) == len(published) == 15


@pytest.mark.parametrize(
    ('duration', 'length', 'clips'), ((30.7, 2, 15), (31, 2, 16), (0.3, 2, 1), (5, 0.2, 25))
)
def test_count(duration, length, clips):
    assert count_clips(Fraction(str(duration)), Fraction(str(length))) == clips


def test_a_part_is_the_same_as_the_whole(tmp_path):
    path = write_video(tmp_path / 'v.mp4', 40.0, 6)
    whole, part = read_clips(path, 2.0, 24), read_clips(path, 2.0, 24, begin=14.0, end=26.0)
    assert part.first_clip == 7 and len(part) == 6
    np.testing.assert_array_equal(part.frames, whole.frames[7:13])
    np.testing.assert_array_equal(part.times, whole.times[7:13])
    assert part.duration == pytest.approx(whole.duration, abs=0.2)


@pytest.mark.parametrize(('frames', 'seconds'), ((1, 23.0), (3, 23.0), (1, 24.9), (4, 16.3)))
def test_pieces_make_the_whole(tmp_path, frames, seconds):
    path = write_video(tmp_path / 'v.mp4', seconds, 6)
    whole = read_clips(path, 2.0, 16, Sampler(frames))
    pieces = list(iter_clips(path, 2.0, 16, Sampler(frames), max_clips=4))
    assert [piece.first_clip for piece in pieces] == list(range(0, 4 * len(pieces), 4))
    assert len(pieces) > 1 and max(map(len, pieces)) <= 5
    np.testing.assert_array_equal(np.concatenate([p.frames for p in pieces]), whole.frames)
    np.testing.assert_array_equal(np.concatenate([p.times for p in pieces]), whole.times)
    assert pieces[-1].duration == whole.duration == pytest.approx(seconds, abs=0.2)


def test_several_frames_per_clip(tmp_path):
    path = write_video(tmp_path / 'v.mp4', 9.0, 8)
    clips = read_clips(path, 2.0, 24, Sampler(4))
    assert clips.frames.shape == (5, 4, 24, 24, 3)
    # 18 half seconds in 9 s; the fifth clip has two of its own and repeats the last.
    assert clips.times[0].tolist() == [0.125, 0.625, 1.125, 1.625]
    assert clips.times[4, 1] == clips.times[4, 2] == clips.times[4, 3]


def test_the_centre_is_cut_and_the_short_side_fits(tmp_path):
    wide = read_clips(write_video(tmp_path / 'w.mp4', 2.0, width=128, height=64), 2.0, 32)
    # A bar grows from the left; a picture twice as wide as high loses a quarter on either side.
    assert wide.frames.shape[2:] == (32, 32, 3)
    assert probe(tmp_path / 'w.mp4').width == 128


@pytest.mark.parametrize('mode', ('bicubic', 'bilinear'))
def test_pictures_may_be_squashed(tmp_path, mode):
    """Each side on its own, between the nearest pixels, without antialiasing."""
    path = write_video(tmp_path / 'w.mp4', 2.0, width=128, height=64)
    with av.open(str(path)) as container:
        whole = next(container.decode(video=0)).to_ndarray(format='rgb24')
    resize = 'squash' if mode == 'bicubic' else 'squash_bilinear'
    found = read_clips(path, 0.2, 24, resize=resize).frames[0, 0]

    def weights(length):
        """The cubic convolution kernel with a = -0.75, or the hat; edges repeat."""
        places = (np.arange(24) + 0.5) * length / 24 - 0.5
        matrix = np.zeros((24, length))
        for row, place in enumerate(places):
            for offset in range(-1, 3):
                index = int(np.floor(place)) + offset
                d = abs(place - index)
                near = 1.25 * d**3 - 2.25 * d**2 + 1
                far = -0.75 * (d**3 - 5 * d**2 + 8 * d - 4)
                weight = (near if d <= 1 else far) if mode == 'bicubic' else max(0.0, 1 - d)
                matrix[row, np.clip(index, 0, length - 1)] += weight
        return matrix

    expected = np.einsum('ah,hwc,bw->abc', weights(64), whole.astype(float), weights(128))
    expected = np.clip(expected, 0, 255)
    assert np.abs(found - expected).max() <= 0.501
    assert found.shape == (24, 24, 3) and not (found == read_clips(path, 0.2, 24).frames[0]).all()
    with pytest.raises(ConfigError, match='resize is one of crop, squash'):
        read_clips(path, 2.0, 24, resize='stretch')


def test_nothing_but_the_file_is_opened(tmp_path, monkeypatch):
    """A list of other files is no video, whatever it is called; a colon makes no address."""
    monkeypatch.chdir(tmp_path)
    write_video(tmp_path / 'v.mp4', 2.0).rename('12:30.mp4')
    assert probe('12:30.mp4').duration == 2
    write_video(Path('other.mp4'), 2.0)
    playlist = f'#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nfile://{tmp_path}/other.mp4\n'
    Path('list.m3u8').write_text(f'{playlist}#EXT-X-ENDLIST\n')
    Path('list.mp4').write_text('ffconcat version 1.0\nfile other.mp4\n')
    for name in ('list.m3u8', 'list.mp4'):
        with av.open(name) as container:  # what FFmpeg makes of it by itself
            assert container.streams.video
        with pytest.raises(DataError, match=rf'^{name} cannot be decoded \(\w[\w ]+\); it is'):
            probe(name)


def test_a_slow_video_repeats_its_frame(tmp_path):
    clips = read_clips(write_video(tmp_path / 'v.mp4', 6.0, 1), 0.25, 16)
    assert len(clips) == 24 and len(set(clips.times[:, 0])) == 6


@pytest.mark.parametrize('seconds', [30.0, 6.0])
def test_a_file_that_is_cut_short_is_not_taken_for_a_short_video(tmp_path, seconds):
    video = write_video(tmp_path / 'v.mkv', seconds, 10 if seconds > 20 else 25)
    content = video.read_bytes()
    cut = tmp_path / 'cut.mkv'
    cut.write_bytes(content[: len(content) * 6 // 10])
    with pytest.raises(DataError, match='cut short'):
        read_clips(cut, 2.0, 16)


def test_narrow_pictures_are_refused(tmp_path):
    path = write_video(tmp_path / 'narrow.mp4', 1.0, width=4096, height=16)
    with pytest.raises(DataError, match='4096 x 16 pixels'):
        read_clips(path, 1.0, 16)
