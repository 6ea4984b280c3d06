# SPDX-License-Identifier: Apache-2.0
"""InternVideo2 from files laid out as published; numbers of the towers are reference values."""

import numpy as np
import pytest
import torch
from tiny_internvideo2 import SIZES, TRUNK, internvl, stage2, write_files

from vtg.extraction.networks.internvideo2_positions import resize_positions
from vtg.extraction.networks.internvideo2_sizes import TowerSizes
from vtg.registry import ENCODERS
from vtg.utils import CheckpointError, ConfigError

pytest.importorskip('transformers', reason='needs the extra "encoders"')


@pytest.fixture(scope='module')
def files(tmp_path_factory):
    return write_files(tmp_path_factory.mktemp('internvideo2'))


def build(weights, variant='stage2_1b', **options):
    options = {'sizes': SIZES[variant], 'device': 'cpu', **options}
    weights = weights if isinstance(weights, list) else str(weights)
    return ENCODERS.build(
        dict(type='InternVideo2Encoder', weights=weights, variant=variant, **options)
    )


def clips(count, frames, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (count, frames, 28, 28, 3), dtype=np.uint8)


def test_both_spaces(files):
    """Widths, defaults, and a batch that changes nothing."""
    first = build(files / 'stage2', text=str(files / 'stage2/tokenizer'), batch_size=2)
    assert first.frames_per_clip == 4 and first.resize == 'squash' and first.joint
    frames = clips(3, 4)
    features = first.encode_frames(frames)
    assert features.shape == (3, 8) and features.dtype == np.float32
    np.testing.assert_allclose(first.encode_frames(frames[2:]), features[2:], atol=1e-5)
    text = first.encode_text('a dog')
    assert text.tokens.shape == (4, 8) and text.pooled.shape == (8,)
    np.testing.assert_array_equal(text.pooled, text.tokens[0])
    assert len(first.encode_text('x' * 60).tokens) <= 40

    other = build(files / 'clip', 'clip_1b', text=str(files / 'clip/tokenizer'))
    assert other.frames_per_clip == 8 and other.encode_frames(clips(2, 8)).shape == (2, 12)
    text = other.encode_text('dog')
    # Start token, ten letters of the prompt, three of the sentence, end token.
    assert text.tokens.shape == (1 + 10 + 3 + 1, 16) and text.pooled.shape == (12,)
    bare = build(
        files / 'clip', 'clip_1b',
        text={'tokenizer': str(files / 'clip/tokenizer'), 'keep_prompt': False},
    ).encode_text('dog')  # fmt: skip
    np.testing.assert_array_equal(bare.tokens, text.tokens[11:14])


def test_the_pooling_of_a_clip_model_is_that_of_its_own_file(files):
    """The file of stage 2 gives the trunk, whatever the order of the files."""
    tower = build(files / 'clip', 'clip_1b').vision.vision_encoder
    own = torch.load(files / 'clip/1B_clip.pth')['model']
    trunk = stage2()
    name = 'clip_projector.cross_attn.q.weight'
    assert torch.equal(tower.state_dict()[name], own[f'vision_encoder.{name}'])
    assert torch.equal(
        tower.blocks[1].mlp.fc1.weight, trunk['vision_encoder.blocks.1.mlp.fc1.weight']
    )
    # Four frames in the file, eight here: a quarter of the way between two of them.
    stored = trunk['vision_encoder.pos_embed'][0, 1:].unflatten(0, (4, 4))
    read = tower.pos_embed[0, 1:].unflatten(0, (8, 4))
    torch.testing.assert_close(read[2], 0.75 * stored[0 + 1] + 0.25 * stored[0])
    torch.testing.assert_close(read[0], stored[0])


def test_corrections_of_low_rank_are_added(files):
    encoder = build(files / 'clip', 'clip_1b', text=str(files / 'clip/tokenizer'))
    state = internvl()
    for name, base in (('q_proj', ''), ('v_proj', '.base_layer')):
        part = f'transformer.layers.1.self_attn.{name}'
        factors = (state[f'{part}.lora_{x}.default.weight'] for x in 'BA')
        expected = state[f'{part}{base}.weight'] + 2.0 * torch.linalg.multi_dot(list(factors))
        torch.testing.assert_close(encoder.text.state_dict()[f'{part}.weight'], expected)


@pytest.mark.parametrize(
    ('changes', 'options'),
    [({'frames': 1}, {'frames_per_clip': 2}), ({}, {'frames_per_clip': 1}), ({}, {})],
)
def test_positions_are_resized_whatever_the_file_was_trained_on(tmp_path, changes, options):
    """From one frame too; and a file of images on larger ones has four times their patches."""
    state = stage2()
    places = ('vision_encoder.pos_embed', 'vision_encoder.img_pos_embed')
    for name, frames in zip(places, (changes.get('frames', 4), 1)):
        state[name] = torch.randn(1, 1 + frames * 4**2, 32)
    torch.save({'module': state}, tmp_path / 'other.pt')
    sizes = {**SIZES['stage2_1b'], 'vision': {**SIZES['stage2_1b']['vision'], **changes}}
    encoder = build(tmp_path / 'other.pt', sizes=sizes, **options)
    count = encoder.frames_per_clip
    assert np.isfinite(encoder.encode_frames(clips(1, count))).all()
    tower = encoder.vision.vision_encoder
    assert tower.positions(count).shape == (1, 1 + count * 2**2, 32)
    single = resize_positions(state[places[1]], 1, 1, 2)
    torch.testing.assert_close(tower.img_pos_embed.data, single)


def test_widths_without_positions_are_refused():
    with pytest.raises(ConfigError, match=r'width 24 is no multiple of 2 .* and of 16'):
        TowerSizes(dim=24, heads=2, pool_heads=2)


@pytest.mark.parametrize('amp', ('bf16', 'fp16'))
def test_half_precision(files, amp):
    frames = clips(2, 4)
    text = str(files / 'stage2/tokenizer')
    full = build(files / 'stage2', text=text)
    half = build(files / 'stage2', text=text, amp=amp)
    tower = half.vision.vision_encoder
    assert tower.blocks[0].mlp.fc1.weight.dtype.itemsize == 2
    assert tower.blocks[0].norm1.weight.dtype == torch.float32
    for name, bound in (('encode_frames', frames), ('encode_text', 'a dog')):
        one, other = (getattr(encoder, name)(bound) for encoder in (full, half))
        for a, b in zip([one] if name == 'encode_frames' else one,
                        [other] if name == 'encode_frames' else other):  # fmt: skip
            assert b.dtype == np.float32
            assert 0 < np.abs(a - b).max() < 0.05 * np.abs(a).max()


def test_words_alone_need_no_tower_for_clips(files, tmp_path):
    torch.save(internvl(), tmp_path / 'words.pth')
    encoder = build(tmp_path / 'words.pth', 'clip_1b', text=str(files / 'clip/tokenizer'))
    assert encoder.encode_text('dog').pooled.shape == (12,)
    with pytest.raises(
        ConfigError, match=r'words.pth holds no vision tower .*trunk.*internvideo2.md'
    ):
        encoder.encode_frames(clips(1, 8))


def test_what_is_not_used_is_named(files, monkeypatch):
    said = []
    place = 'vtg.extraction.encoders.internvideo2_files.print_log'
    monkeypatch.setattr(place, lambda text, **options: said.append(text))
    build(files / 'stage2', text=str(files / 'stage2/tokenizer'))
    (shown,) = said
    for of in (
        'heads of the training 4', 'language-model head 1', 'matching head 1',
        'layers of the text behind those that run 20', 'temperature 1',
    ):  # fmt: skip
        assert of in shown
    assert '86 tensors used' in shown and 'unknown' not in shown


def _without(state, name):
    return {key: value for key, value in state.items() if not key.startswith(name)}


@pytest.mark.parametrize(
    ('state', 'variant', 'sentence'),
    [
        (lambda: {'other.weight': torch.ones(2)}, 'stage2_1b', 'is of another model'),
        (lambda: _without(stage2(), 'vision_encoder.blocks.1'), 'stage2_1b', '13 missing: vision'),
        (lambda: stage2() | {'vision_encoder.blocks.0.norm3.weight': torch.ones(2)}, 'stage2_1b',
         '1 unknown: vision_encoder.blocks.0.norm3'),
        (lambda: stage2() | {'vision_proj.bias': torch.ones(9)}, 'stage2_1b',
         r'vision_proj.bias \(9,\) instead of \(8,\)'),
        (lambda: stage2() | {'vision_encoder.pos_embed': torch.ones(1, 12, 32)}, 'stage2_1b',
         'vision_encoder.pos_embed'),
        (stage2, 'clip_1b', 'of stage 2, but .* has an attention pooling of its own'),
        (internvl, 'clip_1b', 'missing: vision_encoder'),
    ],
)  # fmt: skip
def test_wrong_files_are_sentences(tmp_path, state, variant, sentence):
    torch.save({'module': state()}, tmp_path / 'w.pt')
    with pytest.raises(CheckpointError, match=f'w.pt .*{sentence}') as caught:
        build(tmp_path, variant)
    assert 'docs/internvideo2.md' in str(caught.value) and '\n' not in str(caught.value)


def test_missing_parts_are_sentences(files, tmp_path, monkeypatch):
    tokenizer = str(files / 'stage2/tokenizer')
    parts = [str(files / 'clip' / name) for name in ('1B_clip.pth', TRUNK)]
    with pytest.raises(CheckpointError, match=r'x.pt does not exist.*docs/internvideo2.md'):
        build(tmp_path / 'x.pt')
    with pytest.raises(ConfigError, match=r'holds no .pt or .pth file'):
        build(tmp_path)
    with pytest.raises(ConfigError, match=r'no text tower .* give internvl_c_13b_224px.pth'):
        build(parts, 'clip_1b', text=str(files / 'clip/tokenizer'))
    with pytest.raises(ConfigError, match='has no bos_token or eos_token'):
        build(files / 'clip', 'clip_1b', text=tokenizer)
    with pytest.raises(ConfigError, match=r'wanted is the tokenizer of BERT, .*bert-large-unc'):
        build(files / 'stage2', text=str(tmp_path))
    pieces = tmp_path / 'pieces'
    pieces.mkdir()
    (pieces / 'tokenizer.model').write_bytes(b'')
    monkeypatch.setattr('vtg.extraction.encoders.internvideo2_text.find_spec', lambda name: None)
    with pytest.raises(ConfigError, match=r'sentencepiece, .* pip install sentencepiece protobuf'):
        build(files / 'clip', 'clip_1b', text=str(pieces))
    with pytest.raises(ConfigError, match=r'name a tokenizer \(text=FOLDER\)'):
        build(files / 'stage2').encode_text('a dog')
    with pytest.raises(ConfigError, match="'projected' is of stage 2"):
        build(files / 'clip', 'clip_1b', feature='projected')
    broken = stage2()
    broken['vision_encoder.blocks.1.ls1.gamma'][3] = float('nan')
    torch.save(broken, tmp_path / 'nan.pt')
    with pytest.raises(CheckpointError, match=r'nan.pt holds NaN .*ls1.gamma'):
        build(tmp_path / 'nan.pt').encode_frames(clips(1, 4))
