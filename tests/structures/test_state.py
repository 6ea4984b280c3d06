# SPDX-License-Identifier: Apache-2.0
"""The state that travels through the pipeline."""

from dataclasses import FrozenInstanceError, dataclass, field, fields

import pytest
import torch

from vtg.structures import FROM_TEXT, Extra, GroundingState, Progress, in_float32


@dataclass(frozen=True)
class Words(Extra):
    tokens: torch.Tensor = field(metadata=FROM_TEXT)
    position: torch.Tensor


@dataclass(frozen=True)
class ClipHint(Extra):
    hint = True
    stream = True
    values: torch.Tensor


def test_extras_are_declared_where_they_are_used():
    assert (Words.name, ClipHint.name) == ('words', 'clip_hint')
    assert {'words', 'clip_hint'} <= {*GroundingState.field_names()}
    assert (
        'words' in GroundingState.text_fields() and 'clip_hint' not in GroundingState.text_fields()
    )
    for marked in (GroundingState.hints(), GroundingState.streams()):
        assert 'clip_hint' in marked and 'words' not in marked
    state = make_state()
    hint = ClipHint(torch.ones(2).half())
    other = state.update(clip_hint=hint, saliency=torch.zeros(3, 4))
    assert other.extras[ClipHint] is other.extras.get(ClipHint) is hint
    assert other.saliency is not None
    assert state.extras.get(ClipHint) is None
    with pytest.raises(KeyError, match="nothing has set 'clip_hint'; declare it in `requires`"):
        state.extras[ClipHint]
    assert in_float32(other).extras[ClipHint].values.dtype == torch.float32
    assert ClipHint not in other.update(clip_hint=None).extras
    with pytest.raises(TypeError, match='clip_hint is a ClipHint, not Tensor'):
        state.update(clip_hint=torch.ones(2))


def test_a_name_is_declared_once():
    with pytest.raises(TypeError, match='both declare Words'):
        type('Words', (Extra,), {'__module__': 'elsewhere'})
    with pytest.raises(TypeError, match='`memory` is a field of the state'):
        type('Memory', (Extra,), {})


def make_state(**values):
    return GroundingState(
        video_features=torch.randn(3, 4, 2),
        video_mask=torch.ones(3, 4).bool(),
        text_features=torch.randn(3, 5, 2),
        text_mask=torch.rand(3, 5) > 0.5,
        duration=torch.tensor([8.0, 6.0, 4.0]),
        **values,
    )


def test_update_makes_a_new_state():
    state = make_state()
    other = state.update(saliency=torch.zeros(3, 4))
    assert state.saliency is None and other.saliency is not None
    assert other.video_features is state.video_features
    with pytest.raises(FrozenInstanceError):
        state.saliency = torch.zeros(3, 4)
    with pytest.raises(TypeError):
        state.update(salience=1)


def test_defaults():
    state = make_state()
    assert state.progress == Progress(0, 1) and not state.is_negative and state.targets is None
    unset = {item.name for item in fields(state)} - set(GroundingState.INPUTS)
    assert {name for name in unset if getattr(state, name) is not None} == {
        'progress', 'extras', 'is_negative'
    }  # fmt: skip


def test_negative_text_is_that_of_the_next_sample():
    tokens = torch.randn(3, 5, 2)
    state = make_state(
        text=tokens,
        text_pos=tokens + 1,
        projected_text=tokens + 2,
        sentence=torch.arange(3.0)[:, None],
        video=torch.randn(3, 4, 2),
        memory=torch.randn(3, 4, 2),
        moment_memory=torch.randn(3, 4, 2),
        saliency_memory=torch.randn(3, 4, 2),
    ).update(words=Words(torch.arange(3.0)[:, None], torch.randn(5)), clip_hint=ClipHint(tokens))
    negative = state.roll_text()
    assert negative.is_negative and not state.is_negative
    for name in ('text_features', 'text_mask', 'text', 'text_pos', 'projected_text'):
        rows = getattr(state, name)
        assert torch.equal(getattr(negative, name), torch.stack((rows[1], rows[2], rows[0])))
    assert negative.sentence[:, 0].tolist() == [1, 2, 0]
    for name in ('video_features', 'video_mask', 'video', 'memory', 'duration'):
        assert getattr(negative, name) is getattr(state, name)
    assert negative.moment_memory is negative.saliency_memory is None
    assert ClipHint in state.extras and ClipHint not in negative.extras
    assert negative.extras[Words].tokens[:, 0].tolist() == [1, 2, 0]
    assert negative.extras[Words].position is state.extras[Words].position


def test_negative_text_may_be_that_of_any_sample():
    tokens = torch.randn(3, 5, 2)
    state = make_state(text=tokens).update(words=Words(torch.arange(3.0)[:, None], torch.randn(5)))
    negative = state.roll_text(torch.tensor([2, 0, 0]))
    for name in ('text_features', 'text_mask', 'text'):
        rows = getattr(state, name)
        assert torch.equal(getattr(negative, name), torch.stack((rows[2], rows[0], rows[0])))
    assert negative.extras[Words].tokens[:, 0].tolist() == [2, 0, 0]
    assert negative.extras[Words].position is state.extras[Words].position


def test_rolling_one_sample_gives_its_own_text():
    state = make_state(text=torch.randn(3, 5, 2)).update(text=torch.randn(1, 5, 2))
    assert torch.equal(state.roll_text().text, state.text)


def test_streams_fall_back_on_the_memory():
    memory, stream = torch.randn(3, 4, 2), torch.randn(3, 4, 2)
    state = make_state(memory=memory)
    assert state.for_moments is memory and state.for_saliency is memory
    state = state.update(moment_memory=stream)
    assert state.for_moments is stream and state.for_saliency is memory
    state = state.update(moment_memory=None, saliency_memory=stream)
    assert state.for_moments is memory and state.for_saliency is stream


def test_only_a_state_of_a_model_runs_stages():
    with pytest.raises(RuntimeError, match='only a state inside of a model can run stages'):
        make_state().run(['fusion'])
    state = make_state(runner=lambda state, stages: (state, stages))
    assert state.run(['fusion']) == (state, ['fusion'])
