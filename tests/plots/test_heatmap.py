# SPDX-License-Identifier: Apache-2.0
import pytest
import torch

from vtg.engine import load_config
from vtg.plots.heatmap import plot_heatmaps, word_labels
from vtg.registry import MODELS
from vtg.utils import CheckpointError, ConfigError

CONFIG = 'videolights/demo'
SMALL = [
    'model.defaults.dim=16', 'model.defaults.num_heads=2', 'model.defaults.hidden_dim=16',
    'benchmark.splits.val.num_samples=3',
]  # fmt: skip


def test_a_picture_of_random_and_of_given_weights(tmp_path):
    maps, notes = plot_heatmaps(CONFIG, tmp_path / 'a.png', sample=1, options=SMALL)
    assert [found.stage for found in maps] == ['video_projector', 'refiner', 'fusion']
    assert notes == ['no checkpoint was given, so the weights are random.']
    assert (tmp_path / 'a.png').read_bytes().startswith(b'\x89PNG')
    (again,), _ = plot_heatmaps(
        CONFIG, tmp_path / 'a.png', sample=1, stages=['fusion'], options=SMALL
    )
    assert (again.similarity == maps[2].similarity).all(), 'random weights differ from run to run'
    weights = tmp_path / 'w.pth'
    torch.save(MODELS.build(load_config(CONFIG, SMALL).model).state_dict(), weights)
    ask = dict(checkpoint=weights, stages=['fusion'], options=SMALL)
    first, notes = plot_heatmaps(CONFIG, tmp_path / 'b.svg', sample=1, **ask)
    assert not notes and len(first) == 1
    text = (tmp_path / 'b.svg').read_text()
    assert 'fusion (BiCMF)' in text and 'annotated moment' in text
    with pytest.raises(CheckpointError):
        plot_heatmaps(CONFIG, tmp_path / 'c.svg', checkpoint=weights, options=SMALL[1:])
    assert not (tmp_path / 'c.svg').exists()


@pytest.mark.parametrize(('ask', 'sentence'), [
    (dict(sample=3), r'val has 3 queries, numbered from 0; --sample is 3'),
    (dict(qid='x'), "val has no query with the qid 'x'"),
    (dict(stages=['neck']), r'the model has no stage|is empty'),
])  # fmt: skip
def test_mistakes_are_sentences(tmp_path, ask, sentence):
    with pytest.raises(ConfigError, match=sentence):
        plot_heatmaps(CONFIG, tmp_path / 'a.png', options=SMALL, **ask)
    assert not list(tmp_path.iterdir())


def test_words():
    assert word_labels('a dog runs', 3) == ['a', 'dog', 'runs']
    assert word_labels('a dog', 4) == ['(start)', 'a', 'dog', '(end)']
    assert word_labels('a dog', 3) == ['token 1', 'token 2', 'token 3']
