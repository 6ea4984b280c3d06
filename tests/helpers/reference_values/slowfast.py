# SPDX-License-Identifier: Apache-2.0
"""The SlowFast encoder against the official network: features, intermediates, frames of clips."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from vtg.extraction.encoders import SlowFastEncoder
from vtg.extraction.networks.slowfast import SlowFast
from vtg.extraction.networks.slowfast_keys import caffe2_name, pytorchvideo_name
from vtg.extraction.sampling import GridSampler, Source

from .core import ReferenceSet, Row, compare, compare_exact

TOLERANCE = 1e-5
SIZES = {
    'width_per_group': 'width', 'beta_inv': 'beta_inv', 'alpha': 'alpha',
    'fusion_conv_channel_ratio': 'fusion_ratio', 'fusion_kernel': 'fusion_kernel',
    'blocks': 'depths', 'bn_eps': 'eps',
}  # fmt: skip


def sizes_of(data: ReferenceSet) -> dict:
    """The arguments of the network that a set was made with."""
    config = data.info['config']
    kernels = [config['temporal_kernels'][pathway] for pathway in ('slow', 'fast')]
    return {ours: config[theirs] for theirs, ours in SIZES.items()} | {'kernels': kernels}


def layouts(data: ReferenceSet) -> dict[str, dict[str, torch.Tensor]]:
    """The stored weights in the layouts that they are published in."""
    state, depths = data.below('sd/'), data.info['config']['blocks']
    official = data.info['key_examples']
    found: dict[str, dict[str, torch.Tensor]] = {'pytorch': state, 'caffe2': {}, 'pytorchvideo': {}}
    for name, value in state.items():
        head = name.startswith('head.')
        caffe2 = official[name]['caffe2'] if head else caffe2_name(name, depths)
        video = official[name]['pytorchvideo'] if head else pytorchvideo_name(name)
        found['caffe2'][caffe2] = found['pytorchvideo'][video] = value
    return found


def check(folder: str | Path) -> Iterator[Row]:
    """Compare the set ``encoder_slowfast``."""
    data = ReferenceSet(folder, 'encoder_slowfast')
    frames = data['in/clip_uint8'].numpy()
    with TemporaryDirectory() as place:
        for layout, state in layouts(data).items():
            file = Path(place, f'{layout}.pth')
            torch.save({'model_state': state}, file)
            encoder = SlowFastEncoder(
                str(file), frames.shape[2], network=sizes_of(data), device='cpu'
            )
            feature = encoder.encode_frames(frames)
            yield compare(f'out/feature {layout}', feature, data['out/feature'], TOLERANCE)
    model = encoder.model
    index = model.slow_frames(frames.shape[1])
    yield compare_exact('in/slow_index', index, data['in/slow_index'])
    config = data.info['config']
    pixels = data['in/clip_uint8'].float().permute(0, 4, 1, 2, 3) / 255
    pixels = (pixels - config['mean']) / (config['std'] + config['std_eps'])
    with torch.inference_mode():
        stages = {name: out for name, *out in model.stages(pixels[:, :, index], pixels)}
    found = {
        'out/s1_fuse_slow': stages['s1_fuse'][0].mean((3, 4)),
        'out/s1_fuse_fast': stages['s1_fuse'][1].mean((3, 4)),
        'out/s3_slow': stages['s3'][0],
        'out/s3_fast_mean': stages['s3'][1].mean((3, 4)),
        'out/s5_slow': stages['s5'][0],
        'out/s5_fast': stages['s5'][1],
    }
    for name, ours in found.items():
        yield compare(name, ours, data[name], TOLERANCE)
    yield from _names(data)
    yield from _frames(data)


def _names(data: ReferenceSet) -> Iterator[Row]:
    depths = data.info['config']['blocks']
    for name, theirs in data.info['key_examples'].items():
        if not name.startswith('head.'):
            ours = {'caffe2': caffe2_name(name, depths), 'pytorchvideo': pytorchvideo_name(name)}
            yield compare_exact(f'key_examples/{name}', ours, theirs)


def _frames(data: ReferenceSet) -> Iterator[Row]:
    tables = data.info['frame_indices']
    sampler = GridSampler()
    fast = len(next(iter(tables['by_source_fps'].values())))
    slow = SlowFast().slow_frames(fast).tolist()
    yield compare_exact('frame_indices/slow_of_fast', slow, tables['slow_of_fast'])
    for fps, theirs in tables['by_source_fps'].items():
        ours = sampler.table(60, Source(Fraction(fps), None)).tolist()
        yield compare_exact(f'frame_indices/{fps}', ours, theirs)
    for number, case in enumerate(data.info['clip_cases']['cases']):
        length, taken = Fraction(case['clip_len']), case['frames_at_30fps']
        seconds = Fraction(str(case['stream_duration']))
        source = Source(Fraction(case['source_fps']), seconds if seconds >= 0 else None)
        steps = sampler.steps(length, source)
        clips = sampler.arrange(taken, Fraction(taken, sampler.rate), length, steps)
        clips = clips[: sampler.most_clips(source, length)]
        ours = clips[:, sampler.table(steps, source)].tolist()
        yield compare_exact(f'clip_cases/{number}', ours, case['frame_of_clip'])
