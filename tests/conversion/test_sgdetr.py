# SPDX-License-Identifier: Apache-2.0
"""Published SG-DETR checkpoints become ours, or are refused with a reason."""

import os
from pathlib import Path

import pytest
import torch
from reference_values.core import ReferenceSet

from vtg.conversion import convert_checkpoint, convert_state_dict
from vtg.engine import load_weights, read_checkpoint
from vtg.engine.config import load_config
from vtg.registry import MODELS
from vtg.structures import PROGRESS_KEY
from vtg.utils import CheckpointError

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def data(shared) -> ReferenceSet:
    return ReferenceSet(shared / 'golden', 'sgdetr')


@pytest.fixture
def published(data, tmp_path) -> Path:
    """A file as Lightning writes it."""
    path = tmp_path / 'published.ckpt'
    weights = {f'model.{key}': value for key, value in data.below('sd/').items()}
    torch.save({'epoch': 3, 'state_dict': weights, 'hyper_parameters': {'lr': 1e-4}}, path)
    return path


def small_model(data):
    from reference_values.sgdetr import SgDetrCase

    base = load_config(ROOT / 'configs/sgdetr/qvhl_official.py').model.to_dict()
    return MODELS.build(SgDetrCase.model_config(base, data))


def test_round_trip(published, data, tmp_path):
    target = tmp_path / 'ours.pth'
    written = convert_checkpoint('sgdetr', published, target)
    stored = read_checkpoint(target)
    assert stored['meta']['converted_from'] == 'sgdetr'
    assert set(stored['state_dict']) == set(written)

    model = small_model(data)
    load_weights(model, target)
    state = model.state_dict()
    assert set(state) - {PROGRESS_KEY} == set(written)
    assert all(torch.equal(state[key], value) for key, value in written.items())
    # Nothing is invented: every number comes from the file.
    numbers = sum(value.numel() for value in written.values())
    assert numbers <= sum(value.numel() for value in data.below('sd/').values())
    assert torch.equal(state['embedding.modality.weight'], data['sd/modality_embeddings.weight'])


@pytest.mark.parametrize('wrap', [lambda w: w, lambda w: {'model': w, 'epoch': 1}])
def test_other_containers(data, tmp_path, wrap):
    weights = data.below('sd/')
    torch.save(wrap(weights), tmp_path / 'in.pth')
    converted = convert_checkpoint('sgdetr', tmp_path / 'in.pth', tmp_path / 'out.pth')
    assert set(converted) == set(convert_state_dict('sgdetr', weights))


def test_unknown_keys_are_listed_and_nothing_is_written(data, tmp_path):
    weights = data.below('sd/') | {'backbone.conv.weight': torch.zeros(1), 'x': torch.zeros(1)}
    torch.save({'state_dict': weights}, tmp_path / 'in.pth')
    message = r'2 keys of the checkpoint have no place.*backbone\.conv\.weight, x;'
    with pytest.raises(CheckpointError, match=message):
        convert_checkpoint('sgdetr', tmp_path / 'in.pth', tmp_path / 'out.pth')
    assert [path.name for path in tmp_path.iterdir()] == ['in.pth']


class Trap:
    """Creates a folder when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_a_file_that_carries_code_is_refused_and_not_run(data, tmp_path):
    source, proof = tmp_path / 'in.pth', tmp_path / 'proof'
    torch.save({'state_dict': data.below('sd/'), 'callbacks': Trap(proof)}, source)
    with pytest.raises(CheckpointError, match=r'in\.pth'):
        convert_checkpoint('sgdetr', source, tmp_path / 'out.pth')
    assert not proof.exists() and not (tmp_path / 'out.pth').exists()


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        (None, 'does not exist'),
        ({}, 'holds no weights'),
        ([torch.zeros(1)], 'holds no weights'),
        ({'state_dict': {'a': torch.zeros(1), 'b': 'text'}}, 'no tensors: b'),
    ],
)
def test_files_without_weights(tmp_path, content, message):
    if content is not None:
        torch.save(content, tmp_path / 'in.pth')
    with pytest.raises(CheckpointError, match=message):
        convert_checkpoint('sgdetr', tmp_path / 'in.pth', tmp_path / 'out.pth')


def test_unknown_system():
    with pytest.raises(CheckpointError, match='sgdetr'):
        convert_state_dict('sg_detr', {})


def test_a_single_pooling_layer_drops_the_norm_between_layers(data):
    weights = data.below('sd/')
    prefix = 'local_saliency_head.sentence_pooling'
    single = {
        key: value
        for key, value in weights.items()
        if not key.startswith(f'{prefix}.layers.') or key.startswith(f'{prefix}.layers.0.')
    }
    assert f'{prefix}.norm.weight' in single
    norm = 'local_saliency_head.pooling.norm.weight'
    assert norm not in convert_state_dict('sgdetr', single)
    if len(single) < len(weights):
        assert norm in convert_state_dict('sgdetr', weights)
