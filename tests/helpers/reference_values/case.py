# SPDX-License-Identifier: Apache-2.0
"""A system against its reference set: what all systems share.

A subclass of :class:`SystemCase` states what differs: where sizes and weights go in the config, the
runs that the set holds, our losses by the stored names, and what the stored outputs are here.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from vtg.structures import GroundingState

from .batches import batch_of
from .common import (
    LOSS_TOLERANCE,
    OUTPUT_TOLERANCE,
    SCORE_TOLERANCE,
    Step,
    build_converted,
    check_gradients,
    check_matches,
    check_padding,
    class_error,
    copy_config,
    predict,
    set_options,
    train_step,
)
from .core import ReferenceSet, Row, compare, compare_exact

Change = Callable[[Tensor], Tensor]
# What is computed here by the stored name; with a change of the stored array that brings it into
# the same form. What follows a space tells rows about one array apart; names that begin with / do
# not take the prefix of the run.
Outputs = dict[str, Tensor | tuple[Tensor, Change]]


@dataclass(frozen=True)
class Run:
    """One run of a set.

    Attributes:
        prefix: Of stored outputs, losses and gradients.
        inputs: Prefix of the inputs; by default ``prefix``.
        options: Changes of the model config, see :func:`~reference_values.common.set_options`.
        kind: What else a system tells apart.
    """

    prefix: str
    inputs: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    kind: str = ''


class SystemCase:
    """One run of a reference set and the model that should reproduce it.

    Attributes:
        system: Whose conversion.
        video: Name of the video features; a run without them is not in the set.
        config: Below the folder of configs, with all official quirks.
        sizes: Where a size or weight of the set goes in the model config: its path to a path in the
            description or a function of the set. What the set does not state stays.
        runs: What the set holds.
        clean: Options that switch off all quirks that let padding or neighbours reach a sample.
        losses: Our loss, or several that are summed, by the stored name without layer.
        weighted: Folder of weighted losses.
        gradients: Folder of gradient norms; those up to ``small_norm`` are noise around zero.
        match: Stored name of the matches of an earlier and of the last layer, with ``{layer}``, and
            with ``{sample}`` where they are stored sample by sample.
        valid: Pattern of the outputs that are compared on real clips or words only.
        left_out: Why stored arrays are not compared, by a pattern for the end of their name.
    """

    system: ClassVar[str]
    video: ClassVar[str] = 'in/src_vid'
    config: ClassVar[str]
    sizes: ClassVar[dict[str, str | Callable[[ReferenceSet], Any]]] = {}
    runs: ClassVar[tuple[Run, ...]] = (Run('nopad/'), Run(''))
    clean: ClassVar[dict[str, Any]] = {}
    losses: ClassVar[dict[str, str | tuple[str, ...]]] = {}
    weighted: ClassVar[str] = 'loss/weighted.'
    gradients: str = 'grad/'
    small_norm: ClassVar[float] = 0.0
    match: tuple[str, str] = ('out/match_aux{layer}', 'out/match_last')
    valid: ClassVar[str] = r'out/saliency_scores(_neg)?'
    left_out: ClassVar[dict[str, str]] = {}

    def __init__(self, data: ReferenceSet, base: dict, run: Run) -> None:
        self.data, self.base, self.run, self.prefix = data, base, run, run.prefix
        self.inputs = run.prefix if run.inputs is None else run.inputs
        cfg = set_options(self.model_config(base, data, run), run.options)
        self.model = build_converted(cfg, self.system, self.stored_weights())
        self.batch = self.make_batch()

    # What differs -----------------------------------------------------------------------------

    @classmethod
    def model_config(cls, base: dict, data: ReferenceSet, run: Run | None = None) -> Any:
        """The model config with the sizes of a set; extend it for what is no plain option."""
        cfg = copy_config(base)
        for path, source in cls.sizes.items():
            value = source(data) if callable(source) else data.fact(source)
            if value is not None:
                set_options(cfg, {path: value})
        return cfg

    def stored_weights(self) -> dict[str, Tensor]:
        """The weights to convert."""
        return self.data.below('sd/')

    def make_batch(self) -> dict[str, Any]:
        """The inputs as a collated batch."""
        return batch_of(self.data, self.inputs)

    def predicted(self, state: GroundingState, records: list[dict[str, Any]]) -> Outputs:
        """What an inference run gives, by its stored name."""
        return {}

    def reported(self, state: GroundingState, records: list[dict[str, Any]]) -> Iterator[Row]:
        """Compare moments and clip scores in their final form."""
        return iter(())

    def trained(self, step: Step) -> Outputs:
        """What a training step gives, by its stored name."""
        return {}

    def weight(self, name: str) -> float:
        """The weight of a stored loss."""
        weights = self.data.info.get('weights', self.data.info.get('loss_weights', {}))
        if name.startswith(('part', 'tvsum')):
            name = 'loss_saliency'
        return weights.get(name, 0.0)

    def uncomparable(self, name: str) -> str | None:
        """Why a stored quantity of this run cannot be compared."""
        return None

    def tolerance(self, name: str) -> float:
        """The largest error of an output or loss."""
        return LOSS_TOLERANCE if 'loss' in name else OUTPUT_TOLERANCE

    @staticmethod
    def alias(module: str) -> str:
        """The name of a module in the weights by that of its stored gradient."""
        return module

    def more(self) -> Iterator[Row]:
        """Compare what belongs to this run beside the above."""
        return iter(())

    @classmethod
    def whole_set(cls, data: ReferenceSet, base: dict) -> Iterator[Row]:
        """Compare what belongs to no run; by default that padding reaches no sample."""
        case = cls(data, base, Run('', cls.padded(data), cls.clean))
        yield from check_padding(case.model, case.batch)

    @staticmethod
    def padded(data: ReferenceSet) -> str:
        """Prefix of the inputs with padding, or of those without if a set holds no others."""
        return '' if 'in/src_vid' in data else 'nopad/'

    # What does not ------------------------------------------------------------------------------

    @classmethod
    def check(cls, folder: str | Path, base: dict, name: str | None = None) -> Iterator[Row]:
        """Compare a set; ``base`` is the model config with all official quirks."""
        data = ReferenceSet(folder, name or cls.system)
        for run in cls.runs:
            inputs = run.prefix if run.inputs is None else run.inputs
            stored = any(key.startswith(run.prefix) for key in data)
            if stored and f'{inputs}{cls.video}' in data:
                yield from cls(data, base, run).compare()
        yield from cls.whole_set(data, base)

    def compare(self) -> Iterator[Row]:
        """Compare an inference run and a training step."""
        state, records = predict(self.model, self.batch)
        yield from self.rows(self.predicted(state, records))
        yield from self.reported(state, records)
        step = train_step(self.model, self.batch)
        yield from self.rows(self.trained(step))
        yield from self.matches(step)
        yield from self.compare_losses(step)
        note = self.uncomparable('grad')
        folder, small = self.prefix + self.gradients, self.small_norm
        yield from check_gradients(
            self.model, self.system, self.data, folder, note, small, self.alias
        )
        yield from self.more()

    def get(self, key: str) -> Tensor | None:
        """The stored array of this run, or None."""
        return self.data.get(self.name(key))

    def name(self, key: str) -> str:
        """Name of a quantity."""
        return key[1:] if key.startswith('/') else self.prefix + key

    def rows(self, outputs: Outputs) -> Iterator[Row]:
        """Compare those outputs that are stored."""
        for key, value in outputs.items():
            ours, change = value if isinstance(value, tuple) else (value, None)
            theirs, why = self.get(key.split(' ')[0]), self.uncomparable(key)
            if theirs is None or ours is None:
                continue
            if why is not None:
                yield Row(self.name(key), None, note=why)
                continue
            theirs = theirs if change is None else change(theirs)
            if re.search(rf'(^|/)({self.valid})( text)?$', key):
                words = 'txt' in key or key.endswith(' text')
                mask = self.batch['text_mask' if words else 'video_mask']
                if ours.shape == theirs.shape and ours.shape[:2] == mask.shape:
                    ours, theirs = ours[mask], theirs[mask]
            if ours.is_floating_point():
                yield compare(self.name(key), ours, theirs, self.tolerance(key))
            else:
                yield compare_exact(self.name(key), ours.long(), theirs.long())

    def clips(self, tensor: Tensor) -> Tensor:
        """The clips of a stored sequence ``(tokens, B, D)`` that begins with them."""
        return tensor.transpose(0, 1)[:, : self.batch['video_mask'].shape[1]]

    def windows(self, key: str, ours: Tensor, seconds: float) -> Iterator[Row]:
        """Compare ranked windows ``(..., 3)`` start, end and score, by the error in seconds."""
        theirs, name = self.get(key), self.name(key)
        if theirs is not None:
            theirs = theirs.float()
            yield compare(f'{name} seconds', ours[..., :2], theirs[..., :2], seconds, scaled=False)
            yield compare(f'{name} scores', ours[..., 2], theirs[..., 2], SCORE_TOLERANCE, False)

    def scores(self, key: str, records: list[dict[str, Any]]) -> Iterator[Row]:
        """Compare reported clip scores with ``(B, L)``."""
        theirs = self.get(key)
        for index, record in enumerate(records if theirs is not None else ()):
            ours = torch.tensor(record['pred_saliency_scores'])
            # One unit of float16 where two float32 results fall on different sides of a tie.
            stored = theirs[index, : len(ours)].float()
            yield compare(f'{self.name(key)}/{index}', ours, stored, 1e-3)

    def stages(self, step: Step) -> dict[str, Tensor]:
        """Matches ``(B, G)`` by stored name, with ``{sample}`` where the name has it."""
        *earlier, last = step.matches[-1]
        named = {self.match[0].format(layer=i, sample='{sample}'): m for i, m in enumerate(earlier)}
        return named | {self.match[1]: last}

    def matches(self, step: Step) -> Iterator[Row]:
        """Compare the matches of all layers."""
        for template, ours in self.stages(step).items() if step.matches else ():
            for sample in range(len(ours)) if '{sample}' in template else (None,):
                key = template.format(sample=sample)
                theirs = self.get(key)
                if theirs is None:
                    continue
                if sample is None:
                    yield check_matches(self.name(key), ours, theirs)
                else:
                    pairs = theirs.reshape(2, -1)
                    rows = torch.cat((torch.zeros_like(pairs[:1]), pairs)).T
                    yield check_matches(self.name(key), ours[sample : sample + 1], rows)

    def compare_losses(self, step: Step, folder: str = 'loss/') -> Iterator[Row]:
        """Compare every stored loss for which there is a rule."""
        folders = [folder]
        if folder == 'loss/' and not self.weighted.startswith(folder):
            folders.append(self.weighted)
        for place in folders:
            for key in self.data.below(self.prefix + place):
                plain = (place + key).removeprefix(self.weighted)
                weighted = plain != place + key
                yield from self.compare_loss(
                    step, place + key, plain if weighted else key, weighted
                )

    def compare_loss(self, step: Step, key: str, name: str, weighted: bool) -> Iterator[Row]:
        """Compare one stored loss: a weighted sum of ours, divided by the weight or not."""
        found = self.find_loss(step, name)
        if found is None:
            return
        value, weight = found
        why = self.uncomparable(key)
        if why is not None or not weight:
            yield Row(self.name(key), None, note=why or 'weight 0')
        elif value is None:
            yield Row(self.name(key), float('inf'), 0.0, 'there is no such loss here')
        else:
            ours = value if weighted else value / weight
            yield self.loss_row(self.name(key), ours, self.stored_loss(key), self.tolerance(key))

    def loss_row(self, name: str, ours: Tensor, theirs: Tensor, tolerance: float) -> Row:
        """How two losses are compared."""
        return compare(name, ours, theirs, tolerance)

    def stored_loss(self, key: str) -> Tensor:
        """The stored value of a loss."""
        return self.get(key)

    def find_loss(self, step: Step, name: str) -> tuple[Tensor | None, float] | None:
        """Our weighted loss and its weight by the stored name; None if there is no rule."""
        if name == 'total':
            return step.total, 1.0
        base, suffix = re.fullmatch(r'(.*?)(_\d+)?', name).groups(default='')
        if base == 'class_error':
            logits = step.state.moment_outputs['queries'].predictions.logits
            layer = int(suffix[1:]) if suffix else -1
            return class_error(logits[layer], step.matches[-1][layer]), 1.0
        ours = self.losses.get(base)
        if ours is None:
            return None
        ours = (ours,) if isinstance(ours, str) else ours
        values = [step.losses[f'{o}{suffix}'] for o in ours if f'{o}{suffix}' in step.losses]
        return sum(values) if values else None, self.weight(name)
