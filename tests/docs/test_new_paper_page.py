# SPDX-License-Identifier: Apache-2.0
"""The page that makes a paper, followed literally."""

import json
import re
import sys
from pathlib import Path

import pytest
import torch
from pages import ROOT, Follower, blocks

from vtg.engine.config import origins
from vtg.registry import MODELS
from vtg.structures import EXTRAS
from vtg.utils import read_json

PAGE = ROOT / 'docs/new_paper.md'
# Few videos and one epoch are enough to see that everything runs.
FEW = 'benchmark = dict(splits=dict(train=dict(num_samples=64), val=dict(num_samples=16)))\n    '
SHORTER = {
    'max_epochs=20, val_interval=10': 'max_epochs=1, val_interval=1',
    'optim_wrapper = ': f'{FEW}optim_wrapper = ',
}


@pytest.fixture
def own_components():
    """What the page registers is gone for the tests behind."""
    yield
    sys.modules.pop('wordgate', None)
    for registered in (MODELS.module_dict, EXTRAS):
        for name in [n for n, cls in registered.items() if cls.__module__ == 'wordgate']:
            registered.pop(name)


def annotate(folder: Path) -> None:
    """Annotation files of QVHighlights with four queries."""
    folder.mkdir(parents=True)
    record = {
        'duration': 40, 'relevant_windows': [[10, 30]], 'relevant_clip_ids': list(range(5, 15)),
        'saliency_scores': [[2, 3, 4]] * 10,
    }  # fmt: skip
    for split in ('train_release', 'val_release', 'test_with_gt'):
        lines = [{'qid': i, 'query': f'a dog {i}', 'vid': f'v{i}', **record} for i in range(4)]
        text = ''.join(json.dumps(line) + '\n' for line in lines)
        (folder / f'highlight_{split}.jsonl').write_text(text)


def test_the_page(tmp_path, monkeypatch, capsys, own_components):
    (tmp_path / 'vtg').symlink_to(ROOT)
    (tmp_path / 'wordgate').mkdir()
    monkeypatch.chdir(tmp_path / 'wordgate')
    annotate(Path('data/qvhighlights'))
    follower = Follower(monkeypatch, capsys)
    follower.follow(blocks(PAGE, SHORTER))
    tools = [f'../vtg/tools/{name}.py' for name in ('train', 'sweep', 'train')]
    assert follower.commands == ['pytest', *tools]

    report = read_json('work_dirs/wordgate_demo/report_val.json')
    assert report['facts']['dataset'] == 'simulated data' and report['metrics']['MR-full-mAP']
    (checkpoint,) = Path('work_dirs/wordgate_demo').glob('epoch_1.pth')
    weights = torch.load(checkpoint, weights_only=True)['state_dict']
    assert weights['fusion.gate.scale'] != 0  # it starts there
    assert origins('demo.py')['model.fusion.gate.type'].endswith('model.py')
    # The components' own file and at most four more.
    files = {path.name for path in Path().glob('*.py')}
    assert files == set(re.findall(r'^      (\w+\.py) ', PAGE.read_text(), flags=re.MULTILINE))
    assert len(files - {'wordgate.py'}) <= 4
