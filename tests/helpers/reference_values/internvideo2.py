# SPDX-License-Identifier: Apache-2.0
"""The towers of InternVideo2 against the official classes: features, tokens, positions, words."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import layer_norm, linear, normalize

from vtg.extraction.encoders import InternVideo2Encoder
from vtg.extraction.encoders.internvideo2_files import WeightFiles
from vtg.extraction.encoders.internvideo2_text import text_filling
from vtg.extraction.networks.internvideo2_positions import fresh_positions, resize_positions
from vtg.extraction.networks.internvideo2_sizes import Changes, TextSizes
from vtg.extraction.networks.internvideo2_text import BertText, LlamaText

from .core import ReferenceSet, Row, compare

TOLERANCE = 1e-5
CPU = torch.device('cpu')


def vision_sizes(config: Mapping[str, Any]) -> Changes:
    """The sizes that a set was made with."""
    return {
        'vision': {
            'dim': config['embed_dim'],
            'depth': config['depth'],
            'heads': config['num_heads'],
            'mlp_dim': int(config['embed_dim'] * config['mlp_ratio']),
            'pool_heads': config['attn_pool_num_heads'],
            'pooled_dim': config['clip_embed_dim'],
            'image_size': config['img_size'],
            'patch_size': config['patch_size'],
            'frames': config['num_frames'],
        }
    }


def write_weights(data: ReferenceSet, folder: str | Path) -> tuple[str, list[str]]:
    """Write the file of stage 2, and those of the CLIP model: its trunk, and its pooling."""
    stage2, trunk, pooling = (Path(folder, name) for name in ('s.pt', 'trunk.pt', 'clip.pth'))
    state = data.below('sd/')
    torch.save({'module': state}, stage2)
    torch.save({'model': state}, trunk)
    torch.save({**data.below('sd_clip/'), 'temp': torch.tensor(0.07)}, pooling)
    return str(stage2), [str(pooling), str(trunk)]


def training_head(state: Mapping[str, Tensor], name: str, x: Tensor) -> Tensor:
    """What a teacher is compared with; no part of the toolbox, but computed from its tokens."""
    part = f'vision_encoder.{name}'
    x = linear(x, state[f'{part}.head.weight'], state[f'{part}.head.bias'])
    weight, bias = state[f'{part}.norm.weight'], state[f'{part}.norm.bias']
    return normalize(layer_norm(x, x.shape[-1:], weight, bias), dim=-1)


@torch.inference_mode()
def check_vision(folder: str | Path) -> Iterator[Row]:
    """Compare the set ``encoder_internvideo2``."""
    data = ReferenceSet(folder, 'encoder_internvideo2')
    config = data.info['config']
    sizes = vision_sizes(config)
    projected: Changes = {
        'vision': {
            **sizes['vision'],
            'projected_dim': config['embed_dim_of_projection'],
            'image_positions': config['sep_image_video_pos_embed'],
        }
    }
    frames = data['in/clip_uint8'].numpy()
    pixels = (data['in/clip_uint8'] / 255.0 - torch.tensor(config['mean'])) / torch.tensor(
        config['std']
    )
    clips = pixels.permute(0, 4, 1, 2, 3)

    def row(name: str, ours: Any) -> Row:
        return compare(f'out/{name}', ours, data[f'out/{name}'], TOLERANCE)

    with TemporaryDirectory() as place:
        stage2, clip = write_weights(data, place)
        for gelu, end in (('exact', ''), ('tanh', '_tanh')):
            common: dict[str, Any] = {'gelu': gelu, 'device': 'cpu'}
            encoder = InternVideo2Encoder(stage2, 'stage2_1b', sizes=projected, **common)
            tower = encoder.vision.vision_encoder
            seen = _watch(tower)
            tokens = tower(clips)
            yield row(f'tokens{end}', tokens)
            yield row(f'pooled{end}', tower.pool(tokens))
            features = torch.from_numpy(encoder.encode_frames(frames))
            yield row(f'projected{end}', features)
            other = InternVideo2Encoder(clip, 'clip_1b', sizes=sizes, **common)
            yield row(f'clip_pooled{end}', other.encode_frames(frames))
            if gelu == 'exact':
                yield row('projected_normalised', normalize(features, dim=-1))
                yield row('patch_embed', seen['patch_embed'])
                yield row('block0_attn', seen['attn'])
                yield row('block0', seen['blocks'][0])
                yield from _training_heads(
                    data, seen['blocks'][: len(tower.blocks)], tower.pool(tokens)
                )
                image = tower(clips[:, :, :1])
                yield row('image_tokens', image)
                yield row('image_pooled', tower.pool(image))
                single = InternVideo2Encoder(
                    clip, 'clip_1b', sizes=sizes, frames_per_clip=1, **common
                )
                yield row('clip_image_pooled', single.encode_frames(frames[:, :1]))
        yield from _positions(data, stage2, projected)


def _watch(tower: Any) -> dict[str, Any]:
    """What parts give in the next call."""
    seen: dict[str, Any] = {'blocks': []}
    tower.patch_embed.register_forward_hook(lambda *a: seen.update(patch_embed=a[-1]))
    tower.blocks[0].attn.register_forward_hook(lambda *a: seen.update(attn=a[-1]))
    for block in tower.blocks:
        block.register_forward_hook(lambda *a: seen['blocks'].append(a[-1]))
    return seen


def _training_heads(data: ReferenceSet, blocks: list[Tensor], pooled: Tensor) -> Iterator[Row]:
    state, count = data.below('sd/'), data['out/align_middle'].shape[0]
    places = state['vision_encoder.clip_pos_embed']
    middle = [
        training_head(state, f'clip_decoder.{index}', block + places)
        for index, block in enumerate(blocks[-count:])
    ]
    yield compare('out/align_middle', torch.stack(middle), data['out/align_middle'], TOLERANCE)
    final = training_head(state, 'final_clip_decoder', pooled)
    yield compare('out/align_final', final, data['out/align_final'], TOLERANCE)


def _positions(data: ReferenceSet, stage2: str, sizes: Changes) -> Iterator[Row]:
    """Fresh and resized tables, also as the encoder resizes those of its file."""
    vision = sizes['vision']
    dim, frames = vision['dim'], vision['frames']
    grid = vision['image_size'] // vision['patch_size']
    stored = data['out/pos_embed_resized']
    fresh = fresh_positions(dim, frames, grid)
    yield compare('out/pos_embed_initial', fresh, data['out/pos_embed_initial'], TOLERANCE)
    table = data['sd/vision_encoder.pos_embed']
    resized = resize_positions(table, frames, 2 * frames, grid + 1)
    yield compare('out/pos_embed_resized', resized, stored, TOLERANCE)
    larger: Changes = {'vision': {**vision, 'image_size': (grid + 1) * vision['patch_size']}}
    encoder = InternVideo2Encoder(
        stage2, 'stage2_1b', sizes=larger, frames_per_clip=2 * frames, device='cpu'
    )
    read = encoder.vision.vision_encoder.pos_embed
    yield compare('out/pos_embed_resized of an encoder', read, stored, TOLERANCE)


def text_sizes(config: Mapping[str, Any], layers: int, positions: int, projected: int) -> TextSizes:
    """The sizes that a set was made with."""
    return TextSizes(
        dim=config['hidden_size'], layers=layers, heads=config['num_attention_heads'],
        mlp_dim=config['intermediate_size'], vocabulary=config['vocab_size'], positions=positions,
        projected_dim=projected,
    )  # fmt: skip


def _fill(data: ReferenceSet, variant: str, kind: Any, sizes: TextSizes) -> Any:
    with TemporaryDirectory() as place:
        torch.save({'module': data.below('sd/')}, f'{place}/text.pt')
        files = WeightFiles(f'{place}/text.pt')
        return text_filling(files, variant, kind, sizes, 1.0, torch.float32).load(CPU)


@torch.inference_mode()
def check_bert(folder: str | Path) -> Iterator[Row]:
    """Compare the set ``encoder_internvideo2_text``; rows of padding are not compared."""
    data = ReferenceSet(folder, 'encoder_internvideo2_text')
    config, ids, mask = data.info['config'], data['in/input_ids'], data['in/attention_mask'].bool()
    positions = len(data['sd/text_encoder.bert.embeddings.position_embeddings.weight'])
    sizes = text_sizes(config, config['fusion_layer'], positions, config['projection'])
    tower = _fill(data, 'stage2_1b', BertText, sizes)
    seen: dict[str, Tensor] = {}
    tower.bert.embeddings.register_forward_hook(lambda *a: seen.update(embeddings=_first(a[-1])))
    tower.bert.encoder.layer[0].register_forward_hook(lambda *a: seen.update(layer0=_first(a[-1])))
    output = tower(ids, mask)
    seen |= {'last_hidden_state': output.states, 'tokens_projected': output.projected}
    for name, ours in seen.items():
        stored = data[f'out/{name}'][mask]
        yield compare(f'out/{name}', ours[mask], stored, TOLERANCE)
    yield compare('out/pooled_projected', output.pooled, data['out/pooled_projected'], TOLERANCE)
    unit = normalize(output.pooled, dim=-1)
    yield compare('out/pooled_normalised', unit, data['out/pooled_normalised'], TOLERANCE)
    for number, length in enumerate(mask.sum(1).tolist()):
        alone = tower(ids[number : number + 1, :length], mask[number : number + 1, :length])
        stored = data['out/tokens_projected'][number, :length]
        name = f'out/tokens_projected sentence {number} alone'
        yield compare(name, alone.projected[0], stored, TOLERANCE)


@torch.inference_mode()
def check_llama(folder: str | Path) -> Iterator[Row]:
    """Compare the set ``encoder_internvideo2_llama``; rows of padding are not compared."""
    data = ReferenceSet(folder, 'encoder_internvideo2_llama')
    config, ids = data.info['config'], data['in/input_ids']
    mask = ids > 0
    sizes = text_sizes(config, config['num_hidden_layers'], 2048, config['clip_embed_dim'])
    tower = _fill(data, 'clip_1b', LlamaText, sizes)
    seen: dict[str, Tensor] = {}
    first = tower.transformer.layers[0]
    first.register_forward_hook(lambda *a: seen.update(layer0=_first(a[-1])))
    output = tower(ids, mask)
    seen['last_hidden_state'] = output.states
    for name, ours in seen.items():
        stored = data[f'out/{name}'][mask]
        yield compare(f'out/{name}', ours[mask], stored, TOLERANCE)
    yield compare('out/sentence', output.pooled, data['out/sentence'], TOLERANCE)
    for number, length in enumerate(mask.sum(1).tolist()):
        alone = tower(ids[number : number + 1, :length], mask[number : number + 1, :length])
        name = f'out/sentence number {number} alone'
        yield compare(name, alone.pooled[0], data['out/sentence'][number], TOLERANCE)


def _first(output: Any) -> Tensor:
    """The states among what a layer gives, which depends on the version of the library."""
    return output if isinstance(output, Tensor) else output[0]
