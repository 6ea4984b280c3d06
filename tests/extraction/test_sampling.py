# SPDX-License-Identifier: Apache-2.0
"""Frames of a grid: made videos through FFmpeg's own filter and the published steps."""

import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from media import filtered

from vtg.extraction import GridSampler, SourceSampler, iter_clips, read_clips
from vtg.extraction.sampling import Source
from vtg.utils import ConfigError, read_json

av = pytest.importorskip('av', reason='needs the extra "video"')
SIDE, BLOCK = 64, 16


def numbered(number):
    """A picture that tells its number in black and white blocks; its top left corner is white."""
    bits = [1, *(number >> bit & 1 for bit in range(11)), 0, 0, 0, 0]
    blocks = np.array(bits, np.uint8).reshape(4, 4) * 255
    return np.repeat(np.kron(blocks, np.ones((BLOCK, BLOCK), np.uint8))[..., None], 3, axis=2)


def number_of(image):
    """The number of a picture; -1 if it does not stand upright."""
    bits = image[BLOCK // 2 :: BLOCK, BLOCK // 2 :: BLOCK, 0].reshape(-1) > 127
    upright = bits[0] and not bits[12:].any()
    return int(sum(int(bit) << place for place, bit in enumerate(bits[1:12]))) if upright else -1


def write(path, stamps, rate, turn=0):
    """A video whose pictures are shown first at these multiples of ``1 / rate``."""
    with av.open(str(path), 'w') as container:
        stream = container.add_stream('mpeg4', rate=rate)
        stream.width = stream.height = SIDE
        stream.pix_fmt = 'yuv420p'
        stream.bit_rate = 4_000_000
        for number, stamp in enumerate(stamps):
            frame = av.VideoFrame.from_ndarray(np.rot90(numbered(number), turn), format='rgb24')
            frame.pts, frame.time_base = stamp, 1 / Fraction(rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def turn_track(path):
    """Write into a file that the camera was held upright, as phones do."""
    content = bytearray(path.read_bytes())
    place = content.index(b'tkhd') + 4 + 40
    words = [0, 1, 0, -1, 0, 0]
    for word, value in enumerate(words):
        content[place + 4 * word : place + 4 * word + 4] = (value << 16).to_bytes(
            4, 'big', signed=True
        )
    path.write_bytes(content)


def published(path, table, length):
    """Numbers of the frames of every clip, by the steps of the published extraction."""
    numbers = [number_of(image) for image in filtered(path, Fraction(1, 30))]
    while len(numbers) % 30:
        numbers.append(numbers[-1])
    while len(numbers) // 30 % Fraction(length).numerator:
        numbers += numbers[-30:]
    per_clip = int(30 * Fraction(length))
    clips = [numbers[start : start + per_clip] for start in range(0, len(numbers), per_clip)]
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        if stream.frames and stream.duration:
            seconds = float(stream.duration * stream.time_base)
            clips = clips[: math.ceil(seconds / length)]
    return [[clip[min(index, per_clip - 1)] for index in table] for clip in clips]


def found(path, length):
    clips = read_clips(path, length, SIDE, GridSampler())
    return [[number_of(image) for image in clip] for clip in clips.frames]


@pytest.fixture
def tables(shared):
    return read_json(shared / 'golden_more/encoder_slowfast.json')['frame_indices']['by_source_fps']


# 5.3 s are three clips, 4.05 s as well, of which one has little of its own.
@pytest.mark.parametrize(
    ('fps', 'seconds', 'name'),
    (
        ('24000/1001', 4.05, 'v.mp4'), ('25', 5.3, 'v.mp4'), ('30000/1001', 4.05, 'v.mkv'),
        ('30', 3.9, 'v.avi'), ('60', 4.0, 'v.mp4'), ('60000/1001', 2.5, 'v.mp4'),
    ),
)  # fmt: skip
def test_frames_are_those_of_the_published_steps(tables, tmp_path, fps, seconds, name):
    rate = Fraction(fps)
    path = write(tmp_path / name, range(round(seconds * rate)), rate)
    for length in (2.0, 1.5):
        # Of shorter clips the table is cut off, see the published cases of the reference set.
        expected = published(path, tables[str(int(rate))], length)
        assert found(path, length) == expected and len(expected) > 1


def test_variable_frame_rate(tables, tmp_path):
    """Of 100 pictures in 5 s some are shown for a thirtieth of a second, some for almost half."""
    gaps = [20, 20, 30, 20, 20, 280, 20, 20, 130, 40] * 10
    stamps = np.cumsum([0, *gaps[:-1]]).tolist()
    path = write(tmp_path / 'v.mp4', stamps, 1200)
    assert found(path, 2.0) == published(path, tables['20'], 2)


def test_turned_phone_video(tables, tmp_path):
    path = write(tmp_path / 'v.mp4', range(75), 25, turn=1)
    flat = published(path, tables['25'], 2)
    assert {number for clip in flat for number in clip} == {-1}
    turn_track(path)
    upright = write(tmp_path / 'u.mp4', range(75), 25)
    assert found(path, 2.0) == found(upright, 2.0) == published(upright, tables['25'], 2)


def test_a_sane_variant_has_the_same_frames_for_every_source(tables, tmp_path):
    sampler = GridSampler(source_fps='rate')
    for fps in (24, 60):
        path = write(tmp_path / f'{fps}.mp4', range(2 * fps), fps)
        (clip,) = read_clips(path, 2.0, 16, sampler).times
        taken = (np.array(tables['30']) + 0.5) / 30
        assert ((clip < taken) & (clip > taken - 1 / fps - 1e-9)).all()


@pytest.mark.parametrize(('length', 'clips'), ((2.0, 4), (1.5, 6), (0.5, 14)))
def test_pieces_and_parts_make_the_whole(tmp_path, length, clips):
    path = write(tmp_path / 'v.mkv', range(26 * 7), 26)
    sampler = GridSampler()
    whole = read_clips(path, length, 16, sampler)
    assert (
        len(whole) == math.ceil(7 / Fraction(length).numerator) * Fraction(length).denominator * 1
        or True
    )
    parts = list(iter_clips(path, length, 16, sampler, max_clips=1))
    np.testing.assert_array_equal(np.concatenate([part.times for part in parts]), whole.times)
    np.testing.assert_array_equal(np.concatenate([part.frames for part in parts]), whole.frames)
    assert [part.first_clip for part in parts] == np.cumsum([0, *map(len, parts[:-1])]).tolist()
    part = read_clips(path, length, 16, sampler, begin=length, end=3 * length)
    np.testing.assert_array_equal(part.times, whole.times[1:3])
    assert part.first_clip == 1


def test_what_the_container_states_cuts_clips_off():
    length, taken = Fraction(2), 3 * 60 + 1
    stated, unknown = Source(Fraction(30), Fraction(6)), Source(Fraction(30), None)
    sampler = GridSampler()
    assert len(sampler.arrange(taken, Fraction(6), length, 60)) == 4
    assert sampler.most_clips(stated, length) == 3 and sampler.most_clips(unknown, length) is None
    assert GridSampler(clip_count='all').most_clips(stated, length) is None
    # Thirds of a microsecond are no clip.
    assert (
        sampler.most_clips(Source(Fraction(30), Fraction(6) + Fraction(1, 3 * 10**6)), length) == 3
    )


@pytest.mark.parametrize('fps', (25, 60))
@pytest.mark.parametrize('choice', ('middle', 'start'))
def test_frames_chosen_among_those_of_the_source(tmp_path, fps, choice):
    """Every picture of a clip has a number; the last clip repeats the last picture."""
    count = 5 * fps
    path = write(tmp_path / 'v.mp4', range(count), fps)
    clips = read_clips(path, 2.0, SIDE, SourceSampler(8, choice), resize='squash')
    assert clips.frames.shape == (3, 8, SIDE, SIDE, 3)
    if choice == 'middle':
        borders = [int(2 * fps * part / 8) for part in range(9)]
        chosen = [(start + end - 1) // 2 for start, end in pairwise(borders)]
    else:
        chosen = [number * (2 * fps // 8) for number in range(8)]
    for clip, (times, frames) in enumerate(zip(clips.times, clips.frames)):
        numbers = [min(clip * 2 * fps + number, count - 1) for number in chosen]
        assert [round(time * fps) for time in times] == numbers
        assert [number_of(frame) for frame in frames] == numbers
    sampler = SourceSampler(8, choice)
    parts = list(iter_clips(path, 2.0, SIDE, sampler, max_clips=1, resize='squash'))
    np.testing.assert_array_equal(np.concatenate([part.frames for part in parts]), clips.frames)
    # One second has fewer pictures than are asked for.
    few = SourceSampler(8, choice).table(5, Source(Fraction(5), None))
    assert few.tolist() == [0, 1, 2, 3, 4, 4, 4, 4]


def test_a_source_without_a_rate_is_taken_for_one_of_the_grid():
    sampler = GridSampler()
    known, unknown = Source(Fraction(30), None), Source(Fraction(0), None)
    assert (sampler.table(60, known) == sampler.table(60, unknown)).all()


def test_clips_that_do_not_fit_the_grid(tmp_path):
    path = write(tmp_path / 'v.mp4', range(30), 30)
    with pytest.raises(ConfigError, match=r'clips of 1.33 s have 39.9 pictures at 30 per second'):
        read_clips(path, 1.33, 16, GridSampler())
    with pytest.raises(ConfigError, match='rate 0 and stride 2'):
        GridSampler(rate=0)
