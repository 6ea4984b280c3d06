# SPDX-License-Identifier: Apache-2.0
"""Tokens take in rows of a dictionary, which training moves."""

import numpy as np
import pytest
import torch

from tests.helpers.systems import WIDTH, small_system
from vtg.models.refiners.front_door import FrontDoorEncoder, moved_rows
from vtg.utils import ConfigError


def test_rows_move_one_value_after_the_other():
    torch.manual_seed(0)
    rows, values = torch.randn(4, 3), torch.randn(6, 3)
    index = torch.tensor([2, 0, 2, 3, 2, 0])
    wanted = rows.clone()
    for value, row in zip(values, index):
        wanted[row] = 0.7 * wanted[row] + 0.3 * value
    assert torch.allclose(moved_rows(rows, values, index, 0.7), wanted, atol=1e-6)


def test_attention_and_gate_follow_the_equation():
    torch.manual_seed(0)
    door = FrontDoorEncoder(4, num_rows=5, num_heads=2).eval()
    door.dictionary.normal_()
    tokens, mask = torch.randn(1, 3, 4), torch.ones(1, 3, dtype=torch.bool)
    query, key, value = door.query(tokens), door.key(door.dictionary), door.value(door.dictionary)
    heads = [
        (query[..., part] @ key[:, part].T / 2**0.5).softmax(dim=-1) @ value[:, part]
        for part in (slice(0, 2), slice(2, 4))
    ]
    found = torch.cat(heads, dim=-1)
    assert torch.allclose(door.attended(tokens, mask, door.dictionary), found, atol=1e-6)
    door.mask_padding = False
    assert torch.allclose(door.attended(tokens, mask, door.dictionary), found, atol=1e-6)
    blind = door.attended(tokens, ~mask, door.dictionary)
    assert torch.allclose(blind, value.mean(dim=0).expand_as(blind), atol=1e-6)


def test_training_alone_moves_the_dictionary_and_only_with_its_losses(toy):
    model = small_system('causalvtg', noise=False)
    door = model.slots['refiner.video']
    before = door.dictionary.clone()
    batch = toy.batch(video_dim=WIDTH, text_dim=WIDTH, sources=[0, 1, 2])
    given = model.data_preprocessor(batch, True)
    model.eval()(**given, mode='loss')
    assert torch.equal(door.dictionary, before)
    model.train()
    values = door.summaries(given['video'], given['video_mask'])
    nearest = torch.cosine_similarity(values[:, None], before[None], dim=-1).argmax(dim=1)
    model(**given, mode='loss')
    wanted = moved_rows(before, values, nearest, 0.5)
    assert torch.allclose(door.dictionary, wanted, atol=1e-6)
    assert not torch.equal(door.dictionary, before)


def test_rows_of_a_file_are_mapped(tmp_path):
    rows = np.random.default_rng(0).normal(size=(5, WIDTH)).astype(np.float32)
    np.save(tmp_path / 'rows.npy', rows)

    def change(model):
        model['refiner']['text'].update(num_rows=5, rows_file=str(tmp_path / 'rows.npy'))

    door = small_system('causalvtg', change=change).eval().slots['refiner.text']
    assert torch.allclose(door.dictionary, door.summary(torch.from_numpy(rows)), atol=1e-6)

    def wrong(model):
        model['refiner']['text'].update(num_rows=4, rows_file=str(tmp_path / 'rows.npy'))

    with pytest.raises(ConfigError, match=r'\(5, 6\); expected num_rows=4 rows of 6 columns'):
        small_system('causalvtg', change=wrong)


def test_every_row_gets_its_own_negatives(toy):
    model = small_system('causalvtg', noise=False).train()
    batch = toy.batch(video_dim=WIDTH, text_dim=WIDTH, sources=[0, 1, 1])
    given = model.data_preprocessor(batch, True)
    targets = given.pop('targets')
    state = model(**{k: v for k, v in given.items() if k != 'meta'}).update(targets=targets)
    head = model.slots['auxiliary.answerability']
    videos, texts = head.pairs(state)
    assert videos[:3].tolist() == [1, 2, 0] and texts.tolist() == [0, 1, 2, 0, 1, 2]
    # The videos of the last two samples are one, so that their hard one is the first.
    assert videos[4:].tolist() == [0, 0]
    found = model.with_negatives(state)
    negative = found.negative
    assert found.negative_valid.tolist() == [True, False, True, True, True, True]
    for row, (video, text) in enumerate(zip(videos.tolist(), texts.tolist())):
        alone = state.paired(torch.tensor([video]), torch.tensor([text]))
        alone = model.run(alone, model.negative_stages)
        count = int(state.video_mask[video].sum())
        ours = negative.memory[row, :count]
        assert torch.allclose(ours, alone.memory[0, :count], atol=1e-5)
        assert torch.equal(negative.text[row], state.text[text])
