# SPDX-License-Identifier: Apache-2.0
"""Long videos by windows."""

import resource
from itertools import groupby

import pytest
import torch

from vtg.engine.checkpoint import check_fit
from vtg.evaluation.records import to_records
from vtg.models import Grounder, SlidingGrounder
from vtg.models.sliding_grounder import window_starts
from vtg.models.task_modules.nms import take_first
from vtg.registry import MODELS
from vtg.structures import MomentList, Prediction
from vtg.utils import ConfigError

DIM = 6
WIDTHS = dict(
    defaults=dict(dim=16, num_heads=2, hidden_dim=16, dropout=0.0, drop_path=0.0),
    video_projector=dict(in_dim=DIM + 2),
    text_projector=dict(in_dim=5),
)


def model_config(read, name='qd_detr/custom.py', **changes):
    cfg = read(name)
    for key, value in WIDTHS.items():
        cfg[key] |= {k: v for k, v in value.items() if k in cfg[key] or k == 'in_dim'}
    return {**cfg, **changes}


@pytest.fixture
def read():
    from pathlib import Path

    from vtg.engine import load_config

    root = Path(__file__).resolve().parents[2] / 'configs'
    return lambda name: load_config(root / name).model.to_dict()


def make_batch(lengths, clip_length=2.0, feature=None):
    """A collated batch with the temporal endpoint feature; ``feature`` marks column 0."""
    size = max(lengths)
    video = torch.zeros(len(lengths), size, DIM + 2)
    mask = torch.arange(size) < torch.tensor(lengths)[:, None]
    for row, length in enumerate(lengths):
        video[row, :length, :DIM] = torch.randn(length, DIM)
        if feature is not None:
            video[row, :, 0] = 0
            video[row, :length, 0] = feature[row]
        edges = torch.arange(length + 1) / length
        video[row, :length, DIM], video[row, :length, DIM + 1] = edges[:-1], edges[1:]
    return dict(
        video=video,
        video_mask=mask,
        text=torch.randn(len(lengths), 4, 5),
        text_mask=torch.ones(len(lengths), 4, dtype=torch.bool),
        duration=clip_length * torch.tensor(lengths, dtype=torch.float32),
        meta=[{'qid': i, 'query': 'q', 'vid': f'v{i}'} for i in range(len(lengths))],
    )


def take(batch, row, length):
    sample = {key: value[row : row + 1] for key, value in batch.items()}
    return {**sample, **{key: sample[key][:, :length] for key in ('video', 'video_mask')}}


def predict(model, batch):
    with torch.no_grad():
        return to_records(model(**batch, mode='predict'))


def make_perfect(monkeypatch):
    """Let all models predict by :func:`runs`, which looks at the features."""
    monkeypatch.setattr('vtg.models.shared_videos.unread_features', lambda *_: False)
    monkeypatch.setattr(Grounder, 'predict', runs)


def runs(self, state, meta=None):
    """A perfect model in place of ``Grounder.predict``: a moment is a run of one mark in column 0.

    It checks what it gets: every window counts its own clips from 0 to 1.
    """
    video, video_mask, duration = state.video_features, state.video_mask, state.duration
    rows = []
    for row, mask, seconds in zip(video, video_mask, duration.tolist()):
        row = row[mask]
        edges = torch.arange(len(row) + 1) / len(row)
        torch.testing.assert_close(row[:, DIM], edges[:-1])
        torch.testing.assert_close(row[:, DIM + 1], edges[1:])
        clip, windows, at = seconds / len(row), [], 0
        for mark, group in groupby(row[:, 0].tolist()):
            count = len(list(group))
            if mark:
                windows.append([at * clip, (at + count) * clip, mark])
            at += count
        windows.sort(key=lambda window: -window[2])
        rows.append(torch.tensor(windows).reshape(-1, 3))
    counts = torch.tensor([len(row) for row in rows])
    table = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)
    moments = MomentList(
        table[..., :2], table[..., 2], torch.arange(table.shape[1]) < counts[:, None]
    )
    return Prediction(
        video_mask, duration, meta or [{} for _ in rows], output='all',
        lists={'all': moments, 'other': take_first(moments, 1)}, saliency=video[..., 0],
    )  # fmt: skip


def test_weights_are_those_of_the_plain_model(read):
    plain = MODELS.build(model_config(read))
    sliding = MODELS.build(
        model_config(read, type='SlidingGrounder', windows=dict(clips=20, overlap=8))
    )
    assert isinstance(sliding, Grounder)
    check_fit(sliding, plain.state_dict(), 'plain')


@pytest.mark.parametrize('name', ['qd_detr/custom.py', 'sgdetr/custom.py'])
def test_videos_of_one_window_are_predicted_as_without_windows(read, name):
    plain = MODELS.build(model_config(read, name)).eval()
    sliding = MODELS.build(
        model_config(read, name, type='SlidingGrounder', windows=dict(clips=20, overlap=8))
    ).eval()
    sliding.load_state_dict(plain.state_dict())
    batch = make_batch([20, 13])
    assert predict(sliding, batch) == predict(plain, batch)

    # The same beside a long video, up to the last digits of another padding.
    batch = make_batch([50, 13])
    alone, beside = predict(plain, take(batch, 1, 13))[0], predict(sliding, batch)[1]
    assert alone.keys() == beside.keys() and beside['vid'] == 'v1'
    for key in ('pred_relevant_windows', 'pred_saliency_scores'):
        torch.testing.assert_close(
            torch.tensor(alone[key]), torch.tensor(beside[key]), atol=2e-3, rtol=1e-3
        )
    assert alone['alternatives'].keys() == beside['alternatives'].keys()


def test_windows_do_not_depend_on_the_batch(read):
    sliding = MODELS.build(
        model_config(read, type='SlidingGrounder', windows=dict(clips=20, overlap=8, batch_size=3))
    ).eval()
    batch = make_batch([50, 13, 37])
    together = predict(sliding, batch)
    for row, length in enumerate((50, 13, 37)):
        alone = predict(sliding, take(batch, row, length))[0]
        assert len(alone['pred_saliency_scores']) == length
        for key in ('pred_relevant_windows', 'pred_saliency_scores'):
            torch.testing.assert_close(
                torch.tensor(alone[key]), torch.tensor(together[row][key]), atol=2e-3, rtol=1e-3
            )


def test_a_video_has_a_moment_where_one_of_its_windows_has(read):
    cfg = model_config(
        read, type='SlidingGrounder', windows=dict(clips=20, overlap=8),
        auxiliary=dict(existence=dict(type='ExistenceHead', source='queries')),
    )  # fmt: skip
    sliding = MODELS.build(cfg).eval()
    batch = make_batch([50, 13])
    found = [record['pred_exist_score'] for record in predict(sliding, batch)]
    scores = []
    for start in window_starts(50, 20, 8):
        window = take(batch, 0, 50)
        window['video'] = window['video'][:, start : start + 20].clone()
        edges = torch.arange(21) / 20
        window['video'][0, :, DIM], window['video'][0, :, DIM + 1] = edges[:-1], edges[1:]
        window['video_mask'] = window['video_mask'][:, :20]
        window['duration'] = torch.tensor([40.0])
        scores.append(predict(sliding, window)[0]['pred_exist_score'])
    assert found[0] == pytest.approx(max(scores), abs=2e-4)
    alone = predict(sliding, take(batch, 1, 13))[0]['pred_exist_score']
    assert found[1] == pytest.approx(alone, abs=2e-4)


def test_two_hours(read, monkeypatch):
    """3600 clips: moments in one window, in an overlap, over a border and over five windows."""
    moments = {(10, 20): 0.9, (78, 88): 0.8, (140, 152): 0.7, (1000, 1300): 0.95, (3590, 3600): 0.6}
    feature = torch.zeros(3600)
    for (start, end), score in moments.items():
        feature[start:end] = score
    batch = make_batch([3600, 40], feature=[feature, torch.zeros(40)])
    sliding = MODELS.build(
        model_config(read, type='SlidingGrounder', windows=dict(clips=100, overlap=30))
    ).eval()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    real = predict(sliding, batch)[0]
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 200 * 1024, f'{grown} KiB'
    assert len(real['pred_saliency_scores']) == 3600
    assert 0 < len(real['pred_relevant_windows']) <= 100
    assert all(0 <= s <= e <= 7200 for s, e, _ in real['pred_relevant_windows'])
    scores = [score for _, _, score in real['pred_relevant_windows']]
    assert scores == sorted(scores, reverse=True)

    make_perfect(monkeypatch)
    record, empty = predict(sliding, batch)
    expected = [[2.0 * s, 2.0 * e, p] for (s, e), p in moments.items()]
    expected.sort(key=lambda window: -window[2])
    torch.testing.assert_close(
        torch.tensor(record['pred_relevant_windows']), torch.tensor(expected)
    )
    torch.testing.assert_close(torch.tensor(record['pred_saliency_scores']), feature)
    assert record['alternatives']['other'][0] == pytest.approx([2000, 2600, 0.95])
    assert empty['pred_relevant_windows'] == []
    assert record['qid'] == 0 and empty['vid'] == 'v1'


@pytest.mark.parametrize('clip_length', [0.5, 1 / 3, 2.0])
def test_any_clip_length(read, monkeypatch, clip_length):
    feature = torch.zeros(90)
    feature[33:57] = 0.5
    batch = make_batch([90], clip_length, [feature])
    sliding = MODELS.build(
        model_config(read, type='SlidingGrounder', windows=dict(clips=40, overlap=10))
    ).eval()
    make_perfect(monkeypatch)
    found = predict(sliding, batch)[0]['pred_relevant_windows']
    assert found == [pytest.approx([33 * clip_length, 57 * clip_length, 0.5], abs=1e-3)]


def test_training_sees_the_whole_video(read):
    sliding = MODELS.build(
        model_config(read, type='SlidingGrounder', windows=dict(clips=20))
    ).eval()
    batch = make_batch([50])
    with torch.no_grad():
        assert sliding(**batch, mode='tensor').saliency.shape == (1, 50)


def test_mistakes_are_refused(read):
    build = lambda **windows: MODELS.build(  # noqa: E731
        model_config(read, type='SlidingGrounder', windows=windows)
    ).eval()
    for wrong in (dict(clips=20, overlap=20), dict(overlap=3), dict(clips=1)):
        with pytest.raises(ConfigError, match=r'model.windows has clips='):
            build(**wrong)
    with pytest.raises(ConfigError, match='windows has no stride'):
        build(clips=20, stride=3)
    with pytest.raises(ConfigError, match='no temporal endpoint feature'):
        predict(build(clips=20, tef=(0,)), make_batch([50]))
    assert SlidingGrounder.__mro__[1] is Grounder


def test_windows_are_needed(sgdetr_config):
    cfg = sgdetr_config()
    cfg.type = 'SlidingGrounder'
    with pytest.raises(ConfigError, match=r'set model\.windows=dict\(clips=\.\.\.\)'):
        MODELS.build(cfg)
