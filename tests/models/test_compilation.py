# SPDX-License-Identifier: Apache-2.0
"""A compiled training step is one graph, for all lengths, and gives the losses of the eager one."""

import copy
from typing import Any

import pytest
import torch
from torch._dynamo.utils import counters

from tests.helpers.matrix import first
from tests.helpers.systems import SYSTEMS, WIDTH, small_system
from vtg.models.compilation import CompiledStep
from vtg.structures import Progress
from vtg.utils import ConfigError

# Traced in every run; the others with --all-systems (a trace takes 3 to 10 s of CPU time).
TRACED = ('flashvtg', 'ld_detr', 'sgdetr')
LENGTHS = ('moment_detr', 'umt')
MOST_BREAKS = 2
# No two sizes of the second batch are equal, so its graph serves all batches.
SECOND: dict[str, Any] = dict(
    clips=(21, 9, 10, 6), words=(3, 8, 2, 5),
    moments=[[(0, 3), (4, 6), (7, 9)], [(5, 8)], [(0, 2)], [(1, 3), (4, 6)]],
)  # fmt: skip
THIRD: dict[str, Any] = dict(clips=(17, 8, 14, 10, 11), words=(9, 2, 6, 4, 7))


class Graphs:
    """A backend that runs every graph as it is, and counts them."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, module: Any, _: Any) -> Any:
        self.count += 1
        return module.forward


@pytest.fixture
def compiled():
    """``compiled(name, **options)``: an eager model, the same compiled, and the graphs of that;
    ``noise=True`` keeps dropout."""

    def make(name: str, noise: bool = False, **options: Any) -> tuple[Any, Any, Graphs]:
        torch.manual_seed(0)
        model, graphs = small_system(name, noise, layers=1).train(), Graphs()
        twin = copy.deepcopy(model)
        twin.compile(backend=graphs, **options)
        return model, twin, graphs

    torch._dynamo.reset()
    counters.clear()
    yield make
    torch._dynamo.reset()


def losses(model: Any, batch: dict[str, Any]) -> dict[str, torch.Tensor]:
    torch.manual_seed(1)
    return model(**model.data_preprocessor(batch, True), mode='loss')


def assert_same_losses(ours: dict[str, torch.Tensor], theirs: dict[str, torch.Tensor]) -> None:
    assert ours.keys() == theirs.keys()
    for name, value in ours.items():
        assert torch.allclose(value, theirs[name], rtol=1e-5, atol=1e-5), name


def assert_few_breaks(graphs: Graphs) -> None:
    breaks = counters['graph_break']
    assert graphs.count and sum(breaks.values()) <= MOST_BREAKS, breaks


@pytest.mark.no_cover  # tracing goes through the models' lines in a way of its own
@pytest.mark.parametrize('name', first(TRACED, SYSTEMS))
def test_one_graph_with_the_same_losses(name, compiled, toy):
    model, twin, graphs = compiled(name, dynamic=False)
    batch = toy.batch(video_dim=WIDTH, text_dim=WIDTH)
    assert_same_losses(losses(twin, batch), losses(model, batch))
    assert_few_breaks(graphs)
    # What a step changes besides the weights, such as a teacher, is changed once.
    for (key, ours), theirs in zip(twin.state_dict().items(), model.state_dict().values()):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6, msg=key)


@pytest.mark.no_cover
@pytest.mark.parametrize('name', first(LENGTHS[:1], LENGTHS))
def test_later_lengths_compile_nothing(name, compiled, toy):
    model, twin, graphs = compiled(name)
    counts = []
    for lengths, epoch in (({}, 0), (SECOND, 0), (THIRD, 1)):
        batch = toy.batch(video_dim=WIDTH, text_dim=WIDTH, **lengths)
        model.progress = twin.progress = Progress(epoch, 7)
        ours, theirs = losses(twin, batch), losses(model, batch)
        assert_same_losses(ours, theirs)
        counts.append(graphs.count)
    assert counts[2] == counts[1] <= 2
    assert_few_breaks(graphs)
    sum(ours.values()).backward()
    sum(theirs.values()).backward()
    for ours, theirs in zip(twin.parameters(), model.parameters()):
        if theirs.grad is not None:
            assert torch.allclose(ours.grad, theirs.grad, rtol=1e-4, atol=1e-6)


def test_a_continued_run_goes_on_as_the_first_would(compiled, toy):
    # Compiling happens at the first step of a run, so it must draw no random numbers.
    _, one, _ = compiled('univtg', noise=True, dynamic=False)
    batch = toy.batch(video_dim=WIDTH, text_dim=WIDTH)

    def step(model):
        found = model(**model.data_preprocessor(batch, True), mode='loss')
        model.zero_grad()
        sum(found.values()).backward()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter -= 0.01 * parameter.grad
        return torch.stack(list(found.values()))

    step(one)
    weights, state = copy.deepcopy(one.state_dict()), torch.get_rng_state()
    expected = [step(one), step(one)]
    _, second, _ = compiled('univtg', noise=True, dynamic=False)
    second.load_state_dict(weights)
    torch.set_rng_state(state)
    assert torch.equal(step(second), expected[0]) and torch.equal(step(second), expected[1])
    assert all(map(torch.equal, second.parameters(), one.parameters()))
    assert not torch.equal(*expected)


def test_weights_and_other_modes_stay(compiled, toy):
    model, twin, graphs = compiled('moment_detr')
    assert list(twin.state_dict()) == list(model.state_dict())
    batch = toy.batch(video_dim=WIDTH, text_dim=WIDTH)
    with torch.no_grad():
        ours, theirs = (
            each.eval()(**each.data_preprocessor(batch), mode='tensor') for each in (twin, model)
        )
    assert torch.equal(ours.spans, theirs.spans) and graphs.count == 0


def test_what_is_missing_is_one_sentence(monkeypatch):
    def refuse(*_: Any, **__: Any) -> None:
        raise RuntimeError('Dynamo is not supported on Python 4')

    monkeypatch.setattr(torch, 'compile', refuse)
    with pytest.raises(ConfigError, match=r'--compile does not work .*Python 4.*compile=False'):
        CompiledStep(lambda *_: {}, {})


def test_a_step_that_cannot_be_compiled_is_one_sentence():
    """Inductor of PyTorch 2.13 fails on small models on a CPU with an error of its own."""

    def broken(module: Any, _: Any) -> Any:
        raise ValueError('Invalid ranges [0:-1]')

    step = CompiledStep(lambda _, inputs, *__: {'loss': inputs.sum()}, {'backend': broken})
    with pytest.raises(ConfigError, match=r'cannot compile .*Invalid ranges.*compile=False') as end:
        step(None, torch.ones(3), None, Progress(0, 1))
    assert '\n' not in str(end.value)
    torch._dynamo.reset()
