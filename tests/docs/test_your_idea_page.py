# SPDX-License-Identifier: Apache-2.0
"""The page that adds an idea to every baseline, followed literally with fewer samples."""

import csv
from pathlib import Path

import torch
from pages import ROOT, Follower, blocks

from vtg.engine import load_config

PAGE = ROOT / 'docs' / 'your_idea.md'
FEW = (
    'train_cfg.max_epochs=1 train_cfg.val_interval=1 train_dataloader.dataset.num_samples=8 '
    'val_dataloader.dataset.num_samples=8 model.defaults.dim=16 model.defaults.hidden_dim=16'
)
SHORTER = {
    'train_cfg.max_epochs=2 train_cfg.val_interval=2': FEW,
    '--seeds 0,1,2': '--seeds 7 --jobs 2',
}


def test_the_page(tmp_path, monkeypatch, capsys):
    (tmp_path / 'vtg').symlink_to(ROOT)
    (tmp_path / 'idea').mkdir()
    monkeypatch.chdir(tmp_path / 'idea')
    file, command = blocks(PAGE, SHORTER)[:2]
    follower = Follower(monkeypatch, capsys)
    follower.follow([file, command])
    assert follower.commands == ['../vtg/tools/sweep.py']
    with Path('work_dirs/idea/runs.csv').open() as stream:
        runs = list(csv.DictReader(stream))
    assert [(run['config'], run['add'], run['status']) for run in runs] == [
        (config, add, 'finished') for config in ('qd_detr', 'univtg') for add in ('none', 'idea')
    ]
    assert all(0 <= float(run['MR-full-mAP']) <= 100 for run in runs)
    # The columns of the page are those of the table.
    table = Path('work_dirs/idea/sweep.md').read_text().splitlines()
    page = PAGE.read_text()
    assert all(f'    {line}' in page for line in table if line.startswith('| config'))
    for name, has in (('idea', True), ('none', False)):
        (folder,) = Path('work_dirs/idea').glob(f'univtg-{name}-*')
        assert ('idea' in (load_config(folder / 'config.py').model.get('auxiliary') or {})) == has
        (checkpoint,) = folder.glob('seed_7/epoch_1.pth')
        weights = torch.load(checkpoint, weights_only=True)['state_dict']
        assert any(key.startswith('auxiliary.idea.') for key in weights) == has
