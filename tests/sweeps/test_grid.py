# SPDX-License-Identifier: Apache-2.0
"""The combinations of a grid and what they do to a config."""

from pathlib import Path

import pytest

from vtg.engine.config import load_config
from vtg.sweeps import Cell, apply_cell, make_cells, split_values
from vtg.utils import ConfigError

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def cfg():
    return load_config(ROOT / 'configs/sgdetr/demo.py')


def cell(**values) -> Cell:
    return Cell(tuple((f'model.{key.replace("__", ".")}', value) for key, value in values.items()))


def test_split_values():
    assert split_values('a, b,c') == ['a', 'b', 'c']
    assert split_values('None,{"type": "A", "x": [1, 2]},(1,2)') == [
        'None', '{"type": "A", "x": [1, 2]}', '(1,2)'
    ]  # fmt: skip
    assert split_values('"a,b",c') == ['"a,b"', 'c']


def test_combinations():
    cells = make_cells(['a.x=1,2', 'b=p,q,r'])
    assert [cell.values for cell in cells] == [
        (('a.x', one), ('b', two)) for one in '12' for two in 'pqr'
    ]
    assert len({cell.name for cell in cells}) == 6
    assert make_cells([]) == [Cell(())] and Cell(()).name == 'base'
    # The name of a cell does not depend on what else is in the grid.
    assert make_cells(['a.x=2', 'b=q'])[0].name == cells[4].name
    assert '/' not in Cell((('x', '{"type": "A/B"}'),)).name


@pytest.mark.parametrize(
    ('grids', 'message'),
    [
        (['model.x'], "got 'model.x'; expected key=value"),
        (['model.x=1,,2'], 'expected key=value'),
        (['a=1', 'a=2'], 'names a twice'),
        (['a=1,1'], 'holds a value twice'),
    ],
)
def test_mistakes_in_a_grid(grids, message):
    with pytest.raises(ConfigError, match=message):
        make_cells(grids)


def test_a_new_type_keeps_what_it_takes(cfg):
    cfg.model.fusion.update(dim=32, gate=False)
    notes = apply_cell(cfg, cell(fusion__type='TextToVideoAttention'))
    assert cfg.model.fusion.to_dict() == dict(type='TextToVideoAttention', dim=32, num_layers=2)
    (note,) = notes
    assert note == 'model.fusion: TextToVideoAttention does not take gate of SGCA.'
    assert apply_cell(cfg, cell(fusion__type='TextToVideoAttention')) == []


def test_a_dict_is_merged_or_replaces(cfg):
    cfg.model.fusion.gate = False
    notes = apply_cell(cfg, cell(fusion='{"type": "TextToVideoAttention", "num_heads": 2}'))
    assert len(notes) == 1
    assert cfg.model.fusion.to_dict() == dict(
        type='TextToVideoAttention', num_layers=2, num_heads=2
    )
    whole = '{"type": "SGCA", "num_layers": 1, "_delete_": true}'
    assert apply_cell(cfg, cell(fusion=whole)) == []
    assert cfg.model.fusion.to_dict() == dict(type='SGCA', num_layers=1)


def test_plain_values_and_empty_slots(cfg):
    apply_cell(cfg, cell(defaults__dim='32', auxiliary='None', encoder__num_layers='1'))
    assert cfg.model.defaults.dim == 32 and cfg.model.auxiliary is None
    assert cfg.model.encoder.num_layers == 1
    apply_cell(cfg, Cell((('optim_wrapper.optimizer.type', 'SGD'),)))
    assert cfg.optim_wrapper.optimizer.type == 'SGD'


@pytest.mark.parametrize(
    ('values', 'message'),
    [
        (dict(fusoin__type='SGCA'), 'did you mean model.fusion'),
        (dict(fusion__type='SGCB'), "'SGCB', which is not a registered component; did you mean SG"),
    ],
)
def test_mistakes_in_a_cell(cfg, values, message):
    with pytest.raises(ConfigError, match=message):
        apply_cell(cfg, cell(**values))
