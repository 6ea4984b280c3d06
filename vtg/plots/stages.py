# SPDX-License-Identifier: Apache-2.0
"""How alike clips and words are behind a stage of a model, whatever the system."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vtg.models import Grounder
from vtg.structures import GroundingState
from vtg.utils import ConfigError, nearest_names

DEFAULT_STAGES = ('video_projector', 'refiner', 'fusion')
"""After projection, refinement and fusion, as VideoLights (arXiv 2412.01558) shows it."""
# What a stage may set for the clips, and the words that go with it, the latest first.
_CLIPS = ('memory', 'moment_memory', 'saliency_memory', 'fused', 'video')
_WORDS = {'memory': ('memory_text', 'fused_text', 'text'), 'fused': ('fused_text', 'text'),
          'video': ('text',)}  # fmt: skip


@dataclass(frozen=True)
class StageMap:
    """Clips against words behind a stage.

    Attributes:
        stage: Full name of the stage. component: Name of its class.
        similarity: ``(N, L)`` cosine of every word and clip.
        separation: Chance that a clip inside of an annotated moment is more alike to the words, on
            average over them, than one outside; None where one of both is missing.
    """

    stage: str
    component: str
    similarity: np.ndarray
    separation: float | None = None

    @property
    def mean(self) -> np.ndarray:
        """``(L,)``: the mean over the words."""
        return np.asarray(self.similarity.mean(0))


def stage_maps(
    model: Grounder,
    batch: Mapping[str, Any],
    stages: Sequence[str] = (),
    inside: np.ndarray | None = None,
) -> tuple[list[StageMap], list[str]]:
    """Run a model on one sample and compare clips and words behind some of its stages.

    A stage that runs twice counts as it runs last: its result is what the heads read.

    Args:
        model: Any; it is run as for a prediction.
        batch: A collated batch of one sample.
        stages: Slots or members of chains, see docs/architecture.md; those of
            :data:`DEFAULT_STAGES` that have clip features by default.
        inside: ``(L,)`` True on clips of annotated moments.

    Returns:
        The maps in the order of the stages, and a sentence on every default stage that has none.

    Raises:
        ConfigError: A stage does not exist, is empty, or sets no clip features; or none is left.
    """
    asked = list(stages) or list(DEFAULT_STAGES)
    seen: dict[str, tuple[dict[str, Any], GroundingState]] = {}
    handles = [
        component.register_forward_hook(_recorder(name, seen))
        for name, component in model.slots.items()
    ]
    model = model.eval()
    try:
        with torch.inference_mode():
            final = model(**model.data_preprocessor(dict(batch)), mode='tensor')
    finally:
        for handle in handles:
            handle.remove()
    maps, notes = [], []
    for stage in asked:
        try:
            maps += _maps_of(model, stage, seen, final, inside, bool(stages))
        except ConfigError as error:
            if stages:
                raise
            notes.append(str(error))
    if not maps:
        raise ConfigError(notes[0])
    return maps, notes


def _recorder(name: str, seen: dict[str, tuple[dict[str, Any], GroundingState]]) -> Any:
    def record(_: Any, inputs: tuple[Any, ...], output: Any) -> None:
        if isinstance(output, dict) and inputs and isinstance(inputs[0], GroundingState):
            seen[name] = output, inputs[0].update(**output)

    return record


def _maps_of(
    model: Grounder,
    stage: str,
    seen: Mapping[str, tuple[dict[str, Any], GroundingState]],
    final: GroundingState,
    inside: np.ndarray | None,
    every: bool,
) -> list[StageMap]:
    """The maps of a stage; of a chain those of all members that have one, or of the last."""
    names = [name for name in model.slots if name == stage or name.startswith(f'{stage}.')]
    if not names:
        raise _unknown(model, stage)
    made = []
    for name in names:
        output, state = seen.get(name, ({}, final))
        found = _clip_features(output, state)
        if found is None:
            continue
        clips, words = found[0], _words(found[1], state, final)
        if words is None or clips.shape[-1] != words.shape[-1]:
            width = 'none' if words is None else words.shape[-1]
            raise ConfigError(
                f'behind model.{name} clips have {clips.shape[-1]} columns and words {width}, so '
                'they cannot be compared; choose a stage behind the projectors.'
            )
        made.append(_map(model, name, clips, words, final, inside))
    if not made:
        sets = ', '.join(key for name in names for key in seen.get(name, ({}, None))[0])
        able = [name for name in seen if _clip_features(*seen[name]) is not None]
        kinds = ', '.join(type(model.slots[name]).__name__ for name in names)
        raise ConfigError(
            f'model.{stage} ({kinds}) sets {sets or "no field"} and no clip features, so there is '
            f'nothing to compare with the words; stages with clip features are {", ".join(able)}.'
        )
    return made if every else made[-1:]


def _unknown(model: Grounder, stage: str) -> ConfigError:
    names = list(model.slots)
    if stage in model.stages or stage in DEFAULT_STAGES:
        return ConfigError(
            f'model.{stage} is empty, so it changes no clips; its stages are {", ".join(names)}.'
        )
    close = nearest_names(stage, names)
    hint = f'did you mean {" or ".join(close)}?' if close else f'choose of {", ".join(names)}.'
    return ConfigError(f'the model has no stage {stage!r}; {hint}')


def _clip_features(output: Mapping[str, Any], state: GroundingState) -> tuple[Tensor, str] | None:
    """Features ``(1, L, D)`` that a stage sets for the clips, and their field."""
    clips = state.video_mask.shape[1]
    for name in _CLIPS:
        value = output.get(name)
        if isinstance(value, Tensor) and value.ndim == 3 and value.shape[1] == clips:
            return value, name
    pyramid = output.get('pyramid')
    if pyramid is not None and 1 in pyramid.strides:
        return pyramid.features[pyramid.strides.index(1)][:, :clips], 'memory'
    return None


def _words(field: str, state: GroundingState, final: GroundingState) -> Tensor | None:
    """The words at that place; behind a video projector they may not be projected yet."""
    for name in _WORDS.get(field, _WORDS['memory']):
        value = getattr(state, name)
        if isinstance(value, Tensor):
            return value
    return final.projected_text


def _map(
    model: Grounder, name: str, clips: Tensor, words: Tensor, final: GroundingState,
    inside: np.ndarray | None,
) -> StageMap:  # fmt: skip
    clips = clips[0, final.video_mask[0]].float()
    words = words[0, final.text_mask[0]].float()
    unit = torch.nn.functional.normalize
    similarity = (unit(words, dim=-1) @ unit(clips, dim=-1).T).cpu().numpy()
    separation = None if inside is None else _separation(similarity.mean(0), inside)
    return StageMap(name, type(model.slots[name]).__name__, similarity, separation)


def _separation(values: np.ndarray, inside: np.ndarray) -> float | None:
    inside = inside[: len(values)]
    high, low = values[inside], values[~inside]
    if not len(high) or not len(low):
        return None
    ahead = (high[:, None] > low[None]) + 0.5 * (high[:, None] == low[None])
    return float(ahead.mean())
