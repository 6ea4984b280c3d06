# SPDX-License-Identifier: Apache-2.0
"""The MMEngine metric: keys, further lists, repetitions, unlabelled splits."""

import random
import subprocess
import sys

import pytest

from vtg.evaluation.functional import evaluate_qvhighlights
from vtg.evaluation.metrics import QVHighlightsMetric
from vtg.structures import unflatten_table
from vtg.utils import DataError, read_jsonl

FIELDS = ['qid', 'query', 'vid', 'pred_relevant_windows', 'pred_saliency_scores']


def samples(count: int = 9) -> tuple[list[dict], list[dict]]:
    """Random predictions with two further lists, and annotations of 20 clips."""
    draw = random.Random(0)

    def windows(clips: list[int]) -> list[list[float]]:
        rows = [[2.0 * c, 2.0 * c + draw.choice([2, 4, 8]), draw.random()] for c in clips]
        return sorted(rows, key=lambda row: -row[2])

    predictions, annotations = [], []
    for qid in range(count):
        clips = sorted(draw.sample(range(20), 4))
        truth = {'qid': qid, 'query': 'a query', 'vid': f'v{qid}', 'duration': 40}
        predictions.append(
            {
                **{key: truth[key] for key in ('qid', 'query', 'vid')},
                'pred_relevant_windows': windows(clips),
                'pred_saliency_scores': [draw.random() for _ in range(20)],
                'alternatives': {'detr': windows(clips), 'atss': windows(clips[::-1])},
            }
        )
        truth['relevant_windows'] = [[2 * clip, 2 * clip + 2] for clip in clips]
        truth['relevant_clip_ids'] = clips
        truth['saliency_scores'] = [[draw.randint(0, 4) for _ in range(3)] for _ in clips]
        annotations.append(truth)
    return predictions, annotations


def run(metric: QVHighlightsMetric, predictions: list[dict], annotations: list[dict]) -> dict:
    """Feed batches of two, as a loop does, and evaluate."""
    for start in range(0, len(predictions), 2):
        metric.add(predictions[start : start + 2], annotations[start : start + 2])
    return metric.evaluate(len({record['qid'] for record in predictions}))


def test_keys_and_values():
    predictions, annotations = samples()
    metric = QVHighlightsMetric(extended=False)
    got = run(metric, predictions, annotations)
    expected = evaluate_qvhighlights(predictions, annotations, rounded=False)['brief']
    main = {key: value for key, value in got.items() if not key.endswith(('-detr', '-atss'))}
    assert main == {f'qvhighlights/{key}': value for key, value in expected.items()}
    assert all(type(value) is float for value in got.values())
    assert len(got) == 14 + 2 * 8
    replaced = [r | {'pred_relevant_windows': r['alternatives']['atss']} for r in predictions]
    other = evaluate_qvhighlights(replaced, annotations, rounded=False)['brief']
    assert got['qvhighlights/MR-full-mAP-atss'] == other['MR-full-mAP']
    assert got['qvhighlights/MR-full-mAP-atss'] != got['qvhighlights/MR-full-mAP']
    assert metric.details['main']['brief'] == expected


def test_repeated_samples_count_once():
    predictions, annotations = samples()
    expected = run(QVHighlightsMetric(), predictions, annotations)
    metric = QVHighlightsMetric()
    got = run(metric, predictions + predictions[:3], annotations + annotations[:3])
    assert got == expected
    assert len(metric.predictions) == len(predictions)
    # Repetitions may come before the last sample: nothing is cut by position.
    order = [0, 0, 1, 1, *range(2, len(predictions))]
    mixed = [predictions[i] for i in order], [annotations[i] for i in order]
    got = run(QVHighlightsMetric(), *mixed)
    assert got == expected


def test_a_metric_can_be_used_again():
    predictions, annotations = samples()
    metric = QVHighlightsMetric()
    first = run(metric, predictions, annotations)
    assert run(metric, predictions, annotations) == first


def test_annotations_without_saliency():
    predictions, annotations = samples()
    bare = [{k: r[k] for k in ('qid', 'duration', 'relevant_windows')} for r in annotations]
    got = run(QVHighlightsMetric(), predictions, bare)
    assert 'qvhighlights/MR-full-mIoU' in got
    assert not [key for key in got if 'HL' in key]


def test_unlabelled_split_keeps_the_predictions(tmp_path):
    predictions, annotations = samples()
    bare = [{k: r[k] for k in ('qid', 'query', 'vid', 'duration')} for r in annotations]
    metric = QVHighlightsMetric(out_file=str(tmp_path / 'predictions.jsonl'))
    assert run(metric, predictions, bare) == {}
    written = read_jsonl(tmp_path / 'predictions.jsonl')
    assert written == metric.predictions
    assert [list(record) for record in written] == [FIELDS] * len(predictions)
    assert set(metric.alternatives) == {'detr', 'atss'}
    assert list(metric.alternatives['detr'][0]) == FIELDS[:4]


def test_options():
    predictions, annotations = samples()
    whole = run(QVHighlightsMetric(alternatives=False), predictions, annotations)
    got = run(QVHighlightsMetric(alternatives=False, digits=2), predictions, annotations)
    rounded = {key: float(f'{value:.2f}') for key, value in whole.items()}
    assert got == pytest.approx(rounded, rel=0, abs=0, nan_ok=True)
    assert len(got) == 16
    named = run(QVHighlightsMetric(prefix='val'), predictions, annotations)
    assert named['val/MR-full-mAP'] == whole['qvhighlights/MR-full-mAP']


def test_values_by_list():
    predictions, annotations = samples()
    metric = QVHighlightsMetric(selection={'MR-full-mAP': 1.0}, digits=3)
    got = run(metric, predictions, annotations)
    assert list(metric.table) == ['main', 'detr', 'atss'] == list(metric.details)
    assert 'selection' in metric.table['main'] and 'selection' not in metric.table['detr']
    assert metric.table['detr']['MR-full-mAP'] == got['qvhighlights/MR-full-mAP-detr']
    assert repr(unflatten_table(got)) == repr(metric.table)  # NaN is not equal to itself


def test_a_missing_list_is_named():
    predictions, annotations = samples()
    del predictions[4]['alternatives']['atss']
    with pytest.raises(DataError, match="qid 4 has no result list 'atss'"):
        run(QVHighlightsMetric(), predictions, annotations)


def test_the_registry_finds_the_metric_by_itself():
    code = 'from vtg.registry import METRICS; METRICS.build(dict(type="QVHighlightsMetric"))'
    command = [sys.executable, '-c', code]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
