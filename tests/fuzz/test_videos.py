# SPDX-License-Identifier: Apache-2.0
"""Damaged videos give frames within bounds or a sentence, and end."""

import io
from functools import partial

import numpy as np
import pytest
from campaign import mutated_bytes, outcome
from media import write_video

from vtg.extraction import probe, read_clips
from vtg.extraction.encoders import Encoder

pytest.importorskip('av', reason='needs the extra "video"')


class _Means(Encoder):
    """An encoder that needs no model."""

    image_size, frames_per_clip = 16, 2

    def encode_frames(self, frames):
        return frames.reshape(len(frames), -1).mean(axis=1, keepdims=True).astype(np.float32)


def _extract(path):
    encoder = _Means()
    return encoder.encode(encoder.decode(path, 0.5))


@pytest.fixture(scope='module')
def contents(tmp_path_factory):
    folder = tmp_path_factory.mktemp('made')
    made = []
    for suffix, codec in (
        ('mp4', 'mpeg4'),
        ('mkv', 'mpeg4'),
        ('avi', 'mpeg4'),
        ('ts', 'mpeg2video'),
    ):
        path = write_video(
            folder / f'v.{suffix}', 1.5, fps=25 if suffix == 'ts' else 5, codec=codec
        )
        made.append((suffix, path.read_bytes()))
    return made


def test_mutated_videos(contents, inputs, tmp_path):
    for number, rng in inputs(32):
        suffix, content = contents[number % len(contents)]
        # The first kilobytes are headers, where most of the harm is done.
        head = rng.choice((64, 512, 4096, len(content)))
        damaged = mutated_bytes(content[:head], rng) + content[head:]
        path = tmp_path / f'v.{suffix}'
        path.write_bytes(damaged)
        outcome(partial(probe, path))
        clips = outcome(partial(read_clips, path, 0.5, 16))
        if not isinstance(clips, str):
            assert clips.frames.shape[1:] == (1, 16, 16, 3) and len(clips) < 100_000
            assert np.isfinite(clips.times).all() and np.isfinite(clips.duration)
        arrays = outcome(partial(_extract, path))
        if not isinstance(arrays, str):
            assert len(arrays['features']) == len(arrays['times']) > 0
            assert np.isfinite(arrays['features']).all()


def test_bytes_of_other_files_are_no_video(inputs, tmp_path):
    archive = io.BytesIO()
    np.savez(archive, features=np.ones((4, 4)))
    for number, rng in inputs(4):
        path = tmp_path / 'v.mp4'
        playlist = b'#EXTM3U\n#EXTINF:1,\nother.ts\n'
        content = (archive.getvalue(), playlist, rng.randbytes(500), b'\0' * 300)[number % 4]
        path.write_bytes(content)
        assert isinstance(outcome(partial(read_clips, path, 0.5, 16)), str)
