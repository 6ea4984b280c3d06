# SPDX-License-Identifier: Apache-2.0
"""SlowFast: reference values, layouts of weights, PyTorchVideo, and what is wrong with a file."""

import pickle

import numpy as np
import pytest
import torch
from media import randomize_norms, tiny_slowfast
from reference_values.checks import run_check

from vtg.extraction import GridSampler
from vtg.extraction.encoders import SlowFastEncoder
from vtg.extraction.encoders.names import encoder_config
from vtg.extraction.networks.slowfast import SlowFast
from vtg.extraction.networks.slowfast_keys import caffe2_name, pytorchvideo_name
from vtg.registry import ENCODERS
from vtg.utils import CheckpointError, ConfigError

NETWORK = dict(width=8, depths=(1, 2, 1, 1))


@pytest.fixture(scope='module')
def model():
    return tiny_slowfast(**NETWORK)


def layout(model, rename=lambda name: name):
    state = model.state_dict().items()
    return {rename(k): v.clone() for k, v in state if not k.endswith('num_batches_tracked')}


def encoder(path, **kwargs):
    config = dict(type='SlowFastEncoder', weights=str(path), image_size=32, device='cpu')
    return ENCODERS.build(dict(config, network=NETWORK) | kwargs)


@pytest.fixture
def frames():
    return np.random.default_rng(0).integers(0, 256, (3, 32, 32, 32, 3), np.uint8)


def test_the_reference_set_holds(shared):
    rows = list(run_check('encoder_slowfast', shared / 'golden_more', 'configs'))
    assert [row for row in rows if row.failed or row.skipped] == []
    assert len(rows) > 30


def test_every_layout_gives_the_same(model, frames, tmp_path):
    own = layout(model)
    head = {'head.projection.weight': torch.ones(5, 36), 'head.projection.bias': torch.ones(5)}
    caffe2 = layout(model, lambda name: caffe2_name(name, NETWORK['depths']))
    caffe2 |= {
        'pred_w': torch.ones(1), 'lr': torch.ones(1), 'model_iter': torch.ones(1),
        'conv1_w_momentum': torch.ones(1), 't_res_conv1_w': caffe2.pop('t_conv1_w'),
    }  # fmt: skip
    video = layout(model, pytorchvideo_name) | {'blocks.6.proj.bias': torch.ones(5)}
    counted = {'s1.pathway0_stem.bn.num_batches_tracked': torch.tensor(3)}
    features = []
    for name, state in {
        'own': {'model_state': own | head | counted},
        'caffe2': {'blobs': caffe2},
        'video': {'model_state': video},
        'bare': {f'module.{key}': value for key, value in own.items()},
    }.items():
        torch.save(state, tmp_path / f'{name}.pth')
        features.append(encoder(tmp_path / f'{name}.pth', batch_size=2).encode_frames(frames))
    with torch.no_grad():
        fast = (torch.from_numpy(frames).permute(0, 4, 1, 2, 3) / 255 - 0.45) / 0.225
        expected = model(fast[:, :, [0, 4, 8, 13, 17, 22, 26, 31]], fast)
    for found in features:
        np.testing.assert_allclose(found, expected, atol=1e-5)
    assert expected.shape == (3, 8 * 32 * 9 // 8) and model.out_width == 288


def test_the_full_size(tmp_path):
    with torch.device('meta'):
        state = SlowFast().state_dict()
    assert sum(not name.endswith('num_batches_tracked') for name in state) == 550
    with torch.device('meta'):
        assert SlowFast().out_width == 2304


def test_pytorchvideo_gives_the_same(tmp_path, frames):
    """Its network, its names, its pooling, and the weights as it saves them."""
    slowfast = pytest.importorskip(
        'pytorchvideo.models.slowfast', reason='pytorchvideo is not installed', exc_type=ImportError
    )
    torch.manual_seed(1)
    theirs = slowfast.create_slowfast(
        stem_dim_outs=(8, 1), model_num_class=5, head_pool_kernel_sizes=((8, 1, 1), (32, 1, 1))
    ).eval()
    randomize_norms(theirs)
    torch.save({'model_state': theirs.state_dict()}, tmp_path / 'video.pyth')
    found = encoder(tmp_path / 'video.pyth', network=dict(width=8)).encode_frames(frames)
    fast = (torch.from_numpy(frames).permute(0, 4, 1, 2, 3) / 255 - 0.45) / 0.225
    pathways = [fast[:, :, [0, 4, 8, 13, 17, 22, 26, 31]], fast]
    with torch.no_grad():
        for block in theirs.blocks[:6]:
            pathways = block(pathways)
    expected = pathways.flatten(1).numpy()
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


def test_names_on_the_command_line(model, tmp_path, frames):
    torch.save(layout(model), tmp_path / 'w.pth')
    config = encoder_config(f'slowfast={tmp_path / "w.pth"}', network=NETWORK, amp='bf16')
    half = ENCODERS.build(config | dict(image_size=32, device='cpu'))
    assert isinstance(half, SlowFastEncoder) and half.sampler.frames_per_clip == 32
    whole = encoder(tmp_path / 'w.pth').encode_frames(frames)
    found = half.encode_frames(frames)
    assert found.dtype == np.float32 and 0 < np.abs(found - whole).max() < 0.05 * whole.max()
    sane = encoder(tmp_path / 'w.pth', sampler=dict(source_fps='rate', clip_count='all'))
    assert sane.sampler == GridSampler(source_fps='rate', clip_count='all')
    with pytest.raises(ConfigError, match='amp=fp16 needs a GPU'):
        encoder(tmp_path / 'w.pth', amp='fp16')


def test_files_that_do_not_fit(model, tmp_path):
    path = tmp_path / 'w.pth'
    good = layout(model)
    first, second = list(good)[:2]

    def refused(state, match, where=path, **kwargs):
        if state is not None:
            torch.save(state, path)
        with pytest.raises(CheckpointError, match=match) as error:
            encoder(where, **kwargs)
        text = str(error.value)
        assert 'SLOWFAST_8x8_R50' in text and 'docs/extraction.md' in text and '\n' not in text

    refused(None, 'gone.pth does not exist', tmp_path / 'gone.pth')
    refused({k: v for k, v in good.items() if k != first}, f'1 missing in the file: {first}')
    refused({**good, 'more.weight': torch.ones(1)}, '1 unknown to the model: more.weight')
    refused({**good, second: torch.ones(9)}, rf'of another shape: {second} \(\(9,\) instead of')
    refused({**good, second: good[second] * float('nan')}, 'NaN or infinite')
    refused(good, 'of another shape', network=dict(NETWORK, width=16))
    refused({'epoch': 3}, 'holds no weights')
    (tmp_path / 'zoo.pkl').write_bytes(pickle.dumps({'blobs': {'conv1_w': np.ones(3)}}))
    refused(None, 'is a pickle .* convert it with: tools/convert_leg', tmp_path / 'zoo.pkl')
    caffe2 = layout(model, lambda name: caffe2_name(name, NETWORK['depths']))
    refused(
        {**caffe2, 'res_conv1_w': caffe2['conv1_w']}, 'holds s1.pathway0_stem.conv.weight twice'
    )
