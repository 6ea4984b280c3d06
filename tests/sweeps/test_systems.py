# SPDX-License-Identifier: Apache-2.0
"""A sweep over systems, and one fragment that is added to all of them."""

import sys
from pathlib import Path

import pytest
import torch

from vtg.datasets import SimulatedDataset, collate
from vtg.engine import load_config
from vtg.registry import MODELS
from vtg.sweeps import execution, make_cells, run_sweep
from vtg.sweeps.systems import system_cells
from vtg.utils import ConfigError

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'
DEMOS = [CONFIGS / path.stem / 'demo.py' for path in sorted(CONFIGS.glob('_base_/models/*.py'))]
IDEA = "model = dict(auxiliary=dict(idea=dict(type='MomentumAlignment', queue_size=8)))\n"
# The score is a number of the seed, one more with the fragment.
STAND_IN = """
import json, pathlib, sys
config, folder, seed = sys.argv[1], pathlib.Path(sys.argv[2]), int(sys.argv[4])
text = pathlib.Path(config).read_text()
value = 10.0 * seed + seed * ('MomentumAlignment' in text) + 5 * ('BiCMF' in text)
result = {'metrics': {'MR-full-mAP': value}, 'parameters': 1, 'seconds': 0.0, 'seed': seed}
(folder / 'done.json').write_text(json.dumps(result))
"""


@pytest.fixture
def idea(tmp_path):
    path = tmp_path / 'idea.py'
    path.write_text(IDEA)
    return path


def test_one_row_per_config_fragment_and_combination(idea):
    paths = [CONFIGS / name / 'demo.py' for name in ('qd_detr', 'sgdetr')]
    cells = system_cells(
        paths, [idea], make_cells(['model.defaults.dim=8,16']), ['randomness.seed=5']
    )
    assert len(cells) == 8 and len({cell.name for cell in cells}) == 8
    first, last = cells[0], cells[-1]
    assert first.values == (('config', 'qd_detr'), ('add', 'none'), ('model.defaults.dim', '8'))
    assert last.changes == (('model.defaults.dim', '16'),)
    assert last.start(first.own).model.auxiliary.idea.type == 'MomentumAlignment'
    assert 'idea' not in (first.own.model.get('auxiliary') or {})
    assert all(cell.own.randomness.seed == 5 for cell in cells)
    other = system_cells(
        [CONFIGS / 'qd_detr/demo.py', CONFIGS / 'qd_detr/qvhl.py'], [], make_cells([])
    )
    assert [cell.values for cell in other] == [
        (('config', 'qd_detr/demo'),), (('config', 'qd_detr/qvhl'),)
    ]  # fmt: skip


def test_what_trains_nothing_is_left_out():
    zero = CONFIGS / 'zero_shot' / 'demo.py'
    cells = system_cells([zero, CONFIGS / 'umt' / 'demo.py'], [], make_cells([]))
    assert [cell.label for cell in cells] == ['config=umt']
    with pytest.raises(ConfigError, match='none of the configs trains anything'):
        system_cells([zero], [], make_cells([]))


def test_mistakes(idea, tmp_path):
    demo = CONFIGS / 'qd_detr' / 'demo.py'
    (tmp_path / 'none.py').touch()
    with pytest.raises(ConfigError, match='rename none'):
        system_cells([demo], [tmp_path / 'none.py'], make_cells([]))
    with pytest.raises(ConfigError, match='given twice'):
        system_cells([demo, demo], [], make_cells([]))
    idea.write_text('model = dict(negatives=dict(stages=dict(a=1)))\n')
    with pytest.raises(ConfigError, match=r'idea.py does not fit .*_delete_=True'):
        system_cells([demo], [idea], make_cells([]))
    idea.write_text("model = dict(auxiliary=dict(idea=dict(type='Alignmend')))\n")
    with pytest.raises(ConfigError, match='Alignmend'):
        system_cells([demo], [idea], make_cells([]))


def test_a_fragment_may_change_the_facts_of_the_data(tmp_path):
    fragment = tmp_path / 'wide.py'
    fragment.write_text('benchmark = dict(splits=dict(train=dict(num_samples=7)))\n')
    cfg = load_config(CONFIGS / 'qd_detr' / 'demo.py', add=[fragment])
    assert cfg.train_dataloader.dataset.num_samples == 7


def test_a_sweep_compares_seed_by_seed(idea, tmp_path, monkeypatch):
    script = tmp_path / 'stand_in.py'
    script.write_text(STAND_IN)
    monkeypatch.setattr(execution, 'COMMAND', (sys.executable, str(script)))
    paths = [CONFIGS / name / 'demo.py' for name in ('qd_detr', 'videolights')]
    said = []
    summary = run_sweep(paths, [], [1, 2], tmp_path / 'out', jobs=4, say=said.append, add=[idea])
    assert [row.numbers['MR-full-mAP'] for row in summary.rows] == [
        [10.0, 20.0], [11.0, 22.0], [15.0, 25.0], [16.0, 27.0]
    ]  # fmt: skip
    text = (tmp_path / 'out' / 'sweep.md').read_text()
    assert '| qd_detr | idea | 2 | +1.50 ± 0.71 (p = 0.205) |' in text
    assert '| all | idea | 2 | +1.50 ± 0.00 |' in text
    assert (tmp_path / 'out' / 'differences.csv').is_file()


@pytest.mark.parametrize('path', DEMOS, ids=lambda path: path.parent.name)
def test_one_fragment_learns_in_every_system(path, idea):
    cfg = load_config(path, add=[idea])
    cfg.model.defaults.update(dim=16, num_heads=4, hidden_dim=16)
    model = MODELS.build(cfg.model)
    options = {k: v for k, v in cfg.train_dataloader.dataset.items() if k != 'type'}
    dataset = SimulatedDataset(**{**options, 'num_samples': 4})
    batch = collate([dataset[index] for index in range(4)])
    losses = model(**model.data_preprocessor(batch, True), mode='loss')
    ours = [value for name, value in losses.items() if 'align' in name and 'loss' in name]
    assert ours and all(value.isfinite() for value in ours)
    torch.stack(ours).sum().backward()
    assert any(p.grad is not None and p.grad.any() for p in model.video_projector.parameters())
