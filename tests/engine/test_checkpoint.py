# SPDX-License-Identifier: Apache-2.0
"""Checkpoints: what is read, what is refused, and what has to fit."""

import os
import re
import zipfile
from collections import Counter, OrderedDict

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer
from mmengine.runner import CheckpointLoader
from torch import nn

from vtg.engine import load_weights, read_checkpoint, setup
from vtg.engine.checkpoint import (
    find_latest_checkpoint,
    only_parts,
    to_plain,
    unsafe_globals,
)
from vtg.engine.legacy import convert
from vtg.structures import Progress
from vtg.utils import CheckpointError, ConfigError


class Trap:
    """Creates a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_pickled_code_is_refused_and_not_run(tmp_path):
    file, proof = tmp_path / 'evil.pth', tmp_path / 'proof'
    torch.save({'state_dict': {}, 'extra': Trap(proof)}, file)
    with pytest.raises(CheckpointError, match=r'evil\.pth .*mkdir.*convert_legacy_checkpoint'):
        read_checkpoint(file)
    assert not proof.exists()


def test_a_file_that_unpacks_to_far_more_is_refused(tmp_path):
    plain, bomb = tmp_path / 'plain.pth', tmp_path / 'bomb.pth'
    torch.save({'state_dict': {'a': torch.zeros(4_000_000)}}, plain)
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(bomb, 'w', zipfile.ZIP_DEFLATED) as to:
        for name in source.namelist():
            to.writestr(name, source.read(name))
    assert read_checkpoint(plain)
    with pytest.raises(CheckpointError, match=r'bomb\.pth unpacks \d+ bytes to 160'):
        read_checkpoint(bomb)


def test_a_damaged_table_of_contents_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match=r'is a folder without model\.safetensors; give'):
        read_checkpoint(tmp_path)
    file = tmp_path / 'a.pth'
    torch.save({'state_dict': {'a': torch.zeros(4)}}, file)
    content = bytearray(file.read_bytes())
    at = content.index(b'PK\x01\x02')
    content[at + 9] |= 0x08  # names are UTF-8, says the flag, and this one is not
    content[at + 46] = 0xA3
    file.write_bytes(content)
    with pytest.raises(CheckpointError, match=r'a\.pth is not .* \(its table of'):
        read_checkpoint(file)


def test_mmengine_reads_through_the_safe_loader(tmp_path, monkeypatch):
    monkeypatch.setattr(CheckpointLoader, '_schemes', CheckpointLoader._schemes)
    file, proof = tmp_path / 'evil.pth', tmp_path / 'proof'
    torch.save({'state_dict': {}, 'extra': Trap(proof)}, file)
    setup()
    with pytest.raises(CheckpointError):
        CheckpointLoader.load_checkpoint(str(file))
    assert not proof.exists()
    with pytest.raises(CheckpointError, match='not a local file'):
        CheckpointLoader.load_checkpoint('https://example.org/model.pth')


@pytest.mark.parametrize('content', [b'', b'no checkpoint', b'PK\x03\x04broken'])
def test_damaged_file_is_one_sentence(tmp_path, content):
    file = tmp_path / 'broken.pth'
    file.write_bytes(content)
    with pytest.raises(CheckpointError, match=r'broken\.pth is not a readable checkpoint'):
        read_checkpoint(file)


def test_truncated_file(tmp_path):
    file = tmp_path / 'half.pth'
    torch.save({'state_dict': nn.Linear(50, 50).state_dict()}, file)
    file.write_bytes(file.read_bytes()[:3000])
    with pytest.raises(CheckpointError, match='truncated'):
        read_checkpoint(file)


def test_missing_file(tmp_path):
    with pytest.raises(CheckpointError, match='does not exist'):
        read_checkpoint(tmp_path / 'none.pth')


def test_weights_must_fit(tmp_path):
    file = tmp_path / 'weights.pth'
    model = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 4))
    state = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 5)).state_dict()
    state['other'] = state.pop('0.bias')
    torch.save({'state_dict': state}, file)
    before = [value.clone() for value in model.state_dict().values()]
    with pytest.raises(CheckpointError) as caught:
        load_weights(model, file)
    text = str(caught.value)
    assert '1 missing in the file: 0.bias' in text
    assert '1 unknown to the model: other' in text
    assert '2 of another shape: 1.weight ((5, 3) instead of (4, 3))' in text
    assert all(map(torch.equal, before, model.state_dict().values()))


def test_load_weights_accepts_wrapped_and_bare_states(tmp_path):
    source, model = nn.Linear(2, 3), nn.Linear(2, 3)
    model.progress = Progress()
    state = {f'module.{key}': value for key, value in source.state_dict().items()}
    torch.save({'state_dict': state, 'meta': {'epoch': 7, 'max_epochs': 9}}, tmp_path / 'a.pth')
    meta = load_weights(model, tmp_path / 'a.pth')
    assert torch.equal(model.weight, source.weight)
    assert meta['epoch'] == 7 and model.progress == Progress(6, 9)
    torch.save(source.state_dict(), tmp_path / 'b.pth')
    assert load_weights(nn.Linear(2, 3), tmp_path / 'b.pth') == {}
    torch.save({'meta': {}}, tmp_path / 'c.pth')
    with pytest.raises(CheckpointError, match='no model weights'):
        load_weights(model, tmp_path / 'c.pth')


def test_values_are_stored_as_tensors_and_plain_python(tmp_path):
    value = OrderedDict(
        history=HistoryBuffer([1.0, 2.5], [1, 1], max_length=7),
        counter=Counter([3, 3, 5]),
        numbers=[np.float64(0.5), np.int32(3), np.bool_(True), np.str_('x')],
        array=np.arange(3),
        nested={'tuple': (1, None, 'a')},
    )
    torch.save(to_plain(value), tmp_path / 'plain.pth')
    assert unsafe_globals(tmp_path / 'plain.pth') == []
    back = torch.load(tmp_path / 'plain.pth', weights_only=True)
    assert back['history']['__history__'][0].tolist() == [1.0, 2.5]
    assert back['history']['max_length'] == 7 and back['counter'] == {'__counter__': {3: 2, 5: 1}}
    assert back['numbers'] == [0.5, 3, True, 'x']
    assert [type(item) for item in back['numbers']] == [float, int, bool, str]
    assert back['array'].tolist() == [0, 1, 2] and back['nested']['tuple'] == (1, None, 'a')


@pytest.mark.parametrize(
    ('value', 'sentence'),
    [
        (torch.full((3,), float('nan')), 'holds NaN or infinite weights (bias)'),
        (torch.full((3,), 1e300, dtype=torch.float64), 'holds NaN or infinite weights (bias)'),
        (torch.ones(3, dtype=torch.int64), '1 of another type: bias (expected the type float32)'),
        (torch.ones(3, dtype=torch.complex64), 'bias (expected the type float32)'),
        (torch.ones(3).to_sparse(), 'bias (expected a dense tensor)'),
        (torch.empty(3, device='meta'), 'bias (expected a tensor with data)'),
    ],
)
def test_weights_are_finite_floats(tmp_path, value, sentence):
    model = nn.Linear(2, 3)
    torch.save({**model.state_dict(), 'bias': value}, tmp_path / 'a.pth')
    with pytest.raises(CheckpointError, match=re.escape(sentence)):
        load_weights(model, tmp_path / 'a.pth')


def test_weights_of_half_the_size_are_taken(tmp_path):
    model = nn.Linear(2, 3)
    torch.save({name: value.half() for name, value in model.state_dict().items()}, tmp_path / 'a')
    load_weights(model, tmp_path / 'a')
    assert model.weight.dtype == torch.float32


def test_conversion_needs_trust_and_makes_the_file_plain(tmp_path):
    source, target = tmp_path / 'old.pth', tmp_path / 'new.pth'
    content = {
        'state_dict': nn.Linear(2, 2).state_dict(),
        'history': HistoryBuffer([1.0], [1]),
        'model': nn.Linear(1, 1),
        'sizes': {np.int64(4)},
    }
    torch.save(content, source)
    with pytest.raises(CheckpointError, match='--trust'):
        convert(source, target, trust=False)
    assert not target.exists()
    dropped = convert(source, target, trust=True)
    assert len(dropped) == 1 and dropped[0].startswith('model (torch.nn')
    loaded = read_checkpoint(target)
    assert torch.equal(loaded['state_dict']['weight'], content['state_dict']['weight'])
    assert loaded['sizes'] == [4]


def test_latest_checkpoint_survives_moves_and_truncation(tmp_path):
    assert find_latest_checkpoint(tmp_path) is None
    for index, name in enumerate(('epoch_10.pth', 'epoch_3.pth', 'best_x_epoch_3.pth')):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (index, index))
    assert find_latest_checkpoint(tmp_path).name == 'epoch_3.pth'  # the youngest, not the largest
    pointer = tmp_path / 'last_checkpoint'
    pointer.write_text('/elsewhere/epoch_10.pth')
    assert find_latest_checkpoint(tmp_path) == tmp_path / 'epoch_10.pth'
    pointer.write_text('')
    assert find_latest_checkpoint(tmp_path).name == 'epoch_3.pth'


def test_only_named_parts_are_taken_from_a_checkpoint():
    def make() -> nn.Module:
        return nn.ModuleDict({name: nn.Linear(2, 2) for name in ('fusion', 'fusion2', 'encoder')})

    model, other = make(), make()
    state = only_parts(model, other.state_dict(), ['fusion', 'encoder.bias'])
    for key, source in (
        ('fusion.weight', other),
        ('fusion2.weight', model),
        ('encoder.weight', model),
        ('encoder.bias', other),
    ):
        assert torch.equal(state[key], source.state_dict()[key])
    lacking = {k: v for k, v in other.state_dict().items() if k != 'fusion.bias'}
    assert 'fusion.bias' not in only_parts(model, lacking, ['fusion'])  # for check_fit to report
    with pytest.raises(ConfigError, match=r"load_parts names 'fusoin'.*did you mean fusion"):
        only_parts(model, other.state_dict(), ['fusoin'])
