# SPDX-License-Identifier: Apache-2.0
"""The sound of clips: which samples, pieces, windows, and files without sound."""

import numpy as np
import pytest
from media import pictures, write_video

from vtg.extraction.media import SoundMissing
from vtg.extraction.sound import iter_sound
from vtg.utils import ConfigError, DataError

av = pytest.importorskip('av', reason='needs the extra "video"')
RATE = 8000


def noise(seconds):
    return np.random.default_rng(0).uniform(-0.9, 0.9, round(seconds * RATE)).astype(np.float32)


def write_sound(path, samples, late=0.0, video=0.0):
    """An uncompressed recording; with ``video`` beside pictures, from ``late`` seconds on."""
    with av.open(str(path), 'w') as container:
        stream = container.add_stream('pcm_f32le', rate=RATE, layout='mono')
        if video:
            images = container.add_stream('mpeg4', rate=5)
            images.width, images.height, images.pix_fmt = 64, 48, 'yuv420p'
            for image in pictures(round(video * 5)):
                frame = av.VideoFrame.from_ndarray(image, format='rgb24')
                container.mux(images.encode(frame))
            container.mux(images.encode())
        for start in range(0, len(samples), 1000):
            frame = av.AudioFrame.from_ndarray(samples[None, start : start + 1000], 'flt', 'mono')
            frame.sample_rate, frame.pts = RATE, start + round(late * RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def test_clips_of_a_recording(tmp_path):
    samples = noise(7.2)
    path = write_sound(tmp_path / 'a.wav', samples)
    (clips,) = iter_sound(path, 2.0, RATE)
    # round(7.2 / 2) clips, the last one filled up with silence.
    expected = np.concatenate([samples, np.zeros(8 * RATE - len(samples), np.float32)])
    np.testing.assert_array_equal(clips.samples, expected.reshape(4, 2 * RATE))
    np.testing.assert_array_equal(clips.times, [[0], [2], [4], [6]])
    assert clips.duration == 7.2 and len(clips) == 4

    # Half a second of silence on either side, then the sound around every clip of a quarter.
    (wide,) = iter_sound(path, 0.25, RATE, window=1.25)
    silence = np.zeros(RATE // 2, np.float32)
    padded = np.concatenate([silence, samples, silence, silence])
    starts = np.arange(29) * RATE // 4
    np.testing.assert_array_equal(wide.samples, [padded[s : s + 5 * RATE // 4] for s in starts])
    for whole, options in ((clips, {}), (wide, dict(window=1.25))):
        pieces = list(iter_sound(path, whole.clip_length, RATE, max_clips=2, **options))
        assert len(pieces) > 1 and [len(piece) for piece in pieces[:-1]] == [2] * (len(pieces) - 1)
        for name in ('samples', 'times'):
            joined = np.concatenate([getattr(piece, name) for piece in pieces])
            np.testing.assert_array_equal(joined, getattr(whole, name))
        assert [piece.first_clip for piece in pieces] == list(range(0, 2 * len(pieces), 2))
        assert pieces[-1].duration == 7.2 and np.isnan(pieces[0].duration)


def test_other_rates_and_clips_of_no_whole_number_of_samples(tmp_path):
    time = np.arange(6 * RATE) / RATE
    path = write_sound(tmp_path / 'tone.wav', np.sin(2 * np.pi * 440 * time).astype(np.float32))
    (clips,) = iter_sound(path, 5 / 3, 16000)
    assert clips.samples.shape == (4, round(16000 * 5 / 3))
    # The tone goes on over the borders of the clips, which are rounded to a sample.
    for row, samples in enumerate(clips.samples[:3]):
        seconds = (round(row * 16000 * 5 / 3) + np.arange(len(samples))) / 16000
        error = np.abs(samples - np.sin(2 * np.pi * 440 * seconds))
        assert error[50:].max() < 0.01


def test_sound_counts_from_the_first_picture(tmp_path):
    samples = noise(4.0)
    path = write_sound(tmp_path / 'late.mkv', samples, late=1.5, video=6.0)
    (clips,) = iter_sound(path, 1.0, RATE)
    found = clips.samples.reshape(-1)
    assert len(clips) == 6 and not found[: 3 * RATE // 2].any()
    np.testing.assert_array_equal(found[3 * RATE // 2 : 3 * RATE // 2 + len(samples)], samples)


def test_files_without_sound(tmp_path):
    silent = write_video(tmp_path / 'silent.mp4', 2.0)
    with pytest.raises(SoundMissing, match=r'silent.mp4 has no audio track \(only video streams\)'):
        list(iter_sound(silent))
    (tmp_path / 'broken.wav').write_bytes(b'RIFF' + b'x' * 500)
    for name, message in (('broken.wav', 'cannot be decoded'), ('gone.wav', 'does not exist')):
        with pytest.raises(DataError, match=message):
            list(iter_sound(tmp_path / name))
    with pytest.raises(ConfigError, match='window'):
        list(iter_sound(silent, window=-1.0))
