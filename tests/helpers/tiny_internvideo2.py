# SPDX-License-Identifier: Apache-2.0
"""Files of a small random InternVideo2, laid out and named as the published ones are."""

import json
from pathlib import Path

import torch

TRUNK = 'InternVideo2-stage2_1b-224p-f4.pt'
VISION = {
    'dim': 32, 'depth': 2, 'heads': 2, 'mlp_dim': 40, 'pool_heads': 4, 'pooled_dim': 12,
    'image_size': 28,
}  # fmt: skip
BERT = {
    'dim': 16, 'layers': 2, 'heads': 2, 'mlp_dim': 24, 'vocabulary': 90, 'positions': 48,
    'projected_dim': 8,
}  # fmt: skip
LLAMA = {**BERT, 'vocabulary': 60, 'projected_dim': 12}
SIZES = {
    'stage2_1b': {'vision': {**VISION, 'projected_dim': 8}, 'text': BERT},
    'clip_1b': {'vision': VISION, 'text': LLAMA},
}


def _filled(shapes, seed):
    generator = torch.Generator().manual_seed(seed)
    return {
        name: torch.randn(shape, generator=generator) * 0.3 + (name.endswith('norm.weight'))
        for name, shape in shapes.items()
    }


def _layer(names, dim, inner=None):
    """Weights and biases of linear maps and norms by name."""
    shapes = {}
    for name in names.split():
        rows = inner if name.endswith(('fc1', 'intermediate.dense')) else dim
        columns = inner if name.endswith(('fc2', 'output.dense')) and 'att' not in name else dim
        norm = 'norm' in name.lower()
        shapes[f'{name}.weight'] = (dim,) if norm else (rows, columns)
        shapes[f'{name}.bias'] = (rows,)
    return shapes


def pooling(dim, pooled, seed):
    """The attention pooling, and the temperature."""
    part = 'vision_encoder.clip_projector.'
    shapes = {f'{part}norm1_{x}.{kind}': (dim,) for x in 'qkv' for kind in ('weight', 'bias')}
    shapes |= {f'{part}cross_attn.{x}.weight': (dim, dim) for x in 'qkv'}
    shapes |= {f'{part}cross_attn.{x}_bias': (dim,) for x in 'qkv'}
    shapes |= {f'{part}cross_attn.proj.weight': (pooled, dim)}
    shapes |= {f'{part}cross_attn.proj.bias': (pooled,), 'temp': ()}
    return _filled(shapes, seed)


def stage2(seed=0):
    """Everything that the file of stage 2 holds, what no feature needs included."""
    dim, inner, grid = VISION['dim'], VISION['mlp_dim'], VISION['image_size'] // 14
    part = 'vision_encoder.'
    shapes = {
        f'{part}cls_token': (1, 1, dim),
        f'{part}pos_embed': (1, 1 + 4 * grid**2, dim),
        f'{part}img_pos_embed': (1, 1 + grid**2, dim),
        f'{part}clip_pos_embed': (1, 1 + 4 * grid**2, dim),
        f'{part}clip_img_pos_embed': (1, 1 + grid**2, dim),
        f'{part}patch_embed.proj.weight': (dim, 3, 1, 14, 14),
        f'{part}patch_embed.proj.bias': (dim,),
        f'{part}clip_decoder.0.head.weight': (6, dim),
        f'{part}final_clip_decoder.norm.bias': (12,),
        'vision_proj.weight': (8, 12), 'vision_proj.bias': (8,), 'itm_head.weight': (2, 16),
        'text_proj.weight': (8, 16), 'text_proj.bias': (8,),
        'text_encoder.cls.predictions.bias': (90,),
    }  # fmt: skip
    for index in range(VISION['depth']):
        block = f'{part}blocks.{index}.'
        shapes |= {f'{block}{name}.weight': (dim,) for name in
                   ('norm1', 'norm2', 'attn.q_norm', 'attn.k_norm')}  # fmt: skip
        shapes |= {f'{block}{name}.gamma': (dim,) for name in ('ls1', 'ls2')}
        shapes |= {f'{block}attn.qkv.weight': (3 * dim, dim)}
        layers = _layer('attn.proj mlp.fc1 mlp.fc2', dim, inner)
        shapes |= {block + name: shape for name, shape in layers.items()}
    bert = 'text_encoder.bert.'
    tables = {'word': 90, 'position': 48, 'token_type': 2}
    shapes |= {f'{bert}embeddings.{x}_embeddings.weight': (n, 16) for x, n in tables.items()}
    shapes |= {f'{bert}embeddings.LayerNorm.{x}': (16,) for x in ('weight', 'bias')}
    own = (
        'attention.self.query attention.self.key attention.self.value attention.output.dense '
        'attention.output.LayerNorm intermediate.dense output.dense output.LayerNorm'
    )
    for index in range(BERT['layers'] + 1):  # the last of them sees the video too
        layers = _layer(own, 16, 24)
        if index == BERT['layers']:
            layers |= _layer('crossattention.self.query crossattention.output.dense', 16, 24)
        shapes |= {f'{bert}encoder.layer.{index}.{name}': s for name, s in layers.items()}
    return {**_filled(shapes, seed), **pooling(dim, 12, seed + 1)}


def internvl(seed=5):
    """The words of the CLIP models with low-rank corrections, beside another tower."""
    shapes = {
        'transformer.embed_tokens.weight': (60, 16), 'transformer.norm.weight': (16,),
        'text_projection': (16, 12), 'visual.patch_embed.proj.weight': (3, 3),
    }  # fmt: skip
    for index in range(LLAMA['layers']):
        layer = f'transformer.layers.{index}.'
        names = [f'self_attn.{x}_proj' for x in 'qkvo'] + ['mlp.gate_proj', 'mlp.up_proj']
        for name in names:
            rows = 24 if 'mlp' in name else 16
            base = '.base_layer' if name.endswith('v_proj') else ''
            shapes[f'{layer}{name}{base}.weight'] = (rows, 16)
        shapes[f'{layer}mlp.down_proj.weight'] = (16, 24)
        for name in ('self_attn.q_proj', 'self_attn.v_proj'):
            shapes[f'{layer}{name}.lora_A.default.weight'] = (3, 16)
            shapes[f'{layer}{name}.lora_B.default.weight'] = (16, 3)
        shapes |= {f'{layer}{x}_layernorm.weight': (16,) for x in ('input', 'post_attention')}
    return _filled(shapes, seed)


def write_bert_tokenizer(folder):
    """Letters as tokens, in the format of BERT."""
    folder.mkdir()
    letters = [chr(code) for code in range(97, 123)]
    tokens = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', 'a', 'dog', *letters]
    tokens += [f'##{letter}' for letter in letters]
    (folder / 'vocab.txt').write_text('\n'.join(dict.fromkeys(tokens)), encoding='utf-8')
    config = {'tokenizer_class': 'BertTokenizer', 'do_lower_case': True}
    (folder / 'tokenizer_config.json').write_text(json.dumps(config))


def write_llama_tokenizer(folder):
    """Letters as tokens, with the start and end tokens of LLaMA."""
    import tokenizers
    import transformers

    letters = [chr(code) for code in range(97, 123)]
    tokens = ['<unk>', '<s>', '</s>', ':', ' ', '.', *letters]
    model = tokenizers.models.WordLevel({t: i for i, t in enumerate(tokens)}, unk_token='<unk>')
    made = tokenizers.Tokenizer(model)
    made.pre_tokenizer = tokenizers.pre_tokenizers.Split('', 'isolated')
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=made, unk_token='<unk>', bos_token='<s>', eos_token='</s>'
    ).save_pretrained(folder)


def write_files(folder):
    """``stage2/`` with one file, ``clip/`` with three, and a tokenizer in each."""
    folder = Path(folder)
    for name in ('stage2', 'clip'):
        (folder / name).mkdir()
        torch.save({'module': stage2()}, folder / name / TRUNK)
    torch.save(internvl(), folder / 'clip' / 'internvl_c_13b_224px.pth')
    torch.save({'model': pooling(32, 12, 9)}, folder / 'clip' / '1B_clip.pth')
    write_bert_tokenizer(folder / 'stage2' / 'tokenizer')
    write_llama_tokenizer(folder / 'clip' / 'tokenizer')
    return folder
