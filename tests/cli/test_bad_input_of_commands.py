# SPDX-License-Identifier: Apache-2.0
"""Every command on every bad input: one sentence, a status, and nothing half-written.

``CALLS`` holds calls of every command that work. ``<kind>`` is replaced by everything bad of its
kind in turn; ``[kind]`` is always good. At the end the call gets what is good, in the same folder:
so nothing that was left there stands in its way.
"""

import re
import shlex
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from media import write_audio, write_clip, write_video

from vtg.cli.main import OWN, main, scripts
from vtg.engine import load_config
from vtg.utils import read_jsonl, write_json, write_jsonl

ROOT = Path(__file__).resolve().parents[2]
CLIP = '--encoder clip=[weights] --device cpu'
ANNOTATIONS = '--cfg-options benchmark.splits'
CALLS = {
    'find': [
        '<short_video> dog --encoder clip=<weights> --device cpu --json <file>',
        f'[video] dog {CLIP} --cut <folder>',
        '<short_video> dog --model <model> --device cpu --html [file]',
        f'[video] dog --model <config> --checkpoint [checkpoint] {CLIP}',
        'dog --index <index> --device cpu',
    ],
    'serve': [
        '--index <index> --port 0 --device cpu',
        '--encoder clip=<weights> --port 0 --device cpu',
        f'--model <model> --port 0 {CLIP}',
    ],
    'index': ['<short_video> --out <folder> --encoder clip=<weights> --device cpu'],
    'train': [f'<config> --work-dir <folder> {ANNOTATIONS}.train.ann_file=<annotations>'],
    'test': [f'<config> <weights_file> --out <folder> {ANNOTATIONS}.test.ann_file=[annotations]'],
    'predict': ['<config> <checkpoint> <annotations> <file> --work-dir [folder]'],
    'choose-threshold': ['<config> <weights_file> --out <file> --work-dir [folder] --split test'],
    'demo': [f'<config> <weights_file> <video> dog {CLIP} --json <file>'],
    'extract-features': [
        '<video> --backbone clip --weights <weights> --out <folder> --device cpu',
        '--text <annotations> --backbone clip --weights [weights] --out [folder] --device cpu',
        '<video> --features clip --weights clip=<wide_weights> --out <folder> --device cpu',
        '--text <annotations> --features <recipe> --weights clip=[wide_weights] --out [folder] '
        '--device cpu',
    ],
    'make-pretraining-data': [
        'intervidmr <captions> <video> --encoder clip=<weights> --out <folder> --device cpu'
    ],
    'make-simulated': ['<folder> --videos 5 --dim 8'],
    'cluster-features': ['<config> <folder> --rows 2'],
    'pack-features': ['<features> <folder>'],
    'validate-dataset': ['--annotations <annotations> --write <file>', '<config>'],
    'convert-annotations': ['csv <table> <file>'],
    'convert-checkpoint': ['moment_detr <released> <file> --config <config>'],
    'convert-legacy-checkpoint': ['<checkpoint> <file> --trust'],
    'convert-ratings': ['<ratings> <splits> <folder>'],
    'export-onnx': ['<config> <weights_file> <onnx_file>'],
    'publish-model': [f'<config> <weights_file> <new_folder> {CLIP.split(" --device")[0]}'],
    'eval-predictions': ['<predictions> <annotations> --out <file>'],
    'analyze': ['<predictions> <annotations> --out <folder> --resamples 100'],
    'plot': ['timeline <predictions> --annotations <annotations> --qid [qid] --out <picture>'],
    'collect-results': ['<runs> --page <file>'],
    'sweep': ['<config> --out <folder> --grid model.neck=None'],
    'train-domains': ['<config> --work-dir [folder] --domains x'],
    'print-config': ['<file_of_config>'],
    'check': ['<config> <component>'],
    'list-components': ['<component>'],
    'check-golden': ['<features>'],
}  # fmt: skip
# The whole work of these takes longer than the test may; each is done elsewhere.
UNFINISHED = ('serve', 'sweep', 'train-domains', 'check-golden', 'convert-checkpoint',
              'choose-threshold', 'export-onnx')  # fmt: skip
# What tells of a try, and is in nobody's way.
TRACES = re.compile(
    r'(.*/)?(\.lock|small\.py|options\.json|settings\.json|(video|text|\w+_features)\.json|\w+\.log|vis_data/config\.py)'
)
FILES = {'missing', 'empty', 'broken', 'sound.mp4', 'folder'}
BAD = {
    'video': {'missing.mp4', 'empty.mp4', 'broken.mp4', 'sound.mp4', 'folder'},
    'short_video': {'missing.mp4', 'empty.mp4', 'broken.mp4', 'sound.mp4', 'folder', 'long.mp4'},
    'weights': {'nobody/nothing', 'missing', 'folder', 'empty'},
    # The last one is an encoder, of features that are not as wide as the recipe says.
    'wide_weights': {'nobody/nothing', 'missing', 'folder', 'empty', 'narrow'},
    'recipe': {'nonsense'},
    'model': {'nobody/nothing', 'missing', 'folder'},
    'index': {'missing', 'folder', 'empty'},
    'config': {'missing.py', 'empty.py', 'half.py', 'broken.py', 'folder'},
    'file_of_config': {'missing.py', 'empty.py', 'broken.py', 'folder'},
    'weights_file': {'missing', 'broken'}, 'checkpoint': FILES, 'released': FILES,
    'predictions': FILES, 'ratings': FILES, 'splits': FILES,
    'captions': FILES, 'annotations': FILES | {'list.json'}, 'table': FILES,
    'features': {'missing', 'folder', 'empty'}, 'runs': {'missing', 'empty'},
    'file': {'empty/x', 'folder'}, 'onnx_file': {'empty/x.onnx', 'folder'},
    'picture': {'empty/x.png'},
    'folder': {'empty', 'empty/x'}, 'new_folder': {'empty', 'empty/x', 'folder'},
    'component': {'nonsense'},
}  # fmt: skip


@pytest.fixture(scope='module')
def good(tmp_path_factory, tiny_clip):
    """What works, by kind."""
    from vtg.apis.publishing import publish_model
    from vtg.datasets.simulated import export_simulated
    from vtg.registry import MODELS

    folder = tmp_path_factory.mktemp('good')
    export_simulated(folder / 'data', 5, clip_length=2.0, video_dim=24, text_dim=16)
    config = folder / 'small.py'
    config.write_text(
        f"_base_ = '{ROOT}/configs/moment_detr/custom.py'\n"
        f"benchmark = dict(video_dim=24, text_dim=16, dataset=dict(data_root='{folder}/data'))\n"
        'model = dict(defaults=dict(dim=16, num_heads=2, hidden_dim=16))\n'
        'train_dataloader = val_dataloader = test_dataloader = dict(num_workers=0)\n'
        'train_cfg = dict(max_epochs=1, val_interval=1)\n'
        'report_after_training = False\n'
    )
    state = MODELS.build(load_config(config).model).state_dict()
    torch.save({'state_dict': state}, folder / 'weights.pth')
    annotations = folder / 'data/val.jsonl'
    # A query without a moment, as choosing a threshold needs one.
    record = read_jsonl(folder / 'data/test.jsonl')[0]
    other = {**record, 'qid': 'other', 'windows': [], 'saliency': [0] * len(record['saliency'])}
    write_jsonl(folder / 'data/test.jsonl', [record, other])
    texts = folder / 'data/text_features'
    (texts / 'qidother.npz').write_bytes((texts / f'qid{record["qid"]}.npz').read_bytes())
    predictions = [
        {'qid': record['qid'], 'query': record['query'], 'vid': record['video'],
         'pred_relevant_windows': [[0, 4, 0.5]],
         'pred_saliency_scores': [0.1] * len(record['saliency'])}
        for record in read_jsonl(annotations)
    ]  # fmt: skip
    write_jsonl(folder / 'predictions.jsonl', predictions)
    video = write_video(folder / 'v.mp4', 9.0)
    (folder / 'table.csv').write_text('vid,query,start,end,duration,qid\nv,a dog,1,2,9,7\n')
    # Of all videos that are tried.
    caption = {'caption': 'a dog runs in the room', 'start': 2, 'end': 6}
    captions = [{'vid': name, **caption} for name in ('v', 'missing', 'empty', 'broken', 'sound')]
    write_jsonl(folder / 'captions.jsonl', captions)
    rated = {'frames': 600, 'fps': 30.0, 'domain': 'dog', 'title': 'x', 'anno': [[1, 5]] * 10}
    write_json(folder / 'ratings.json', {'a': rated, 'b': rated})
    write_json(folder / 'splits.json', {'dog': {'train': ['a'], 'val': ['b']}})
    encoders = [f'clip={tiny_clip}']
    (folder / 'wide').mkdir()
    write_clip(folder / 'wide', 512, 512)
    publish_model(load_config(config), folder / 'weights.pth', folder / 'model', encoders)
    return {
        'video': video, 'short_video': video, 'weights': tiny_clip, 'model': folder / 'model',
        'wide_weights': folder / 'wide', 'recipe': 'clip',
        'config': config, 'file_of_config': config,
        **dict.fromkeys(('checkpoint', 'weights_file', 'released'), folder / 'weights.pth'),
        'annotations': annotations, 'predictions': folder / 'predictions.jsonl',
        'qid': predictions[0]['qid'], 'table': folder / 'table.csv',
        'captions': folder / 'captions.jsonl', 'ratings': folder / 'ratings.json',
        'splits': folder / 'splits.json', 'features': folder / 'data/video_features',
        'runs': ROOT / 'docs/results.csv', 'component': 'fusion', 'index': folder / 'index',
        'file': 'out.x', 'onnx_file': 'out.onnx',
        'picture': 'out.png', 'folder': 'outputs', 'new_folder': 'published',
    }  # fmt: skip


@pytest.fixture(scope='module')
def bad(tmp_path_factory):
    """A folder with everything that is wrong."""
    folder = tmp_path_factory.mktemp('bad')
    noise = np.random.default_rng(0).bytes(600)
    for suffix in ('', '.mp4', '.py'):
        (folder / f'empty{suffix}').write_bytes(b'')
        (folder / f'broken{suffix}').write_bytes(noise)
    write_video(folder / 'broken.mp4', 3.0)
    content = (folder / 'broken.mp4').read_bytes()
    (folder / 'broken.mp4').write_bytes(content[:600] + bytes(600))
    write_audio(folder / 'sound.mp4')
    write_video(folder / 'long.mp4', 7300, fps=Fraction(1, 100))
    (folder / 'half.py').write_text('train_cfg = dict(max_epochs=1)\n')
    (folder / 'folder').mkdir()
    (folder / 'narrow').mkdir()
    write_clip(folder / 'narrow')
    (folder / 'list.json').write_text('[1, 2]')
    return folder


@pytest.fixture
def vtg(monkeypatch, capsys):
    """``vtg(name, *words)``: run a command here, without a network; its status and what it said."""
    monkeypatch.setattr('huggingface_hub.constants.HF_HUB_OFFLINE', True)
    # Formatting the config for the log takes most of the time of a short run.
    monkeypatch.setattr('yapf.yapflib.yapf_api.FormatCode', lambda text, **_: (text, False))

    def run(*words):
        monkeypatch.setattr(sys, 'argv', ['vtg', *words])
        with pytest.raises(SystemExit) as end:
            main()
        shown = capsys.readouterr()
        return end.value.code or 0, shown.out, shown.err

    return run


def filled(call, values):
    """The words of a call, with a value for every kind."""
    return [
        re.sub(r'[<[](\w+)[]>]', lambda m: str(values[m[1]]), word) for word in shlex.split(call)
    ]


def check(ended, thing, place):
    """One sentence names what is wrong; of several inputs each is named in the output."""
    status, out, err = ended
    errors = [line for line in err.splitlines() if line.startswith('error: ')]
    assert status in (1, 2) and 'Traceback' not in out + err, ended
    assert len(errors) == 1 or (not errors and status == 1), ended
    said = errors[0] if errors else out
    named = (Path(thing).name, str(Path(thing).parent), 'the config ')
    assert any(name in said for name in named), ended
    assert not errors or (errors[0].endswith(('.', '?')) and len(errors[0]) < 1500), ended
    left = [str(file.relative_to(place)) for file in place.rglob('*') if file.is_file()]
    assert all(TRACES.fullmatch(name) for name in left), (thing, left)


def test_every_command_is_tried():
    assert set(CALLS) == {*OWN, *scripts()}


@pytest.mark.parametrize('name', CALLS)
def test_bad_input_is_one_sentence(name, vtg, good, bad, tmp_path, monkeypatch):
    for command, package, extra in (
        ('plot', 'matplotlib', 'plots'), ('serve', 'gradio', 'web'),
        ('export-onnx', 'onnxruntime', 'export'),
    ):  # fmt: skip
        if name == command:
            pytest.importorskip(package, reason=f'needs the extra "{extra}"')
    monkeypatch.chdir(tmp_path)
    if name == 'find' and not good['index'].is_dir():
        words = filled(f'[video] --out [index] {CLIP}', good)
        assert vtg('index', *words)[0] == 0
    for number, call in enumerate(CALLS[name]):
        place = tmp_path / str(number)
        place.mkdir()
        monkeypatch.chdir(place)
        for kind in re.findall(r'<(\w+)>', call):
            for wrong in sorted(BAD[kind]):
                thing = wrong if wrong == 'nobody/nothing' else str(bad / wrong)
                check(vtg(name, *filled(call, {**good, kind: thing})), thing, place)
        if name not in UNFINISHED:
            status, out, err = vtg(name, *filled(call, good))
            assert status == 0, (call, out, err)
