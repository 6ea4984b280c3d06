# SPDX-License-Identifier: Apache-2.0
"""Short names of encoders, captioners and scorers for command lines: ``clip=FOLDER``.

A JSON object gives all arguments: ``{"type": "TorchScriptEncoder", "weights": "x.pt", ...}``.
"""

from pathlib import Path
from typing import Any

from vtg.utils import ConfigError, shown
from vtg.utils.io import parse_json

ENCODER_NAMES = {
    'clip': 'ClipEncoder',
    'siglip': 'SiglipEncoder',
    'concept': 'ConceptEncoder',
    'blip2': 'Blip2Encoder',
    'panns': 'PannsEncoder',
    'clap': 'ClapEncoder',
    'slowfast': 'SlowFastEncoder',
    'internvideo2': 'InternVideo2Encoder',
    # An exported program; docs/extraction.md says how one is made.
    'torchscript': 'TorchScriptEncoder',
}
CAPTIONER_NAMES = {'blip': 'BlipCaptioner', 'blip2': 'Blip2Captioner'}
# Their weights come with packages.
WITHOUT_WEIGHTS = ('concept', 'ConceptEncoder')
SCORER_NAMES = {'blip': 'BlipMatching', 'blip2': 'Blip2Similarity'}


def encoder_config(text: str, /, **options: Any) -> dict[str, Any]:
    """Turn ``'clip=FOLDER'``, or ``'RegisteredName=FOLDER'``, into the config of an encoder.

    ``'concept'`` stands alone.
    """
    return _config(text, ENCODER_NAMES, 'encoder', options)


def captioner_config(text: str, /, **options: Any) -> dict[str, Any]:
    """Turn ``'blip=FOLDER'`` into the config of a captioner."""
    return _config(text, CAPTIONER_NAMES, 'captioner', options)


def scorer_config(text: str, /, **options: Any) -> dict[str, Any]:
    """Turn ``'blip=FOLDER'`` into the config of a scorer; an encoder's name gives its cosine."""
    name = text.partition('=')[0]
    if name in ENCODER_NAMES and name not in SCORER_NAMES:
        return {'type': 'CosineScorer', 'encoder': encoder_config(text, **options)}
    return _config(text, SCORER_NAMES, 'scorer', options)


def _config(text: str, names: dict[str, str], role: str, options: dict[str, Any]) -> dict[str, Any]:
    given = {key: value for key, value in options.items() if value is not None}
    if text.startswith('{'):
        try:
            config = parse_json(text)
        except ValueError as error:
            raise ConfigError(f'the {role} {shown(text, 200)} is {error}; correct it.') from None
        if not isinstance(config.get('type'), str):
            raise ConfigError(
                f'the {role} {shown(text, 200)} has no name under "type"; write e.g. '
                '{"type": "ClipEncoder", "weights": "FOLDER"}.'
            )
        return {**config, **given}
    name, _, weights = text.partition('=')
    if name in WITHOUT_WEIGHTS and names is ENCODER_NAMES:
        if weights:
            raise ConfigError(f'{name} takes no weights, they are installed; write {name} alone.')
        return {'type': names.get(name, name), **given}
    if not name or not weights:
        raise ConfigError(
            f'the {role} {text!r} is not of the form NAME=WEIGHTS; names are {", ".join(names)}.'
        )
    # Processes on a cluster start elsewhere; a name on the hub is no path here.
    local = Path(weights).expanduser()
    weights = str(local.absolute()) if local.exists() else weights
    return {'type': names.get(name, name), 'weights': weights, **given}
