# SPDX-License-Identifier: Apache-2.0
import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from vtg.plots.logs import read_run, read_runs
from vtg.utils import ConfigError, DataError

TIME = '2023_09_13_15_30_06'


def official(folder: Path, evaluations: tuple[int, ...] = (1, 3), losses: bool = True) -> Path:
    """Official logs of four epochs, the one of training compressed."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [
        f'{TIME} [Epoch] {e:03d} [Loss] loss_span {1 / e:.4f} class_error -0.0000 '
        f'loss_span_0 0.5000 loss_saliency 2.0 loss_overall {1 / e + 2.5:.4f} '
        for e in range(1, 5)
    ]
    with gzip.open(folder / 'train.log.txt.gz', 'wt') as file:
        file.write('\n'.join(lines))
    part = ' [Loss] loss_span 1.5000 loss_overall 4.0000' if losses else ''
    found = [
        f'{TIME} [Epoch] {e:03d}{part} [Metrics] '
        + json.dumps({'brief': {'MR-full-mAP': 10.0 + e}, 'full': {'MR-mAP': {'0.5': 1}}})
        for e in evaluations
    ]
    (folder / 'eval.log.txt').write_text('\n'.join(found) + '\n')
    return folder


def ours(folder: Path, start: int = 1, stop: int = 5, name: str = '20240101_000000') -> Path:
    """Two lines an epoch of ten steps, an evaluation after every second epoch."""
    lines = []
    for epoch in range(start, stop):
        for step in (epoch * 10 - 5, epoch * 10):
            terms = {'loss_saliency_rank': 0.5, 'loss_saliency_margin': 0.25, 'loss_span': 0.1}
            lines.append({'time': 1.0, 'lr': 1e-3, 'loss': 1 / step, **terms, 'grad_norm': 3.0,
                          'epoch': epoch, 'iter': step, 'step': step})  # fmt: skip
        if epoch % 2 == 0:
            lines.append({'q/MR-full-mAP': epoch + start / 10, 'q/MR-long-mAP': float('nan'),
                          'time': 1.0, 'step': epoch * 10})  # fmt: skip
    place = folder / name / 'vis_data'
    place.mkdir(parents=True)
    (place / 'scalars.json').write_text('\n'.join(map(json.dumps, lines)))
    return folder


def test_official_logs(tmp_path):
    run = read_run(official(tmp_path / 'cg_detr'))
    assert (run.name, run.unit, len(run.files)) == ('cg_detr', 'epoch', 2)
    train, val = run.find('loss')
    assert train.epochs.tolist() == [1, 2, 3, 4]
    np.testing.assert_allclose(train.values, [3.5, 3.0, 2.8333, 2.75])
    assert val.epochs.tolist() == [2, 4] and val.values.tolist() == [4, 4]
    # Epochs of evaluations are counted from 0.
    curve = run.find('MR-full-mAP')[1]
    assert curve.epochs.tolist() == [2, 4] and curve.values.tolist() == [11, 13]
    assert 'loss_span_0' in run.names() and 'loss_overall' not in run.names()


@pytest.mark.parametrize(
    ('written', 'epochs'), [((0, 1, 2), [1, 2, 3]), ((1, 2, 3), [1, 2, 3]), ((4, 9), [5, 10])]
)
def test_numbers_of_evaluations(tmp_path, written, epochs):
    run = read_run(official(tmp_path, written, losses=False) / 'eval.log.txt')
    assert run.find('MR-full-mAP')[1].epochs.tolist() == epochs and run.find('loss') == (None, None)


def test_own_runs(tmp_path):
    run = read_run(ours(tmp_path / 'run'))
    assert run.name == 'run' and run.find('loss')[0].epochs.tolist() == [x / 2 for x in range(1, 9)]
    assert run.find('MR-full-mAP')[1].epochs.tolist() == [2, 4]
    # What was never a number is no curve, and times are none.
    assert set(run.val) == {'MR-full-mAP'} and 'time' not in run.names()
    # The official logs have one saliency loss, which is the sum of ours.
    assert run.find('loss_saliency')[0].values.tolist() == [0.75] * 8
    same = read_run(next((tmp_path / 'run').glob('*/vis_data/scalars.json')))
    assert same.name == 'run' and same.train.keys() == run.train.keys()


def test_a_resumed_run_goes_on(tmp_path):
    ours(ours(tmp_path), 3, 7, '20240102_000000')
    curve = read_run(tmp_path).find('MR-full-mAP')[1]
    assert curve.epochs.tolist() == [2, 4, 6]
    np.testing.assert_allclose(curve.values, [2.1, 4.3, 6.3])


def test_half_a_line_at_the_end(tmp_path):
    file = next(ours(tmp_path).glob('*/vis_data/scalars.json'))
    text = file.read_text()
    file.write_text(text[: len(text) - 30])
    assert read_run(tmp_path).find('loss')[0].epochs[-1] == 4
    file.write_text(text.replace('"lr"', 'lr', 1))
    with pytest.raises(DataError, match=r'scalars\.json, line 1: not valid JSON'):
        read_run(tmp_path)


def test_iterations_without_epochs(tmp_path):
    (tmp_path / 'scalars.json').write_text('{"loss": 1, "step": 5}\n{"m/R1": 2, "step": 7}')
    run = read_run(tmp_path)
    assert run.unit == 'step' and run.find('R1')[1].epochs.tolist() == [7]


def test_metrics_of_two_evaluators_stay_apart(tmp_path):
    (tmp_path / 'scalars.json').write_text('{"a/R1": 1, "b/R1": 3, "b/mAP": 2, "step": 7}')
    assert set(read_run(tmp_path).val) == {'a/R1', 'b/R1', 'mAP'}


def test_names(tmp_path):
    folder = official(tmp_path / 'a=b')
    runs = read_runs([str(folder), f'own={folder}', f'own={folder}'])
    assert [run.name for run in runs] == ['a=b', 'own', 'own (2)']


@pytest.mark.parametrize(('content', 'sentence'), [
    (None, 'does not exist; expected a run folder'),
    ({}, 'holds no log of a training; expected a run folder'),
    ({'train.log.txt': 'x'}, r'train\.log\.txt, line 1 is no line of a train\.log\.txt'),
    ({'train.log.txt': f'{TIME} [Epoch] 001 [Loss] a b'}, r"line 1: a is 'b', no number"),
    ({'eval.log.txt': TIME + ' [Epoch] 001 [Metrics] {"a": '}, 'the metrics are not valid JSON'),
    ({'train.log.txt': f'{TIME} [Epoch] {"9" * 5000} [Loss] a 1'}, 'line 1 is no line'),
    ({'scalars.json': f'{{"step": 1, "a": 1{"0" * 400}}}'}, 'holds no losses and no metrics'),
    ({'train.log.txt': ''}, 'holds no losses and no metrics'),
    ({'scalars.json': '{"step": 1}'}, 'holds no losses and no metrics'),
])  # fmt: skip
def test_mistakes_are_sentences(tmp_path, content, sentence):
    folder = tmp_path / 'run'
    if content is not None:
        folder.mkdir()
        for name, text in content.items():
            (folder / name).write_text(text)
    with pytest.raises((ConfigError, DataError), match=sentence):
        read_run(folder)


@pytest.mark.parametrize(('name', 'best'), [
    ('moment_detr', 30.5), ('qd_detr_video', 41.3), ('cg_detr', 44.9), ('taskweave_mr', 45.3),
])  # fmt: skip
def test_published_logs(shared, name, best):
    run = read_run(shared / 'data' / 'runs' / name)
    assert run.find('loss')[0].epochs.tolist() == list(range(1, 201))
    curve = run.find('MR-full-mAP')[1]
    assert curve.epochs.tolist() == list(range(5, 201, 5))
    assert curve.values.max() == pytest.approx(best, abs=0.1)
    terms = [c.values for key, c in run.train.items() if key.startswith('loss_')]
    # Terms are weighted; TaskWeave learns further weights for its total.
    if name != 'taskweave_mr':
        np.testing.assert_allclose(np.sum(terms, axis=0), run.train['loss'].values, atol=5e-4)
