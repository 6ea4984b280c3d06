# SPDX-License-Identifier: Apache-2.0
"""Tables, parts of the report, and systems of several runs."""

import csv
import io
import json

import numpy as np
import pytest
from predictions import random_records

from vtg.analysis import (
    Options,
    Published,
    Study,
    System,
    entries_of,
    make_answers,
    make_questions,
    markdown_of,
    parts_of,
    summary_table,
)
from vtg.analysis.blocks import Table, latex_text
from vtg.analysis.plain import as_plain
from vtg.analysis.values import mean
from vtg.pages import render_page

EVIL = '<script>|x</script>_%'


@pytest.fixture(scope='module')
def study() -> Study:
    annotations, predictions = random_records(0)
    annotations[0]['query'] = EVIL
    questions = make_questions(annotations)
    runs = []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        noisy = [
            record | {'pred_relevant_windows': [
                [*np.add(row[:2], rng.normal(0, (0, 1, 1, 40)[seed], 2)).tolist(), row[2]]
                for row in record['pred_relevant_windows']]}
            for record in predictions
        ]  # fmt: skip
        runs.append(make_answers(f'run {seed}', noisy, questions))
    systems = [System(EVIL, questions, runs[:1]), System('two seeds', questions, runs[1:3]),
               System('worst', questions, runs[3:])]  # fmt: skip
    options = Options(resamples=300, ensemble=(), searched='mAP', training=annotations)
    return Study('t', systems, options, [Published('p', {'mAP': 99.0})], ['a note'])


def test_tables_mark_the_best_and_escape():
    table = Table(['a|b', 'n'], [['x|y', '1'], ['_z', '2']], 1, 'T', frozenset({(1, 1)}))
    assert table.markdown().split('\n')[2:] == [
        '| a\\|b | n |', '| --- | ---: |', '| x\\|y | 1 |', '| _z | **2** |',
    ]  # fmt: skip
    assert '<b>2</b>' in table.html() and '<b>1</b>' not in table.html()
    assert r'\textbf{2}' in table.latex() and r'\_z' in table.latex()
    assert latex_text('a\\b & ±1^') == r'a\textbackslash{}b \& $\pm$1\textasciicircum{}'


def test_several_runs_are_one_row(study):
    table = summary_table(study)
    column = table.header.index('mAP')
    cells = {row[0]: row[column] for row in table.rows}
    numbers = [mean(values['mAP']) for values in study.systems[1].run_values]
    text = f'{np.mean(numbers):.2f} ± {np.std(numbers, ddof=1):.2f}'
    assert cells['two seeds'].rstrip('*') == text and cells['p (published)'] == '99.00'
    # The best of ours is bold, not what is published.
    ours = [float(row[column].split()[0].rstrip('*')) for row in table.rows[:-1]]
    assert {row for row, place in table.bold if place == column} == {int(np.argmax(ours))}
    markdown = markdown_of(study, parts_of(study))
    assert 'Warning: fewer than 3 runs of two seeds' in markdown
    assert '<script>' not in markdown and '- a note' in markdown


def test_a_worse_system_is_found_worse(study):
    worst = {one.metric: one for one in study.comparisons if one.system == 'worst'}
    assert worst['mIoU'].queries.mean < 0 and worst['mIoU'].queries.high < 0
    assert worst['mIoU'].adjusted >= worst['mIoU'].videos.p  # three queries per video
    hits = worst['R1@0.7'].hits
    assert hits.only_first > hits.only_second
    assert all(one.hits is None for one in study.comparisons if one.system == 'two seeds')


def test_everything_is_said_once_in_three_forms(study):
    parts = parts_of(study)
    assert [part.title for part in parts] == [
        'Summary', 'Comparison', 'Errors of moments', 'Errors of highlights',
        'Ranking or localisation', 'Groups of queries', 'Calibration of scores',
        'Saliency and windows', 'Queries without a moment', 'Chance',
        'Ensemble and post-processing', 'Wins and losses',
    ]  # fmt: skip
    page = render_page(
        study.title,
        entries_of(study.questions, [system.first for system in study.systems]),
        [part.section() for part in parts],
        order='IoU',
    )
    assert page.count('<script') == 2
    plain = json.loads(json.dumps(as_plain(study)))
    first = plain['systems'][0]
    assert sum(first['errors']['first'].values()) == plain['queries'] == 60
    assert {row['answers'] for row in plain['chance']} >= {'moment prior'}
    rows = list(csv.reader(io.StringIO(study.query_csv())))
    assert len(rows) == 61 and rows[1][2] == EVIL
    column = rows[0].index('IoU two seeds')
    found = [float(row[column]) for row in rows[1:] if row[column] not in ('', 'nan')]
    assert np.mean(found) == pytest.approx(plain['systems'][1]['metrics']['mIoU'], abs=0.01)


def test_entries_say_what_is_wrong(study):
    questions = study.questions
    entries = entries_of(questions, [system.first for system in study.systems])
    values = study.systems[0].values
    for index in (0, 5, 17):
        entry = entries[index]
        assert len(entry.truth) == questions.count[index] and len(entry.tracks) == 3
        if questions.asked[index]:
            assert entry.values['IoU'] == pytest.approx(values['mIoU'][index] / 100)
    nulls = [entry for entry in entries if not len(entry.truth)]
    assert nulls and all('IoU' not in e.values for e in nulls)
    assert {e.values['error'] for e in nulls} <= {'null', 'empty'}


def test_highlights_alone_make_a_report():
    annotations, predictions = random_records(1, nulls=False)
    for annotation, prediction in zip(annotations, predictions):
        del annotation['relevant_windows'], prediction['pred_relevant_windows']
    questions = make_questions(annotations)
    system = System('m', questions, [make_answers('m', predictions, questions)])
    parts = parts_of(Study('t', [system], Options(resamples=100)))
    assert [part.title for part in parts][:2] == ['Summary', 'Errors of highlights']
    assert entries_of(questions, [system.first])[0].truth is None


def test_a_file_without_windows_stands_beside_one_with():
    annotations, predictions = random_records(2)
    questions = make_questions(annotations)
    scores = [{'qid': p['qid'], 'pred_saliency_scores': p['pred_saliency_scores']}
              for p in predictions]  # fmt: skip
    systems = [System(name, questions, [make_answers(name, records, questions)])
               for name, records in (('scores', scores), ('both', predictions))]  # fmt: skip
    study = Study('t', systems, Options(resamples=100))
    assert 'Errors of moments' not in [part.title for part in parts_of(study)]
    row = dict(zip(summary_table(study).header, summary_table(study).rows[0]))
    assert row['mAP'] == '-' and float(row['HL-mAP']) > 0
    assert len(entries_of(questions, [system.first for system in systems])) == len(questions)
