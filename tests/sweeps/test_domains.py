# SPDX-License-Identifier: Apache-2.0
"""One model per domain: cells, the table, and two domains from end to end."""

import csv
import math
from pathlib import Path

import pytest
import torch
from programs import fork_trainings

from vtg.engine import load_config
from vtg.registry import MODELS
from vtg.reports.published import Published
from vtg.sweeps.domains import (
    DomainCell,
    DomainTable,
    domain_cells,
    evaluate_domains,
    make_table,
    train_domains,
)
from vtg.sweeps.execution import Run
from vtg.utils import ConfigError, DataError, read_json, write_json

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / 'configs' / 'qd_detr' / 'tvsum_demo.py'
TINY = ['train_cfg.max_epochs=2', 'train_cfg.val_interval=1', 'model.defaults.dim=16']


def test_a_cell_sets_the_domain_of_every_loader():
    cells = domain_cells(load_config(DEMO))
    assert [cell.name for cell in cells] == list(load_config(DEMO).benchmark.domains)
    keys = {key for key, _ in cells[0].values}
    assert keys == {f'{split}_dataloader.dataset.domain' for split in ('train', 'val', 'test')}
    assert {value for _, value in cells[3].values} == {'FM'}
    assert [cell.label for cell in domain_cells(load_config(DEMO), ['VU', 'BK'])] == ['VU', 'BK']


def test_mistakes_are_named():
    with pytest.raises(ConfigError, match='VT'):
        domain_cells(load_config(DEMO), ['VTT'])
    with pytest.raises(ConfigError, match=r'no benchmark\.domains'):
        domain_cells(load_config(ROOT / 'configs' / 'qd_detr' / 'demo.py'))


PAPER = Published('TVSum', 'val', 'paper, Table 5', {'BK': 93.4, 'BT': 90.3, 'average': 91.85})


def table(**numbers):
    return DomainTable(numbers, (0, 1), (PAPER,))


def test_means_are_over_seeds_and_the_average_over_complete_seeds():
    rows = {row[0]: row for row in table(BK={0: 80.0, 1: 90.0}, BT={0: 70.0}).rows()}
    _, mean, deviation, count, known = rows['BK']
    assert (mean, count, known) == (85.0, 2, [93.4])
    assert deviation == pytest.approx(math.sqrt(50))
    assert rows['BT'][1:4] == (70.0, None, 1)
    # Seed 1 has no number for BT and is left out of the average.
    assert rows['average'][1:] == (75.0, None, 1, [91.85])


def test_files(tmp_path):
    made = table(BK={0: 80.0, 1: 90.0}, BT={0: 70.0, 1: 60.0})
    made.save(tmp_path)
    text = (tmp_path / 'domains.md').read_text(encoding='utf-8')
    assert text.splitlines()[0] == '| domain | mean | std | seeds | paper, Table 5 (val) |'
    assert '| BK | 85.00 | 7.07 | 2/2 | 93.40 |' in text
    assert '| average | 75.00 | 0.00 | 2/2 | 91.85 |' in text
    with (tmp_path / 'domains.csv').open() as file:
        lines = list(csv.reader(file))
    assert lines[1:3] == [['BK', '0', '80.0'], ['BK', '1', '90.0']] and len(lines) == 7
    stored = read_json(tmp_path / 'domains.json')
    assert stored['rows'][0]['mean'] == 85.0 and stored['published'][0]['metrics']['BK'] == 93.4
    assert '85.00' in made.text() and '2/2' in made.text()


def train(folder, say=None):
    said = []
    made = train_domains(DEMO, [3], folder, ['BK', 'VU'], cfg_options=TINY, say=say or said.append)
    return made, said


def test_two_domains_continue_where_they_stopped(tmp_path, monkeypatch):
    fork_trainings(monkeypatch)
    calls = []

    def interrupt(line):
        calls.append(line)
        if line.startswith('finished'):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / 'runs', interrupt)
    (done,) = (tmp_path / 'runs').glob('*/*/done.json')
    stamp = done.stat().st_mtime_ns
    made, said = train(tmp_path / 'runs')
    assert '1 of 2 trainings are finished already' in said
    assert done.stat().st_mtime_ns == stamp
    assert not made.failures and {len(values) for values in made.numbers.values()} == {1}
    assert all(0 <= v <= 100 for values in made.numbers.values() for v in values.values())
    assert sum(made.selection.values()) == 2
    facts = read_json(tmp_path / 'runs' / 'VU' / 'seed_3' / 'report_val.json')['facts']
    assert facts['dataset'].endswith(', VU') and facts['seed'] == 3
    assert 'best HL-mAP on val' in facts['selection']
    with pytest.raises(ConfigError, match='another config'):
        train_domains(DEMO, [3], tmp_path / 'runs', ['BK'], say=said.append)


def test_the_data_is_checked_before_anything_starts(tmp_path):
    config = ROOT / 'configs' / 'qd_detr' / 'tvsum.py'
    options = [f'{split}_dataloader.dataset.data_root={tmp_path}' for split in ('train', 'val')]
    with pytest.raises(DataError, match='missing data:\n  annotation file') as caught:
        train_domains(config, [0], tmp_path / 'runs', cfg_options=[f'+{o}' for o in options])
    lines = str(caught.value).splitlines()
    assert len(lines) > 4 and len(set(lines)) == len(lines)
    assert not (tmp_path / 'runs').exists()


def test_a_domain_without_a_number_is_left_out(tmp_path):
    runs = []
    for name, value in (('BK', 80.0), ('VU', None)):
        run = Run(DomainCell((), name), 0, tmp_path / name, tmp_path / 'config.py')
        write_json(run.folder / 'done.json', {'metrics': {'HL-mAP': value}})
        write_json(run.folder / 'report_val.json', {'facts': {'selection': 'weights as given'}})
        runs.append(run)
    made = make_table(runs, [0], [])
    assert made.numbers == {'BK': {0: 80.0}, 'VU': {}}
    assert '| VU | - | - | 0/1 |' in made.markdown()
    with pytest.raises(ConfigError, match='give no'):
        make_table(runs, [0], [], 'mAP')


def test_the_same_weights_on_every_domain(tmp_path, capsys):
    cfg = load_config(DEMO, TINY)
    checkpoint = tmp_path / 'weights.pth'
    torch.save({'state_dict': MODELS.build(cfg.model).state_dict()}, checkpoint)
    made = evaluate_domains(DEMO, checkpoint, tmp_path / 'out', ['BK', 'VU'], TINY)
    assert set(made.numbers) == {'BK', 'VU'} and 'weights of' in made.text()
    for name, numbers in made.numbers.items():
        report = read_json(tmp_path / 'out' / name / 'report_val.json')
        assert report['facts']['dataset'].endswith(f', {name}')
        assert numbers == {0: pytest.approx(report['metrics']['HL-mAP']['this run'])}
    average = sum(numbers[0] for numbers in made.numbers.values()) / 2
    assert made.averages() == {0: pytest.approx(average)}
    assert (tmp_path / 'out' / 'domains.md').is_file()
    with pytest.raises(ConfigError, match=r"gives no 'HL-x'"):
        evaluate_domains(DEMO, checkpoint, tmp_path / 'out', ['BK'], TINY, metric='HL-x')
