# SPDX-License-Identifier: Apache-2.0
"""Every mistake of the user ends a tool with one sentence, status 1 and nothing half-written.

``configs/sgdetr/qvhl.py`` runs on a small copy of QVHighlights' layout that the tests damage. What
the sentences say in detail is tested beside the code that raises them.
"""

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from vtg.utils import write_jsonl

ROOT = Path(__file__).resolve().parents[1]
CONFIG = ROOT / 'configs/sgdetr/qvhl.py'
FOLDER = Path('data/qvhighlights')
CLIPS = 10
TINY = [
    'benchmark.dataset.windows=strict',  # the default for own data; the benchmark's is to mend
    'model.defaults.dim=16',
    'model.defaults.num_heads=2',
    'model.defaults.hidden_dim=16',
    'train_dataloader.num_workers=0',
    'val_dataloader.num_workers=0',
    'test_dataloader.num_workers=0',
    'train_dataloader.batch_size=4',
    'train_dataloader.pin_memory=False',
    'val_dataloader.pin_memory=False',
    'test_dataloader.pin_memory=False',
    'train_cfg.max_epochs=1',
    'report_after_training=False',
]


def record(qid, **changes):
    return {
        'qid': qid,
        'query': 'a dog runs on the beach',
        'vid': f'video-{qid:02d}_0.0_{2.0 * CLIPS}',
        'duration': 2 * CLIPS,
        'relevant_windows': [[2, 8]],
        'relevant_clip_ids': [1, 2, 3],
        'saliency_scores': [[1, 2, 3], [4, 4, 4], [2, 2, 2]],
        **changes,
    }


class Data:
    """The files of QVHighlights below ``root``; records are changed before :meth:`write`."""

    def __init__(self, root: Path) -> None:
        self.folder = root / FOLDER
        self.train, self.val = [record(i) for i in range(4)], [record(i) for i in range(10, 12)]
        self.annotations = self.folder / 'highlight_train_release.jsonl'
        self.rng = np.random.default_rng(0)
        for item in (*self.train, *self.val):
            self.video(item['qid'], self.rng.normal(size=(CLIPS, 512)))
            self.text(item['qid'], self.rng.normal(size=(5, 512)))

    def path(self, kind: str, qid: int) -> Path:
        if kind == 'text':
            return self.folder / 'internvideo2_text' / f'{qid}.npz'
        return self.folder / 'internvideo2_video' / f'{record(qid)["vid"]}.pt'

    def video(self, qid: int, features: np.ndarray) -> None:
        self.path('video', qid).parent.mkdir(parents=True, exist_ok=True)
        torch.save(torch.from_numpy(features).float(), self.path('video', qid))

    def text(self, qid: int, features: np.ndarray) -> None:
        self.path('text', qid).parent.mkdir(parents=True, exist_ok=True)
        np.savez(self.path('text', qid), features=features.astype(np.float32))

    def write(self) -> None:
        write_jsonl(self.annotations, self.train)
        for split in ('val_release', 'test_with_gt'):
            write_jsonl(self.folder / f'highlight_{split}.jsonl', self.val)


@pytest.fixture
def data(tmp_path):
    return Data(tmp_path)


@pytest.fixture
def tool(monkeypatch, capfd, tmp_path):
    """``tool(script, *arguments)``: run a script here; return status, errors and output."""
    monkeypatch.chdir(tmp_path)

    def run(script, *arguments):
        monkeypatch.setattr(sys, 'argv', [script, *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            runpy.run_path(str(ROOT / 'tools' / script), run_name='__main__')
        printed = capfd.readouterr()
        return end.value.code, printed.err, printed.out

    return run


@pytest.fixture
def refused(tool, tmp_path):
    """``refused(*words, ...)``: run and check that one sentence holds all words."""

    def check(*words, script='train.py', arguments=(), config=CONFIG, options=()):
        folder = ['--work-dir', 'run'] if script == 'train.py' else []
        given = {option.partition('=')[0] for option in options}
        tiny = [option for option in TINY if option.partition('=')[0] not in given]
        options = ['--cfg-options', *tiny, *options]
        status, errors, output = tool(script, config, *arguments, *folder, *options)
        assert status == 1, output
        (sentence,) = [line for line in errors.splitlines() if line.startswith('error: ')]
        assert 'Traceback' not in errors + output
        for word in words:
            assert word in sentence
        assert sentence.endswith(('.', '?', '--trust')) and len(sentence) < 1500
        left = {path.name for path in (tmp_path / 'run').rglob('*')} if script == 'train.py' else ()
        assert not [name for name in left if name.endswith(('.pth', '.md')) or 'report' in name]
        return sentence

    return check


# Data -------------------------------------------------------------------------------------------


def test_no_data_at_all(tmp_path):
    """The first thing that a newcomer meets, in a process of its own."""
    done = subprocess.run(
        [sys.executable, ROOT / 'tools/train.py', CONFIG],
        cwd=tmp_path,
        env={**os.environ, 'PYTHONPATH': str(ROOT), 'OMP_NUM_THREADS': '1'},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 1
    assert 'Traceback' not in done.stdout
    first, *things, last = done.stderr.splitlines()
    assert first == 'error: missing data:' and last == 'docs/data.md says what goes where.'
    expected = (
        'annotation file data/qvhighlights/highlight_train_release.jsonl',
        'feature folder data/qvhighlights/internvideo2_video with one {vid}.npz or {vid}.npy or',
        'feature folder data/qvhighlights/internvideo2_text with one {qid}.npz',
        'annotation file data/qvhighlights/highlight_val_release.jsonl',
        'annotation file data/qvhighlights/highlight_test_with_gt.jsonl',
    )
    assert len(things) == len(expected)  # all of all splits, one a line, none twice
    for line, words in zip(things, expected):
        assert line.startswith(f'  {words}') and 'https://github.com/' in line
    assert 'jayleicn/moment_detr/tree/main/data' in things[0]
    assert 'ai-forever/sg-detr' in things[1]
    assert not list(tmp_path.iterdir())  # not even a run folder


def test_missing_folder(data, refused):
    data.write()
    for path in data.path('text', 0).parent.iterdir():
        path.unlink()
    data.path('text', 0).parent.rmdir()
    sentence = refused('feature folder data/qvhighlights/internvideo2_text')
    assert 'annotation file' not in sentence and 'internvideo2_video' not in sentence


def test_missing_feature_file(data, refused):
    data.write()
    data.path('video', 2).unlink()
    refused('features of 1 of 4 records', "'video-02_0.0_20.0'", 'skip_missing=True')


def cut_in_half(data):
    content = data.path('video', 2).read_bytes()
    data.path('video', 2).write_bytes(content[: len(content) // 2])


def not_a_number(data):
    features = data.rng.normal(size=(CLIPS, 512))
    features[3:5, 7] = np.nan
    data.video(2, features)


BAD_FEATURES = {
    'truncated': (cut_in_half, ('video-02_0.0_20.0.pt cannot be read', 'truncated')),
    'width': (
        lambda d: d.video(2, np.ones((CLIPS, 500))),
        ('video-02_0.0_20.0.pt', '500 wide, expected 512', 'set dim'),
    ),
    'nan': (not_a_number, ('video-02_0.0_20.0.pt', 'NaN or infinite values in 2 of 10 rows')),
    'no clips': (
        lambda d: d.video(2, np.ones((0, 512))),
        ('video-02_0.0_20.0.pt is empty (zero clips', 'remove the record'),
    ),
    'too few': (
        lambda d: d.video(2, np.ones((CLIPS - 2, 512))),
        ("'video-02_0.0_20.0' has 8 clips, expected 10", 'tolerance 1', 'length_tolerance'),
    ),
    'too many': (
        lambda d: d.video(2, np.ones((CLIPS + 2, 512))),
        ("'video-02_0.0_20.0' has 12 clips, expected 10", 'tolerance 1'),
    ),
    'no tokens': (
        lambda d: d.text(2, np.ones((0, 512))),
        ('2.npz is empty (zero clips or tokens)', 'remove the record'),
    ),
}


@pytest.mark.parametrize('name', BAD_FEATURES)
def test_bad_feature_file(data, refused, name):
    damage, words = BAD_FEATURES[name]
    data.write()
    damage(data)
    refused(*words)


def test_bad_feature_file_found_by_a_worker(data, refused):
    data.write()
    not_a_number(data)
    refused(*BAD_FEATURES['nan'][1], options=['train_dataloader.num_workers=2'])


def test_one_clip_more_or_less_is_tolerated_and_counted(data, tool):
    data.write()
    data.video(1, data.rng.normal(size=(CLIPS - 1, 512)))
    data.video(2, data.rng.normal(size=(CLIPS + 1, 512)))
    data.video(3, data.rng.normal(size=(CLIPS + 1, 512)))
    status, errors, output = tool('train.py', CONFIG, '--work-dir', 'run', '--cfg-options', *TINY)
    assert status == 0, errors
    assert (
        'highlight_train_release.jsonl: the features of 1 samples have fewer and those of 2 more '
        'clips than the duration implies (tolerated up to 1)'
    ) in output


def test_broken_line(data, refused):
    data.write()
    lines = data.annotations.read_text().splitlines()
    lines[2] = lines[2][:-5]
    data.annotations.write_text('\n'.join(lines))
    refused('highlight_train_release.jsonl, line 3: not valid JSON')


@pytest.mark.parametrize(
    ('changes', 'words'),
    [
        (
            {'relevant_windows': [[2, 8], [12, 26]]},
            ('window [12, 26] lies outside the video (0 to 20 s)',),
        ),
        ({'relevant_windows': [[8, 2]]}, ('window [8, 2] does not end after its start',)),
        ({'relevant_windows': [[4, 4]]}, ('window [4, 4] does not end after its start',)),
        ({'query': '  '}, ("the query '  ' has no words",)),
    ],
)
def test_bad_record(data, refused, changes, words):
    data.train[1].update(changes)
    data.write()
    place = 'highlight_train_release.jsonl, line 2: '
    refused(place, 'correct', *words)


# Configs ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('options', 'words'),
    [
        (
            ['model.fusion.type=SCGA'],
            ("model.fusion.type is 'SCGA', which is not a registered component", 'mean SGCA'),
        ),
        (
            ['+default_hooks.ema={"type": "EMAHok"}'],
            ("default_hooks.ema.type is 'EMAHok'", 'EMAHook'),
        ),
        (['model.fuson.gate=False'], ('has no model.fuson', 'did you mean model.fusion?')),
        (
            ['+model.local_saliency_head=None'],
            ('model.fusion (SGCA) needs `local_saliency`', 'set model.local_saliency_head'),
        ),
        (
            ['model.encoder.type=SGCA', 'model.encoder.num_layers=1'],
            ('model.encoder got SGCA, which is of kind fusion and not encoder', 'registered are'),
        ),
        (['+model.encoder.dim=32'], ('works on 32 channels', 'give all slots the same dim')),
        (['model.neck=None'], ('needs `pyramid`', 'set model.neck')),
    ],
)
def test_config_that_does_not_fit(data, refused, options, words):
    data.write()
    refused(*words, options=options)


def test_no_such_config(refused):
    refused('qvhll.py does not exist; did you mean', 'qvhl.py', config=CONFIG.with_name('qvhll.py'))


# Checkpoints ------------------------------------------------------------------------------------


class Code:
    """Creates a folder when it is unpickled."""

    def __reduce__(self):
        return os.mkdir, ('proof',)


def save(kind, path='weights.pth'):
    """Write a checkpoint that cannot be used, and return its name and the words of the refusal."""
    if kind == 'code':
        torch.save({'state_dict': {'a': torch.zeros(1)}, 'hook': Code()}, path)
        words = ('weights.pth was not loaded', 'mkdir', 'tools/convert_legacy_checkpoint.py')
    elif kind == 'other model':
        torch.save({'state_dict': {'net.weight': torch.zeros(2, 2)}}, path)
        words = ('weights.pth does not fit the model', '1 unknown to the model: net.weight')
    elif kind == 'no weights':
        torch.save({'meta': {}}, path)
        words = ('weights.pth holds no model weights', 'tools/convert_checkpoint.py')
    elif kind == 'damaged':
        Path(path).write_bytes(b'PK\x03\x04 broken')
        words = ('weights.pth is not a readable checkpoint', 'download it again')
    else:
        words = ('weights.pth does not exist',)
    return words


KINDS = ('code', 'other model', 'no weights', 'damaged', 'missing')


@pytest.mark.parametrize('kind', KINDS)
def test_checkpoint_for_evaluation(data, refused, tmp_path, kind):
    data.write()
    words = save(kind, tmp_path / 'weights.pth')
    refused(*words, script='test.py', arguments=['weights.pth', '--out', 'out'])
    assert not (tmp_path / 'proof').exists() and not list((tmp_path / 'out').glob('report*'))


@pytest.mark.parametrize('kind', ['code', 'other model'])
def test_checkpoint_to_start_from(data, refused, tmp_path, kind):
    data.write()
    words = save(kind, tmp_path / 'weights.pth')
    refused(*words, options=['load_from=weights.pth'])
    assert not (tmp_path / 'proof').exists()


def test_checkpoint_to_resume(data, refused, tmp_path):
    data.write()
    words = save('code', tmp_path / 'weights.pth')
    refused(*words, arguments=['--resume', 'weights.pth'])
    assert not (tmp_path / 'proof').exists()


def test_checkpoint_to_convert(tool, tmp_path):
    save('code', tmp_path / 'weights.pth')
    status, errors, _ = tool('convert_checkpoint.py', 'sgdetr', 'weights.pth', 'new.pth')
    (sentence,) = errors.splitlines()
    assert status == 1 and sentence.startswith('error: weights.pth ') and 'code' in sentence
    assert not (tmp_path / 'proof').exists() and not (tmp_path / 'new.pth').exists()


def test_prediction_file_that_is_none(tool, tmp_path):
    (tmp_path / 'predictions.jsonl').write_text(json.dumps({'qid': 1})[:-1])
    (tmp_path / 'truth.jsonl').write_text(json.dumps(record(1)))
    status, errors, _ = tool('eval_predictions.py', 'predictions.jsonl', 'truth.jsonl')
    assert status == 1
    assert errors.startswith('error: predictions.jsonl, line 1: not valid JSON')
