# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
import torch

from tests.helpers.systems import WIDTH, small_system
from vtg.datasets import collate
from vtg.plots.stages import stage_maps
from vtg.utils import ConfigError


def batch(clips=9, words=4):
    rng = np.random.default_rng(0)
    features = {n: rng.normal(size=(clips, WIDTH)).astype(np.float32) for n in ('video', 'audio')}
    meta = {'qid': 1, 'vid': 'v', 'query': 'a b', 'duration': 18.0, 'num_clips': clips}
    text = rng.normal(size=(words, WIDTH)).astype(np.float32)
    return collate([{**features, 'text': text, 'duration': 18.0, 'meta': meta}])


@pytest.mark.parametrize(('name', 'places'), [
    ('videolights', ['video_projector', 'refiner', 'fusion']),
    ('cg_detr', ['video_projector', 'fusion']),
    ('umt', ['video_projector', 'refiner.video', 'fusion']),
])  # fmt: skip
def test_stages_of_systems(name, places):
    model, sample = small_system(name), batch()
    maps, notes = stage_maps(model, sample, inside=np.arange(9) < 3)
    assert [found.stage for found in maps] == places and len(notes) == 3 - len(places)
    for found in maps:
        assert found.similarity.shape == (4, 9) and np.abs(found.similarity).max() <= 1 + 1e-5
        assert 0 <= found.separation <= 1 and found.component == type(
            model.slots[found.stage]).__name__  # fmt: skip
    # The first map is that of the projected tokens, and no hook stays.
    state = model(**model.data_preprocessor(sample), mode='tensor')
    expected = torch.cosine_similarity(
        state.projected_text[0, :, None], state.projected_video[0, None], dim=-1
    )
    np.testing.assert_allclose(maps[0].similarity, expected.detach(), atol=1e-5)
    assert not any(component._forward_hooks for component in model.slots.values())


def test_padding_is_left_out():
    model, sample = small_system('moment_detr'), batch()
    alone = stage_maps(model, sample)[0][-1].similarity
    pad = {'video': (0, 0, 0, 3), 'video_mask': (0, 3), 'text': (0, 0, 0, 2), 'text_mask': (0, 2)}
    padded = {**sample, **{k: torch.nn.functional.pad(sample[k], by) for k, by in pad.items()}}
    np.testing.assert_allclose(stage_maps(model, padded)[0][-1].similarity, alone, atol=1e-5)


def test_separation_by_hand():
    from vtg.plots.stages import _separation

    inside = np.array([True, True, False, False])
    assert _separation(np.array([3, 1, 2, 1.0]), inside) == (1 + 1 + 0 + 0.5) / 4
    assert _separation(np.ones(4), ~np.zeros(4, bool)) is None


def test_a_pyramid_and_a_chain():
    def change(cfg):
        cfg['refiner'] = dict(a=dict(type='FeatureRefinement'), b=dict(type='FeatureRefinement'))

    chained = small_system('videolights', change=change)
    assert [m.stage for m in stage_maps(chained, batch(), ['refiner'])[0]] == [
        'refiner.a', 'refiner.b'
    ]  # fmt: skip
    assert [m.stage for m in stage_maps(chained, batch())[0]][1] == 'refiner.b'
    (found,), _ = stage_maps(small_system('sgdetr'), batch(), ['neck'])
    assert found.similarity.shape == (4, 9)


@pytest.mark.parametrize(('name', 'stage', 'sentence'), [
    ('cg_detr', 'refiner', r'model\.refiner \(DummyEncoder\) sets dummies and no clip features'),
    ('cg_detr', 'moment_head', r'no clip features.*are video_projector'),
    ('moment_detr', 'refiner', r'model\.refiner is empty, so it changes no clips'),
    ('moment_detr', 'fuson', r"no stage 'fuson'; did you mean fusion"),
])  # fmt: skip
def test_stages_without_clips_are_refused(name, stage, sentence):
    with pytest.raises(ConfigError, match=sentence):
        stage_maps(small_system(name), batch(), [stage])
