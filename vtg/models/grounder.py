# SPDX-License-Identifier: Apache-2.0
"""The one model of the toolbox."""

from collections import Counter
from collections.abc import Sequence
from itertools import chain
from typing import Any, ClassVar, Literal, TypedDict

import torch
from mmengine.model import BaseModel
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from vtg.registry import MODELS, TASK_UTILS
from vtg.structures import (
    Answering,
    GroundingState,
    GroundingTargets,
    Prediction,
    Progress,
    full_precision,
    text_of,
)
from vtg.utils import ConfigError

from .answering import existence_of
from .base import SLOT_TYPES, Component, LossBalancer
from .compilation import CompiledStep
from .negative_pass import check_partner
from .pipeline import build_components, check_defaults, describe, fill_defaults
from .pipeline_checks import check_pipeline
from .shared_videos import SharedVideos
from .sharing import separate_stages
from .slots import arrange, component_configs, expand, in_order
from .training_pass import TrainingPass, needed_rows, plan
from .training_progress import TrainingProgress

# Names of PyTorch's floating-point types.
FloatType = Literal['float16', 'bfloat16', 'float32', 'float64']
DEFAULT_NEGATIVE_STAGES = ('local_saliency_head', 'fusion', 'encoder', 'saliency_head')


class Negatives(TypedDict, total=False):
    """How the negative pass of training runs."""

    stages: Sequence[str]
    same_source: bool
    keep: Sequence[str]
    partner: str | None


class TestConfig(TypedDict, total=False):
    """What a prediction holds."""

    output: str | None
    post_processor: dict | None
    score_digits: int | None
    saliency_dtype: FloatType | None
    max_clips: int


@MODELS.register_module()
class Grounder(SharedVideos, BaseModel):
    """A pipeline of named slots that answers which moments match a query and how well every clip
    does. Every paper is a config of this class; see ``docs/architecture.md``.

    Args:
        video_projector, text_projector: Configs of the projectors; None where nothing reads what
            it makes.
        defaults: Arguments for every component that takes them and does not set them itself, e.g.
            ``dict(dim=256, num_heads=8, hidden_dim=1024, dropout=0.1)``.
        slots: What fills all other slots by name: ``audio_projector``, ``local_saliency_head``,
            ``embedding``, ``refiner``, ``fusion``, ``encoder``, ``neck``, ``saliency_head``,
            ``moment_head``, ``feedback`` and ``auxiliary``. A config, the bare name of a
            component, or, but for the heads and the embedding, a dict of them that run in order;
            None leaves a slot or a place in it empty. Every config may say where it runs:
            ``after='encoder'`` or ``before='neck'``.
        stages: The order in which the slots run, where it is not the usual one and ``after`` and
            ``before`` are not enough; a member of a chain is ``'feedback.<name>'``.
        negatives: None, or ``dict(stages=..., same_source=False, keep=(), partner=None)``: the
            stages that run again with the text of the next sample, or of the one that the component
            ``partner`` chooses, in training; ``same_source=True`` also counts
            pairs of one source video, and of a sample with itself, as negatives, as some released
            code does; ``keep`` names state fields that stay as the matching text made them, such as
            VideoLights' refined clips.
        loss_balancer: Config of the balancer; the default sums.
        test_cfg: ``output``: the name of the reported list where a head gives several;
            ``post_processor``: config applied to every list; ``score_digits``: decimals of reported
            numbers; ``saliency_dtype``: precision of reported clip scores, e.g. ``'float16'``;
            ``max_clips``: so many clips, times the queries about them, run together where queries
            share an encoded video.
        data_preprocessor: Config of the preprocessor.
        checkpointing: Keep, in training, of every stage only what it was given, and compute it
            again for the backward pass (Chen et al., "Training Deep Nets with Sublinear Memory
            Cost", 2016): True for all stages, or the names of some. The numbers stay the same.

    Attributes:
        progress: Where training stands; set by the engine every epoch, saved with the weights.
        output: Name of the result list that is reported.
        answering: When a query counts as one without a moment; None where nothing was chosen.
        place: Where a config holds the model.
    """

    place: ClassVar[str] = 'model'
    compiled: CompiledStep | None = None
    answering: Answering | None = None

    def __init__(
        self,
        video_projector: dict | str | None,
        text_projector: dict | str | None,
        defaults: dict[str, Any] | None = None,
        stages: Sequence[str] | None = None,
        negatives: Negatives | None = None,
        loss_balancer: dict | None = None,
        test_cfg: TestConfig | None = None,
        data_preprocessor: dict | None = None,
        checkpointing: bool | Sequence[str] = False,
        **slots: object,
    ) -> None:
        super().__init__(MODELS.build(data_preprocessor or dict(type='GroundingDataPreprocessor')))
        slots = {'video_projector': video_projector, 'text_projector': text_projector, **slots}
        configs = {
            name: fill_defaults(cfg, defaults or {})
            for name, cfg in component_configs(slots).items()
        }
        check_defaults(defaults or {}, configs)
        self.stages = arrange(configs, stages)
        self.slots: dict[str, Component] = build_components(in_order(configs, self.stages))
        for name, component in self.slots.items():
            # The members of a chain become attributes of a container.
            slot, _, member = name.partition('.')
            if member and not hasattr(self, slot):
                self.add_module(slot, nn.Module())
            (getattr(self, slot) if member else self).add_module(member or slot, component)
        for component in self.slots.values():
            component.follow({slot: self.members(slot) for slot in component.follows})
        self.negative_stages: tuple[str, ...] = ()
        self.same_source = bool((negatives or {}).get('same_source', False))
        if negatives is not None:
            again = negatives.get('stages', DEFAULT_NEGATIVE_STAGES)
            self.negative_stages = expand(self.slots, again)
        keep = tuple((negatives or {}).get('keep', ()))
        check_pipeline(self.slots, self.stages, self.negative_stages, keep)
        self.checkpointed = self._checkpointed(checkpointing)
        self.partner = check_partner(self.slots, (negatives or {}).get('partner'))
        self.training_pass = plan(self.slots, self.stages, self.negative_stages)
        self.loss_balancer: LossBalancer = MODELS.build(loss_balancer or dict(type='FixedBalancer'))
        defaults_of_tests = {
            'output': None, 'score_digits': 4, 'saliency_dtype': None, 'max_clips': 8192,
        }  # fmt: skip
        self.test_cfg: dict[str, Any] = {**defaults_of_tests, **(test_cfg or {})}
        self.separate_stages, self.joint_stages = separate_stages(self.slots, self.stages)
        self.output = self._output_list()
        post_processor = self.test_cfg.pop('post_processor', None)
        self.post_processor = None
        if post_processor is not None:
            self.post_processor = TASK_UTILS.build(post_processor)
        self.training_progress = TrainingProgress()

    def members(self, slot: str) -> list[Component]:
        """The components of a slot, in the order in which they run."""
        return [part for name, part in self.slots.items() if name.partition('.')[0] == slot]

    @property
    def modalities(self) -> tuple[str, ...]:
        """What the projectors read, e.g. ``('video', 'text')``."""
        return tuple(n for n in ('video', 'audio', 'text') if self.members(f'{n}_projector'))

    @property
    def progress(self) -> Progress:
        """Where training stands; every state dict carries it."""
        return self.training_progress.progress

    @progress.setter
    def progress(self, progress: Progress) -> None:
        self.training_progress.set(progress)

    def _checkpointed(self, checkpointing: bool | Sequence[str]) -> frozenset[str]:
        """Full names of the stages that are computed twice."""
        if isinstance(checkpointing, bool):
            return frozenset(self.slots if checkpointing else ())
        names = expand(self.slots, checkpointing)
        unknown = [name for name in names if name not in self.slots]
        if unknown:
            raise ConfigError(
                f'model.checkpointing names {unknown[0]!r}, which is no stage of the model; choose '
                f'of {", ".join(self.stages)}, or True for all.'
            )
        return frozenset(names)

    def _output_list(self) -> str | None:
        """Name of the reported result list; None without a moment head."""
        head = self.slots.get('moment_head')
        if head is None:
            return None
        output: str = self.test_cfg['output'] or head.lists[0]
        if output not in head.lists:
            raise ConfigError(
                f'model.test_cfg.output is {output!r}, but model.moment_head '
                f'({type(head).__name__}) gives {", ".join(head.lists)}; choose one of them.'
            )
        return output

    def forward(
        self,
        video: Tensor,
        video_mask: Tensor,
        text: Tensor,
        text_mask: Tensor,
        duration: Tensor,
        meta: list[dict[str, Any]] | None = None,
        targets: GroundingTargets | None = None,
        video_index: Tensor | None = None,
        mode: str = 'tensor',
        audio: Tensor | None = None,
    ) -> GroundingState | dict[str, Tensor] | Prediction:
        """Run the model.

        Args:
            video: ``(B, L, Dv)`` clip features.
            video_mask: ``(B, L)`` True = real.
            text: ``(B, N, Dt)`` token features.
            text_mask: ``(B, N)`` True = real.
            duration: ``(B,)`` seconds that normalised spans are a fraction of.
            meta: Facts of every sample, copied to its prediction.
            targets: Required by ``mode='loss'``.
            video_index: ``(B,)`` the row of ``video``, ``video_mask`` and ``duration`` that every
                sample is about, where samples share videos; a prediction encodes each once.
            mode: ``'tensor'`` returns the state, ``'loss'`` weighted losses by name, ``'predict'``
                the :class:`Prediction`.
            audio: ``(B, L, Da)`` features of a second stream on the same clips.
        """
        if video_index is not None:
            if mode == 'predict':
                videos = self.encode(video, video_mask, duration, audio)
                return self.ground(videos, text, text_mask, video_index, meta)
            video, video_mask, duration = (x[video_index] for x in (video, video_mask, duration))
            audio = None if audio is None else audio[video_index]
        inputs = (video, video_mask, text, text_mask, duration, audio)
        if mode == 'loss':
            if targets is None:
                raise ConfigError(
                    'training needs labels, but the batch has none; use an annotation file with '
                    'relevant_windows and saliency_scores.'
                )
            step = type(self).training_losses if self.compiled is None else self.compiled
            return step(self, inputs, targets, self.progress)
        state = self.run(self._inputs(*inputs), self.stages)
        if mode == 'tensor':
            return state
        return full_precision(lambda state: self.predict(state, meta), state, video.device)

    def training_losses(
        self,
        inputs: tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor | None],
        targets: GroundingTargets,
        progress: Progress,
    ) -> dict[str, Tensor]:
        """What a training step computes; ``inputs`` are those of a state, in their order."""
        state = self._inputs(*inputs).update(targets=targets, progress=progress)
        state = self.run_training(state)
        # The one place where training leaves half precision; loss branches run in float32 too.
        return full_precision(self.losses, state, targets.spans.device)

    def compile(self, **options: Any) -> None:
        """Compile the losses of a training step; other modes, weights and state dicts stay.

        Args:
            options: Arguments of ``torch.compile``, e.g. ``mode='max-autotune'``.

        Raises:
            ConfigError: ``torch.compile`` does not work here.
        """
        self.compiled = CompiledStep(type(self).training_losses, options)

    def run(self, state: GroundingState, stages: Sequence[str]) -> GroundingState:
        """Run stages in order; a slot stands for all members of its chain, and an empty one passes
        its input on."""
        state = state.update(runner=self.run)
        for name in expand(self.slots, stages):
            component = self.slots.get(name)
            if component is None:
                passed = SLOT_TYPES[name].passes.items()
                values = {field: getattr(state, source) for field, source in passed}
            else:
                values = self._values(name, component.seen(state))
            state = state.update(**values)
        return state

    def _values(self, name: str, state: GroundingState) -> dict[str, Any]:
        """What a stage sets; a checkpointed one keeps only what it was given."""
        component = self.slots[name]
        if not (self.training and torch.is_grad_enabled() and name in self.checkpointed):
            return component(state)
        # The tensor tells the device whose random state has to be the same the second time.
        values: dict[str, Any] = checkpoint(
            lambda _: component(state), state.video_mask, use_reentrant=False
        )
        return values

    def run_training(self, state: GroundingState) -> GroundingState:
        """Run all stages, and those of the negative pass where there is one, see
        :class:`~vtg.models.training_pass.TrainingPass`."""
        if not self.negative_stages:
            return self.run(state, self.stages)
        return self._with_pairs(state, self.training_pass)

    def with_negatives(self, state: GroundingState) -> GroundingState:
        """Add the state of every video with the text of another sample, if configured, to a state
        behind all stages."""
        if not self.negative_stages:
            return state
        return self._with_pairs(state, TrainingPass((), negative_after=self.negative_stages))

    def _with_pairs(self, state: GroundingState, passes: TrainingPass) -> GroundingState:
        def valid(
            source: Tensor, texts: Tensor | None = None, videos: Tensor | None = None
        ) -> Tensor:
            shown = source if videos is None else source[videos]
            return (shown != text_of(source, texts)) | self.same_source

        chooser = None if self.partner is None else self.slots[self.partner]
        if chooser is not None and chooser.choosing(state.progress):
            # Whose text it is becomes known behind all stages.
            state = self.run(state, passes.main)
            videos, texts = chooser.pairs(state)
            start = state.roll_text(texts) if videos is None else state.paired(videos, texts)
            negative = self.run(start, passes.negative)
            real = valid(state.targets.source_id, texts, videos)
            return state.update(negative=negative, negative_valid=real)
        rows = needed_rows(valid(state.targets.on_host.source_id))
        if rows is not None:
            rows = rows.to(state.duration.device, non_blocking=True)
        state = passes.run(self.run, state, rows)
        return state.update(negative_valid=valid(state.targets.source_id))

    def losses(self, state: GroundingState) -> dict[str, Tensor]:
        """Collect the losses of all components by task and balance them.

        A name that two components give carries the component in both: ``loss_nce`` becomes
        ``loss_auxiliary_first_nce`` and ``loss_auxiliary_second_nce``.
        """
        given = {name: component.loss(state) for name, component in self.slots.items()}
        shared = {term for term, count in Counter(chain(*given.values())).items() if count > 1}
        by_task: dict[str, dict[str, Tensor]] = {'moment': {}, 'saliency': {}, 'auxiliary': {}}
        for name, terms in given.items():
            place = name.replace('.', '_')
            by_task[self.slots[name].task] |= {
                f'loss_{place}_{term.removeprefix("loss_")}' if term in shared else term: value
                for term, value in terms.items()
            }
        return self.loss_balancer({task: terms for task, terms in by_task.items() if terms})

    @torch.no_grad()
    def predict(
        self, state: GroundingState, meta: Sequence[dict[str, Any]] | None = None
    ) -> Prediction:
        """Decode a state, let components revise the moments and post-process every list of them.

        Args:
            state: Behind all stages.
            meta: Facts of every sample, B dicts.
        """
        head = self.slots.get('moment_head')
        lists = {} if head is None else head.predict(state)
        for component in self.slots.values() if lists else ():
            lists = component.revise(state, lists)
        if self.post_processor is not None:
            lists = {n: self.post_processor(found, state.duration) for n, found in lists.items()}
        reported = lists.get(self.output) if self.output else None
        answering = self.answering
        saliency = None if state.saliency is None else state.saliency.detach()
        if saliency is not None and self.test_cfg['saliency_dtype'] is not None:
            saliency = saliency.to(getattr(torch, self.test_cfg['saliency_dtype'])).float()
        return Prediction(
            video_mask=state.video_mask,
            duration=state.duration,
            meta=meta or [{} for _ in range(len(state.duration))],
            lists=lists,
            output=self.output,
            saliency=saliency,
            digits=self.test_cfg['score_digits'],
            existence=existence_of(self.slots.values(), state, reported, answering),
            threshold=None if answering is None else answering.threshold,
        )

    def val_step(self, data: dict[str, Any]) -> list[Prediction]:
        """Predict a batch; MMEngine's evaluator takes a sequence, here of the one prediction."""
        return [super().val_step(data)]

    def test_step(self, data: dict[str, Any]) -> list[Prediction]:
        """See :meth:`val_step`."""
        return [super().test_step(data)]

    def __repr__(self) -> str:
        return describe(type(self).__name__, self.slots, self.stages, self.loss_balancer)
