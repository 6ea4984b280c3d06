# SPDX-License-Identifier: Apache-2.0
"""The checks of sets that are no whole systems, and the table of all checks."""

import json
import shutil

import numpy as np
import pytest
from reference_values import checks
from reference_values.checks import CHECKS, Check, find_sets, left_out, run_check
from reference_values.core import Row

from vtg.utils import DataError

FUNCTIONAL = {
    'detr_functions': 20,
    'eval_edge_moment_retrieval': 3,
    'eval_edge_qvhighlights': 4,
    'nms_postprocess': 20,
    'saliency_labels': 100,
    'sgdetr_parts': 60,
    'tvsum_metric': 58,
    'youtube_metric': 9,
}


def run(name, folder, configs='configs'):
    return list(run_check(name, folder, configs))


def failures(rows):
    return [row for row in rows if row.failed]


@pytest.mark.parametrize('name', FUNCTIONAL)
def test_functional_sets_hold(shared, name):
    rows = run(name, shared / 'golden')
    assert failures(rows) == []
    assert sum(not row.skipped for row in rows) >= FUNCTIONAL[name]
    reasons = {row.note for row in rows if row.skipped}
    assert '' not in reasons and 'no row is about it' not in reasons


def test_real_files_hold_and_are_skipped_without_data(shared, tmp_path):
    rows = run('eval_real_files', shared / 'golden')
    assert failures(rows) == [] and len(rows) == 18
    if (shared / 'data').is_dir():
        assert not any(row.skipped for row in rows)
    folder = tmp_path / 'golden'
    folder.mkdir()
    shutil.copy(shared / 'golden' / 'eval_real_files.json', folder)
    rows = run('eval_real_files', folder)
    assert len(rows) == 6
    assert all(row.skipped and 'highlight_' in row.note for row in rows)


def test_every_set_of_the_folder_has_a_check(shared):
    assert set(find_sets(shared / 'golden')) <= set(CHECKS)


# Changes of one stored value that a check has to notice.
def _suppressed(content):
    content['cases'][2]['temporal_nms'][0][2] += 1e-3


def _score(content):
    content['cases'][3]['linear'][-1][0] -= 1e-3


def _rounded(content):
    content['result_rounded']['brief']['MR-full-mAP'] += 0.01


def _per_query(content):
    next(iter(content['ap_per_query'].values()))[4] += 1e-6


def _missing_key(content):
    del content['result_unrounded']['full']['MR-R1']['0.5']


@pytest.mark.parametrize(
    ('name', 'change', 'row'),
    [
        ('nms_postprocess', _suppressed, 'temporal_nms scores'),
        ('nms_postprocess', _score, 'linear seconds'),
        ('eval_edge_qvhighlights', _rounded, 'result_rounded'),
        ('eval_edge_moment_retrieval', _per_query, 'ap_per_query'),
        ('eval_edge_qvhighlights', _missing_key, 'result_unrounded'),
    ],
)
def test_changed_json_values_are_noticed(shared, tmp_path, name, change, row):
    content = json.loads((shared / 'golden' / f'{name}.json').read_text())
    change(content)
    (tmp_path / f'{name}.json').write_text(json.dumps(content))
    assert [failed.name for failed in failures(run(name, tmp_path))] == [row]


@pytest.mark.parametrize(
    ('name', 'key', 'row'),
    [
        ('saliency_labels', 'out/03/saliency_all_labels', 'out/03/saliency_all_labels'),
        ('saliency_labels', 'out/02/span_labels', 'out/02/span_labels'),
        ('saliency_labels', 'out/sub0/pos', 'out/sub0/pos'),
        ('saliency_labels', 'out/tvsum0/saliency_all_labels', 'out/tvsum0/saliency_all_labels'),
        ('saliency_labels', 'out/tvsum1/mAP_top5', 'out/tvsum1/mAP_top5'),
        ('tvsum_metric', 'out/ap/HT5vyqe0Xaw', 'out/ap/HT5vyqe0Xaw'),
        ('youtube_metric', 'out/ap', 'out/ap'),
        ('sgdetr_parts', 'out/wbf/0/thr0.3/scores', 'out/wbf/0/thr0.3/scores'),
        ('sgdetr_parts', 'out/atss/1/assigned', 'out/atss/1/assigned'),
        ('sgdetr_parts', 'out/delta/spans', 'out/delta/spans'),
        ('sgdetr_parts', 'out/giou/giou', 'out/giou/giou'),
        ('sgdetr_parts', 'loss/hl/allneg/rctl', 'loss/hl/allneg/rctl'),
        ('sgdetr_parts', 'out/sgca/out', 'out/sgca/out'),
        ('sgdetr_parts', 'out/sa/amplified', 'out/sa/amplified'),
        ('sgdetr_parts', 'out/match/rows2', 'out/match/rows2'),
    ],
)
def test_changed_arrays_are_noticed(shared, tmp_path, name, key, row):
    with np.load(shared / 'golden' / f'{name}.npz') as file:
        arrays = dict(file)
    arrays[key] = arrays[key] + np.ones((), arrays[key].dtype)
    np.savez(tmp_path / f'{name}.npz', **arrays)
    shutil.copy(shared / 'golden' / f'{name}.json', tmp_path)
    assert [failed.name for failed in failures(run(name, tmp_path))] == [row]


def test_a_part_without_a_rule_fails(shared, tmp_path):
    content = json.loads((shared / 'golden' / 'nms_postprocess.json').read_text())
    for case in content['cases']:
        case['diou_nms'] = case['temporal_nms']
    (tmp_path / 'nms_postprocess.json').write_text(json.dumps(content))
    (failed,) = failures(run('nms_postprocess', tmp_path))
    assert failed.name == 'diou_nms' and 'no rule' in failed.note


def test_a_broken_check_is_a_failed_row(tmp_path, monkeypatch):
    table = {
        'module': Check('is_not_there'),
        'config': Check('qd_detr', 'QdDetrCase'),
    }
    monkeypatch.setattr(checks, 'CHECKS', table)
    (row,) = run('module', tmp_path)
    assert row.failed and 'ModuleNotFoundError' in row.note
    (row,) = run('config', tmp_path, tmp_path)
    assert row.failed and 'qvhl_official.py does not exist' in row.note
    (row,) = run('other', tmp_path)
    assert row.failed and 'no check' in row.note


def test_sets_of_a_folder(tmp_path):
    with pytest.raises(DataError, match='not a folder'):
        find_sets(tmp_path / 'missing')
    with pytest.raises(DataError, match='no reference set'):
        find_sets(tmp_path)
    for name in ('sgdetr.json', 'sgdetr.npz', 'nms_postprocess.json', 'notes.txt'):
        (tmp_path / name).touch()
    assert find_sets(tmp_path) == ['nms_postprocess', 'sgdetr']
    assert find_sets(tmp_path, ['sgdetr', 'sgdetr']) == ['sgdetr']
    with pytest.raises(DataError, match=r'does not hold the set .taskweave.; expected taskweave'):
        find_sets(tmp_path, ['taskweave'])
    with pytest.raises(DataError, match='did you mean sgdetr'):
        find_sets(tmp_path, ['sg_detr'])
    with pytest.raises(DataError, match='known: bam_detr'):
        find_sets(tmp_path, ['zzzzzzzz'])


def test_arrays_that_no_row_is_about_are_named(tmp_path):
    names = ('in/x', 'nopad/sd/w', 'out/a', 'out/b', 'nopad/out/b', 'out/c/d', 'out/e/f', 'loss/g')
    np.savez(tmp_path / 'set.npz', **{name: np.zeros(1) for name in names})
    rows = [Row('out/a seconds', 0.0, 1.0), Row('out/b/part', 0.0, 1.0), Row('out/c', 0.0, 1.0)]
    rows += [Row('out/e', None, note='why')]
    found = list(left_out(tmp_path / 'set.npz', rows, {r'loss/\w': 'off'}))
    assert all(row.skipped for row in found)
    expected = {'nopad/out/b': 'no row is about it', 'out/c/d': 'no row is about it'}
    assert {row.name: row.note for row in found} == expected | {'loss/g': 'off'}
    assert list(left_out(tmp_path / 'other.npz', rows, {})) == []
