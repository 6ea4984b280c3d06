# SPDX-License-Identifier: Apache-2.0
"""Fixtures: small videos made on the spot, and tiny random models saved to disk."""

import json
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

SIZE = 32
SENTENCE = 'a man woman dog runs opens the door in red blue room and sits cooks food'
WORDS = SENTENCE.split()


def pictures(count, width=64, height=48, seed=0):
    """Frames whose colour and bar tell their number."""
    rng = np.random.default_rng(seed)
    base = rng.integers(0, 200, 3)
    images = np.zeros((count, height, width, 3), np.uint8)
    for index in range(count):
        images[index] = (base + index * 3) % 256
        images[index, :, : 1 + index * (width - 1) // max(count - 1, 1)] = 255 - base
    return images


def write_video(path, seconds=10.0, fps=5, seed=0, width=64, height=48, codec='mpeg4', audio=False):
    av = pytest.importorskip('av', reason='needs the extra "video"')
    with av.open(str(path), 'w') as container:
        stream = container.add_stream(codec, rate=fps)
        stream.width, stream.height, stream.pix_fmt = width, height, 'yuv420p'
        sound = container.add_stream('aac', rate=16000) if audio else None
        for image in pictures(round(seconds * fps), width, height, seed):
            frame = av.VideoFrame.from_ndarray(image, format='rgb24')
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
        if sound:
            _mux_sound(av, container, sound, seconds)
    return Path(path)


def filtered(path, step):
    """The pictures that FFmpeg's filter ``fps=1/step`` takes, in full size."""
    av = pytest.importorskip('av', reason='needs the extra "video"')
    step = Fraction(step)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        graph = av.filter.Graph()
        source = graph.add_buffer(template=stream)
        rate = graph.add('fps', f'fps={step.denominator}/{step.numerator}')
        sink = graph.add('buffersink')
        source.link_to(rate)
        rate.link_to(sink)
        graph.configure()
        found = []

        def drain():
            while True:
                try:
                    found.append(graph.pull().to_ndarray(format='rgb24'))
                except (av.error.BlockingIOError, av.error.EOFError):
                    return

        for picture in container.decode(stream):
            graph.push(picture)
            drain()
        graph.push(None)
        drain()
    return found


def write_late_pictures(path):
    """Four seconds of pictures behind 20 s of sound alone, which grows louder."""
    av = pytest.importorskip('av', reason='needs the extra "video"')
    with av.open(str(path), 'w') as container:
        stream = container.add_stream('mpeg4', rate=5)
        sound = container.add_stream('aac', rate=8000)
        stream.width, stream.height, stream.pix_fmt = 64, 48, 'yuv420p'
        for number in range(8 * 24):
            samples = np.full((1, 1000), number * 100, np.int16)
            part = av.AudioFrame.from_ndarray(samples, format='s16', layout='mono')
            part.sample_rate, part.pts, part.time_base = 8000, number * 1000, Fraction(1, 8000)
            container.mux(sound.encode(part))
            if number >= 160 and number % 8 < 5:
                (image,) = pictures(1, seed=number)
                frame = av.VideoFrame.from_ndarray(image, format='rgb24')
                frame.pts, frame.time_base = number // 8 * 5 + number % 8, Fraction(1, 5)
                container.mux(stream.encode(frame))
        container.mux(stream.encode())
        container.mux(sound.encode())
    return Path(path)


def write_audio(path, seconds=2.0):
    av = pytest.importorskip('av', reason='needs the extra "video"')
    with av.open(str(path), 'w') as container:
        _mux_sound(av, container, container.add_stream('aac', rate=16000), seconds)
    return Path(path)


def _mux_sound(av, container, stream, seconds):
    for start in range(0, int(seconds * 16000), 1024):
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), 'fltp', 'mono')
        frame.sample_rate, frame.pts = 16000, start
        container.mux(stream.encode(frame))
    container.mux(stream.encode())


@pytest.fixture(scope='session')
def videos(tmp_path_factory):
    """A folder of three simulated videos of 9, 12.4 and 23 seconds."""
    folder = tmp_path_factory.mktemp('videos')
    for index, seconds in enumerate((9.0, 12.4, 23.0)):
        write_video(folder / f'v{index}.mp4', seconds, seed=index)
    return folder


def _bert_tokenizer(folder):
    folder.mkdir(parents=True, exist_ok=True)
    special = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', '[DEC]', '[ENC]']
    letters = [chr(code) for code in range(97, 123)]
    vocabulary = special + WORDS + letters + ['##' + letter for letter in letters]
    vocabulary = list(dict.fromkeys(vocabulary))
    (folder / 'vocab.txt').write_text('\n'.join(vocabulary), encoding='utf-8')
    config = {'tokenizer_class': 'BertTokenizer', 'do_lower_case': True, 'model_max_length': 512}
    (folder / 'tokenizer_config.json').write_text(json.dumps(config))
    return len(vocabulary)


def _vision(**kwargs):
    return dict(
        hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2,
        image_size=SIZE, patch_size=16, **kwargs,
    )  # fmt: skip


@pytest.fixture(scope='session')
def tiny_clip(tmp_path_factory):
    """A folder with a random CLIP: 32 pixels, joint width 24, text width 16."""
    return write_clip(tmp_path_factory.mktemp('clip'))


def write_clip(folder, width=16, joint=24):
    """Fill a folder with a random CLIP of this text width and joint width."""
    transformers = pytest.importorskip('transformers', reason='needs the extra "encoders"')
    letters = [chr(code) for code in range(33, 127)]
    vocabulary = letters + [letter + '</w>' for letter in letters]
    vocabulary += ['<|startoftext|>', '<|endoftext|>']
    ids = {token: index for index, token in enumerate(vocabulary)}
    (folder / 'vocab.json').write_text(json.dumps(ids))
    (folder / 'merges.txt').write_text('#version: 0.2\n')
    (folder / 'tokenizer_config.json').write_text(
        json.dumps({'tokenizer_class': 'CLIPTokenizer', 'model_max_length': 77})
    )
    last = len(vocabulary) - 1
    torch.manual_seed(0)
    config = transformers.CLIPConfig(
        text_config=dict(
            vocab_size=len(vocabulary), hidden_size=width, intermediate_size=16,
            num_hidden_layers=2, num_attention_heads=2, max_position_embeddings=77,
            bos_token_id=last - 1, eos_token_id=last, pad_token_id=last,
        ),
        vision_config=_vision(),
        projection_dim=joint,
    )  # fmt: skip
    transformers.CLIPModel(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope='session')
def tiny_siglip(tmp_path_factory):
    """A folder of a random SigLIP: 32 pixels, 16 wide, sentences of at most 16 tokens."""
    transformers = pytest.importorskip('transformers', reason='needs the extra "encoders"')
    folder = tmp_path_factory.mktemp('siglip')
    vocabulary = _bert_tokenizer(folder)
    torch.manual_seed(3)
    text = dict(
        vocab_size=vocabulary, hidden_size=16, intermediate_size=16, num_hidden_layers=1,
        num_attention_heads=2, max_position_embeddings=16, projection_size=16,
        bos_token_id=2, eos_token_id=3, pad_token_id=0,
    )  # fmt: skip
    config = transformers.SiglipConfig(text_config=text, vision_config=_vision())
    transformers.SiglipModel(config).save_pretrained(folder)
    return folder


def _blip_config(transformers, vocabulary):
    return transformers.BlipConfig(
        text_config=dict(
            vocab_size=vocabulary, hidden_size=16, intermediate_size=16, num_hidden_layers=1,
            num_attention_heads=2, encoder_hidden_size=16, max_position_embeddings=64,
            bos_token_id=5, sep_token_id=3, eos_token_id=3, pad_token_id=0, projection_dim=8,
        ),
        vision_config=_vision(projection_dim=8),
        projection_dim=8, image_text_hidden_size=8,
    )  # fmt: skip


@pytest.fixture(scope='session')
def tiny_blip(tmp_path_factory):
    """Folders of a random BLIP captioner and of a random BLIP matching model."""
    transformers = pytest.importorskip('transformers', reason='needs the extra "encoders"')
    folder = tmp_path_factory.mktemp('blip')
    torch.manual_seed(1)
    found = {}
    for name, kind in (
        ('caption', 'BlipForConditionalGeneration'),
        ('matching', 'BlipForImageTextRetrieval'),
    ):
        vocabulary = _bert_tokenizer(folder / name)
        model = getattr(transformers, kind)(_blip_config(transformers, vocabulary))
        model.save_pretrained(folder / name)
        found[name] = folder / name
    return found


@pytest.fixture(scope='session')
def tiny_blip2(tmp_path_factory):
    """A folder of a random BLIP-2 image-text retrieval model, 16 wide."""
    transformers = pytest.importorskip('transformers', reason='needs the extra "encoders"')
    folder = tmp_path_factory.mktemp('blip2')
    vocabulary = _bert_tokenizer(folder)
    torch.manual_seed(2)
    config = transformers.Blip2Config(
        vision_config=_vision(),
        qformer_config=dict(
            vocab_size=vocabulary, hidden_size=16, intermediate_size=16, num_hidden_layers=2,
            num_attention_heads=2, encoder_hidden_size=16, max_position_embeddings=64,
            cross_attention_frequency=1, use_qformer_text_input=True,
        ),
        num_query_tokens=4, image_text_hidden_size=8,
    )  # fmt: skip
    transformers.Blip2ForImageTextRetrieval(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope='session')
def tiny_clap(tmp_path_factory):
    """A folder of a random CLAP: 8 kHz, two seconds, towers 16 wide, joint width 12."""
    return write_clap(tmp_path_factory.mktemp('clap'))


def write_clap(folder, width=16):
    """Fill a folder with a random CLAP whose towers are so wide."""
    transformers = pytest.importorskip('transformers', reason='needs the extra "encoders"')
    vocabulary = _bert_tokenizer(folder)
    torch.manual_seed(4)
    config = transformers.ClapConfig(
        text_config=dict(
            vocab_size=vocabulary, hidden_size=width, intermediate_size=16, num_hidden_layers=1,
            num_attention_heads=2, max_position_embeddings=66, pad_token_id=0,
        ),
        audio_config=dict(
            window_size=4, num_mel_bins=16, spec_size=64, patch_size=4, patch_stride=[4, 4],
            patch_embeds_hidden_size=width // 2, depths=[1, 1], num_attention_heads=[1, 2],
            hidden_size=width,
        ),
        projection_dim=12,
    )  # fmt: skip
    transformers.ClapModel(config).save_pretrained(folder)
    transformers.ClapFeatureExtractor(
        feature_size=16, sampling_rate=8000, hop_length=80, max_length_s=2, fft_window_size=256,
        frequency_max=4000, truncation='rand_trunc', padding='repeatpad',
    ).save_pretrained(folder)  # fmt: skip
    return folder


CNN14 = """
import torch

class Cnn14(torch.nn.Module):
    def __init__(self, sample_rate, window_size, hop_size, mel_bins, fmin, fmax, classes_num):
        super().__init__()
        assert (sample_rate, window_size, hop_size, mel_bins) == (32000, 1024, 320, 64)
        assert (fmin, fmax) == (50, 14000)
        self.fc1 = torch.nn.Linear(320, 2048)
        self.fc_audioset = torch.nn.Linear(2048, classes_num)

    def forward(self, samples, mixup_lambda=None):
        embedding = self.fc1(samples.unfold(1, 320, 320).mean(1)).relu()
        return {'embedding': embedding, 'clipwise_output': self.fc_audioset(embedding)}
"""


@pytest.fixture
def tiny_panns(tmp_path, monkeypatch):
    """Weights for a network in the place of ``panns-inference``, whose import would fail."""
    package = tmp_path / 'packages' / 'panns_inference'
    package.mkdir(parents=True)
    (package / '__init__.py').write_text('raise RuntimeError("downloads into the home folder")')
    (package / 'models.py').write_text(CNN14)
    (package.parent / 'torchlibrosa.py').touch()
    monkeypatch.syspath_prepend(str(package.parent))
    for name in ('torchlibrosa', 'panns_inference', 'panns_inference.models'):
        monkeypatch.delitem(sys.modules, name, raising=False)
    torch.manual_seed(5)
    layers = {'fc1': torch.nn.Linear(320, 2048), 'fc_audioset': torch.nn.Linear(2048, 5)}
    weights = torch.nn.ModuleDict(layers).state_dict()
    torch.save({'iteration': 7, 'model': weights}, tmp_path / 'Cnn14.pth')
    yield tmp_path / 'Cnn14.pth'
    sys.modules.pop('panns_inference.models', None)
    sys.modules.pop('torchlibrosa', None)


@pytest.fixture(scope='session')
def two_workers():
    """A Ray of two processes on this machine, started once."""
    ray = pytest.importorskip('ray', reason='needs the extra "ray"')
    from vtg.extraction import RayOptions

    yield RayOptions(workers=2, chunk=1)
    ray.shutdown()


def tiny_slowfast(seed=0, **sizes):
    """A random SlowFast in evaluation mode, statistics of its normalisations included."""
    from vtg.extraction.networks.slowfast import SlowFast

    torch.manual_seed(seed)
    model = SlowFast(**sizes).eval()
    randomize_norms(model)
    return model


def randomize_norms(model):
    """Give normalisations weights and statistics at random, so that their order matters."""
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm3d):
            torch.nn.init.uniform_(module.weight, 0.6, 1.4)
            torch.nn.init.normal_(module.bias, 0, 0.2)
            module.running_mean.normal_(0, 0.2)
            module.running_var.uniform_(0.5, 1.5)
