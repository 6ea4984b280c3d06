# SPDX-License-Identifier: Apache-2.0
"""Cosine of stored features against NumPy, sample by sample."""

import numpy as np
import pytest
import torch

from vtg.models.heads import FeatureCosineSaliencyHead
from vtg.structures import GroundingState
from vtg.utils import ConfigError

CLIPS, WORDS = (9, 4, 1), (2, 5, 1)


def state_of(samples, junk=7.0):
    """A batch of ``(video, text)`` arrays whose padding holds junk."""

    def padded(arrays):
        length = max(map(len, arrays))
        rows = torch.full((len(arrays), length, arrays[0].shape[1]), junk)
        mask = torch.zeros(len(arrays), length, dtype=torch.bool)
        for row, real, array in zip(rows, mask, arrays):
            row[: len(array)] = torch.from_numpy(array)
            real[: len(array)] = True
        return rows, mask

    video, video_mask = padded([video for video, _ in samples])
    text, text_mask = padded([text for _, text in samples])
    return GroundingState(video, video_mask, text, text_mask, 2.0 * video_mask.sum(1))


def expected(video, text, centre, size):
    def unit(x):
        return x / np.linalg.norm(x, axis=-1, keepdims=True)

    clips = unit(video)
    if centre:
        clips = clips - clips.mean(0)
        clips = clips / np.maximum(np.linalg.norm(clips, axis=-1, keepdims=True), 1e-12)
    scores = clips @ unit(text.mean(0))
    near = [scores[max(0, i - size // 2) : i + size // 2 + 1].mean() for i in range(len(scores))]
    return np.array(near)


@pytest.mark.parametrize(('centre', 'size'), [(True, 3), (False, 5), (True, 1)])
def test_scores_are_cosines_that_padding_does_not_touch(centre, size):
    rng = np.random.default_rng(0)
    samples = [
        (rng.normal(size=(clips, 6)).astype(np.float32), rng.normal(size=(words, 6)).astype('f4'))
        for clips, words in zip(CLIPS, WORDS)
    ]
    head = FeatureCosineSaliencyHead(centre=centre, kernel_size=size)
    batch = head(state_of(samples))['saliency']
    assert not list(head.parameters())
    for row, clips, (video, text) in zip(batch, CLIPS, samples):
        alone = head(state_of([(video, text)]))['saliency'][0]
        torch.testing.assert_close(row[:clips], alone, atol=1e-5, rtol=0)
        if clips > 1:
            wanted = expected(video.astype('f8'), text.astype('f8'), centre, size)
            np.testing.assert_allclose(alone, wanted, atol=1e-5)
        assert not row[clips:].any()
    # The only clip of a video is its mean.
    assert not centre or batch[2, 0] == 0


def test_widths_of_two_spaces_are_refused():
    one = np.ones((2, 4), np.float32), np.ones((2, 3), np.float32)
    with pytest.raises(ConfigError, match=r'4 wide and the text features 3; .*tef=False'):
        FeatureCosineSaliencyHead()(state_of([one]))
