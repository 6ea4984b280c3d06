# SPDX-License-Identifier: Apache-2.0
"""Whether the negative pass really is of another text.

The negative pass starts from the state after all stages. Fields made from the text alone are rolled
by one sample; everything else that took the text in still knows the matching one, until a stage of
the negative pass makes it anew.
"""

from collections.abc import Sequence

from vtg.structures import GroundingState
from vtg.utils import ConfigError, check_choice

from .dataflow import Slots, Stage, stages_of

# Who set a field: the name of a stage, or None for an input, or for nothing yet.
Writers = dict[str, str | None]


def check_negatives(
    slots: Slots, stages: Sequence[str], negative_stages: Sequence[str], keep: Sequence[str]
) -> None:
    """Check that losses on negatives get them, and that they are of the other text.

    Args:
        slots: Components by slot.
        stages: ``model.stages``.
        negative_stages: ``model.negatives.stages``, empty without a negative pass.
        keep: Fields that stay as the matching text made them, as some released code has it.

    Raises:
        ConfigError: Names the stage to add.
    """
    without = [name for name in slots if not (negative_stages and slots[name].negative_reads)]
    constant = [
        f'model.{name}.{path}'.rstrip('.') for name in without
        for path, part in slots[name].named_modules() if getattr(part, 'needs_negative', False)
    ]  # fmt: skip
    if constant:
        places = ' and '.join(constant)
        raise ConfigError(
            f'{places} would always be 0, because there are no negatives to compare with: set '
            f'{places} to None, or give the model negatives with model.negatives=dict(stages=...).'
        )
    if not negative_stages:
        return
    for field in keep:
        check_choice(field, GroundingState.field_names(), 'model.negatives.keep')
    main = stages_of(slots, stages)
    remade = _check_stages(main, stages_of(slots, negative_stages), keep)
    made_from_text = _made_from_text(main)
    for name, component in slots.items():
        compares = any(getattr(part, 'reads_negative', False) for part in component.modules())
        for field in component.negative_reads if compares else ():
            if field not in (*remade, *keep) and field in made_from_text:
                writer = next(s.name for s in reversed(main)
                              if field in s.provides and not s.is_feedback)  # fmt: skip
                raise ConfigError(
                    f'the losses of model.{name} read `{field}` of the negative pass, which still '
                    f'comes from the matching text: add {writer!r} to model.negatives.stages.'
                )


def check_partner(slots: Slots, name: str | None) -> str | None:
    """Check that a component chooses texts for the negative pass; returns its name.

    Args:
        slots: Components by slot.
        name: ``model.negatives.partner``.

    Raises:
        ConfigError: There is no such component, or it chooses none.
    """
    if name is None:
        return None
    able = [key for key, component in slots.items() if component.chooses_partners]
    if name not in able:
        way = f'name {" or ".join(able)}, or leave it away' if able else 'leave it away'
        raise ConfigError(
            f'model.negatives.partner is {name!r}, which is no component of this model that '
            f'chooses texts; {way}.'
        )
    for other, component in slots.items() if slots[name].free_pairs else ():
        parts = component.modules() if component.negative_reads else ()
        if other != name and any(getattr(part, 'reads_negative', False) for part in parts):
            raise ConfigError(
                f'the negative pass is of pairs that model.{name} chooses for itself, but losses '
                f'of model.{other} read it too: leave model.negatives.partner away, or take the '
                f'losses on negatives of model.{other} out.'
            )
    return name


def _made_from_text(stages: Sequence[Stage]) -> set[str]:
    """The fields that took the text in and are not made from it alone."""
    mixed: set[str] = set()
    text = GroundingState.text_fields()
    for stage in stages:
        took_video_and_text = bool(stage.reads & mixed)
        took_text = took_video_and_text or bool(stage.reads & text)
        for field in stage.provides - text:
            if took_video_and_text or (took_text and field not in stage.text_free):
                mixed.add(field)
            elif not stage.is_feedback:
                mixed.discard(field)
    return mixed


def _check_stages(
    main: Sequence[Stage], negative: Sequence[Stage], keep: Sequence[str]
) -> set[str]:
    """Check what every stage of the negative pass reads; returns the fields made anew."""
    wanted, writers = _writers(main)
    writers |= dict.fromkeys(GroundingState.streams())
    mixed, remade = _made_from_text(main), set[str]()
    for stage in negative:
        for field in sorted(stage.reads - {*keep}):
            writer = writers.get(field)
            known = wanted[stage.name].get(field, [None])
            stale = field in mixed and field not in remade and writer is not None
            if writer in known and not stale:
                continue
            needed = known[-1]
            if needed is None:
                raise ConfigError(
                    f'{stage} reads `{field}` in the negative pass as model.{writer} leaves it, '
                    'which in model.stages runs only after it; the passes would differ.'
                )
            why = 'which still comes from the matching text'
            if not stale:
                left = f'as model.{writer} leaves it' if writer else 'where it is not set'
                why = f'{left}, not as model.{needed} does'
            raise ConfigError(
                f'{stage} reads `{field}` in the negative pass, {why}: add {needed!r} to '
                f'model.negatives.stages before {stage.name!r}, or keep the matching one with '
                f'model.negatives.keep=({field!r},).'
            )
        writers |= dict.fromkeys(stage.provides, stage.name)
        remade |= stage.provides
    return remade


def _writers(stages: Sequence[Stage]) -> tuple[dict[str, dict[str, list[str | None]]], Writers]:
    """Who set each field that a stage reads, by stage, and who set it last.

    A stage may run twice. Streams that feedback sets are no part of the negative pass.
    """
    writers: Writers = {}
    streams = GroundingState.streams()
    wanted: dict[str, dict[str, list[str | None]]] = {}
    for stage in stages:
        seen = wanted.setdefault(stage.name, {})
        for field in stage.reads:
            seen.setdefault(field, []).append(writers.get(field))
        for field in stage.provides:
            if not (stage.is_feedback and field in streams):
                writers[field] = stage.name
    return wanted, writers
