# SPDX-License-Identifier: Apache-2.0
"""Submission files: official fields, one archive, nothing written for broken predictions."""

import json
import zipfile

import pytest

from vtg.evaluation.functional import evaluate_qvhighlights
from vtg.reports.submission import check_size, write_submission, write_submission_archive
from vtg.utils import DataError, read_jsonl

FIELDS = ['qid', 'query', 'vid', 'pred_relevant_windows', 'pred_saliency_scores']


def predictions(count: int = 3) -> list[dict]:
    return [
        {
            'pred_saliency_scores': [0.5, -1.0],
            'qid': qid,
            'query': 'an “odd” query',
            'vid': f'v{qid}',
            'pred_relevant_windows': [[0.0, 2.0, 0.9]],
            'alternatives': {'detr': [[0.0, 2.0, 0.9]]},
        }
        for qid in range(count)
    ]


def test_records_have_the_official_fields_in_order(tmp_path):
    path = write_submission(tmp_path / 'new' / 'preds.jsonl', predictions())
    records = read_jsonl(path)
    assert [list(record) for record in records] == [FIELDS] * 3
    assert records[1]['pred_relevant_windows'] == [[0.0, 2.0, 0.9]]
    packed = write_submission(tmp_path / 'preds.jsonl.gz', predictions())
    assert read_jsonl(packed) == records


def test_archive_holds_both_splits_at_the_top(tmp_path):
    archive = write_submission_archive(tmp_path, {'val': predictions(3), 'test': predictions(2)})
    first = archive.read_bytes()
    with zipfile.ZipFile(archive) as file:
        assert file.namelist() == ['hl_val_submission.jsonl', 'hl_test_submission.jsonl']
        lines = file.read('hl_test_submission.jsonl').decode().splitlines()
    assert [json.loads(line)['qid'] for line in lines] == [0, 1]
    again = write_submission_archive(tmp_path, {'val': predictions(3), 'test': predictions(2)})
    assert again.read_bytes() == first


def test_round_trip_of_a_real_file(shared, tmp_path):
    records = read_jsonl(shared / 'data' / 'predictions' / 'cg_detr_best_val_preds.jsonl.gz')[:50]
    truth = read_jsonl(shared / 'data' / 'qvhighlights' / 'highlight_val_release.jsonl.gz')
    written = read_jsonl(write_submission(tmp_path / 'p.jsonl', records))
    assert evaluate_qvhighlights(written, truth, subset_ok=True) == evaluate_qvhighlights(
        records, truth, subset_ok=True
    )


@pytest.mark.parametrize(
    ('field', 'value', 'message'),
    [
        ('qid', 0, 'qid 0 occurs twice'),
        ('pred_relevant_windows', [], 'qid 1 has no `pred_relevant_windows`'),
        ('pred_saliency_scores', [], 'qid 1 has no `pred_saliency_scores`'),
        ('pred_relevant_windows', [[0.0, float('nan'), 1.0]], 'qid 1.*finite'),
        ('pred_relevant_windows', [[0.0, 1.0]], 'qid 1.*rows of 3'),
    ],
)
def test_broken_predictions_write_nothing(tmp_path, field, value, message):
    records = predictions()
    records[1][field] = value
    with pytest.raises(DataError, match=message):
        write_submission(tmp_path / 'preds.jsonl', records)
    assert list(tmp_path.iterdir()) == []


def test_moment_retrieval_only(tmp_path):
    records = [{k: v for k, v in r.items() if k != 'pred_saliency_scores'} for r in predictions()]
    assert list(read_jsonl(write_submission(tmp_path / 'p.jsonl', records))[0]) == FIELDS[:4]


TRUTH = [{'qid': qid, 'duration': 4} for qid in range(3)]


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'qid': 9}, 'have no prediction'),
        ({'pred_relevant_windows': [[3.0, 2.0, 0.9]]}, 'qid 1: the window .* in the video of 4 s'),
        ({'pred_relevant_windows': [[0.0, 151.0, 0.9]]}, 'qid 1: the window'),
        ({'pred_relevant_windows': [[-1.0, 2.0, 0.9]]}, 'qid 1: the window'),
        ({'pred_saliency_scores': [0.5] * 9}, 'qid 1: 9 scores for the 2 clips'),
    ],
)
def test_an_archive_that_does_not_fit_its_split_is_not_written(tmp_path, changes, message):
    good, bad = predictions(), predictions()
    bad[1].update(changes)
    with pytest.raises(DataError, match=message):
        write_submission_archive(
            tmp_path, {'val': good, 'test': bad}, {'val': TRUTH, 'test': TRUTH}
        )
    assert list(tmp_path.iterdir()) == []
    write_submission_archive(tmp_path, {'val': good}, {'val': TRUTH})


def test_the_queries_of_val_are_no_test_submission():
    check_size('val', 1550)
    check_size('test', 1542)
    with pytest.raises(DataError, match=r'test split .* has 1542 .* reads 1550 .* as many as val'):
        check_size('test', 1550)
