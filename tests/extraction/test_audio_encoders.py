# SPDX-License-Identifier: Apache-2.0
"""PANNs and CLAP against their models called directly, and clips without sound."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from media import write_video

from vtg.extraction import extract_videos
from vtg.extraction.encoders import cosine
from vtg.registry import ENCODERS
from vtg.utils import CheckpointError, ConfigError


@pytest.fixture
def samples():
    """Three clips of 1.5 seconds at 8 kHz."""
    return np.random.default_rng(0).uniform(-1, 1, (3, 12000)).astype(np.float32)


def build(kind, weights, **kwargs):
    return ENCODERS.build(dict(type=kind, weights=str(weights), device='cpu', **kwargs))


def test_clap(tiny_clap, samples):
    from transformers import AutoTokenizer, ClapFeatureExtractor, ClapModel

    encoder = build('ClapEncoder', tiny_clap, batch_size=2)
    model = ClapModel.from_pretrained(tiny_clap).eval()
    inputs = ClapFeatureExtractor.from_pretrained(tiny_clap)(
        list(samples), sampling_rate=8000, return_tensors='pt'
    )
    ids = AutoTokenizer.from_pretrained(tiny_clap)('a dog runs', return_tensors='pt')
    with torch.no_grad():
        output = model(input_ids=ids.input_ids, **inputs)
    features, text = encoder.encode_sound(samples), encoder.encode_text('a dog runs')
    assert encoder.sample_rate == 8000 and features.shape == (3, 12)
    np.testing.assert_allclose(
        cosine(features, text.pooled) * model.logit_scale_a.exp().item(),
        output.logits_per_audio[:, 0], rtol=1e-4,
    )  # fmt: skip
    np.testing.assert_allclose(
        text.tokens, output.text_model_output.last_hidden_state[0], atol=1e-5
    )
    towers = build('ClapEncoder', tiny_clap, projected=False)
    assert not towers.joint and towers.encode_text('a dog').pooled.shape == (16,)
    np.testing.assert_allclose(
        towers.encode_sound(samples), output.audio_model_output.pooler_output, atol=1e-5
    )
    # Long sentences fill the positions, and long clips are cut to their middle, not by chance.
    assert len(encoder.encode_text('dog ' * 100).tokens) == 65
    long = np.tile(samples, 2)
    np.testing.assert_array_equal(
        encoder.encode_sound(long), encoder.encode_sound(long[:, 4000:20000])
    )


def test_panns(tiny_panns, samples):
    encoder = build('PannsEncoder', tiny_panns, batch_size=2)
    assert 'panns_inference' not in sys.modules
    features = encoder.encode_sound(samples)
    weights = torch.load(tiny_panns)['model']
    blocks = samples[:, :11840].reshape(3, 37, 320).mean(1)
    expected = np.maximum(blocks @ weights['fc1.weight'].numpy().T + weights['fc1.bias'].numpy(), 0)
    assert encoder.sample_rate == 32000
    np.testing.assert_allclose(features, expected, atol=1e-5)
    assert encoder.encode_sound(samples[:, :100]).shape == (3, 2048)

    torch.save({'model': {'fc1.bias': torch.zeros(7)}}, tiny_panns.parent / 'bad.pth')
    for name, message in (('bad.pth', 'does not fit'), ('gone.pth', 'does not exist')):
        with pytest.raises(CheckpointError, match=rf'{message}.*Cnn14_mAP=0\.431\.pth.*docs/'):
            build('PannsEncoder', tiny_panns.parent / name)


def test_the_real_network_of_panns(tmp_path):
    """The definition alone is imported: nothing is downloaded or written into the home folder."""
    pytest.importorskip('torchlibrosa', reason='needs the extra "audio"')
    from vtg.extraction.encoders import audio

    network = audio._panns_models().Cnn14(32000, 1024, 320, 64, 50, 14000, 527).eval()
    torch.save({'model': network.state_dict()}, tmp_path / 'c.pth')
    encoder = build('PannsEncoder', tmp_path / 'c.pth', batch_size=1)
    samples = np.random.default_rng(0).uniform(-1, 1, (2, 16000)).astype(np.float32)
    with torch.no_grad():
        expected = network(torch.from_numpy(samples))['embedding']
    np.testing.assert_allclose(encoder.encode_sound(samples), expected, atol=1e-4)
    # A sixth of a second is too short for the network alone.
    assert encoder.encode_sound(samples[:, :5333]).shape == (2, 2048)
    assert not Path.home().joinpath('panns_data').exists()


def test_videos_without_sound_are_named_and_counted(tiny_clap, tmp_path):
    loud = write_video(tmp_path / 'loud.mp4', 5.0, audio=True)
    silent = write_video(tmp_path / 'silent.mp4', 5.0)
    encoder = dict(type='ClapEncoder', weights=str(tiny_clap), device='cpu')
    report = extract_videos({'loud': loud, 'silent': silent}, encoder, tmp_path / 'out', 1.0)
    # The container says 5 s, the track ends within its last frame of 64 ms.
    assert report.written == {'loud': 5} and list(report.problems) == ['silent']
    assert 'silent.mp4 has no audio track' in report.problems['silent']
    assert report.without_sound == 1 and '1 failed (1 without an audio track)' in report.summary()
    with pytest.raises(ConfigError, match='do not exist'):
        build('ClapEncoder', tmp_path / 'nothing')
