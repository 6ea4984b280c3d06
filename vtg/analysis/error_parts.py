# SPDX-License-Identifier: Apache-2.0
"""The parts of a report that say what is wrong: errors, groups of queries, calibration."""

import math

import numpy as np

from vtg.pages.plots import Axis, bar_plot, line_plot, stacked_bars
from vtg.utils import DataError, two_decimals

from .blocks import Block, Figures, Part, Table, Text
from .breakdown import breakdown, groups_of, words_of
from .calibration import calibration, saliency_in_windows, spearman
from .errors import OUTCOMES, PREDICTION_CLASSES, TRUTH_CLASSES
from .highlights import CLIP_CLASSES, HighlightProfile
from .highlights import MENDED as MENDED_CLIPS
from .highlights import OUTCOMES as CLIP_OUTCOMES
from .oracle import MENDED
from .study import Study
from .values import MAIN, first_hit, mean, oracle_of_list, recall_curve

_PERCENT = (0.0, 100.0)


def _counts(study: Study, kind: str, names: tuple[str, ...], title: str) -> Table:
    """How many are in every class; classes that nobody has are left out."""
    counted = [profile.counts()[kind] for profile in study.errors]
    used = [name for name in names if any(counts[name] for counts in counted)]
    rows = [
        [system.name, *(str(counts[name]) for name in used), str(sum(counts.values()))]
        for system, counts in zip(study.systems, counted)
    ]
    return Table(['system', *used, 'all'], rows, 1, title)


def moment_part(study: Study) -> Part:
    """Errors of predicted moments."""
    if not study.has_moments:
        return Part('Errors of moments', [])
    found, touching = study.options.found, study.options.touching
    shares = {
        system.name: {name: float(n) for name, n in profile.counts()['first'].items() if n}
        for system, profile in zip(study.systems, study.errors)
    }
    ordered = {
        name: {outcome: part[outcome] for outcome in OUTCOMES if outcome in part}
        for name, part in shares.items()
    }
    gains = [gain.summary() for gain in study.gains]
    used = [n for n in MENDED if any(abs(gain[n]) > 1e-9 for gain in gains)]
    rows = [
        [system.name, two_decimals(100 * mean(gain.plain)),
         *(f'{one[name]:+.2f}' for name in used),
         two_decimals(100 * mean(gain.everything))]
        for system, gain, one in zip(study.systems, study.gains, gains)
    ]  # fmt: skip
    highest = max((one[name] for one in gains for name in used), default=1.0)
    plots = [
        stacked_bars('What becomes of the first answer, per cent of the queries', ordered),
        bar_plot(
            f'Gain in AP@{found:g} of mending one class',
            used,
            {s.name: [one[name] for name in used] for s, one in zip(study.systems, gains)},
            Axis('points', 0, math.ceil(max(highest, 1))),
        ),
    ]
    text = (
        f'A moment is found at IoU {found:g}; below {touching:g} a window is background. '
        'Ranking: a right window stands behind a wrong one. Duplicate: its moment is taken '
        'already. Merged: right if neighbouring moments were one. Split: right if joined with '
        'another window.'
    )
    return Part('Errors of moments', [
        Text(text), Figures(plots),
        _counts(study, 'first', OUTCOMES, 'First answers'),
        _counts(study, 'predictions', PREDICTION_CLASSES, 'Predictions (first 10)'),
        _counts(study, 'truth', TRUTH_CLASSES, 'Annotated moments'),
        Table(['system', f'AP@{found:g}', *used, 'all mended'], rows, 1,
              f'Gain in AP@{found:g} of mending one class, in points (gains do not add up)'),
    ])  # fmt: skip


def highlight_part(study: Study) -> Part:
    """Errors of highlights."""
    pairs: list[tuple[str, HighlightProfile]] = [
        (system.name, profile)
        for system, profile in zip(study.systems, study.highlights)
        if profile is not None
    ]
    if not pairs:
        return Part('Errors of highlights', [])
    counts = [(name, profile.counts()['first']) for name, profile in pairs]
    used = [name for name in CLIP_OUTCOMES if any(number[name] for _, number in counts)]
    rows = [
        [name, two_decimals(100 * mean(profile.plain)),
         *(f'{profile.summary()[kind]:+.2f}' for kind in MENDED_CLIPS),
         two_decimals(100 * mean(profile.everything))]
        for name, profile in pairs if not np.isnan(profile.plain).all()
    ]  # fmt: skip
    clips = pairs[0][1].counts()['clips']
    text = (
        'The clip of the highest score. Graded: in the moment, but very good for nobody. Border: '
        'at most two clips beside it. Elsewhere: further away. Gains: what AP over the clips that '
        'any annotator finds very good gains when the clips of a class come last. Of '
        f'{sum(clips.values())} clips '
        + ', '.join(f'{clips[name]} are {name}' for name in CLIP_CLASSES)
        + '.'
    )
    stacked = {name: {kind: float(number[kind]) for kind in used} for name, number in counts}
    return Part('Errors of highlights', [
        Text(text),
        Figures([stacked_bars('What the best clip is, per cent of the queries', stacked)]),
        Table(['system', *used], [[n, *(str(c[k]) for k in used)] for n, c in counts], 1,
              'Best clips'),
        Table(['system', 'AP', *MENDED_CLIPS, 'all mended'], rows, 1,
              'Gain in AP of mending one class, in points'),
    ])  # fmt: skip


def ranking_part(study: Study) -> Part:
    """Recall over k, and whether ranking or localisation is what is missing."""
    if not study.has_moments:
        return Part('Ranking or localisation', [])
    ranks = range(1, study.systems[0].first.mask.shape[1] + 1)
    curves = {system.name: recall_curve(study.questions, system.first) for system in study.systems}
    axis = Axis('k', 1, max(ranks[-1], 2))
    plots = [
        line_plot(
            f'R@k at IoU {t}',
            {name: list(zip(ranks, curve[t])) for name, curve in curves.items()},
            axis, Axis('per cent', *_PERCENT),
        )
        for t in ('0.5', '0.7')
    ]  # fmt: skip
    rows, hits = [], []
    for system in study.systems:
        best = oracle_of_list(study.questions, system.first)
        cells = []
        for name in ('R1@0.5', 'R1@0.7', 'mIoU'):
            value = mean(system.values[name])
            cells += [two_decimals(value), two_decimals(best[name]),
                      f'{best[name] - value:+.2f}']  # fmt: skip
        rows.append([system.name, *cells])
        rank = first_hit(system.first, study.options.found)[study.questions.asked]
        hits.append([
            system.name, *(str(int(n)) for n in (
                (rank == 1).sum(), (rank == 2).sum(), (rank == 3).sum(),
                ((rank > 3) & (rank <= 5)).sum(), (rank > 5).sum(), (rank == 0).sum(),
            ))
        ])  # fmt: skip
    header = ['system']
    for name in ('R1@0.5', 'R1@0.7', 'mIoU'):
        header += [name, 'best of list', 'ranking']
    return Part('Ranking or localisation', [
        Text('The best of a list is what perfect ranking of its windows would give; what is '
             'missing to 100 is localisation.'),
        Figures(plots),
        Table(header, rows, 1, 'The first window and the best of the list'),
        Table(['system', 'rank 1', '2', '3', '4 to 5', 'behind', 'none'], hits, 1,
              f'Rank of the first window that finds a moment (IoU {study.options.found:g})'),
    ])  # fmt: skip


def breakdown_part(study: Study) -> Part:
    """Metrics over groups of queries."""
    groups = groups_of(study.questions)
    systems = study.systems
    names = [name for name in MAIN if name in systems[0].values]
    if not names or not groups:
        return Part('Groups of queries', [])
    tables = [breakdown(groups, system.values, names) for system in systems]
    kinds = list(dict.fromkeys(group.kind for group in groups))
    shown = [name for name in ('R1@0.5', 'mAP', 'HL-mAP') if name in names]
    blocks: list[Block] = []
    plots = []
    for kind in kinds:
        places = [index for index, group in enumerate(groups) if group.kind == kind]
        labels = [groups[index].name for index in places]
        plots.append(
            bar_plot(
                f'{shown[0]} by {kind}',
                labels,
                {s.name: [t[i].get(shown[0], math.nan) for i in places]
                 for s, t in zip(systems, tables)},
                Axis('per cent', *_PERCENT),
            )
        )  # fmt: skip
    blocks.append(Figures(plots))
    rows = [
        [group.kind, group.name, str(tables[0][index]['queries'])]
        + [two_decimals(t[index].get(name)) for name in shown for t in tables]
        for index, group in enumerate(groups)
    ]
    header = ['group', '', 'queries', *(f'{name} {s.name}' for name in shown for s in systems)]
    blocks.append(Table(header, rows, 2))
    metric = 'mIoU' if study.has_moments else shown[-1]
    words = words_of(study.questions, systems[0].values[metric])
    if words['worst']:
        lines = [
            [*map(str, one[:2]), two_decimals(one[2]), *map(str, other[:2]), two_decimals(other[2])]
            for one, other in zip(words['worst'], words['best'])
        ]
        title = f'Words of the worst and best queries of {systems[0].name}'
        head = ['worst', 'queries', metric, 'best', 'queries', metric]
        blocks.append(Table(head, lines, 1, title))
    return Part('Groups of queries', blocks)


def calibration_part(study: Study) -> Part:
    """Whether scores say how good a window is."""
    if not study.has_moments:
        return Part('Calibration of scores', [])
    rows, notes, reliability, relation = [], [], {}, {}
    for system in study.systems:
        for first_only in (True, False):
            try:
                found = calibration(
                    system.first, first_only, study.options.found, sigmoid=study.options.sigmoid
                )
            except DataError as error:
                notes.append(Text(str(error)))
                break
            rows.append([
                system.name, 'first' if first_only else 'all', str(found.count),
                *(two_decimals(100 * v) for v in (
                    found.score, found.precision, found.iou, found.over, found.ece, found.mce,
                    found.ece_mass, found.iou_ece, found.brier)),
                two_decimals(found.spearman), two_decimals(found.temperature),
            ])  # fmt: skip
            if not first_only:
                real = found.table[found.table[:, 0] > 0]
                reliability[system.name] = [(float(r[1]), float(r[2])) for r in real]
                relation[system.name] = [(float(r[1]), float(r[3])) for r in real]
    header = [
        'system', 'windows', 'number', 'score', 'precision', 'IoU', 'over', 'ECE', 'MCE',
        'ECE by size', 'IoU-ECE', 'Brier', 'Spearman', 'temperature',
    ]  # fmt: skip
    score = Axis('score', 0, 1)
    plots = [
        line_plot('Reliability of all windows', reliability, score,
                  Axis('share with a moment found', 0, 1), diagonal=True),
        line_plot('Score and IoU of all windows', relation, score, Axis('mean IoU', 0, 1),
                  diagonal=True),
    ]  # fmt: skip
    text = (
        'Precision: share of windows that find a moment. ECE, MCE: mean and largest distance of '
        'score and precision over 15 bins; IoU-ECE: of score and IoU. Per cent, but the rank '
        'correlation of score and IoU and the temperature that would divide the logits. Dashed: '
        'scores that say what they mean.'
    )
    figures = [Figures(plots)] if rows else []
    table = [Table(header, rows, 2)] if rows else []
    return Part('Calibration of scores', [Text(text), *notes, *figures, *table])


def saliency_part(study: Study) -> Part:
    """Whether saliency and windows agree."""
    questions, rows = study.questions, []
    for system in study.systems:
        answers = system.first
        if not answers.scored.any():
            continue
        clip = questions.clip_length
        truth = saliency_in_windows(answers, questions.truth, questions.mask, clip)
        own = saliency_in_windows(answers, answers.windows[:, :1], answers.mask[:, :1], clip)
        both = ~np.isnan(truth) & ~np.isnan(system.values.get('mIoU', truth * math.nan))
        related = spearman(truth[both], system.values['mIoU'][both]) if both.any() else math.nan
        rows.append(
            [system.name, *(two_decimals(100 * mean(v)) for v in (truth, own)),
             two_decimals(related)]
        )  # fmt: skip
    if not rows:
        return Part('Saliency and windows', [])
    text = (
        'Area under the ROC curve of saliency for clips inside against outside of windows, 50 for '
        'chance; and the rank correlation, over queries, of the first with the IoU of the answer.'
    )
    header = ['system', 'annotated windows', 'own first window', 'correlation with IoU']
    return Part('Saliency and windows', [Text(text), Table(header, rows)])
