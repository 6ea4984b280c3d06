# SPDX-License-Identifier: Apache-2.0
"""What fills the slots of the model, one component or a chain, and the order in which all run.

A component has its *full name*: that of its slot, or ``'<slot>.<name>'`` as a member of a chain.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from vtg.utils import ConfigError, did_you_mean

from .base import SLOT_TYPES

DEFAULT_STAGES = (
    'video_projector',
    'audio_projector',
    'text_projector',
    'local_saliency_head',
    'embedding',
    'refiner',
    'fusion',
    'encoder',
    'saliency_head',
    'neck',
    'moment_head',
)
PLACES = ('after', 'before')


def members(names: Iterable[str], stage: str) -> list[str]:
    """Return the full names that a stage stands for: itself, or all members of a chain, in order.

    Args:
        names: The full names of all components.
        stage: A full name or a slot.
    """
    names = list(names)
    return [stage] if stage in names else [n for n in names if n.startswith(f'{stage}.')] or [stage]


def expand(names: Iterable[str], stages: Iterable[str]) -> tuple[str, ...]:
    """Return stages with every chain replaced by its members, see :func:`members`."""
    names = list(names)
    return tuple(name for stage in stages for name in members(names, stage))


def component_configs(slots: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """List the configs of all components by their full names.

    Args:
        slots: By slot: a config with a ``type``, the bare name of a component, a dict of such by
            name, or None.

    Returns:
        What is None is left out.

    Raises:
        ConfigError: A slot is unknown, or holds something else.
    """
    found: dict[str, dict[str, Any]] = {}
    for slot, value in slots.items():
        if slot not in SLOT_TYPES:
            known = (*SLOT_TYPES, 'loss_balancer')
            hint = did_you_mean(slot, known, 1) or f'the slots are {", ".join(known)}.'
            raise ConfigError(f'model.{slot} is not a slot of the model; {hint}')
        if isinstance(value, dict) and 'type' not in value:
            if value and not SLOT_TYPES[slot].takes_chain:
                raise ConfigError(
                    f'model.{slot} takes one component: expected its type beside '
                    f'{", ".join(value)}.'
                )
            for key, cfg in value.items():
                if cfg is not None:
                    found[f'{slot}.{key}'] = _config(f'{slot}.{key}', cfg)
        elif value is not None:
            found[slot] = _config(slot, value)
    return found


def _config(name: str, value: Any) -> dict[str, Any]:
    """A config of its own, made of the bare name of a component or of a config."""
    cfg = {'type': value} if isinstance(value, str) else value
    if not isinstance(cfg, dict) or 'type' not in cfg:
        raise ConfigError(
            f'model.{name} is {value!r}; expected the name of a component, '
            "dict(type='Name', ...) or None."
        )
    return dict(cfg)


def _placement(name: str, cfg: Mapping[str, Any]) -> tuple[str, str] | None:
    """Where a component wants to run: ``('after', stage)`` or ``('before', stage)``."""
    wanted = [(key, cfg[key]) for key in PLACES if cfg.get(key) is not None]
    if len(wanted) > 1:
        raise ConfigError(
            f'model.{name} has both after={wanted[0][1]!r} and before={wanted[1][1]!r}; set one of '
            'them to None.'
        )
    return wanted[0] if wanted else None


def arrange(
    configs: Mapping[str, Mapping[str, Any]], stages: Sequence[str] | None = None
) -> tuple[str, ...]:
    """Return the order in which all components run.

    Args:
        configs: See :func:`component_configs`. ``after`` and ``before`` in a config name the stage
            beside which the component runs, a slot or a member of a chain; several after the same
            one run in the order in which they are listed.
        stages: ``model.stages``; the usual order by default. Components that it names stay where it
            names them, whatever they say; a chain that it names stands for the members that say
            nothing.

    Raises:
        ConfigError: A place is unknown, or two components wait for each other.
    """
    places = {name: place for name in configs if (place := _placement(name, configs[name]))}
    for name in places:
        if not SLOT_TYPES[name.split('.')[0]].is_stage:
            raise ConfigError(
                f'model.{name} runs behind all stages, in training only; remove '
                f'{places[name][0]}={places[name][1]!r}.'
            )
    if stages is not None:
        places = {name: place for name, place in places.items() if name not in stages}
    order: list[str] = []
    for stage in DEFAULT_STAGES if stages is None else stages:
        run = members(configs, stage)
        order += [name for name in run if name not in places]
    return tuple(_insert(order, places))


def _insert(order: list[str], places: dict[str, tuple[str, str]]) -> list[str]:
    """Insert the names in ``places`` beside the stages that they name."""
    order, waiting, behind = list(order), dict(places), dict[str, str]()
    while waiting:
        ready = [name for name, (_, stage) in waiting.items() if _find(order, stage)]
        if not ready:
            raise _nowhere(order, waiting)
        name = ready[0]
        where, stage = waiting.pop(name)
        found = _find(order, stage)
        if where == 'before':
            order.insert(found[0], name)
            continue
        # Behind those that were put behind the same stage before.
        last = behind.get(stage)
        order.insert((found[-1] if last is None else order.index(last)) + 1, name)
        behind[stage] = name
    return order


def _find(order: Sequence[str], stage: str) -> list[int]:
    """Where a stage, or the members of a chain, stand."""
    return [i for i, name in enumerate(order) if name == stage or name.startswith(f'{stage}.')]


def _nowhere(order: Sequence[str], waiting: Mapping[str, tuple[str, str]]) -> ConfigError:
    for name, (where, stage) in waiting.items():
        if not any(_find([other], stage) for other in waiting):
            hint = did_you_mean(stage, order) or f'choose {", ".join(order)}.'
            return ConfigError(
                f'model.{name} is to run {where} {stage!r}, which is no stage of the model; {hint}'
            )
    names = ' and '.join(f'model.{name}' for name in waiting)
    return ConfigError(
        f'{names} are placed relative to each other; place one of them beside another stage.'
    )


def in_order(configs: Mapping[str, dict[str, Any]], stages: Sequence[str]) -> dict[str, Any]:
    """Sort the members of every chain as they run; the slots stay as they are."""
    slots = list(dict.fromkeys(name.partition('.')[0] for name in configs))
    first = {name: index for index, name in reversed(list(enumerate(stages)))}

    def rank(name: str) -> tuple[int, int]:
        return slots.index(name.partition('.')[0]), first.get(name, len(stages))

    return {name: configs[name] for name in sorted(configs, key=rank)}
