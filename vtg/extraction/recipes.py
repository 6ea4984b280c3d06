# SPDX-License-Identifier: Apache-2.0
"""How published feature sets are made: one recipe for each, as data.

A recipe names the encoders in the order in which their columns are joined, the seconds per clip and
how the features are stored, so that ``tools/extract_features.py --features NAME`` writes what a
benchmark reads whose ``features`` is that name. In the config of an encoder a value ``'@NAME'``
stands for weights that the user has; :data:`WEIGHTS` says which. Nothing is normalised when it is
stored, datasets do that.
"""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from vtg.registry import ENCODERS
from vtg.utils import ConfigError, listed, nearest_names

WEIGHTS = {
    'slowfast': 'SLOWFAST_8x8_R50 of Kinetics-400, the .pkl of the PySlowFast model zoo converted',
    'clip': 'CLIP ViT-B/32, the folder or hub name openai/clip-vit-base-patch32',
    'blip2': 'BLIP-2 for retrieval, the folder or hub name Salesforce/blip2-itm-vit-g',
    'panns': 'Cnn14_mAP=0.431.pth of PANNs',
    'clap': 'CLAP, the folder or hub name laion/clap-htsat-unfused',
    'internvideo2_stage2_1b': 'InternVideo2-stage2_1b-224p-f4.pt',
    'bert': 'the tokenizer of BERT, the folder or hub name google-bert/bert-large-uncased',
    'internvideo2_clip_6b': 'the checkpoint of InternVideo2-CLIP-6B, or a folder with it and '
    'internvl_c_13b_224px.pth',
    'llama': 'the tokenizer of InternVL-C, the folder chinese_alpaca_lora_7b',
}
"""What is meant by every name of weights, for sentences."""
WHERE = '"Weights" in docs/extraction.md'


@dataclass(frozen=True)
class Part:
    """Features of one encoder.

    Attributes:
        encoder: Its config.
        dim: How wide they are with the published weights.
        folder: Where they are stored, below the folder of the data.
        pattern: Name of the file of a record.
        dtype: ``'float16'`` or ``'float32'``.
        suffix: ``'.npz'``, whose arrays are ``features`` of videos and ``last_hidden_state`` and
            ``pooler_output`` of queries, or ``'.npy'``.
    """

    encoder: Mapping[str, Any]
    dim: int
    folder: str
    pattern: str = '{vid}'
    dtype: str = 'float32'
    suffix: str = '.npz'

    def needs(self) -> list[str]:
        """The names of the weights."""
        return list(dict.fromkeys(_named(self.encoder)))


@dataclass(frozen=True)
class Recipe:
    """How a published feature set is made.

    Attributes:
        video, text, audio: The features, in the order of their columns; those of a second stream
            are audio.
        clip_length: Seconds per clip.
        origin: Whose features they are like, and what about that is not known.
    """

    video: tuple[Part, ...] = ()
    text: tuple[Part, ...] = ()
    audio: tuple[Part, ...] = ()
    clip_length: float = 2.0
    origin: str = ''

    def streams(self) -> Iterator[tuple[str, Part]]:
        """All features with ``'video'``, ``'audio'`` or ``'text'``."""
        for kind in ('video', 'audio', 'text'):
            for part in getattr(self, kind):
                yield kind, part

    def needs(self) -> list[str]:
        """The names of the weights."""
        return list(dict.fromkeys(name for _, part in self.streams() for name in part.needs()))


_SLOWFAST = Part(
    {'type': 'SlowFastEncoder', 'weights': '@slowfast'}, 2304, 'slowfast_features', dtype='float16'
)
_CLIP = Part({'type': 'ClipEncoder', 'weights': '@clip'}, 512, 'clip_features')
_CLIP_TEXT = replace(_CLIP, folder='clip_text_features', pattern='qid{qid}')
_BLIP2 = Part({'type': 'Blip2Encoder', 'weights': '@blip2'}, 768, 'blip_video_features')
_BLIP2_TEXT = replace(_BLIP2, folder='blip_text_features', pattern='qid{qid}')
_PANNS = Part(
    {'type': 'PannsEncoder', 'weights': '@panns'}, 2048, 'pann_features', suffix='.npy'
)  # fmt: skip
_CLAP = Part({'type': 'ClapEncoder', 'weights': '@clap', 'projected': False}, 768, 'clap')
_STAGE2 = Part(
    {
        'type': 'InternVideo2Encoder', 'variant': 'stage2_1b',
        'weights': '@internvideo2_stage2_1b', 'text': '@bert',
    },
    512, 'internvideo2_video',
)  # fmt: skip
_CLIP_6B = Part(
    {
        'type': 'InternVideo2Encoder', 'variant': 'clip_6b',
        'weights': '@internvideo2_clip_6b', 'text': '@llama',
    },
    768, 'internvideo2_6b_video',
)  # fmt: skip
_CONCEPT = Part({'type': 'ConceptEncoder'}, 384, 'concept_features')

_MOMENT_DETR = Recipe(
    (_SLOWFAST, _CLIP), (_CLIP_TEXT,), origin='Moment-DETR, QVHighlights; others of the same widths'
)
_VIDEOLIGHTS = Recipe(
    (_SLOWFAST, _CLIP, _BLIP2),
    (_CLIP_TEXT, replace(_BLIP2_TEXT, folder='blip_aug_text_features_openai')),
    origin='VideoLights, QVHighlights',
)
_UNIVTG = Recipe(
    (replace(_SLOWFAST, folder='vid_slowfast'), replace(_CLIP, folder='vid_clip')),
    (replace(_CLIP, folder='txt_clip', pattern='{qid}'),),
    origin='UniVTG, TVSum; that SlowFast ran as on QVHighlights is not known',
)
_SGDETR = Recipe(
    (_STAGE2,),
    (replace(_STAGE2, folder='internvideo2_text', pattern='{qid}'),),
    origin='SG-DETR; model and frames are inferred from the widths',
)
_FLASHVTG = Recipe(
    (_CLIP_6B,),
    (replace(_CLIP_6B, dim=4096, folder='llama_text', pattern='qid{qid}'),),
    origin='FlashVTG, QVHighlights; which 8 frames of a clip and the precision are not known',
)

RECIPES = {
    'qvhighlights_slowfast_clip': _MOMENT_DETR,
    'qvhighlights_slowfast_clip_audio': replace(
        _MOMENT_DETR, video=(_SLOWFAST, _CLIP, _PANNS), origin='QD-DETR with audio, QVHighlights; '
        'how long the sound of a clip was, is not known',
    ),
    'qvhighlights_slowfast_clip_audio_stream': replace(
        _MOMENT_DETR, audio=(_PANNS,), origin='UMT, the audio as a stream of its own; how long the '
        'sound of a clip was, is not known',
    ),
    'charades_slowfast_clip': replace(_MOMENT_DETR, clip_length=1.0, origin='CG-DETR, Charades'),
    'charades_splits_slowfast_clip': replace(
        _MOMENT_DETR, text=(replace(_CLIP_TEXT, pattern='{qid}'),), clip_length=1.0,
        origin='MESM, Charades-CD and -CG; videos as of CG-DETR',
    ),
    'tacos_slowfast_clip': replace(
        _MOMENT_DETR, text=(replace(_CLIP_TEXT, pattern='{qid}'),),
        origin='CG-DETR, TACoS; UniVTG, NLQ and DiDeMo',
    ),
    'soccer_gmr_slowfast_clip': replace(
        _MOMENT_DETR, video=(_CLIP, _SLOWFAST), origin='Soccer-GMR'
    ),
    'tvsum_slowfast_clip': _UNIVTG,
    'youtube_slowfast_clip': replace(
        _UNIVTG, video=_UNIVTG.video[::-1], clip_length=5 / 3, origin='UniVTG, YouTube Highlights'
    ),
    'slowfast_clip_blip2': _VIDEOLIGHTS,
    'charades_slowfast_clip_blip2': replace(
        _VIDEOLIGHTS, text=(_CLIP_TEXT, _BLIP2_TEXT), clip_length=1.0,
        origin='VideoLights, Charades',
    ),
    'tvsum_slowfast_clip_blip2': Recipe(
        (
            replace(_SLOWFAST, folder='sf_features'), _CLIP,
            replace(_BLIP2, folder='video_features_blip'),
        ),
        (replace(_CLIP, folder='query_features', pattern='{qid}'),),
        origin='VideoLights, TVSum',
    ),
    'internvideo2_1b': _SGDETR,
    'charades_internvideo2_1b': replace(_SGDETR, clip_length=1.0),
    'youtube_internvideo2_1b': replace(_SGDETR, clip_length=5 / 3),
    'internvideo2_6b_llama': _FLASHVTG,
    'charades_internvideo2_6b_llama': replace(
        _FLASHVTG, clip_length=1.0, origin=_FLASHVTG.origin.replace('QVHighlights', 'Charades')
    ),
    'clip': Recipe((_CLIP,), (_CLIP_TEXT,), origin='Moment-DETR, CLIP alone'),
    'clap': Recipe(
        (_CLAP,), (replace(_CLAP, folder='clap_text', pattern='qid{qid}'),), clip_length=1.0,
        origin='lighthouse, audio moment retrieval; those are of msclap 2023, other weights of '
        'the same widths: do not mix them',
    ),
    'panns': Recipe((_PANNS,), origin='UMT, the audio alone'),
    'concept': Recipe(
        (_CONCEPT,), (replace(_CONCEPT, folder='concept_text_features', pattern='qid{qid}'),),
        origin='none; objects and places, without a download',
    ),
}  # fmt: skip


def find_recipe(name: str) -> Recipe:
    """Return a recipe by its name.

    Raises:
        ConfigError: There is none.
    """
    if name not in RECIPES:
        close = nearest_names(name, RECIPES)
        hint = f'; did you mean {listed(close)}?' if close else ''
        raise ConfigError(
            f'there is no recipe {name!r} of features{hint}; recipes are {listed(RECIPES)}.'
        )
    return RECIPES[name]


def recipe_for(benchmark: Mapping[str, Any]) -> str | None:
    """Return the name of the recipe that makes the features of a benchmark; None without one.

    Args:
        benchmark: The facts of a config. The recipe that they name in ``features`` is taken if its
            features are as wide; a config that replaced the stores of its base is known by them.

    Raises:
        ConfigError: The recipe that is named does not exist.
    """
    kinds = ('video', 'audio', 'text')
    stores = {kind: _stores(benchmark.get(kind)) for kind in kinds}
    if named := benchmark.get('features'):
        recipe = find_recipe(named)
        widths = {
            kind: [width for width, *_ in stores[kind]]
            or [width for width in [benchmark.get(f'{kind}_dim')] if width]
            for kind in kinds
        }
        if widths == {kind: [part.dim for part in getattr(recipe, kind)] for kind in kinds}:
            return named
    for name, recipe in RECIPES.items():
        parts = {
            kind: [(part.dim, part.folder, part.pattern) for part in getattr(recipe, kind)]
            for kind in kinds
        }
        if parts == stores:
            return name
    return None


def _stores(value: Any) -> list[tuple[Any, str, str]]:
    """Width, name of the folder and pattern of the stores of a benchmark."""
    given = value if isinstance(value, list | tuple) else [value] if value else []
    return [
        (
            store.get('dim'),
            Path(store.get('folder') or store.get('path') or '').name,
            store.get('pattern', '{vid}'),
        )
        for store in given
    ]


def locate_weights(recipe: Recipe, name: str, given: Sequence[str]) -> dict[str, str]:
    """Find the weights that a recipe needs.

    Args:
        recipe: The recipe.
        name: Its name, for sentences.
        given: ``NAME=PATH`` per weights, where PATH may be a hub name, or folders that hold files
            or folders of these names, with any suffix.

    Raises:
        ConfigError: Weights are missing, ambiguous or not of this recipe.
    """
    needed = recipe.needs()
    found: dict[str, str] = {}
    folders: list[Path] = []
    for text in given:
        key, sign, value = text.partition('=')
        if not sign or not key or Path(text).expanduser().is_dir():
            folders.append(Path(text).expanduser())
            continue
        if key not in needed:
            raise ConfigError(
                f'the features {name!r} have no weights {key!r}; they need '
                f'{listed(needed) if needed else "none"}.'
            )
        local = Path(value).expanduser()
        found[key] = str(local.absolute()) if local.exists() else value
    for folder in folders:
        if not folder.is_dir():
            raise ConfigError(
                f'the weights {folder} are neither NAME=PATH nor a folder; names are '
                f'{listed(needed) if needed else "none, these features need no weights"}.'
            )
        for key in needed:
            here = sorted(path for path in folder.iterdir() if key in (path.name, path.stem))
            if len(here) > 1:
                raise ConfigError(
                    f'{folder} holds {len(here)} entries called {key!r} '
                    f'({listed([path.name for path in here])}); leave one or give {key}=PATH.'
                )
            if here:
                found.setdefault(key, str(here[0].absolute()))
    for key in needed:
        if key not in found:
            raise ConfigError(
                f'the features {name!r} need the weights {key!r}: {WEIGHTS[key]}; give --weights '
                f'{key}=PATH, see {WHERE}.'
            )
    return found


def encoder_of(part: Part, weights: Mapping[str, str], **options: Any) -> dict[str, Any]:
    """The config of the encoder of some features.

    Args:
        part: The features.
        weights: Paths by name, see :func:`locate_weights`.
        options: Arguments of those encoders that take them, where they are not None.
    """
    return _with_options(_filled(part.encoder, weights), options)


def options_of(config: Mapping[str, Any]) -> set[str]:
    """The arguments of an encoder, or of those that a joined one has."""
    if 'encoders' in config:
        return set().union(*map(options_of, config['encoders']))
    kind = ENCODERS.get(config['type'])  # a mistake in the name is told when it is built
    return set(inspect.signature(kind).parameters) if kind else set()


def _with_options(config: dict[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    if 'encoders' in config:
        parts = [_with_options(part, options) for part in config['encoders']]
        return {**config, 'encoders': parts}
    taken = options_of(config)
    given = {key: value for key, value in options.items() if value is not None and key in taken}
    return {**config, **given}


def _named(value: Any) -> Iterator[str]:
    """Names of weights in a config."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            yield from _named(item)
    elif isinstance(value, str) and value.startswith('@'):
        yield value[1:]


def _filled(value: Any, weights: Mapping[str, str]) -> Any:
    if isinstance(value, Mapping):
        return {key: _filled(item, weights) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_filled(item, weights) for item in value]
    if isinstance(value, str) and value.startswith('@'):
        return weights[value[1:]]
    return value
