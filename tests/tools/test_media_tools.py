# SPDX-License-Identifier: Apache-2.0
"""The command lines of extract_features, make_pretraining_data and demo."""

import json
import math
import pickle
import shutil
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from media import tiny_slowfast

from vtg.datasets import PackedStore
from vtg.engine import load_config
from vtg.extraction import GridSampler, count_clips, probe, read_clips
from vtg.extraction.networks.slowfast_keys import caffe2_name
from vtg.registry import ENCODERS, MODELS
from vtg.utils import read_json, read_jsonl

ROOT = Path(__file__).parents[2]
pytest.importorskip('av', reason='needs the extra "video"')


def test_extract_features(run_tool, videos, tiny_clip, tmp_path):
    (tmp_path / 'empty.mp4').write_bytes(b'')
    (tmp_path / 'q.jsonl').write_text('{"qid": 1, "query": "a dog"}\n')
    arguments = (
        videos, tmp_path / 'empty.mp4', '--backbone', 'clip', '--weights', tiny_clip,
        '--device', 'cpu', '--text', tmp_path / 'q.jsonl', '--out',
    )  # fmt: skip
    status, output, _ = run_tool('extract_features.py', *arguments, tmp_path / 'npz')
    assert status == 1 and '3 written (23 rows), 0 there already, 1 failed' in output
    assert 'empty.mp4 is empty' in output
    assert np.load(tmp_path / 'npz/text/qid1.npz')['last_hidden_state'].shape == (6, 16)

    status, output, _ = run_tool('extract_features.py', *arguments, tmp_path / 'npz')
    assert '0 written (0 rows), 3 there already, 1 failed' in output
    status, _, errors = run_tool(
        'extract_features.py', *arguments, tmp_path / 'npz', '--clip-len', 1
    )
    assert status == 1 and 'clip_length=2.0, now it is 1.0' in errors

    status, output, _ = run_tool(
        'extract_features.py', *arguments, tmp_path / 'packed', '--format', 'packed'
    )
    store = PackedStore(str(tmp_path / 'packed/video'), verify=True)
    expected = np.load(tmp_path / 'npz/video/v2.npz')['features']
    np.testing.assert_array_equal(store.read({'vid': 'v2'}), expected)

    # Packed again from fewer files it would lose features; a folder of files is never replaced.
    shutil.rmtree(tmp_path / 'packed/video.parts')
    again = (videos / 'v0.mp4', *arguments[2:])
    for folder, message in (('packed', 'would lose them'), ('npz', 'no part of packed features')):
        status, _, errors = run_tool(
            'extract_features.py', *again, tmp_path / folder, '--format', 'packed'
        )
        assert status == 1 and message in errors
    np.testing.assert_array_equal(store.read({'vid': 'v2'}), expected)
    assert (tmp_path / 'npz/video/v2.npz').exists()


def test_extract_internvideo2(run_tool, shared, tmp_path):
    """A real video and its queries, from files laid out as published."""
    from tiny_internvideo2 import SIZES, write_files

    files = write_files(tmp_path)
    video = shared / 'data/more/charades_3MSZA.mp4'
    (tmp_path / 'q.jsonl').write_text('{"qid": 1, "query": "person turn a light on."}\n')
    for variant, folder, frames, width, words in (
        ('stage2_1b', 'stage2', 4, 8, (21, 8)),
        ('clip_1b', 'clip', 8, 12, (35, 16)),
    ):
        out = tmp_path / f'{variant}_features'
        status, output, errors = run_tool(
            'extract_features.py', video, '--backbone', 'internvideo2', '--weights',
            files / folder, '--out', out, '--text', tmp_path / 'q.jsonl', '--device', 'cpu',
            '--encoder-options', f'variant={variant}', f'text={files / folder / "tokenizer"}',
            f'sizes={json.dumps(SIZES[variant])}',
        )  # fmt: skip
        assert status == 0, output + errors
        stored = np.load(out / 'video/charades_3MSZA.npz')
        count = count_clips(float(stored['duration']), 2)
        assert stored['features'].shape == (count, width)
        assert stored['times'].shape == (count, frames) and count == 16
        assert np.isfinite(stored['features']).all() and stored['features'].std(axis=0).min() > 0
        text = np.load(out / 'text/qid1.npz')
        assert text['last_hidden_state'].shape == words and text['pooler_output'].shape == (width,)
        # Pictures of 30 per second: the middles of equal parts of the 60 in a clip.
        borders = [60 * part // frames for part in range(frames + 1)]
        middles = [(a + b - 1) // 2 / 30 for a, b in pairwise(borders)]
        np.testing.assert_allclose(stored['times'][0], middles, atol=0.02)


def test_slowfast_from_the_model_zoo(run_tool, shared, tmp_path):
    """The .pkl is named, converted and read; a real video of 31 s goes through."""
    sizes = dict(width=8, depths=(1, 1, 1, 1))
    state = tiny_slowfast(**sizes).state_dict()
    blobs = {
        caffe2_name(name, sizes['depths']): value.numpy()
        for name, value in state.items()
        if not name.endswith('num_batches_tracked')
    }
    zoo, plain = tmp_path / 'zoo.pkl', tmp_path / 'zoo.pth'
    content = {'blobs': {**blobs, 'pred_w': np.ones((5, 36), np.float32), 'lr': np.float64(0.1)}}
    zoo.write_bytes(pickle.dumps(content, protocol=2))
    video = shared / 'data/more/charades_3MSZA.mp4'

    def extract(weights):
        return run_tool(
            'extract_features.py', video, '--backbone', 'slowfast', '--weights', weights, '--out',
            tmp_path / 'out', '--dtype', 'float16', '--device', 'cpu', '--encoder-options',
            'image_size=32', f'network={json.dumps(sizes)}',
        )  # fmt: skip

    assert 'convert_legacy_checkpoint.py' in (errors := extract(zoo).errors)
    assert 'wanted is SLOWFAST_8x8_R50' in errors and 'docs/extraction.md' in errors
    assert run_tool('convert_legacy_checkpoint.py', zoo, plain, '--trust').status == 0
    shutil.rmtree(tmp_path / 'out', ignore_errors=True)
    status, output, errors = extract(plain)
    assert status == 0 and '1 written (' in output, errors
    stored = np.load(tmp_path / 'out/video/charades_3MSZA.npz')
    clips = read_clips(video, 2.0, 32, GridSampler(), end=6.0)
    config = dict(type='SlowFastEncoder', weights=str(plain), image_size=32, network=sizes)
    expected = ENCODERS.build(dict(config, device='cpu')).encode_frames(clips.frames)
    rows = math.ceil(probe(video).duration / 2)
    assert stored['features'].shape == (rows, 288) and stored['features'].dtype == np.float16
    np.testing.assert_allclose(stored['features'][:3], expected, rtol=1e-3, atol=1e-3)


def test_mistakes_are_sentences(run_tool, videos, tmp_path):
    for arguments, word in (
        (('--backbone', 'clip', '--weights', tmp_path / 'none'), 'do not exist'),
        (('--backbone', 'klip', '--weights', tmp_path), 'klip'),
        (('--backbone', 'slowfast', '--weights', tmp_path / 'x.pt'), 'does not exist'),
    ):
        status, _, errors = run_tool(
            'extract_features.py', videos, '--out', tmp_path / 'o', *arguments
        )
        assert status == 1 and word in errors, errors
        (tmp_path / 'o/video.json').unlink(missing_ok=True)


def test_pretraining_data(run_tool, videos, tiny_clip, tiny_blip, tmp_path):
    status, output, _ = run_tool(
        'make_pretraining_data.py', 'videolights', videos, '--device', 'cpu',
        '--captioner', json.dumps(
            dict(type='BlipCaptioner', weights=str(tiny_blip['caption']), max_new_tokens=5)
        ),
        '--scorer', f'blip={tiny_blip["matching"]}', '--released-code', '--out', tmp_path / 'vl',
    )  # fmt: skip
    assert status == 0 and 'captioned' in output
    scores = [
        row for r in read_jsonl(tmp_path / 'vl/annotations.jsonl') for row in r['saliency_scores']
    ]
    assert min(scores)[0] >= 2.718 and max(scores)[0] <= 12.19

    rows = [dict(vid=f'v{i}', caption='a man opens the door', start=2, end=6) for i in range(3)]
    (tmp_path / 'rows.jsonl').write_text('\n'.join(map(json.dumps, rows)))
    status, output, _ = run_tool(
        'make_pretraining_data.py', 'intervidmr', tmp_path / 'rows.jsonl', videos, '--device',
        'cpu', '--encoder', f'clip={tiny_clip}', '--out', tmp_path / 'mr', '--limit', 2,
    )  # fmt: skip
    assert status == 0 and 'annotations.jsonl: 2 samples' in output
    assert read_json(tmp_path / 'mr/statistics.json')['statistics']['samples'] == {'written': 2}


def test_demo(run_tool, videos, tiny_clip, tmp_path):
    options = (
        'model.video_projector.in_dim=26', 'model.text_projector.in_dim=16',
        'test_dataloader.dataset.video_dims=[24]', 'test_dataloader.dataset.text_dim=16',
    )  # fmt: skip
    config = ROOT / 'configs/sgdetr/demo.py'
    model = MODELS.build(load_config(config, options).model)
    torch.save({'state_dict': model.state_dict()}, tmp_path / 'm.pth')
    status, output, errors = run_tool(
        'demo.py', config, tmp_path / 'm.pth', videos / 'v2.mp4', 'a man', 'the dog', '--device',
        'cpu', '--encoder', f'clip={tiny_clip}', '--json', tmp_path / 'r.json', '--top', 2,
        '--cfg-options', *options,
    )  # fmt: skip
    assert status == 0, errors
    assert 'a man (23.0 s)' in output and 'highlight at' in output
    results = read_json(tmp_path / 'r.json')
    assert len(results) == 2 and len(results[0]['saliency']) == 12
    status, _, errors = run_tool('demo.py', config, tmp_path / 'm.pth', videos / 'v2.mp4', 'a man')
    assert status == 1 and 'does not fit' in errors
