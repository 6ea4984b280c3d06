# SPDX-License-Identifier: Apache-2.0
"""The numbers of an analysis as plain values, for JSON."""

from dataclasses import asdict
from typing import Any

from vtg.utils import DataError

from .breakdown import breakdown, groups_of
from .calibration import calibration
from .study import Study
from .values import mean, means, oracle_of_list, query_values, recall_curve


def as_plain(study: Study) -> dict[str, Any]:
    """All numbers, not rounded, in per cent but for counts, p, IoU thresholds and calibration."""
    groups = groups_of(study.questions)
    ensemble = study.ensemble
    return {
        'title': study.title,
        'queries': len(study.questions),
        'videos': len(set(study.questions.videos)),
        'notes': list(study.notes),
        'systems': [_system(study, index) for index in range(len(study.systems))],
        'comparison': [asdict(one) for one in study.comparisons],
        'groups': [
            {'kind': group.kind, 'name': group.name}
            | {
                system.name: breakdown([group], system.values, tuple(system.values))[0]
                for system in study.systems
            }
            for group in groups
        ],
        'chance': [
            {'answers': name, 'queries': count, 'metrics': values, 'first_system': real}
            for name, count, values, real in (study.probes if study.has_moments else [])
        ],
        'ensemble': ensemble and means(query_values(study.questions, ensemble)),
        'search': study.search
        and {
            'metric': study.options.searched,
            'step': asdict(study.search.step),
            'before': study.search.before,
            'after': study.search.after,
            'on_other_half': study.search.honest,
        },
        'published': [{'name': row.name, **row.metrics} for row in study.published],
    }


def _system(study: Study, index: int) -> dict[str, Any]:
    system, questions = study.systems[index], study.questions
    plain: dict[str, Any] = {
        'name': system.name,
        'runs': [means(values) for values in system.run_values],
        'metrics': {name: mean(values) for name, values in system.values.items()},
    }
    if study.has_moments:
        plain['errors'] = study.errors[index].counts()
        plain['gains'] = study.gains[index].summary()
        plain['best_of_list'] = oracle_of_list(questions, system.first)
        plain['recall'] = recall_curve(questions, system.first)
        try:
            plain['calibration'] = {
                name: asdict(
                    calibration(
                        system.first, first, study.options.found, sigmoid=study.options.sigmoid
                    )
                )
                for name, first in (('first', True), ('all', False))
            }
        except DataError:
            plain['calibration'] = None
        for found in (plain['calibration'] or {}).values():
            found['table'] = found['table'].tolist()
    profile = study.highlights[index]
    if profile is not None:
        plain['highlight_errors'] = profile.counts()
        plain['highlight_gains'] = profile.summary()
    return plain
