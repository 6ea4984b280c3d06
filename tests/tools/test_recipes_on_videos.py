# SPDX-License-Identifier: Apache-2.0
"""Every recipe on a real video, with small random weights laid out as the published ones."""

import json
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from media import tiny_slowfast, write_clap, write_clip
from tiny_internvideo2 import (
    BERT,
    LLAMA,
    SIZES,
    VISION,
    internvl,
    pooling,
    stage2,
    write_bert_tokenizer,
    write_llama_tokenizer,
)

from vtg.cli import find
from vtg.extraction.recipes import RECIPES
from vtg.search.cutting import cut
from vtg.utils import run_main, write_jsonl

pytest.importorskip('av', reason='needs the extra "video"')
ROOT = Path(__file__).resolve().parents[2]
NETWORK = {'network': dict(width=8, depths=(1, 1, 1, 1)), 'image_size': 32}
# Of the networks whose files do not say how large they are; and how wide their features get.
OPTIONS = {
    'slowfast': NETWORK,
    'internvideo2_stage2_1b': {'sizes': SIZES['stage2_1b']},
    'internvideo2_clip_6b': {'sizes': {'vision': VISION, 'text': LLAMA}},
}
WIDTHS = {
    'slowfast': 36 * 8, 'blip2': 16,
    'internvideo2_stage2_1b': BERT['projected_dim'], 'internvideo2_clip_6b': VISION['pooled_dim'],
}  # fmt: skip


def options(needs):
    given = {key: value for name in needs for key, value in OPTIONS.get(name, {}).items()}
    return [f'{key}={json.dumps(value)}' for key, value in given.items()]


@pytest.fixture
def place(shared, tmp_path, tiny_blip2, tiny_panns):
    """Weights by their names, the first seconds of two real videos, and queries."""
    weights = tmp_path / 'weights'
    for name in ('clip', 'clap', 'internvideo2_clip_6b'):
        (weights / name).mkdir(parents=True)
    torch.save({'model_state': tiny_slowfast(**NETWORK['network']).state_dict()},
               weights / 'slowfast.pth')  # fmt: skip
    write_clip(weights / 'clip', 512, 512)
    write_clap(weights / 'clap', 768)
    (weights / 'blip2').symlink_to(tiny_blip2)
    shutil.copy(tiny_panns, weights / 'panns.pth')
    torch.save({'module': stage2()}, weights / 'internvideo2_stage2_1b.pt')
    trunk = {
        name: value for name, value in stage2().items()
        if name.startswith('vision_encoder.') and 'img_pos' not in name and 'clip' not in name
    }  # fmt: skip
    grid = (VISION['image_size'] // 14) ** 2
    trunk['vision_encoder.pos_embed'] = torch.randn(1, 1 + 8 * grid, VISION['dim'])
    large = weights / 'internvideo2_clip_6b'
    torch.save({'module': trunk | pooling(32, 12, 9)}, large / '6b.pt')
    torch.save(internvl(), large / 'internvl_c_13b_224px.pth')
    write_bert_tokenizer(weights / 'bert')
    write_llama_tokenizer(weights / 'llama')
    videos = {
        name: cut(shared / f'data/more/charades_{source}.mp4', 0, seconds, tmp_path / name)
        for name, source, seconds in (
            ('short', '3MSZA', 2.2),
            ('seen', '3MSZA', 4.2),
            ('other', '0F7LW', 4.2),
        )
    }
    queries = tmp_path / 'queries.jsonl'
    write_jsonl(queries, [{'qid': 1, 'query': 'a man opens the door', 'vid': 'seen'}])
    return SimpleNamespace(weights=weights, videos=videos, queries=queries)


def extract(run_tool, place, name, video, out):
    recipe = RECIPES[name]
    text = ('--text', place.queries) if recipe.text else ()
    given = options(recipe.needs())
    weights = ('--weights', place.weights) if recipe.needs() else ()
    ended = run_tool(
        'extract_features.py', place.videos[video], '--features', name, *weights, *text,
        '--out', out, '--device', 'cpu', *(('--encoder-options', *given) if given else ()),
    )  # fmt: skip
    assert ended.status == 0, (name, ended.output, ended.errors)
    return ended.output


def test_every_recipe_on_a_real_video(run_tool, place, tmp_path):
    for name, recipe in RECIPES.items():
        output = extract(run_tool, place, name, 'short', tmp_path / name)
        assert output.count('1 written (') == len(list(recipe.streams())), output
        for kind, part in recipe.streams():
            file = tmp_path / name / part.folder / part.pattern.format(vid='short', qid=1)
            stored = np.load(f'{file}{part.suffix}')
            if kind == 'text':
                assert stored['last_hidden_state'].ndim == 2 and len(stored['pooler_output'])
                array = stored['last_hidden_state']
            else:
                array = stored if part.suffix == '.npy' else stored['features']
                assert abs(len(array) - 2.2 / recipe.clip_length) < 1.5, (name, part)
            width = WIDTHS.get(next(iter(part.needs()), ''), part.dim)
            if kind == 'text' and 'internvideo2_clip_6b' in part.needs():
                width = LLAMA['dim']
            assert array.shape[1] == width and array.dtype == part.dtype, (name, part)
            assert np.isfinite(array).all() and array.astype(np.float32).std() > 0


def test_a_model_of_own_features_answers_on_another_video(
    run_tool, place, tmp_path, monkeypatch, capsys
):
    """Extracted, trained, and asked about a video that it has not seen."""
    extract(run_tool, place, 'qvhighlights_slowfast_clip', 'seen', tmp_path)
    window = {'qid': 1, 'video': 'seen', 'query': 'a man opens the door', 'duration': 4.2,
              'windows': [[0, 2]]}  # fmt: skip
    for split in ('train', 'val', 'test'):
        write_jsonl(tmp_path / f'{split}.jsonl', [window])
    slowfast = {'type': 'SlowFastEncoder', 'weights': f'{place.weights}/slowfast.pth', **NETWORK}
    for folders, named, words in (
        (['clip_features'], "features='clip', video_dim=512", ['--weights', place.weights]),
        (['slowfast_features', 'clip_features'], 'video_dim=800',
         ['--encoder', json.dumps(slowfast), '--encoder', f'clip={place.weights}/clip']),
    ):  # fmt: skip
        run = tmp_path / f'run{len(folders)}'
        config = tmp_path / f'small{len(folders)}.py'
        config.write_text(
            f"_base_ = '{ROOT}/configs/moment_detr/custom.py'\n"
            f'benchmark = dict({named}, text_dim=512, dataset=dict(data_root={str(tmp_path)!r}, '
            f"video={folders!r}, text='clip_text_features'))\n"
            'model = dict(defaults=dict(dim=16, num_heads=2, hidden_dim=16))\n'
            'train_dataloader = val_dataloader = test_dataloader = dict(num_workers=0)\n'
            'train_cfg = dict(max_epochs=1, val_interval=1)\nreport_after_training = False\n'
        )
        ended = run_tool('train.py', config, '--work-dir', run)
        assert not ended.status, ended.errors
        answers = tmp_path / 'answers.json'
        arguments = [place.videos['other'], 'a dog runs', '--model', run, '--device', 'cpu',
                     '--json', answers, *words]  # fmt: skip
        monkeypatch.setattr(sys, 'argv', ['vtg find', *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            run_main(find.main)
        shown = capsys.readouterr()
        assert end.value.code == 0, shown.err
        (answer,) = json.loads(answers.read_text())
        assert answer['moments'] and len(answer['videos'][0]['saliency']) == 2
        answers.unlink()
