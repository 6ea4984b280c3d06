# SPDX-License-Identifier: Apache-2.0
"""The command ``vtg``: what it writes, and one sentence for everything that goes wrong."""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from media import write_audio

from vtg.cli import find, index, main, serve
from vtg.cli.main import OWN, SHORT, scripts
from vtg.engine import load_config
from vtg.utils import find_config, run_main

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def vtg(monkeypatch, capsys, tiny_clip):
    """Run a command in this process; returns its status, output and what it said besides."""

    def run(name, *words, clip=True):
        options = ['--encoder', f'clip={tiny_clip}', '--device', 'cpu'] if clip else []
        monkeypatch.setattr(sys, 'argv', [f'vtg {name}', *map(str, words), *options])
        with pytest.raises(SystemExit) as end:
            run_main({'find': find.main, 'index': index.main}[name])
        shown = capsys.readouterr()
        return end.value.code, shown.out, shown.err

    return run


def test_find_writes_what_is_asked_for(vtg, videos, tmp_path):
    kinds = ('json', 'srt', 'vtt', 'edl', 'html')
    outputs = [word for kind in kinds for word in (f'--{kind}', tmp_path / f'a.{kind}')]
    words = (videos / 'v1.mp4', '<script>alert(1)</script>', 'a red room', '--top', 2)
    status, out, _ = vtg('find', *words, *outputs, '--cut', tmp_path / 'cut')
    assert status == 0, out
    answers = json.loads((tmp_path / 'a.json').read_text())
    assert [answer['query'] for answer in answers] == list(words[1:3])
    for answer in answers:
        assert len(answer['videos'][0]['saliency']) == 6 and 1 <= len(answer['moments']) <= 2
        assert all(0 <= moment['relevance'] <= 1 for moment in answer['moments'])
    assert 'relevance' in out and ' - 0:' in out
    page = (tmp_path / 'a.html').read_text()
    assert '<script>alert' not in page and 'v1.mp4' in page
    assert len(list((tmp_path / 'cut').iterdir())) == sum(len(a['moments']) for a in answers)
    # Its own results are replaced, other files are not.
    assert vtg('find', *words, *outputs)[0] == 0
    (tmp_path / 'a.srt').write_text('my notes')
    status, _, err = vtg('find', *words, *outputs)
    assert status == 1 and 'a.srt exists and is not a result of vtg find' in err


def test_an_index_answers_like_the_videos(vtg, videos, tmp_path):
    place = tmp_path / 'index'
    assert vtg('index', videos, '--out', place)[0] == 0
    status, out, err = vtg('index', videos, '--out', place)
    assert status == 0 and out.startswith(f'{place}: 3 videos, 0 of 3') and 'already' in err
    status, by_index, _ = vtg('find', '--index', place, 'a dog runs', clip=False)
    assert status == 0
    assert by_index == vtg('find', videos, 'a dog runs')[1]
    for words in (('--out', place, '--clip-len', 1), ('--out', videos / 'v0.mp4')):
        status, _, err = vtg('index', videos, *words)
        assert status == 1 and err.count('error:') == 1, err


def test_a_trained_model_answers(vtg, videos, tiny_clip, tmp_path):
    from vtg.registry import MODELS

    config = tmp_path / 'run' / 'small.py'
    config.parent.mkdir()
    config.write_text(
        f"_base_ = '{ROOT}/configs/moment_detr/custom.py'\n"
        'benchmark = dict(video_dim=24, text_dim=16)\n'
        'model = dict(defaults=dict(dim=16, num_heads=2, hidden_dim=16))\n'
    )
    import torch

    state = MODELS.build(load_config(config).model).state_dict()
    torch.save({'state_dict': state}, config.parent / 'epoch_1.pth')
    status, out, _ = vtg('find', videos / 'v0.mp4', 'a dog', '--model', config.parent)
    assert status == 0 and 'relevance' in out
    # vtg serve offers it beside similarity alone; encoded in steps the answer is the same.
    options = argparse.Namespace(
        index=None, model=[config.parent] * 2, encoder=[f'clip={tiny_clip}'], clip_len=None,
        device='cpu', max_minutes=1, weights=[],
    )  # fmt: skip
    models, listed, _ = serve.load(options)
    assert list(models)[1:] == ['run', 'run (2)'] and not listed
    model, video = models['run'], videos / 'v2.mp4'
    steps = model.steps(video)
    assert next(steps) == (0, 12) and next(steps) == (12, 12)
    with pytest.raises(StopIteration) as end:
        next(steps)
    (answer,), (other,) = model([end.value.value], ['a dog']), model.search([str(video)], ['a dog'])
    assert answer.results[0].moments == other.results[0].moments and answer.files == [video]
    features = models[f'similarity (clip {tiny_clip.name})'].encoder(video)
    (again,) = model([model.prepare(features)], ['a dog'])
    assert again.results[0].moments == other.results[0].moments
    status, _, err = vtg('find', videos / 'v0.mp4', 'a dog', '--model', tmp_path)
    assert status == 1 and err.startswith('error: ') and str(tmp_path) in err


def test_bad_input_is_one_sentence_and_leaves_nothing(vtg, videos, tmp_path, monkeypatch):
    good = videos / 'v0.mp4'
    bad = {name: tmp_path / f'{name}.mp4' for name in ('empty', 'broken', 'missing')}
    bad['empty'].write_bytes(b'')
    bad['broken'].write_bytes(good.read_bytes()[:600] + b'\0' * 600)
    sound = write_audio(tmp_path / 'sound.mp4')
    out = ('--json', tmp_path / 'out.json', '--html', tmp_path / 'out.html')
    blocked = tmp_path / 'file'
    blocked.write_text('')
    cases = [
        ((bad['missing'], 'a dog'), 'does not exist'),
        ((bad['empty'], 'a dog'), 'is empty'),
        ((bad['broken'], 'a dog'), 'cannot be decoded'),
        ((sound, 'a dog'), 'has no video stream'),
        ((good, 'a dog', '--max-minutes', 0.1), 'more than 0.1; cut it, or allow it with'),
        ((good, 'a dog', '--srt', blocked / 'x.srt'), 'is a file; choose another path'),
        ((good, 'a dog', '--cut', good), 'is also the input'),
        ((good, 'a dog', '--json', good), 'is also the input'),
        ((good, 'a dog', '--srt', tmp_path / 'out.json'), 'go to the same file'),
        ((good, 'a dog', '--model', 'nowhere'), 'nowhere'),
        ((good, 'a dog', '--checkpoint', 'x.pth'), 'belongs to --model'),
        ((good, 'a dog', '--weights', 'clip=x'), 'belongs to --model, without --encoder'),
        ((good, '  '), 'has no words'),
        ((good, '\u200b'), 'has no words'),
        ((good,), 'no sentence is given'),
        (('a dog', 'a cat'), 'is no video'),
        (('a dog', '--index', tmp_path), 'is no index of videos'),
        ((tmp_path / 'none', 'a dog'), 'is no video'),
    ]
    for words, sentence in cases:
        status, shown, err = vtg('find', *out, *words)
        errors = [line for line in err.splitlines() if line.startswith('error: ')]
        assert status == 1 and not shown and len(errors) == 1, (words, err)
        assert sentence in errors[0], errors[0]
        assert not list(tmp_path.glob('*out.*')), words
    # A hub name without a network, and an unknown encoder.
    monkeypatch.setattr('huggingface_hub.constants.HF_HUB_OFFLINE', True)
    for name, sentence in (
        ('clip=nobody/nothing', 'cannot be loaded'), ('clapper=x', 'not a registered'),
        ('clip', 'not of the form'), ('{}', 'has no name under "type"'),
        ('{"type": [1]}', 'has no name'),
        ('{"type": "ClipEncoder", "type": "x"}', 'stands twice'),
    ):  # fmt: skip
        status, _, err = vtg('find', good, 'a dog', '--encoder', name, *out, clip=False)
        assert status == 1 and sentence in err and 'Traceback' not in err, err
    # Of several videos each has subtitles of its own, which are not those of somebody else.
    (tmp_path / 'o.v1.srt').write_text('mine')
    words = (good, videos / 'v1.mp4', 'a dog', '--srt', tmp_path / 'o.srt')
    status, shown, err = vtg('find', *words)
    assert status == 1 and not shown and 'o.v1.srt exists and is not a result of vtg find' in err
    assert (tmp_path / 'o.v1.srt').read_text() == 'mine'
    # One bad video does not stop an index of many.
    status, shown, _ = vtg('index', good, *bad.values(), sound, '--out', tmp_path / 'index')
    assert status == 1 and '1 videos, 4 of 5' in shown and shown.count('\n') == 5


def test_the_config_of_the_baseline_compares_pooled_sentences(videos, tiny_clip):
    from vtg.apis.inference import Inferencer
    from vtg.search import FileEncoder, ZeroShotSearcher

    encoder = FileEncoder({'type': 'ClipEncoder', 'weights': str(tiny_clip), 'device': 'cpu'})
    infer = Inferencer('zero_shot/custom', None, device='cpu', encoders=[encoder.encoder])
    (one,) = infer(videos / 'v1.mp4', 'a dog runs')
    search = ZeroShotSearcher(encoder.encoder, 2.0)
    (other,) = search([encoder(videos / 'v1.mp4')], ['a dog runs'])[0].results
    assert one.saliency == pytest.approx(other.saliency, abs=1e-5)
    assert len(one.moments) == len(other.moments) and one.duration == other.duration


def test_videos_and_sentences_are_told_apart(tmp_path):
    (tmp_path / 'a.avi').write_bytes(b'')
    words = [str(tmp_path), 'gone.mp4', 'a dog', 'x' * 5000, str(tmp_path / 'a.avi')]
    assert find.split_words(words, False) == ([words[0], words[1], words[4]], words[2:4])
    assert find.split_words(['a.mp4'], True) == ([], ['a.mp4'])


def test_every_script_is_a_command(capsys, monkeypatch):
    assert set(SHORT.values()) <= set(scripts()) and not set(OWN) & set(scripts())
    for words, status, text in (
        ([], 2, '  train '), (['--help'], 0, '  find '), (['--version'], 0, 'vtg '),
        (['fnid'], 2, 'did you mean find?'), (['config', 'sgdetr/demo'], 0, "type='Grounder'"),
    ):  # fmt: skip
        monkeypatch.setattr(sys, 'argv', ['vtg', *words])
        with pytest.raises(SystemExit) as end:
            main()
        shown = capsys.readouterr()
        assert end.value.code == status and text in shown.out + shown.err, words


def test_configs_are_found_by_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ('sgdetr/demo', 'sgdetr/demo.py', 'configs/sgdetr/demo.py'):
        assert find_config(name) == ROOT / 'configs/sgdetr/demo.py', name
    # What lies here goes first, and what exists nowhere stays.
    Path('sgdetr').mkdir()
    Path('sgdetr/demo.py').write_text('')
    assert find_config('sgdetr/demo.py') == Path('sgdetr/demo.py')
    assert find_config('x/y') == Path('x/y')


def test_the_module_is_the_command():
    code = 'import runpy, sys; sys.argv = ["vtg", "-V"]; import vtg.cli; '
    code += 'assert "torch" not in sys.modules; runpy.run_module("vtg", run_name="__main__")'
    run = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, text=True,
        env={**os.environ, 'PYTHONPATH': str(ROOT)},
    )  # fmt: skip
    assert run.returncode == 0 and run.stdout.startswith('vtg ')
