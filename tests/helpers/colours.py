# SPDX-License-Identifier: Apache-2.0
"""An encoder of colours, and a video of three: fast, and right about what it sees."""

import numpy as np
import pytest

from vtg.extraction.encoders import Encoder, TextFeatures

COLOURS = {'red': (200, 30, 30), 'green': (30, 180, 40), 'blue': (30, 40, 210)}


class ColourEncoder(Encoder):
    """The mean colour of a frame, and the colours that a sentence names."""

    image_size = 16
    has_text = joint = True

    def __init__(self):
        self.encoded = []  # clips of every call

    def encode_frames(self, frames):
        self.encoded.append(len(frames))
        return frames.mean((1, 2, 3)).astype(np.float32) / 255 - 0.3

    def encode_text(self, text):
        rows = [COLOURS[word] for word in text.lower().split() if word in COLOURS]
        rows = np.asarray(rows or [(128, 128, 128)], np.float32) / 255 - 0.3
        return TextFeatures(rows, rows.mean(0))


def write_colours(path, seconds=8.0, codec='libvpx', fps=5):
    """A video whose thirds are red, green and blue; a browser plays it."""
    av = pytest.importorskip('av', reason='needs the extra "video"')
    with av.open(str(path), 'w') as container:
        stream = container.add_stream(codec, rate=fps)
        stream.width, stream.height, stream.pix_fmt = 64, 48, 'yuv420p'
        stream.codec_context.gop_size = fps  # a key frame every second
        for number in range(round(seconds * fps)):
            colour = list(COLOURS.values())[int(number / (seconds * fps) * 3)]
            image = np.full((48, 64, 3), colour, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format='rgb24')))
        container.mux(stream.encode())
    return path
