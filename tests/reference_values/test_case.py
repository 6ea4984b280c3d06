# SPDX-License-Identifier: Apache-2.0
"""Sets of other content: without ground truth, and without what is optional."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine import Config
from reference_values.batches import stored_spans
from reference_values.checks import run_check
from reference_values.common import DROP, check_matches, class_error, set_options
from reference_values.core import ReferenceSet

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'
Arrays = dict[str, np.ndarray]


@pytest.fixture
def changed(shared, tmp_path) -> Callable:
    """Check a changed copy of a set."""

    def run(name: str, change: Callable[[Arrays], Arrays]) -> list:
        info = (shared / 'golden' / f'{name}.json').read_text()
        (tmp_path / f'{name}.json').write_text(info)
        np.savez(tmp_path / f'{name}.npz', **change(dict(np.load(shared / f'golden/{name}.npz'))))
        return list(run_check(name, tmp_path, CONFIGS))

    return run


def without_moments(arrays: Arrays) -> Arrays:
    found = {}
    for key, value in arrays.items():
        if re.search(r'in/(span_labels$|windows_sec_|spans_)', key) or 'out/match' in key:
            value = value[:0]
        elif re.search(r'in/(span_labels_count|saliency_all_labels|saliency_scores)$', key):
            value = np.zeros_like(value)
        found[key] = value
    return found


@pytest.mark.parametrize('name', ['moment_detr', 'univtg'])
def test_no_moment_at_all_is_compared(changed, name):
    rows = {row.name: row for row in changed(name, without_moments)}
    assert 'check broke off' not in rows
    for row in rows.values():
        independent = row.name.startswith('padding/') or '/match' in row.name
        if independent or row.name.startswith('nopad/out/pred'):
            assert not row.failed, row
    # Losses of another truth are compared with the stored ones, and are others.
    assert rows['nopad/loss/total'].failed and np.isfinite(rows['nopad/loss/total'].error)


def test_optional_outputs_may_be_missing(changed):
    optional = re.compile(r'out/(aux|mid|post|fn)|loss/(part|weighted)|_0$')
    rows = changed('moment_detr', lambda a: {k: v for k, v in a.items() if not optional.search(k)})
    assert rows and not any(row.failed for row in rows)
    rows = changed('univtg', lambda a: {k: v for k, v in a.items() if not k.startswith('nopad/')})
    assert rows and not any(row.failed for row in rows)


def test_spans_in_every_form():
    duration = torch.tensor([10.0, 20.0, 40.0])
    rows = [torch.tensor([[0.5, 0.2]]), torch.zeros(0, 2), torch.tensor([[0.25, 0.5], [0.5, 1.0]])]
    seconds = [
        torch.stack((row[:, 0] - row[:, 1] / 2, row[:, 0] + row[:, 1] / 2), -1) * total
        for row, total in zip(rows, duration)
    ]
    windows = torch.full((3, 2, 2), torch.inf)
    padded = torch.full((3, 2, 2), -1.0)
    for index, row in enumerate(rows):
        windows[index, : len(row)], padded[index, : len(row)] = seconds[index], row
    forms = [
        {'span_labels': torch.cat(rows), 'span_labels_count': torch.tensor([1, 0, 2])},
        {f'span_labels_{i}': row for i, row in enumerate(rows)},
        {f'span_labels/{i}': row for i, row in enumerate(rows)},
        {f'spans_{i}': row for i, row in enumerate(rows)},
        {'spans_0': rows[0], 'spans_1': torch.zeros(0), 'spans_2': rows[2]},
        {f'windows_sec_{i}': row for i, row in enumerate(seconds)},
        {'relevant_windows': windows},
        {'spans': padded},
    ]
    for stored in forms:
        spans, mask = stored_spans(stored, duration)
        assert mask.tolist() == [[True, False], [False, False], [True, True]], list(stored)
        assert torch.allclose(spans[mask], torch.cat(rows)), list(stored)
    spans, mask = stored_spans({}, duration)
    assert spans.shape == (3, 0, 2) and mask.shape == (3, 0)


def test_matches_over_no_moment():
    none = torch.zeros(2, 0, dtype=torch.long)
    for stored in (torch.zeros(0, 3), torch.zeros(0), torch.zeros(3, 0)):
        assert not check_matches('m', none, stored).failed
        assert not check_matches('m', torch.full((2, 3), -1), stored).failed
    assert check_matches('m', torch.tensor([[1], [-1]]), torch.zeros(0, 3)).failed
    assert check_matches('m', none, torch.tensor([[0, 1, 0]])).failed
    assert class_error(torch.zeros(2, 4, 2), none) == 100
    logits = torch.tensor([[[1.0, 0.0], [0.0, 1.0]]])
    assert class_error(logits, torch.tensor([[0, 1, -1]])) == 50


def test_options_by_path():
    cfg = Config({'losses': {'a': {'weight': 2.0}, 'b': {'weight': 3.0, 'x': 1}, 'c': None}})
    options = {'losses.*.weight': lambda old: old * 2, 'losses.b.x': DROP, 'new.deep': [1]}
    set_options(cfg, {**options, 'losses.c?.weight': 1.0, 'absent?.x': 1})
    assert cfg.to_dict() == {
        'losses': {'a': {'weight': 4.0}, 'b': {'weight': 6.0}, 'c': None},
        'new': {'deep': [1]},
    }


def test_facts_of_a_set(tmp_path):
    (tmp_path / 'x.json').write_text('{"config": {"a": {"b": 3}}}')
    data = ReferenceSet(tmp_path, 'x')
    assert data.fact('config.a.b') == 3
    assert data.fact('config.a.c') is None and data.fact('config.a.b.c') is None
    assert data.described_by({'config': 1}).fact('config') == 1 and data.fact('config') != 1
