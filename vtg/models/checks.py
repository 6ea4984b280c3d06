# SPDX-License-Identifier: Apache-2.0
"""What every component keeps, checked on noise before any data are there.

A model is run twice in ways that must not differ (a sample alone and in a padded batch, beside
others, in another order, with more padding), while all that its components return is recorded.
The first that differs is named: what comes behind it differs because of it.
"""

import copy
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from vtg.structures import Progress
from vtg.utils import ConfigError, VtgError, did_you_mean, listed, one_line

from .grounder import Grounder
from .recording import Pair, components_of, is_finite, largest_difference, predict, step
from .rehearsal import gradient_sizes, noise_batch, sample_of, with_padding

TOLERANCE = 1e-5
"""Largest difference that rounding explains, relative to the largest value where that exceeds 1."""
# Unequal in everything, and no length is a width of the model by chance.
CLIPS, WORDS = (13, 9, 7), (3, 5, 2)
EQUAL_CLIPS, EQUAL_WORDS = (11, 11, 11), (4, 4, 4)
SHORT_CLIPS, SHORT_WORDS = (13, 3), (1, 5)


@dataclass(frozen=True)
class Finding:
    """The outcome of one check.

    Attributes:
        name: Of the check.
        culprits: Full names of the components, losses or parameters that fail it.
        text: What was checked or found, one sentence.
    """

    name: str
    culprits: tuple[str, ...]
    text: str

    @property
    def passed(self) -> bool:
        """Whether nothing fails."""
        return not self.culprits


def check_model(build: Callable[[], Grounder], component: str | None = None) -> list[Finding]:
    """Run all checks.

    Args:
        build: Makes the model, on the CPU; called several times.
        component: Judge this one alone, by slot (``'fusion'``), full name (``'fusion.gate'``) or
            class; by default the whole model.

    Raises:
        ConfigError: The model has no such component.
    """
    torch.manual_seed(0)
    model = shaken(build())
    paths = paths_of(model, component)
    checks = (
        neighbours, neighbours_in_training, padding, losses, repetition, declarations,
        lambda _: gradients(build(), paths), finite, lambda model: round_trip(model, build),
    )  # fmt: skip
    with torch.random.fork_rng(devices=()):
        return [judged(check(model), paths) for check in checks]


def paths_of(model: Grounder, component: str | None) -> tuple[str, ...]:
    """Full names of what a component is called by: a slot, a full name, a class; () for None.

    Raises:
        ConfigError: The model has no such component.
    """
    if component is None:
        return ()
    parts = {path: type(part).__name__ for path, part in components_of(model).items()}
    name = component.removeprefix('model.')
    found = [
        path for path, kind in parts.items()
        if name in (path, kind) or path.startswith(f'{name}.')
    ]  # fmt: skip
    if not found:
        hint = did_you_mean(name, [*parts, *parts.values()]) or f'it has {", ".join(parts)}.'
        raise ConfigError(f'the model has no component {component!r}; {hint}')
    # The parts of a part are in it.
    return tuple(p for p in found if not any(p.startswith(f'{q}.') for q in found))


def judged(finding: Finding, paths: Sequence[str]) -> Finding:
    """Return the finding as far as it concerns these components and what they hold."""
    if not paths or finding.passed:
        return finding
    own = [c for c in finding.culprits if any(f'{c}.'.startswith(f'{p}.') for p in paths)]
    if own:
        return Finding(finding.name, tuple(own), finding.text)
    others = ', '.join(finding.culprits)
    return Finding(finding.name, (), f'nothing of it fails, but {others} does: {finding.text}')


def neighbours(model: Grounder) -> Finding:
    """Samples of equal lengths, alone, in a batch and in the reversed batch: nothing is padded."""
    batch = noise_batch(model, EQUAL_CLIPS, EQUAL_WORDS)
    whole, turned = predict(model, batch), predict(model, _reversed(batch))
    last = len(EQUAL_CLIPS) - 1
    pairs: list[Pair] = []
    for i in range(last + 1):
        pairs += [(whole, i, predict(model, sample_of(batch, i)), 0), (whole, i, turned, last - i)]
    return _compared(
        'neighbours', pairs, 'a sample alone, in a batch of three and in the reversed batch',
        'mixes the samples of a batch',
    )  # fmt: skip


def neighbours_in_training(model: Grounder) -> Finding:
    """The stages in training, with the same random numbers and another third sample."""
    batch = noise_batch(model, EQUAL_CLIPS, EQUAL_WORDS)
    other = {
        key: torch.cat((value[:2], 3 * value[2:].flip(-1)))
        for key, value in batch.items() if key in ('video', 'audio', 'text')
    }  # fmt: skip
    stages = [name for name in model.stages if name in model.slots]
    one, two = (step(model, item).first(stages) for item in (batch, {**batch, **other}))
    finding = _compared(
        'neighbours in training', [(one, 0, two, 0)],
        'what the stages make of a sample in training beside one neighbour and another',
        'mixes the samples of a batch in training, and does not declare joint = False',
    )  # fmt: skip
    if finding.passed or model.slots[finding.culprits[0]].joint:
        return finding
    return Finding(
        finding.name, (), f'{finding.culprits[0]} declares that it looks at the other samples '
        '(joint = False), so nothing behind it was compared.',
    )  # fmt: skip


def padding(model: Grounder, batch: Mapping[str, Any] | None = None) -> Finding:
    """Samples of unequal lengths, alone and in a padded batch with noise on the padding."""
    pairs, sizes = _alone_and_padded(model, batch)
    return _compared(
        'padding', pairs, 'a sample alone and in a padded batch of unequal lengths',
        'takes padding for clips or words', sizes=sizes,
    )  # fmt: skip


def padding_difference(model: Grounder, batch: Mapping[str, Any] | None = None) -> float:
    """Return the largest difference between what a model, and every stage of it, makes of a sample
    in a padded batch and of the sample alone, before any post-processing. It is 0 but for rounding
    where padding does not count.

    Weights get some noise, on a copy, so that no zero at the start hides anything.

    Args:
        model: On the CPU.
        batch: A collated batch of videos and texts of unequal lengths; noise by default.
    """
    pairs, sizes = _alone_and_padded(shaken(copy.deepcopy(model)), batch)
    return largest_difference(pairs, TOLERANCE, sizes)[0]


def losses(model: Grounder) -> Finding:
    """All losses of a batch, as it is and padded further, without dropout."""
    batch = noise_batch(model, CLIPS, WORDS)
    more = with_padding(batch, clips=4, words=3, moments=2)
    one, two = (step(model, item, train=False).losses() for item in (batch, more))
    return _compared(
        'losses', [(one, None, two, None)],
        'every loss of a batch and of the same batch with more padding', 'counts padding',
    )  # fmt: skip


def repetition(model: Grounder) -> Finding:
    """A prediction made twice, with other random numbers, which also leaves all as it was."""
    batch = noise_batch(model, CLIPS, WORDS)
    one, two = (predict(model, batch, seed) for seed in (0, 1))
    finding = _compared(
        'repetition', [(one, i, two, i) for i in range(len(CLIPS))],
        'a prediction made twice', 'is not the same every time', tolerance=0.0,
    )  # fmt: skip
    state = model.state_dict()
    changed = [
        key for key, value in one.model.state_dict().items() if not _equal(value, state[key])
    ]
    changed = list(dict.fromkeys([*one.changed, *changed]))
    if not finding.passed or not changed:
        return finding
    return Finding(
        'repetition', tuple(changed), f'a prediction changes in place what {listed(changed)} was '
        'given or holds: write x = x + y instead of x += y, and change buffers in training alone.',
    )  # fmt: skip


def declarations(model: Grounder) -> Finding:
    """Stages set what they declare, and nothing else."""
    found = []
    for name, made in predict(model, noise_batch(model, CLIPS, WORDS)).calls:
        component = model.slots.get(name)
        if component is not None and isinstance(made, Mapping) and 'existence' not in made:
            passed = getattr(component, 'passes_on', ())
            known = {*component.provides, *component.can_provide, *passed, *_lists(model)}
            found += [
                (name, f) for f, value in made.items() if value is not None and f not in known
            ]
    said = listed(f'{name} sets `{field}`' for name, field in dict.fromkeys(found))
    return Finding(
        'declarations', tuple(dict.fromkeys(name for name, _ in found)),
        f'{said}, which its `provides` does not name.' if found else
        'every stage sets fields that it declares, and no others.',
    )  # fmt: skip


def gradients(model: Grounder, paths: Sequence[str] = ()) -> Finding:
    """Some loss depends on every trainable parameter; those whose gradient is 0 are named."""
    sizes = {
        name: size for name, size in gradient_sizes(model).items()
        if not paths or any(name.startswith(f'{path}.') for path in paths)
    }  # fmt: skip
    dead = [name for name, size in sizes.items() if size is None]
    zero = [name for name, size in sizes.items() if size == 0]
    said = f'{len(sizes) - len(dead) - len(zero)} of {len(sizes)} trainable parameters learn'
    if zero:
        said += (
            f'; the gradient of {listed(zero)} is 0 in the first two steps, as where an input is '
            'constant or a softmax takes a bias out again'
        )
    if dead:
        said += f'; no loss depends on {listed(dead)}'
    return Finding('gradients', tuple(dead), f'{said}.')


def finite(model: Grounder) -> Finding:
    """Losses, gradients and predictions in float32 and bfloat16, also of very short samples."""
    faults: dict[str, str] = {}
    for clips, words, moments in ((SHORT_CLIPS, SHORT_WORDS, True), (CLIPS, WORDS, False)):
        batch = noise_batch(model, clips, words, moments)
        for kind in ('float32', 'bfloat16'):
            with torch.autocast('cpu', torch.bfloat16, enabled=kind == 'bfloat16'):
                wrong = _not_finite(model, batch)
            where = f'{kind}, {min(clips)} clips' if moments else f'{kind}, no moment'
            faults = dict.fromkeys(wrong, where) | faults
    said = listed(f'{name} ({where})' for name, where in faults.items())
    return Finding(
        'numbers', tuple(faults),
        f'not finite: {said}.' if faults else 'losses, gradients and predictions are finite in '
        f'float32 and bfloat16, also with {min(SHORT_CLIPS)} clips, one word, and no moment.',
    )  # fmt: skip


def _not_finite(model: Grounder, batch: Mapping[str, Any]) -> list[str]:
    """Where something begins to be no number: in a stage, a loss or a gradient."""
    for index in range(len(batch['duration'])):
        # Alone, because anything may stand on padding.
        for name, made in predict(model, sample_of(batch, index)).calls:
            if isinstance(made, Mapping):  # limits of a head's assignment may be infinite
                made = {field: value for field, value in made.items() if field != 'moment_outputs'}
            if not is_finite(made):
                return [name]
    try:
        run = step(model, batch, backward=True)
    except VtgError:  # of the matching
        return ['model in training']
    wrong = [name for name, value in run.losses().calls if not is_finite(value)]
    gradients = {name: parameter.grad for name, parameter in run.model.named_parameters()}
    return wrong or [name for name, gradient in gradients.items() if not is_finite(gradient)]


def round_trip(model: Grounder, build: Callable[[], Grounder]) -> Finding:
    """The state dict into another model of the same config gives the same predictions."""
    file = io.BytesIO()
    torch.save(model.state_dict(), file)
    file.seek(0)
    other = build()
    try:
        other.load_state_dict(torch.load(file, weights_only=True))
    except (RuntimeError, KeyError) as error:
        return Finding(
            'state dict', ('state_dict',), f'the state dict does not load: {one_line(error)[:300]}.'
        )
    batch = noise_batch(model, CLIPS, WORDS)
    one, two = predict(model, batch), predict(other, batch)
    return _compared(
        'state dict', [(one, i, two, i) for i in range(len(CLIPS))],
        'predictions of the model and of a new one that loaded its state dict',
        'keeps something that the state dict does not hold', tolerance=0.0,
    )  # fmt: skip


def shaken(model: Grounder, scale: float = 0.1) -> Grounder:
    """Add noise to all weights, in place, so that no zero at the start hides anything; the model
    stands at the end of its training, where all feedback acts."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += scale * torch.randn(parameter.shape, generator=generator)
    model.progress = Progress(199, 200)
    return model


def _compared(
    name: str,
    pairs: Sequence[Pair],
    what: str,
    fault: str,
    tolerance: float = TOLERANCE,
    sizes: Sequence[int] = (),
) -> Finding:
    largest, culprit, field = largest_difference(pairs, tolerance, sizes)
    if not culprit:
        return Finding(name, (), f'{what} give the same (largest difference {largest:.1e}).')
    return Finding(
        name, (culprit,), f'{culprit} {fault}: `{field}` differs for {what}, by {largest:.1e}.'
    )


def _alone_and_padded(
    model: Grounder, batch: Mapping[str, Any] | None
) -> tuple[list[Pair], Sequence[int]]:
    """Every sample of a batch and the same sample alone, and the padded lengths."""
    batch = batch or noise_batch(model, CLIPS, WORDS)
    whole, count = predict(model, batch), len(batch['duration'])
    pairs: list[Pair] = [(whole, i, predict(model, sample_of(batch, i)), 0) for i in range(count)]
    return pairs, (batch['video_mask'].shape[1], batch['text_mask'].shape[1])


def _reversed(batch: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value.flip(0) for key, value in batch.items() if isinstance(value, Tensor)}


def _equal(one: Any, two: Any) -> bool:
    return torch.equal(one, two) if isinstance(one, Tensor) else bool(one == two)


def _lists(model: Grounder) -> tuple[str, ...]:
    head = model.slots.get('moment_head')
    return () if head is None else tuple(getattr(head, 'lists', ()))
