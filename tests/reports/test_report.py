# SPDX-License-Identifier: Apache-2.0
"""The report: columns, rows, files, and the published numbers read from YAML."""

import ast
import hashlib
import json
from pathlib import Path

import pytest

import vtg
from vtg.evaluation.functional import evaluate_qvhighlights
from vtg.evaluation.metrics import QVHighlightsMetric
from vtg.reports.published import Published, load_published
from vtg.reports.report import RunFacts, config_hash, file_sha8, make_report
from vtg.structures import Quantity
from vtg.utils import ConfigError, read_json, read_jsonl

METRICS = {
    'main': {
        'HL-min-VeryGood-Hit1': 61.234,
        'MR-full-mAP': 41.254,
        'MR-full-mAP@0.75': 40.0,
        'MR-full-R1@0.5': 60.0,
    },
    'detr': {'MR-full-mAP': 39.0, 'MR-full-mAP@0.75': 38.0},
    'atss': {'MR-full-mAP': 38.5},
}
FACTS = RunFacts(
    config='configs/sgdetr/demo.py',
    config_hash='ab' * 32,
    seed=3,
    checkpoint='work_dirs/demo/best.pth',
    checkpoint_sha8='0123abcd',
    parameters=1234567,
    seconds_per_query=0.00321,
    dataset='QVHighlights',
    split='val',
    queries=1550,
    result_list='comb',
)
PAPER = Published(
    'QVHighlights', 'val', 'paper, Table 1', {'MR-full-mAP': 55.0, 'MR-full-mIoU': 66.0}, 'IV2'
)


QUANTITIES = QVHighlightsMetric().quantities
ROW_ORDER = [one.name for one in QUANTITIES]


def test_lists_and_publications_are_columns():
    report = make_report(METRICS, FACTS, [PAPER], quantities=QUANTITIES)
    assert report.columns == ('comb', 'detr', 'atss', 'paper, Table 1 (IV2, val)')
    assert report.rows['MR-full-mAP'] == (41.254, 39.0, 38.5, 55.0)
    assert report.rows['MR-full-mAP@0.75'] == (40.0, 38.0, None, None)
    assert report.rows['MR-full-mIoU'] == (None, None, None, 66.0)
    assert list(report.rows) == [name for name in ROW_ORDER if name in report.rows]


def test_table_shows_every_metric_and_fact():
    text = make_report(METRICS, FACTS, [PAPER]).table()
    for part in ('41.25', '39.00', '55.00', '61.23', 'comb', 'Table 1', ' - ', 'ab' * 6):
        assert part in text
    for part in ('1,234,567', '3.21 ms', '0123abcd', 'torch', 'QVHighlights val', '1550'):
        assert part in text
    assert len({len(line) for line in text.splitlines()[:10]}) == 1


def test_files(tmp_path):
    report = make_report(METRICS, FACTS, [PAPER], details={'main': {'brief': {}}})
    paths = report.save(tmp_path / 'new')
    assert [path.name for path in paths] == ['report.json', 'report.md']
    assert sorted(path.name for path in paths[0].parent.iterdir()) == ['report.json', 'report.md']
    content = read_json(paths[0])
    assert content['metrics']['MR-full-mAP'] == dict(zip(report.columns, (41.254, 39.0, 38.5, 55)))
    assert content['facts']['config_hash'] == 'ab' * 32
    assert content['facts']['versions']['vtg']
    assert content['details'] == {'main': {'brief': {}}}
    lines = paths[1].read_text().splitlines()
    rows = [line for line in lines if line.startswith('|')]
    assert len(rows) == 2 + len(report.rows)
    assert {row.count('|') for row in rows} == {6}
    assert '- seed: 3' in lines


def test_single_list_without_publication():
    report = make_report({'main': {'MR-full-mAP': 1.0, 'TVSum-mAP': 2.0}}, RunFacts())
    assert report.columns == ('this run',)
    assert list(report.rows) == ['MR-full-mAP', 'TVSum-mAP']
    assert '2.00' in report.table()
    assert '# Benchmark' in report.markdown()


def test_what_metrics_declare_is_shown(tmp_path):
    declared = [
        Quantity('misses', higher=False, unit='queries'),
        Quantity('GMR/Rej-F1', headline=True),
    ]
    report = make_report(
        {'main': {'other': 1.0, 'GMR/Rej-F1': 64.0, 'misses': 3.0}},
        FACTS,
        [PAPER],
        quantities=declared,
        baselines={'reject every query': {'GMR/Rej-F1': 64.75}},
    )
    assert report.columns[:2] == ('comb', 'reject every query')
    assert list(report.rows)[:3] == ['misses', 'GMR/Rej-F1', 'other']
    assert report.rows['GMR/Rej-F1'] == (64.0, 64.75, None)
    assert '| misses (queries, lower is better) | 3.00 |' in report.markdown()
    assert json.loads(report.save(tmp_path)[0].read_text())['headlines'] == ['GMR/Rej-F1']


def test_nan_is_shown_as_missing(tmp_path):
    report = make_report({'main': {'MR-full-mAP': float('nan')}}, FACTS)
    assert report.rows['MR-full-mAP'] == (None,)
    assert json.loads(report.save(tmp_path)[0].read_text())['metrics'] == {
        'MR-full-mAP': {'comb': None}
    }


def test_report_of_an_official_result(shared):
    folder = shared / 'data' / 'predictions'
    truth = read_jsonl(shared / 'data' / 'qvhighlights' / 'highlight_val_release.jsonl.gz')
    records = read_jsonl(folder / 'cg_detr_best_val_preds.jsonl.gz')
    brief = evaluate_qvhighlights(records, truth, extended=True)['brief']
    report = make_report({'main': brief}, RunFacts(), quantities=QUANTITIES)
    shipped = read_json(folder / 'cg_detr_best_val_preds_metrics.json')['brief']
    assert {name: values[0] for name, values in report.rows.items()} == shipped
    assert set(shipped) <= set(ROW_ORDER)
    assert list(report.rows) == [name for name in ROW_ORDER if name in shipped]


def test_load_published(tmp_path):
    path = tmp_path / 'metafile.yml'
    path.write_text(
        """
Name: A system
Results:
  - dataset: QVHighlights
    split: val
    source: paper, Table 1
    metrics: {MR-full-mAP: 50, MR-full-R1@0.5: 60.5}
  - {dataset: QVHighlights, split: test, variant: IV2, source: paper, metrics: {MR-full-mAP: 51.5}}
  - {dataset: TACoS, split: test, source: paper, metrics: {}}
"""
    )
    assert len(load_published(path)) == 3
    (val,) = load_published(path, 'QVHighlights', 'val')
    assert val.metrics == {'MR-full-mAP': 50.0, 'MR-full-R1@0.5': 60.5}
    assert val.label == 'paper, Table 1 (val)'
    assert load_published(path, split='test')[0].label == 'paper (IV2, test)'
    assert load_published(tmp_path / 'none.yml') == []


@pytest.mark.parametrize(
    'text',
    [
        'a: &a [x, x]\nb: &b [*a, *a]\nResults: [*b, *b]\n',
        'Results: ' + '[' * 3000,
        'Results: [{dataset: 2026-99-99}]',
        'Results: [{dataset: d, split: s, source: x, metrics: {a: .nan}}]',
        'Results: [{dataset: d, split: s, source: [x], metrics: {a: 1}}]',
        'Results: [{dataset: d, split: s, source: x, metrics: {a: ' + '9' * 400 + '}}]',
        'Results: [{dataset: d, split: s, source: x, metrics: {a: ' + '9' * 5000 + '}}]',
        'x' * (1 << 20) + 'x',
    ],
)
def test_metafiles_cannot_harm(tmp_path, text):
    (tmp_path / 'metafile.yml').write_text(text)
    with pytest.raises(ConfigError) as error:
        load_published(tmp_path / 'metafile.yml')
    assert len(str(error.value)) < 600 and '\n' not in str(error.value)


def test_a_report_escapes_what_others_wrote():
    entry = Published('d', 'val', '<b>x</b>|=1', {'HL-mAP': 1.0})
    report = make_report({'main': {'HL-mAP': 2.0}}, RunFacts(dataset='\x1b[31m<i>'), [entry])
    markdown = report.markdown()
    assert '<' not in markdown and '\x1b' not in markdown + report.table()
    assert r'&lt;b&gt;x&lt;/b&gt;\|=1' in markdown


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('Results: [', 'not valid YAML'),
        ('- 1', 'needs a list `Results`'),
        ('Results: [1]', 'result 1: expected a mapping'),
        ('Results: [{dataset: a, split: b, metrics: {}}]', "result 1 lacks 'source'"),
        ('Results: [{dataset: a, split: b, source: c, metrics: {}, x: 1}]', "result 1 has 'x'"),
        ('Results: [{dataset: a, split: b, source: c, metrics: {m: high}}]', 'numbers in per cent'),
    ],
)
def test_broken_metafile(tmp_path, text, message):
    path = tmp_path / 'metafile.yml'
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        load_published(path)


def test_no_name_is_taken_apart():
    """Lists of moments and epochs come as values, not as parts of keys and file names."""
    root = Path(vtg.__file__).parent
    paths = [path for room in ('reports', 'evaluation') for path in (root / room).rglob('*.py')]
    paths.remove(root / 'evaluation/reading/times.py')  # answers of language models are texts
    for path in (*paths, root / 'sweeps/table.py', root / 'sweeps/domains.py'):
        imported = [node for node in ast.walk(ast.parse(path.read_text()))
                    if isinstance(node, ast.Import)]  # fmt: skip
        assert not any(alias.name == 're' for node in imported for alias in node.names), path


def test_hashes(tmp_path):
    path = tmp_path / 'file'
    path.write_bytes(b'x' * 3_000_000)
    assert file_sha8(path) == hashlib.sha256(b'x' * 3_000_000).hexdigest()[:8]
    assert config_hash('a = 1') == hashlib.sha256(b'a = 1').hexdigest()
