# SPDX-License-Identifier: Apache-2.0
"""One video, many queries: what depends on the video alone, or on the text alone, runs once.

The stages of a model begin with some that look at one modality: projectors, embeddings, refiners of
the text, whatever a paper puts there. Which ones these are is told by what components declare, see
:func:`separate_stages`. They run once on V videos and once on Q texts; then every query gets a row
of each, and the rest of the pipeline runs on these pairs.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from torch import Tensor

from vtg.structures import EXTRAS, Extra, Extras, GroundingState

from .dataflow import Slots, Stage, stages_of

# Fields of the state that hold more than one tensor with a row per sample.
_COMPOUND = {'pyramid', 'moment_outputs', 'targets', 'negative'}


@dataclass(frozen=True)
class EncodedVideos:
    """V videos as far as a model encodes them without a query.

    Attributes:
        state: What they hold, one row per video; fields of the text are those of a stand-in.
        rows: Rows of ``state`` per video, in order: 1 each, or the windows of a long video.
    """

    state: GroundingState
    rows: Tensor

    def __len__(self) -> int:
        return len(self.rows)


def separate_stages(slots: Slots, stages: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Split the stages of a model into those that run on videos and texts apart, and the rest.

    A stage works apart if it reads nothing of the text, or of the text alone, or if it declares
    that what it sets for the video is free of the text (``text_free``), and no stage that stays
    behind sets what it reads or touches what it sets.

    Args:
        slots: Components by their full names.
        stages: Full names in the order in which they run.
    """
    apart: list[str] = []
    together: list[str] = []
    touched: set[str] = set()
    late: set[str] = set()
    for stage in stages_of(slots, stages):
        if _is_separate(stage) and not (stage.reads & late or stage.provides & touched):
            apart.append(stage.name)
        else:
            together.append(stage.name)
            late |= stage.provides
            touched |= stage.provides | stage.reads
    return tuple(apart), tuple(together)


def _is_separate(stage: Stage) -> bool:
    text = GroundingState.text_fields()
    if stage.is_feedback or (stage.provides - text) & {*_COMPOUND, *EXTRAS}:
        return False
    if not stage.reads & text:
        return not stage.provides & text
    if not stage.reads - text:
        return stage.provides <= text
    return bool(stage.text_free) and stage.provides <= text | stage.text_free


def unread_features(slots: Slots, stages: Sequence[str]) -> bool:
    """Whether none of these stages reads the video features, the largest field of a state."""
    return all('video_features' not in stage.reads for stage in stages_of(slots, stages))


def pair(
    videos: GroundingState, texts: GroundingState, video_rows: Tensor | None, text_rows: Tensor
) -> GroundingState:
    """Return the state of pairs of a video and a text.

    Args:
        videos: Videos with a stand-in for the text.
        texts: Texts with a stand-in for the video.
        video_rows: ``(P,)`` the video of every pair; None where there is only one, which is then
            expanded and not copied.
        text_rows: ``(P,)`` the text of every pair.
    """
    size = len(text_rows)

    def of_video(value: Tensor) -> Tensor:
        if video_rows is None:
            return value.expand(size, *value.shape[1:])
        return value[video_rows]

    values: dict[str, Any] = {}
    for item in fields(GroundingState):
        of_text = bool(item.metadata.get('text'))
        value = getattr(texts if of_text else videos, item.name)
        if isinstance(value, Tensor):
            values[item.name] = value[text_rows] if of_text else of_video(value)
    extras = {name: _taken(extra, text_rows) for name, extra in texts.extras.values.items()}
    return replace(videos, **values, extras=Extras(extras))


def join_states(states: Sequence[GroundingState]) -> GroundingState:
    """Join states of encoded videos row by row; all are padded to the same clips and words."""
    if len(states) == 1:
        return states[0]
    values: dict[str, Any] = {
        item.name: torch.cat([getattr(state, item.name) for state in states])
        for item in fields(GroundingState)
        if isinstance(getattr(states[0], item.name), Tensor)
    }
    return replace(states[0], **values)


def _taken(extra: Extra, rows: Tensor) -> Extra:
    """Rows of what an extra holds of the text; the rest belongs to no sample."""
    values = {
        item.name: getattr(extra, item.name)[rows]
        for item in fields(extra) if item.metadata.get('text')
    }  # fmt: skip
    return replace(extra, **values)
