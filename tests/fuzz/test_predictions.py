# SPDX-License-Identifier: Apache-2.0
"""Mutated prediction and annotation files: metrics that a plain loop confirms, or one sentence."""

import copy
import json
import math
import runpy
import warnings
from pathlib import Path

import pytest
from campaign import mutated_bytes, mutated_json, outcome

from vtg.apis.evaluation import FileEvaluation, evaluate_files
from vtg.evaluation.functional import evaluate_clip_ranking, round_percent
from vtg.utils import write_json

TOOL = Path(__file__).resolve().parents[2] / 'tools/eval_predictions.py'


@pytest.fixture(scope='module')
def tables():
    return runpy.run_path(str(TOOL))['tables']


def make(rng, own: bool) -> tuple[list[dict], list[dict]]:
    """A few queries with coarse numbers, so that ties and equal ends are frequent."""
    predictions, annotations = [], []
    for qid in range(rng.randint(1, 4)):
        clips = rng.randint(4, 12)
        windows = [_window(rng, 2 * clips) for _ in range(rng.randint(0, 3))]
        base = {'query': 'a dog', 'duration': 2 * clips}
        if own:
            grades = [rng.randint(0, 4) for _ in range(clips)]
            record = {'video': 'v', 'qid': qid, 'windows': windows, 'saliency': grades}
        else:
            ids = rng.sample(range(clips), rng.randint(0, 4))
            grades = [[rng.randint(0, 4) for _ in range(3)] for _ in ids]
            record = {'vid': 'v', 'qid': qid, 'relevant_windows': windows}
            record |= {'relevant_clip_ids': ids, 'saliency_scores': grades}
        annotations.append(base | record)
        spans = [_window(rng, 2 * clips) for _ in range(rng.randint(1, 12))]
        predictions.append({
            'qid': qid, 'vid': 'v',
            'pred_relevant_windows': [[*span, rng.randint(0, 5) / 5] for span in spans],
            'pred_saliency_scores': [rng.randint(-2, 2) / 2 for _ in range(clips)],
        })  # fmt: skip
    return predictions, annotations


def _window(rng, seconds: int) -> list[int]:
    start = rng.randrange(0, seconds - 1)
    return [start, rng.randint(start + 1, seconds)]


def write(path: Path, records, rng) -> None:
    as_list = not isinstance(records, list) or rng.random() < 0.3
    lines = json.dumps(records) if as_list else '\n'.join(map(json.dumps, records))
    path.write_text(lines)


def leaves(value):
    if isinstance(value, dict):
        for item in value.values():
            yield from leaves(item)
    else:
        yield value


def check(evaluation, tables, folder: Path) -> None:
    """Every metric lies within 0 and 100 or is NaN, and can be shown and written."""
    for number in leaves(evaluation.result):
        assert type(number) is float and (math.isnan(number) or 0 <= number <= 100 + 1e-9)
    assert all(type(count) is int and count > 0 for count in evaluation.notes.values())
    assert all(text.isprintable() for text in evaluation.notes)
    assert 'nan' not in tables(round_percent(evaluation.result))
    write_json(folder / 'out.json', evaluation.result)
    json.loads((folder / 'out.json').read_text(), parse_constant=pytest.fail)


@pytest.mark.parametrize('own', [False, True])
def test_mutated_records(tmp_path, inputs, tables, own):
    evaluated = 0
    for number, rng in inputs(25):
        files = list(make(rng, own))
        for side in rng.choice(((0,), (1,), (0, 1))):
            files[side] = mutated_json(files[side], rng)
        paths = [tmp_path / f'{number}p.json', tmp_path / f'{number}a.json']
        for path, records in zip(paths, files):
            write(path, records, rng)
        with warnings.catch_warnings():
            warnings.simplefilter('error')
            result = outcome(
                lambda paths=paths: evaluate_files(
                    *paths, extended=True, missing='refuse', order='list'
                )
            )
        if isinstance(result, FileEvaluation):
            evaluated += 1
            check(result, tables, tmp_path)
            confirm(result.result, *files)
        for path in paths:
            path.unlink()
    assert evaluated > 2


LENIENT = [{'missing': 'drop'}, {'missing': 'wrong', 'windows': 'repair'}, {'qid': 'renumber'}]


def test_mutated_bytes(tmp_path, inputs, tables):
    outcomes = []
    for _, rng in inputs(15):
        files = make(rng, False)
        for name, records in zip('pa', files):
            write(tmp_path / name, records, rng)
        broken = tmp_path / rng.choice('pa')
        broken.write_bytes(mutated_bytes(broken.read_bytes(), rng))
        options = rng.choice(LENIENT)
        result = outcome(lambda o=options: evaluate_files(tmp_path / 'p', tmp_path / 'a', **o))
        outcomes.append(isinstance(result, FileEvaluation))
        if outcomes[-1]:
            check(result, tables, tmp_path)
    assert False in outcomes  # some are refused


def test_mutated_ratings(inputs):
    """TVSum and YouTube Highlights: a number within 0 and 100 or NaN, or one sentence."""
    outcomes = []
    for _, rng in inputs(15):
        records = [
            {'qid': qid, 'domain': rng.choice('ab'), 'pred_saliency_scores': [0.5, 0.5, 0.1, 0.9],
             'label': [[rng.randint(0, 5) for _ in range(2)] for _ in range(4)]}
            for qid in range(3)
        ]  # fmt: skip
        records = mutated_json(records, rng)
        records = [record for record in records if isinstance(record, dict)]
        options = rng.choice(({}, {'top': 5, 'highlight': 'median'}, {'without_positives': 'skip'}))
        with warnings.catch_warnings():
            warnings.simplefilter('error')
            result = outcome(lambda r=records, o=options: evaluate_clip_ranking(r, r, **o))
        outcomes.append(isinstance(result, dict))
        if outcomes[-1]:
            shown = [result['HL-mAP'], *result['domains'].values(), *result['videos'].values()]
            assert all(math.isnan(value) or 0 <= value <= 100 + 1e-9 for value in shown)
    assert set(outcomes) == {True, False}


# What the metrics should be, by plain loops ------------------------------------------------------


def confirm(result, predictions, annotations) -> None:
    """Compare mAP and R@1 of moments with a computation of one query after the other."""
    if 'full' not in result:
        return
    truth = {r['qid']: r.get('relevant_windows', r.get('windows')) for r in annotations}
    pairs = [
        (record['pred_relevant_windows'], truth[record['qid']])
        for record in predictions
        if truth[record['qid']]
    ]
    if not pairs:
        assert math.isnan(result['full']['MR-R1']['0.5'])
        return
    for threshold in (0.5, 0.7, 0.95):
        hits = [max(_iou(windows[0], w) for w in real) >= threshold for windows, real in pairs]
        precisions = [_average_precision(windows, real, threshold) for windows, real in pairs]
        assert result['full']['MR-mAP'][str(threshold)] == pytest.approx(
            100 * sum(precisions) / len(pairs), abs=1e-6
        )
        assert result['full']['MR-R1'][str(threshold)] == pytest.approx(
            100 * sum(hits) / len(pairs), abs=1e-6
        )


def _iou(window, real) -> float:
    if window[1] < window[0]:
        return 0.0
    inter = max(0.0, min(window[1], real[1]) - max(window[0], real[0]))
    union = (window[1] - window[0]) + (real[1] - real[0]) - inter
    return inter / union if union else 0.0


def _average_precision(windows, real, threshold) -> float:
    free, hits = list(range(len(real))), []
    for window in sorted(windows[:10], key=lambda row: -row[2]):
        best = max(free, key=lambda g: (_iou(window, real[g]), g), default=None)
        hit = best is not None and _iou(window, real[best]) >= threshold
        if hit:
            free.remove(best)
        hits.append(hit)
    found = [sum(hits[: rank + 1]) for rank in range(len(hits))]
    return sum(
        max(found[later] / (later + 1) for later in range(rank, len(hits))) / len(real)
        for rank, hit in enumerate(hits)
        if hit
    )


FOREIGN = {
    'timechat': {'0': {'timestamp': [[2, 8]], 'query': 'a dog', 'vid': 'v.mp4'}},
    'timelens': {'v>>>a dog>>>[2, 8]': {'answers': 'from 2 to 8 seconds'}},
    'videomind': [{'vid': 'v', 'query': 'a dog', 'pred': [[2, 8]], 'conf': [0.5]}],
    'text': [{'qid': 0, 'response': '00:02 - 00:08'}],
}
OPTIONS = (
    {}, {'missing': 'drop'}, {'windows': 'repair', 'grid': 1.0}, {'metric': 'gmr'},
    {'metric': 'nlq', 'missing': 'full-video'}, {'metric': 'charades_rf', 'qid': 'renumber'},
)  # fmt: skip


def test_mutated_answers_of_others(tmp_path, inputs):
    """Answers of language models: numbers within 0 and 100, or one sentence."""
    truth = [{'qid': 0, 'vid': 'v', 'query': 'A dog.', 'duration': 9, 'relevant_windows': [[2, 8]]}]
    evaluated = 0
    for _, rng in inputs(25):
        files = [copy.deepcopy(FOREIGN[rng.choice(sorted(FOREIGN))]), copy.deepcopy(truth)]
        side = rng.choice((0, 0, 0, 1))
        files[side] = mutated_json(files[side], rng)
        for name, content in zip('pa', files):
            (tmp_path / name).write_text(json.dumps(content))
        options = rng.choice(OPTIONS)
        result = outcome(lambda o=options: evaluate_files(tmp_path / 'p', tmp_path / 'a', **o))
        if isinstance(result, FileEvaluation):
            evaluated += 1
            shown = result.result['brief'].values()
            assert all(math.isnan(value) or 0 <= value <= 100 + 1e-9 for value in shown)
    assert evaluated > 2
