# SPDX-License-Identifier: Apache-2.0
"""Configs of pre-training, and those that start from it."""

import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from vtg.apis.train import check_weights
from vtg.datasets import collate
from vtg.engine import load_config
from vtg.models.losses import RankContrastiveLoss
from vtg.registry import DATASETS, TRANSFORMS
from vtg.utils import CheckpointError, DataError, write_jsonl

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted(
    path
    for path in (ROOT / 'configs').glob('[a-z]*/*.py')
    if path.stem.endswith(('_pt', '_finetune')) or 'load_from' in path.read_text()
)
SIMILARITIES = [[0.21], [0.24], [0.3], [0.27], [0.19]]


@pytest.mark.parametrize('path', FILES, ids=lambda path: f'{path.parent.name}/{path.stem}')
def test_what_starts_from_weights_names_what_makes_them(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cfg = load_config(path)
    tool, source = cfg.weights_from.split()[:2]
    assert (ROOT / tool).is_file()
    if tool == 'tools/train.py':
        maker = load_config(ROOT / source)
        for name in ('video_projector', 'text_projector'):
            assert maker.model[name] == cfg.model[name]
        assert maker.model.defaults == cfg.model.defaults
    else:
        assert source == path.parent.name
    with pytest.raises(CheckpointError) as caught:
        check_weights(cfg)
    assert f'{cfg.load_from} does not exist: make them with {cfg.weights_from}' in str(caught.value)
    Path(cfg.load_from).parent.mkdir()
    Path(cfg.load_from).touch()
    check_weights(cfg)


def test_ways_around_the_missing_weights(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = ROOT / 'configs' / 'sgdetr' / 'qvhl_finetune.py'
    with pytest.raises(CheckpointError, match='but load_from is None: make them with') as caught:
        check_weights(load_config(path, ['load_from=None']))
    options = re.search(r'or set (\S+ \S+) to start', str(caught.value))[1].split()
    check_weights(load_config(path, options))
    check_weights(load_config(path, ['load_from=https://host/weights.pth']))
    run = tmp_path / 'run'
    run.mkdir()
    resumed = load_config(path, ['resume=auto', f'+work_dir={run}'])
    with pytest.raises(CheckpointError, match='sgdetr_pretrained'):
        check_weights(resumed)
    torch.save({'state_dict': {}}, run / 'epoch_1.pth')
    (run / 'last_checkpoint').write_text(str(run / 'epoch_1.pth'))
    check_weights(resumed)


def test_similarities_train_the_ranking():
    """As they are they lie below the first rank, and the loss is 0 whatever the scores."""
    cfg = load_config(ROOT / 'configs' / 'videolights' / 'pretrain_generated.py')
    record = {'relevant_clip_ids': [3, 4, 5, 6, 7], 'saliency_scores': SIMILARITIES}
    assert cfg.model.saliency_head.losses.rank.type == 'RankContrastiveLoss'
    gradients = {}
    for name, top in (('config', cfg.train_dataloader.dataset.labels.saliency.top), ('raw', None)):
        labels = TRANSFORMS.build({**cfg.train_dataloader.dataset.labels.saliency, 'top': top})
        made = labels(record, 12, 2.0, np.random.default_rng(0))
        scores = torch.linspace(-1, 1, 12)[None].requires_grad_()
        targets = SimpleNamespace(saliency=torch.from_numpy(made['saliency'])[None])
        state = SimpleNamespace(video_mask=torch.ones(1, 12, dtype=torch.bool), targets=targets)
        RankContrastiveLoss(temperature=0.5)(scores, state, None).backward()
        gradients[name] = scores.grad
    assert gradients['raw'].abs().sum() == 0
    # The best clip is pulled up most, clips outside of the interval are pushed down.
    assert gradients['config'].argmin() == 5 and (gradients['config'][0, :3] > 0).all()


def test_the_joint_corpus_reads_one_folder_and_one_rate(tmp_path):
    """Videos of Charades-STA lie beside those of QVHighlights, in rows of 2 s."""
    cfg = load_config(ROOT / 'configs' / 'videolights' / 'pretrain.py')
    root = tmp_path / 'data'
    record = dict(query='a man', relevant_windows=[[0, 10]], duration=20)
    records = [{'qid': f'{vid}_0_10', 'vid': vid, **record} for vid in ('QV1_0.0_20.0', 'CHAR5')]
    dataset = cfg.train_dataloader.dataset
    (root / 'qvhighlights').mkdir(parents=True)
    write_jsonl(tmp_path / dataset.ann_file, records)
    for store in (*dataset.video, *dataset.text):
        assert store.folder.startswith('data/qvhighlights/')
        store.folder = str(tmp_path / store.folder)
        Path(store.folder).mkdir()
        is_text = store.dim == 512 and 'query' in store.folder
        for row in records:
            name = store.pattern.format(**row)
            rows = np.ones((4 if is_text else 10, store.dim), np.float32)
            key = 'last_hidden_state' if is_text else 'features'
            np.savez(Path(store.folder) / f'{name}.npz', **{key: rows})
    dataset.ann_file = str(tmp_path / dataset.ann_file)
    built = DATASETS.build(dataset)
    assert collate([built[0], built[1]])['video'].shape == (2, 10, 2304 + 512 + 2)

    charades = Path(dataset.video[0].folder) / 'CHAR5.npz'
    np.savez(charades, features=np.ones((20, 2304), np.float32))  # one row per second
    with pytest.raises(DataError, match='CHAR5'):
        DATASETS.build(dataset)[1]
    charades.unlink()
    with pytest.raises(DataError, match=r'slowfast_features(.|\n)*CHAR5'):
        DATASETS.build({**dataset, 'lazy_init': False})
