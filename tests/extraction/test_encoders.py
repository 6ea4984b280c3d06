# SPDX-License-Identifier: Apache-2.0
"""Encoders, captioners and scorers against the models of ``transformers`` called directly."""

import numpy as np
import pytest
import torch
from media import SIZE, pictures
from torch import nn

from vtg.extraction import GridSampler, Sampler
from vtg.extraction.encoders import cosine
from vtg.registry import ENCODERS
from vtg.utils import ConfigError

MEAN = torch.tensor([0.48145466, 0.4578275, 0.40821073]).view(3, 1, 1)
STD = torch.tensor([0.26862954, 0.26130258, 0.27577711]).view(3, 1, 1)


@pytest.fixture
def frames():
    """Five clips of one frame, 32 pixels."""
    return pictures(5, SIZE, SIZE)[:, None]


def pixels(frames):
    return (torch.from_numpy(frames[:, 0]).permute(0, 3, 1, 2) / 255.0 - MEAN) / STD


def build(kind, weights, **kwargs):
    return ENCODERS.build(dict(type=kind, weights=str(weights), device='cpu', **kwargs))


def test_clip(tiny_clip, frames):
    from transformers import AutoTokenizer, CLIPModel

    encoder = build('ClipEncoder', tiny_clip, batch_size=2)
    model = CLIPModel.from_pretrained(tiny_clip).eval()
    features = encoder.encode_frames(frames)
    text = encoder.encode_text('a man opens the door')
    ids = AutoTokenizer.from_pretrained(tiny_clip)(['a man opens the door'], return_tensors='pt')
    with torch.no_grad():
        output = model(pixel_values=pixels(frames), **ids)
    assert features.shape == (5, 24) and features.dtype == np.float32
    # The model normalises its embeddings, the published features are not normalised.
    np.testing.assert_allclose(
        features / np.linalg.norm(features, axis=1, keepdims=True), output.image_embeds, atol=1e-5
    )
    assert text.pooled.shape == (24,) and text.tokens.shape == (ids.input_ids.shape[1], 16)
    np.testing.assert_allclose(
        cosine(features, text.pooled) * model.logit_scale.exp().item(),
        output.logits_per_image[:, 0], rtol=1e-4,
    )  # fmt: skip
    np.testing.assert_allclose(
        text.tokens, output.text_model_output.last_hidden_state[0], atol=1e-5
    )
    # The states are those after the final norm: its output has mean and deviation of its weights.
    np.testing.assert_allclose(text.tokens.mean(1), 0, atol=1e-5)


def test_clip_keeps_start_and_end_token_and_cuts_long_texts(tiny_clip):
    encoder = build('ClipEncoder', tiny_clip)
    assert len(encoder.encode_text('abc').tokens) == 3 + 2  # one token per letter here
    assert len(encoder.encode_text('x' * 300).tokens) == 77


def test_blip2(tiny_blip2, frames):
    from transformers import AutoTokenizer, Blip2ForImageTextRetrieval

    encoder = build('Blip2Encoder', tiny_blip2, batch_size=3)
    scorer = build('Blip2Similarity', tiny_blip2)
    model = Blip2ForImageTextRetrieval.from_pretrained(tiny_blip2).eval()
    ids = AutoTokenizer.from_pretrained(tiny_blip2)('a dog runs', return_tensors='pt')
    with torch.no_grad():
        output = model(
            pixel_values=pixels(frames), input_ids=ids.input_ids, attention_mask=ids.attention_mask
        )
    features, text = encoder.encode_frames(frames), encoder.encode_text('a dog runs')
    assert features.shape == (5, 16) and text.tokens.shape == (5, 16)
    np.testing.assert_array_equal(text.pooled, text.tokens[0])
    np.testing.assert_allclose(
        text.tokens, output.text_model_output.last_hidden_state[0], atol=1e-5
    )
    similarity = scorer.score(scorer.prepare(frames), 'a dog runs')
    np.testing.assert_allclose(similarity, output.logits_per_image[:, 0], atol=1e-5)


def test_blip(tiny_blip, frames):
    captioner = build('BlipCaptioner', tiny_blip['caption'], max_new_tokens=6, num_beams=1)
    captions = captioner.caption(frames[:, 0])
    assert len(captions) == 5 and captions == captioner.caption(frames[:, 0])
    scorer = build('BlipMatching', tiny_blip['matching'], batch_size=2)
    scores = scorer.score(scorer.prepare(frames), 'a dog runs')
    assert scores.shape == (5,) and ((scores > 0) & (scores < 1)).all()


def test_cosine_scorer(tiny_clip, tiny_blip2, frames):
    encoder = dict(type='ClipEncoder', weights=str(tiny_clip), device='cpu')
    scorer = ENCODERS.build(dict(type='CosineScorer', encoder=encoder))
    scores = scorer.score(scorer.prepare(frames), 'the room')
    assert scores.shape == (5,) and (np.abs(scores) <= 1).all()
    with pytest.raises(ConfigError, match='no joint space'):
        ENCODERS.build(
            dict(type='CosineScorer', encoder=dict(type='Blip2Encoder', weights=str(tiny_blip2)))
        )


class MeanOfFrames(nn.Module):
    """Features are the mean and the greatest value of every colour over a clip."""

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        values = clips.flatten(2)
        return torch.cat((values.mean(2), values.amax(2)), dim=1)


@ENCODERS.register_module()
class ToyArchitecture(nn.Module):
    """Scales the mean colour."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.tensor([1.0, 2.0, 3.0]))

    def forward(self, clips):
        return clips.flatten(2).mean(2) * self.scale


def test_exported_programs(tmp_path):
    clips = np.stack([pictures(4, 8, 8, seed) for seed in range(3)])  # (3, 4, 8, 8, 3)
    plain = dict(image_size=8, frames_per_clip=4, mean=(0, 0, 0), std=(1, 1, 1))
    scaled = clips / 255.0
    expected = np.concatenate([scaled.mean((1, 2, 3)), scaled.max((1, 2, 3))], axis=1)
    example = torch.zeros(2, 3, 4, 8, 8)
    torch.jit.trace(MeanOfFrames(), example).save(str(tmp_path / 'net.pt'))
    batch = torch.export.Dim('batch')
    program = torch.export.export(MeanOfFrames(), (example,), dynamic_shapes={'clips': {0: batch}})
    torch.export.save(program, tmp_path / 'net.pt2')
    for name in ('net.pt', 'net.pt2'):
        encoder = build('TorchScriptEncoder', tmp_path / name, batch_size=2, **plain)
        np.testing.assert_allclose(encoder.encode_frames(clips), expected, atol=1e-5)
    assert encoder.sampler == Sampler(4)
    on_grid = build('TorchScriptEncoder', tmp_path / 'net.pt', sampler=dict(stride=4), **plain)
    assert on_grid.sampler == GridSampler(4, stride=4)
    with pytest.raises(ConfigError, match='encodes video only'):
        encoder.encode_text('a dog')


def test_a_registered_architecture_with_weights(tmp_path):
    clips = pictures(2, 8, 8)[:, None]
    torch.save({'state_dict': {'scale': torch.tensor([0.5, 1.0, 4.0])}}, tmp_path / 'w.pth')
    encoder = build(
        'CheckpointEncoder', tmp_path / 'w.pth', architecture=dict(type='ToyArchitecture'),
        image_size=8, mean=(0, 0, 0), std=(1, 1, 1),
    )  # fmt: skip
    expected = (clips / 255.0).mean((1, 2, 3)) * [0.5, 1.0, 4.0]
    np.testing.assert_allclose(encoder.encode_frames(clips), expected, atol=1e-5)


def test_mistakes_are_sentences(tmp_path, tiny_clip):
    wanted = r'; wanted is CLIP, such as openai/clip-vit-base-patch32: .*docs/extraction.md'
    with pytest.raises(ConfigError, match=f'do not exist{wanted}'):
        build('ClipEncoder', tmp_path / 'nothing')
    (tmp_path / 'folder').mkdir()
    for kind, usual in (
        ('ClipEncoder', 'clip-vit-base-patch32'), ('ClapEncoder', 'clap-htsat-unfused'),
        ('SiglipEncoder', 'siglip-base-patch16-224'), ('Blip2Encoder', 'blip2-itm-vit-g'),
    ):  # fmt: skip
        with pytest.raises(ConfigError, match=rf'folder \(.*{usual}: .*docs/extraction.md'):
            build(kind, tmp_path / 'folder')
    (tmp_path / 'text.pt').write_text('no program')
    with pytest.raises(ConfigError, match='no TorchScript file'):
        build('TorchScriptEncoder', tmp_path / 'text.pt')
    with pytest.raises(ConfigError, match='layout'):
        torch.jit.trace(MeanOfFrames(), torch.zeros(1, 3, 1, 8, 8)).save(str(tmp_path / 'm.pt'))
        build('TorchScriptEncoder', tmp_path / 'm.pt', layout='tchw')


def test_an_exported_text_part(tmp_path, tiny_clip):
    torch.manual_seed(0)
    words = nn.Embedding(200, 6).eval()
    torch.jit.trace(words, torch.zeros(1, 4, dtype=torch.long)).save(str(tmp_path / 'text.pt'))
    torch.jit.trace(MeanOfFrames(), torch.zeros(2, 3, 1, 8, 8)).save(str(tmp_path / 'video.pt'))
    encoder = build(
        'TorchScriptEncoder', tmp_path / 'video.pt', image_size=8,
        text_weights=str(tmp_path / 'text.pt'), tokenizer=str(tiny_clip),
    )  # fmt: skip
    text = encoder.encode_text('a dog')
    ids = encoder.tokenizer('a dog').input_ids
    np.testing.assert_allclose(text.tokens, words.weight.detach()[ids], atol=1e-6)
    np.testing.assert_array_equal(text.pooled, text.tokens[0])
    assert (
        encoder.has_text
        and encoder.joint
        and encoder.encode_frames(pictures(3, 8, 8)[:, None]).shape == (3, 6)
    )
