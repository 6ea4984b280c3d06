# SPDX-License-Identifier: Apache-2.0
"""The parts of a report: summary, comparison, probes, ensembles; errors are in ``error_parts``."""

from collections.abc import Sequence

import numpy as np

from vtg.evaluation.functional.matching import area_under_roc
from vtg.utils import DataError, markdown_text, mean_cell, two_decimals

from .blocks import Block, Part, Table, Text
from .calibration import existence_calibration
from .error_parts import (
    breakdown_part,
    calibration_part,
    highlight_part,
    moment_part,
    ranking_part,
    saliency_part,
)
from .significance import Interval, bootstrap_statistic, stars
from .study import Study
from .systems import SEEDS, by_videos
from .values import mean, query_values

SHOWN = (
    'R1@0.3', 'R1@0.5', 'R1@0.7', 'R5@0.5', 'mIoU', 'mAP@0.5', 'mAP@0.75', 'mAP', 'HL-mAP',
    'HL-Hit1',
)  # fmt: skip
OFFICIAL = {
    **{f'MR-full-{name}': name for name in SHOWN[:8]},
    'HL-min-VeryGood-mAP': 'HL-mAP',
    'HL-min-VeryGood-Hit1': 'HL-Hit1',
}
"""Names of published numbers by names of this module."""
_COVERS = (
    'Differences from the first system in points. The intervals (95 %) cover the draw of the test '
    'queries, not that of the seed.'
)
GATE = 0.4
"""Score at which a query is rejected, that of Soccer-GMR."""
LIST = 12
"""Wins and losses that are listed."""


def markdown_of(study: Study, parts: Sequence[Part]) -> str:
    """The report as Markdown."""
    notes = [f'- {markdown_text(note)}' for note in study.notes]
    title = f'# {markdown_text(study.title)}'
    return (
        '\n\n'.join(
            [title, *(['\n'.join(notes)] if notes else []), *(part.markdown() for part in parts)]
        )
        + '\n'
    )


def parts_of(study: Study) -> list[Part]:
    """All parts that have something to say."""
    parts = [
        summary_part(study),
        comparison_part(study),
        moment_part(study),
        highlight_part(study),
        ranking_part(study),
        breakdown_part(study),
        calibration_part(study),
        saliency_part(study),
        null_part(study),
        probe_part(study),
        fusion_part(study),
        difference_part(study),
    ]
    return [part for part in parts if part.blocks]


def summary_table(study: Study) -> Table:
    """All systems, the best number of a column in bold, published rows behind."""
    names = [name for name in SHOWN if any(name in system.values for system in study.systems)]
    marks = {(c.system, c.metric): stars(c.adjusted) for c in study.comparisons}
    rows: list[list[str]] = []
    numbers: list[list[float | None]] = []
    for system in study.systems:
        cells: list[tuple[float | None, str]] = []
        for name in names:
            if name not in system.values:
                cells.append((None, '-'))
                continue
            value, deviation = system.spread(name)
            mark = marks.get((system.name, name), '')
            cells.append((value, f'{mean_cell(value, deviation)}{mark}'))
        rows.append([system.name, str(len(system.runs)), *(text for _, text in cells)])
        numbers.append([value for value, _ in cells])
    if study.ensemble is not None:
        values = query_values(study.questions, study.ensemble)
        row: list[float | None] = [mean(values[n]) if n in values else None for n in names]
        rows.append(['ensemble of all', '-', *map(two_decimals, row)])
        numbers.append(row)
    bold = _best(numbers)
    for row_of in study.published:
        cells_of = [two_decimals(row_of.metrics.get(name)) for name in names]
        rows.append([f'{row_of.name} (published)', '-', *cells_of])
    return Table(['system', 'runs', *names], rows, 1, bold=bold)


def _best(numbers: Sequence[Sequence[float | None]]) -> frozenset[tuple[int, int]]:
    """Cells (row, column of the table) with the highest number of their column."""
    if len(numbers) < 2:
        return frozenset()
    table = np.array([[np.nan if v is None else round(v, 2) for v in row] for row in numbers])
    with np.errstate(invalid='ignore'):
        highest = np.where(
            np.isnan(table).all(0), np.nan, np.nanmax(np.nan_to_num(table, nan=-1), 0)
        )
    return frozenset((int(r), int(c) + 2) for r, c in zip(*np.nonzero(table == highest)))


def summary_part(study: Study) -> Part:
    """Metrics of all systems."""
    questions = study.questions
    nulls = int((questions.count == 0).sum())
    blocks: list[Block] = [
        Text(
            f'{len(questions)} queries about {len(set(questions.videos))} videos'
            + (f', {nulls} of them without a moment, left out of moment metrics' if nulls else '')
            + '. Per cent; HL for clips that an annotator finds very good.'
        ),
        summary_table(study),
    ]
    if study.comparisons:
        blocks.append(
            Text('* p < 0.05, ** p < 0.01, *** p < 0.001 against the first system, Holm.')
        )
    few = [s.name for s in study.systems if 1 < len(s.runs) < SEEDS]
    if few:
        blocks.append(
            Text(f'Warning: fewer than {SEEDS} runs of {", ".join(few)}; ± says little there.')
        )
    return Part('Summary', blocks)


def _interval(interval: Interval) -> list[str]:
    if np.isnan(interval.mean):
        return ['-', '-']
    return [f'[{interval.low:+.2f}, {interval.high:+.2f}]', _p(interval.p)]


def _p(value: float) -> str:
    return f'{value:.4f}' if value >= 0.00005 else '< 0.0001'


def comparison_part(study: Study) -> Part:
    """Differences from the first system."""
    if not study.comparisons:
        return Part('Comparison', [])
    header = [
        'system', 'metric', 'difference', '95 % queries', 'p', '95 % videos', 'p', 'p Holm',
        'wins / losses', 'McNemar p',
    ]  # fmt: skip
    seeds = any(one.seeds for one in study.comparisons)
    header += ['95 % seeds and queries', 'p'] if seeds else []
    rows = []
    for one in study.comparisons:
        hits = (
            [f'{one.hits.only_second} / {one.hits.only_first}', _p(one.hits.p)]
            if one.hits
            else ['-', '-']
        )
        row = [
            one.system, one.metric, f'{one.queries.mean:+.2f}', *_interval(one.queries),
            *_interval(one.videos), f'{_p(one.adjusted)}{stars(one.adjusted)}', *hits,
        ]  # fmt: skip
        rows.append(row + (_interval(one.seeds) if one.seeds else ['-', '-'] if seeds else []))
    unit = 'videos' if by_videos(study.questions) else 'queries'
    text = f'{_COVERS} The first is {study.systems[0].name}; Holm over the p of {unit}.'
    return Part('Comparison', [Text(text), Table(header, rows, 2)])


def null_part(study: Study) -> Part:
    """Whether systems know which queries have no moment."""
    exists = study.questions.asked
    labelled = np.array([r.get('relevant_windows') is not None for r in study.questions.records])
    if exists.all() or not exists.any() or not labelled.all():
        return Part('Queries without a moment', [])
    rows = []
    for system in study.systems:
        score = system.first.existence
        row = [system.name, _number(area_under_roc(score, exists), 100)]
        row += [_number(float(score[rows_].mean())) for rows_ in (exists, ~exists)]
        row += _rejection(score <= GATE, exists)
        try:
            found = existence_calibration(system.first, exists, sigmoid=study.options.sigmoid)
            row += [_number(found.ece, 100), _number(found.brier, 100)]
        except DataError:
            row += ['-', '-']
        rows.append(row + _auroc_difference(study, score, exists))
    nothing = ['-'] * 3
    everything = _rejection(np.ones(len(exists), bool), exists)
    rows.append(['reject every query', *nothing, *everything, '-', '-', '-', '-'])
    header = [
        'system', 'AUROC', 'score with', 'without', 'Rej-F1', 'accuracy', 'ECE', 'Brier',
        'AUROC against the first, 95 % queries', 'p',
    ]  # fmt: skip
    text = (
        'By the probability of a moment where a model states one, else the highest score of a '
        f'window; a query is rejected at {GATE} and below. A model that rejects every query is the '
        'number to beat.'
    )
    return Part('Queries without a moment', [Text(text), Table(header, rows)])


def _auroc_difference(study: Study, score: np.ndarray, exists: np.ndarray) -> list[str]:
    """Interval and p of the difference of the areas; it is no mean over queries."""
    first = study.systems[0].first.existence
    if first is score or np.array_equal(first, score):
        return ['-', '-']

    def difference(rows: np.ndarray) -> float:
        one, other = (area_under_roc(s[rows], exists[rows]) for s in (first, score))
        return 100 * (other - one)

    resamples = min(study.options.resamples, 1000)
    return _interval(bootstrap_statistic(difference, len(exists), resamples, study.options.seed))


def _rejection(rejected: np.ndarray, exists: np.ndarray) -> list[str]:
    """F1 of rejecting and accuracy, in per cent."""
    right = float((rejected & ~exists).sum())
    total = float(rejected.sum() + (~exists).sum())
    return [_number(2 * right / total if total else 0.0, 100),
            _number(float((rejected == ~exists).mean()), 100)]  # fmt: skip


def _number(value: float, scale: float = 1) -> str:
    return two_decimals(scale * value)


def probe_part(study: Study) -> Part:
    """Answers that do not look."""
    if not study.has_moments or not study.probes:
        return Part('Chance', [])
    names = ('R1@0.5', 'R1@0.7', 'R5@0.5', 'mIoU', 'mAP')
    rows = []
    for name, count, values, real in study.probes:
        rows.append([name, str(count), *(two_decimals(values.get(n)) for n in names)])
        rows.append(
            [f'{study.systems[0].name} on these', str(count)]
            + [two_decimals(real.get(n)) for n in names]
        )
    text = (
        'What answers are worth that do not look: the windows that fit the moments of the training '
        'split best, for every video; answers to another query of the same video (what needs no '
        'sentence); answers to a query of another video, placed by their share of the video.'
    )
    return Part('Chance', [Text(text), Table(['answers', 'queries', *names], rows)])


def fusion_part(study: Study) -> Part:
    """Ensemble and post-processing."""
    blocks: list[Block] = []
    if study.ensemble is not None:
        blocks.append(
            Text(
                'The ensemble joins windows of an IoU of 0.7 and more to one, weighted by score; '
                'its numbers are in the summary.'
            )
        )
    found = study.search
    if found is not None:
        metric = study.options.searched
        blocks.append(
            Text(
                f'Post-processing of {study.systems[0].name}: {metric} is {found.before:.2f} as '
                f'stored and {found.after:.2f} with "{found.step}", chosen on the same queries; '
                f'{found.honest:.2f} where each half of the videos is processed as chosen on the '
                'other, which is what to expect elsewhere.'
            )
        )
        ranked = sorted(found.table, key=lambda item: -item[1])[:LIST]
        rows = [[str(step), two_decimals(value)] for step, value in ranked]
        blocks.append(Table(['post-processing', metric], rows))
    return Part('Ensemble and post-processing', blocks)


def difference_part(study: Study) -> Part:
    """Queries with the largest differences from the first system."""
    metric = 'mIoU' if study.has_moments else 'HL-mAP'
    first, *others = study.systems
    blocks: list[Block] = []
    for other in others:
        if metric not in other.values or metric not in first.values:
            continue
        difference = np.nan_to_num(other.values[metric] - first.values[metric])
        order = np.argsort(difference, kind='stable')
        for title, places in (
            (f'Won by {other.name} against {first.name}', order[::-1][:LIST]),
            (f'Lost by {other.name} against {first.name}', order[:LIST]),
        ):
            rows = [
                [
                    str(study.questions.qids[i]), study.questions.queries[i],
                    two_decimals(first.values[metric][i]), two_decimals(other.values[metric][i]),
                    f'{difference[i]:+.2f}',
                ]
                for i in places
            ]  # fmt: skip
            name = 'IoU' if metric == 'mIoU' else metric
            header = ['qid', 'query', f'{name} {first.name}', f'{name} {other.name}', 'difference']
            blocks.append(Table(header, rows, 2, title))
    return Part('Wins and losses', blocks)
