# SPDX-License-Identifier: Apache-2.0
"""The dictionaries of a config from its training features."""

import json
from pathlib import Path

import numpy as np
import pytest

from vtg.engine import load_config
from vtg.registry import MODELS

CONFIG = """
_base_ = ['{configs}/causalvtg/custom.py']
benchmark = dict(dataset=dict(data_root='{data}'), video_dim=6, text_dim=5)
model = dict(defaults=dict(num_rows=3))
"""


@pytest.fixture
def config(tmp_path) -> Path:
    """Eight queries about four videos of unequal lengths."""
    rng, lines = np.random.default_rng(0), []
    for query in range(8):
        video = f'v{query % 4}'
        clips = 4 + query % 4
        lines.append(
            {'qid': query, 'query': 'a dog', 'video': video, 'duration': 2.0 * clips}
            | {'windows': [[0.0, 4.0]]}
        )
        for folder, name, shape in (
            ('video_features', video, (clips, 6)),
            ('text_features', f'qid{query}', (2 + query % 3, 5)),
        ):
            (tmp_path / folder).mkdir(exist_ok=True)
            np.savez(tmp_path / folder / f'{name}.npz', features=rng.standard_normal(shape))
    (tmp_path / 'train.jsonl').write_text('\n'.join(map(json.dumps, lines)))
    path = tmp_path / 'own.py'
    configs = Path(__file__).resolve().parents[2] / 'configs'
    path.write_text(CONFIG.format(configs=configs, data=tmp_path))
    return path


def test_rows_that_a_model_starts_from(run_tool, config, tmp_path):
    out = tmp_path / 'rows'
    assert run_tool('cluster_features.py', config, out, '--rows', 3).status == 0
    rows = np.load(out / 'video.npy')
    assert rows.dtype == np.float32 and rows.shape == (3, 6)
    means = []
    for number in range(4):
        features = np.load(tmp_path / 'video_features' / f'v{number}.npz')['features']
        means.append((features / np.linalg.norm(features, axis=1, keepdims=True)).mean(axis=0))
    distance = np.abs(rows[:, None] - np.array(means)).max(axis=-1)
    assert distance.min(axis=1).max() < 1e-4 and len(set(distance.argmin(axis=1))) == 3
    assert np.load(out / 'text.npy').shape == (3, 5)

    options = [f'+model.refiner.{name}.rows_file={out}/{name}.npy' for name in ('video', 'text')]
    model = MODELS.build(load_config(config, options).model.to_dict()).eval()
    door = model.slots['refiner.video']
    wanted = door.summary(door.dictionary.new_tensor(rows))
    assert np.allclose(door.dictionary.detach(), wanted.detach(), atol=1e-6)

    again = run_tool('cluster_features.py', config, out, '--rows', 3)
    assert again.status == 1 and 'holds a video.npy already' in again.errors
    more = run_tool('cluster_features.py', config, tmp_path / 'more', '--rows', 5)
    assert more.status == 1 and '4 different video features for 5 clusters' in more.errors
    assert not (tmp_path / 'more').exists()
