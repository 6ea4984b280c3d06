# SPDX-License-Identifier: Apache-2.0
"""Files that are no videos, and time stamps that begin late or jump."""

import pytest
from media import pictures, write_audio, write_late_pictures, write_video

from vtg.extraction import probe, read_clips
from vtg.extraction.sound import iter_sound
from vtg.utils import DataError

av = pytest.importorskip('av', reason='needs the extra "video"')


def test_bad_files(tmp_path):
    video = write_video(tmp_path / 'v.mp4', 20.0, 10)
    content = video.read_bytes()
    (tmp_path / 'empty.mp4').write_bytes(b'')
    (tmp_path / 'noise.mp4').write_bytes(bytes(range(256)) * 40)
    (tmp_path / 'half.mp4').write_bytes(content[: len(content) // 2])
    write_audio(tmp_path / 'sound.m4a')
    for name, word in (
        ('missing.mp4', 'does not exist'),
        ('empty.mp4', 'is empty'),
        ('noise.mp4', 'cannot be decoded'),
        ('half.mp4', 'cannot be decoded'),
        ('sound.m4a', 'no video stream'),
    ):
        with pytest.raises(DataError, match=word) as error:
            read_clips(tmp_path / name, 2.0, 16)
        assert name in str(error.value) and '\n' not in str(error.value)


def test_a_first_time_stamp_far_from_zero(shared):
    path = shared / 'cases' / 'video_starts_at_500s.mkv'
    clips = read_clips(path, 1.0, 16)
    assert len(clips) == 2 and clips.times[0] < 1
    assert probe(path).duration == pytest.approx(clips.duration, abs=0.1)


@pytest.mark.parametrize('suffix', ['mkv', 'mp4'])
def test_time_stamps_count_from_the_first_picture(tmp_path, suffix):
    path = tmp_path / f'late.{suffix}'
    with av.open(str(path), 'w') as container:
        stream = container.add_stream('mpeg4', rate=5)
        stream.width, stream.height, stream.pix_fmt = 64, 48, 'yuv420p'
        for number, image in enumerate(pictures(20)):
            frame = av.VideoFrame.from_ndarray(image, format='rgb24')
            frame.pts = number + 5000
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    clips = read_clips(path, 1.0, 16)
    assert len(clips) == 4 and clips.duration == pytest.approx(4.0)
    assert probe(path).duration == pytest.approx(4.0)


@pytest.mark.parametrize('suffix', ['mkv', 'mp4', 'ts'])
def test_sound_that_begins_long_before_the_pictures(tmp_path, suffix):
    path = write_late_pictures(tmp_path / f'sound.{suffix}')
    clips = read_clips(path, 1.0, 16)
    assert len(clips) == 4 and clips.duration == pytest.approx(4.0, abs=0.2)
    assert clips.times[0] < 1 and probe(path).duration == pytest.approx(4.0, abs=0.3)
    (heard,) = iter_sound(path, 1.0, 8000)
    assert len(heard) == 4 and heard.samples[0].mean() > 0.4


def test_a_picture_far_from_the_others_ends_decoding(tmp_path):
    path = tmp_path / 'jump.mkv'
    with av.open(str(path), 'w') as container:
        stream = container.add_stream('mpeg4', rate=5)
        stream.width, stream.height, stream.pix_fmt = 64, 48, 'yuv420p'
        for image, pts in zip(pictures(4), (0, 1, 2, 5 * 10**6)):
            for packet in stream.encode(av.VideoFrame.from_ndarray(image, format='rgb24')):
                packet.pts = packet.dts = pts
                container.mux(packet)
    with pytest.raises(DataError, match='far from the others'):
        read_clips(path, 0.01, 16)
