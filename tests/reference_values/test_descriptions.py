# SPDX-License-Identifier: Apache-2.0
"""Cases that lie in the description of a set instead of its arrays."""

import copy

import pytest
from reference_values.answerability import check_generalized, check_rejections
from reference_values.core import ReferenceSet
from reference_values.la_detr import check_classes
from reference_values.r2_tuning import check_labels


def _class(info):
    info['class_cases'][1]['group'] += 1


def _brief(info):
    info['metrics']['brief']['mR@3'] += 0.01


def _refusals(info):
    info['rf_metrics']['result_rowwise']['MR-full-mIoU'] += 0.02


def _clips(info):
    info['label_cases'][5]['admissible_pos_clips'].pop()


def _window(info):
    info['label_cases'][2]['boundary_seconds'][0][0] += 0.01


def _ratings(info):
    info['label_cases'][6]['saliency'][2] += 0.01


@pytest.mark.parametrize(
    ('name', 'check', 'change', 'row'),
    [
        ('la_detr', check_classes, _class, 'class_cases/1'),
        ('gmr', check_generalized, _brief, 'metrics/brief'),
        ('causalvtg', check_rejections, _refusals, 'rf_metrics/result_rowwise'),
        ('causalvtg', check_labels, _window, 'label_cases/2/seconds'),
        ('r2_tuning', check_labels, _clips, 'label_cases/5/clips'),
        ('r2_tuning', check_labels, _window, 'label_cases/2/seconds'),
        ('r2_tuning', check_labels, _ratings, 'label_cases/6/saliency'),
    ],
)
def test_changed_cases_are_noticed(shared, name, check, change, row):
    data = ReferenceSet(shared / 'golden_more', name)
    rows = list(check(data))
    assert rows and not any(found.failed for found in rows)
    info = copy.deepcopy(data.info)
    change(info)
    assert [found.name for found in check(data.described_by(info)) if found.failed] == [row]


def test_a_description_without_cases_has_nothing_to_compare(shared):
    data = ReferenceSet(shared / 'golden_more', 'la_detr').described_by({})
    for check in (check_classes, check_generalized, check_rejections, check_labels):
        assert list(check(data)) == []
