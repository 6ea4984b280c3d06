# SPDX-License-Identifier: Apache-2.0
"""One registered component in words: signature, docstring, and what it declares, in sentences."""

import importlib
import inspect
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from vtg.registry import MODELS
from vtg.structures import GroundingState
from vtg.utils import ConfigError, did_you_mean, one_line

from .components import find_component, group_of, list_components
from .tree import components_of

# Where what is in a group is named; a slot of the model is named by itself.
_PLACES = {
    'projector': 'model.video_projector, model.text_projector or model.audio_projector',
    'moment_loss': 'the losses of a moment head, model.moment_head.losses.<name>',
    'saliency_loss': 'the losses of a saliency head, model.saliency_head.losses.<name>',
    'query_source': 'the queries of a query head, model.moment_head.queries',
    'decoder': 'the decoder of a query head, model.moment_head.decoder',
    'dataset': 'the dataset of a loader, or benchmark.dataset',
    'metric': 'benchmark.evaluator',
    'hook': 'default_hooks or custom_hooks',
    'annotation format': 'tools/convert_annotations.py',
    'encoder, captioner or scorer': 'tools/extract_features.py --backbone and --encoder of others',
}
_WIDTH = 96


def import_components(names: Iterable[str]) -> None:
    """Import modules so that what they register is known.

    Raises:
        ConfigError: One cannot be imported.
    """
    for name in names:
        try:
            importlib.import_module(name)
        except ImportError as error:
            raise ConfigError(
                f'--import {name} cannot be imported ({error}); a module of your own lies in a '
                'folder of PYTHONPATH, for example PYTHONPATH=. in front of the command.'
            ) from error
        except Exception as error:  # it is code of the user
            raise ConfigError(
                f'--import {name} fails with {type(error).__name__}: {one_line(error)}'
                '; it must be importable by itself.'
            ) from error


def known_component(name: str) -> Any:
    """The component that a name means.

    Raises:
        ConfigError: There is none; names the nearest ones.
    """
    item = find_component(name)
    if item is None:
        listing = list_components()
        every = [*listing, *(key for names in listing.values() for key in names)]
        hint = did_you_mean(name, every) or 'without a name all are listed.'
        raise ConfigError(
            f'{name!r} is neither a slot nor a registered component; {hint} One of your own becomes'
            ' known by --import MODULE or by --config CONFIG with custom_imports.'
        )
    return item


def describe_component(name: str, cfg: Mapping[str, Any] | None = None) -> str:
    """Return signature, docstring and declarations of a component in whole sentences.

    Args:
        name: Its registered name.
        cfg: A config; where the component stands in it is said too.

    Raises:
        ConfigError: There is no such component; names the nearest ones.
    """
    item = known_component(name)
    if cfg is not None:
        short = name.rpartition('.')[2]
        found = [place for place, part in components_of(cfg) if part['type'] == short]
        where = f'In the config it stands at {_listed(found)}.' if found else (
            'The config does not use it.'
        )  # fmt: skip
    parts = [_signature(item), _document(item)]
    sentences = list(_sentences(item)) + ([where] if cfg is not None else [])
    parts.append('\n'.join(_wrapped(sentence) for sentence in sentences))
    return '\n\n'.join(part for part in parts if part)


def _signature(item: Any) -> str:
    source = Path(inspect.getsourcefile(item) or '')
    arguments = []
    for parameter in inspect.signature(item).parameters.values():
        arguments.append(re.sub(r'\b(?:\w+\.)+(?=[A-Z])', '', str(parameter)))
    text = f'{item.__name__}({", ".join(arguments)})'
    if len(text) > _WIDTH:
        text = f'{item.__name__}(\n' + ''.join(f'    {part},\n' for part in arguments) + ')'
    return f'{text}\n{group_of(item)}, in {item.__module__} ({source.name})'


def _document(item: Any) -> str:
    """The docstring without marks of reStructuredText."""
    text = re.sub(r':\w+:`~?(?:[\w.]+\.)?(\w+)`', r'`\1`', inspect.getdoc(item) or '')
    return textwrap.indent(text.replace('``', '`').replace('::\n', ':\n'), '    ')


def _sentences(item: Any) -> Iterator[str]:
    group = group_of(item)
    place = _PLACES.get(group)
    if place is None and _is_stage_kind(item):
        place = f'model.{group}'
    if place:
        chain = ', alone or as one of several that run in order'
        yield f'It goes to {place}{chain if getattr(item, "takes_chain", False) else ""}.'
    if not inspect.isclass(item):
        return
    needed = [
        name for name, argument in inspect.signature(item).parameters.items()
        if argument.default is argument.empty and argument.kind is argument.POSITIONAL_OR_KEYWORD
    ]  # fmt: skip
    if needed:
        defaults = ', unless model.defaults does' if item in MODELS.module_dict.values() else ''
        yield f'Its config must give {_listed(needed)}{defaults}.'
    yield from _data_flow(item)
    yield from _of_losses(item)
    lists = getattr(item, 'lists', ())
    if lists:
        yield f'Its result lists are called {_listed(lists)}; the first is reported.'
    if group == 'metric':
        yield from _of_metrics(item)


def _is_stage_kind(item: Any) -> bool:
    return hasattr(item, 'requires') and hasattr(item, 'takes_chain')


def _data_flow(item: Any) -> Iterator[str]:
    """What is read and set, from the declarations of model components."""
    requires = tuple(getattr(item, 'requires', ()))
    if group_of(item) == 'projector' and not requires:
        yield (
            'It reads the features of its modality and their mask, and sets projected_<modality> '
            'and <modality>, that is `video`, `text` or `audio` by the slot it stands in.'
        )
    elif _is_stage_kind(item) and not group_of(item).endswith('_loss'):
        yield f'It reads {_listed(requires)}.' if requires else 'It needs no field of the state.'
        for field in requires:
            origin = _origin(field, item)
            if origin:
                yield origin
    ways = getattr(item, 'can_do_without', {})
    for field, setting in ways.items():
        too = '' if field in requires else ' too'
        yield f'It reads `{field}`{too}, unless its config says {setting}.'
    if getattr(item, 'reads', ()):
        yield f'It takes {_listed(item.reads)} into account where they are set.'
    if getattr(item, 'provides', ()):
        extras = [f for f in item.provides if f in GroundingState.field_names()]
        unknown = [f for f in item.provides if f not in extras]
        yield f'It sets {_listed(item.provides)}.'
        if unknown:
            yield (
                f'{_listed(unknown)} is no field of the state and no declared extra: declare a '
                'subclass of vtg.structures.Extra.'
            )
    for field, setting in getattr(item, 'can_provide', {}).items():
        yield f'It also sets `{field}` where its config says {setting}.'
    if getattr(item, 'loss_requires', ()):
        yield f'Its losses read {_listed(item.loss_requires)}, which any stage may set.'
    if getattr(item, 'negative_reads', ()):
        yield f'Its losses look at {_listed(item.negative_reads)} of the negative pass, if any.'
    if getattr(item, 'runs', ()):
        yield f'It runs {_listed(item.runs)} again.'
    if getattr(item, 'follows', ()):
        yield f'It keeps a moving average of the components in {_listed(item.follows)}.'
    if getattr(item, 'is_stage', True) is False and _is_stage_kind(item):
        yield 'It is no stage: it has a say in the losses alone, or in the finished lists.'
    elif _is_stage_kind(item) and not item.joint:
        yield 'It runs for the main and the negative pass apart, never on both as one batch.'
    if getattr(item, 'parts', {}):
        given = [f'{part["type"]} ({place})' for place, part in components_of(item.parts)]
        if given:
            yield f'Where its config names no others it is built of {", ".join(given)}.'


def _origin(field: str, reader: Any) -> str:
    """Who sets a field that a component needs."""
    if field in GroundingState.INPUTS:
        return f'`{field}` comes with the batch.'
    groups: dict[str, list[str]] = {}
    for name, item in sorted(MODELS.module_dict.items()):
        provides = {*getattr(item, 'provides', ()), *getattr(item, 'can_provide', {})}
        if field in provides and item is not reader:
            groups.setdefault(group_of(item), []).append(name)
    if field in ('video', 'text', 'audio', 'projected_video', 'projected_text', 'projected_audio'):
        groups['projector'] = ['every projector']
    if not groups:
        return f'Nothing that is registered sets `{field}`.'
    some = [f'{g} ({_some(names)})' for g, names in groups.items()]
    return f'`{field}` is set by what is of the kind {" or ".join(some)}.'


def _of_losses(item: Any) -> Iterator[str]:
    group = group_of(item)
    if group == 'moment_loss':
        fields = ', '.join(f'`{f}`' for f in item.needs)
        yield (
            'It compares what a head predicts with what it was assigned (AssignedPredictions)'
            + (f', and needs {fields} of it.' if fields else '; it fits every moment head.')
        )
        if item.num_logits != (0, 1, 2):
            counts = ' or '.join(map(str, item.num_logits))
            yield f'It takes heads with {counts} logits per entry alone.'
    if group == 'saliency_loss':
        yield (
            'It compares clip scores (B, L) with the targets; targets.saliency is from 0 to 12 '
            'inside of the moments for QVHighlights, and 0 outside.'
        )
        if item.needs_negative:
            yield 'It is 0 without a negative pass (model.negatives).'
        elif item.reads_negative:
            yield 'It uses the scores of the negative pass where there are some.'
    for name, cfg in getattr(item, 'default_losses', {}).items():
        yield f'Its loss `{name}` is {cfg["type"]} unless the config says otherwise.'
    if getattr(item, 'gives', ()):
        yield f'Its losses may need {_listed(item.gives)}.'


def _of_metrics(item: Any) -> Iterator[str]:
    names = list(getattr(item, 'benchmarks', {}))
    if names:
        yield f'tools/eval_predictions.py finds it as --metric {", ".join(names)}.'


def _some(names: list[str], most: int = 4) -> str:
    return ', '.join(names[:most]) + (', ...' if len(names) > most else '')


def _listed(names: Iterable[str]) -> str:
    marked = [f'`{name}`' for name in names]
    return marked[0] if len(marked) == 1 else f'{", ".join(marked[:-1])} and {marked[-1]}'


def _wrapped(sentence: str) -> str:
    return textwrap.fill(sentence, _WIDTH, subsequent_indent='  ', break_on_hyphens=False)
