# SPDX-License-Identifier: Apache-2.0
"""Publishing a trained model as a folder, and getting it back by folder or hub name."""

import contextlib
import glob
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.registry import init_default_scope

from vtg.engine.checkpoint import load_weights
from vtg.engine.config import benchmark_name, model_config
from vtg.engine.published import (
    CONFIG,
    WEIGHTS,
    read_published,
    write_config,
    write_weights,
)
from vtg.extraction.encoders.names import ENCODER_NAMES, encoder_config
from vtg.extraction.recipes import find_recipe
from vtg.registry import ENCODERS, MODELS
from vtg.reports.collection import read_report
from vtg.utils import (
    ConfigError,
    check_output,
    hold,
    listed,
    markdown_text,
    write_text,
)
from vtg.utils.optional import require
from vtg.utils.tables import markdown_table, two_decimals
from vtg.version import __version__

from .encoding import recipe_of

CARD = 'README.md'
# What is fetched from the hub: nothing that could be code.
_FILES = (CONFIG, WEIGHTS, CARD)


def publish_model(
    cfg: Config,
    checkpoint: str | Path,
    out: str | Path,
    encoders: Sequence[str] = (),
    text_encoders: Sequence[str] | None = None,
    report: str | Path | None = None,
    name: str | None = None,
    features: str | None = None,
) -> Path:
    """Write a folder with config, weights and model card.

    Args:
        cfg: The config that the checkpoint was trained with.
        checkpoint: Its weights are checked against the model.
        out: Folder to make.
        encoders: ``NAME=WEIGHTS`` per video feature, with which own videos are encoded.
        text_encoders: The same per text feature, where ``encoders`` do not encode text.
        report: A ``report_*.json`` of ``tools/test.py`` for the model card; by default those beside
            the checkpoint.
        name: Title of the card; by default the name of the folder.
        features: Recipe of the features; by default the one that belongs to the config, if any.

    Raises:
        ConfigError: ``out`` exists, or lies where an input does; or an encoder is unknown.
        CheckpointError: The weights do not fit.
        DataError: A report is damaged.
    """
    checkpoint = Path(checkpoint)
    out = check_output(out, [checkpoint, report])
    if os.path.lexists(out):
        raise ConfigError(
            f'{out} exists, so it is not overwritten; choose another name or remove it yourself.'
        )
    init_default_scope('vtg')
    for text in (*encoders, *(text_encoders or ())):
        kind = encoder_config(text)['type']
        if not isinstance(kind, str) or ENCODERS.get(kind) is None:
            raise ConfigError(
                f'the encoder {text!r} is not registered; names are {listed(ENCODER_NAMES)}, or '
                'those of tools/list_components.py.'
            )
    recipe = recipe_of(cfg, {'features': features})
    if recipe:
        find_recipe(recipe)
    model = MODELS.build(model_config(cfg))
    meta = load_weights(model, checkpoint)
    facts = {
        'vtg': __version__,
        'name': name or out.resolve().name,
        'encoders': list(encoders),
        'text_encoders': None if text_encoders is None else list(text_encoders),
        'features': recipe,
        'metrics': _reports(checkpoint, report),
    }
    kept = {key: value for key, value in meta.items() if key not in ('cfg', 'time')}
    with _whole_folder(out) as folder:
        write_weights(folder / WEIGHTS, model.state_dict(), kept)
        write_config(folder / CONFIG, cfg, facts)
        write_text(folder / CARD, _card(cfg, facts, model))
    return out


def find_model(name: str | Path, revision: str | None = None) -> Path:
    """Return the folder of a published model, fetched from the Hugging Face hub where it is a name.

    Args:
        name: A folder, or ``USER/MODEL``.
        revision: Branch, tag or commit on the hub.

    Raises:
        ConfigError: There is no such folder and no such model that can be reached.
    """
    folder = Path(name).expanduser()
    if folder.exists() or folder.is_absolute() or str(name).startswith('.'):
        read_published(folder)
        return folder
    if str(name).count('/') != 1:
        raise ConfigError(
            f'{name} is no folder and no name on the hub; give the folder of a published model, or '
            'USER/MODEL.'
        )
    options = {'allow_patterns': list(_FILES), 'endpoint': os.environ.get('HF_ENDPOINT')}
    hub = _hub()
    try:
        return Path(hub.snapshot_download(str(name), revision=revision, **options))
    except Exception as error:  # of the hub's client: many kinds, some of its HTTP library
        raise ConfigError(
            f'{name} is no folder here and could not be fetched from the hub '
            f'({_first_line(error)}); check the name and the network, or give the folder of a '
            'published model.'
        ) from None


def push_model(folder: str | Path, name: str, private: bool = False) -> str:
    """Upload a published model to the Hugging Face hub and return its address.

    Args:
        folder: What :func:`publish_model` wrote.
        name: ``USER/MODEL``; made where it does not exist.
        private: Whether a new one is seen by its owner only.

    Raises:
        ConfigError: The folder is no published model, or the hub refuses.
    """
    read_published(folder)
    api = _hub().HfApi(endpoint=os.environ.get('HF_ENDPOINT'))
    try:
        api.create_repo(name, private=private, exist_ok=True)
        done = api.upload_folder(
            repo_id=name, folder_path=str(folder), allow_patterns=list(_FILES),
            commit_message='Publish the model',
        )  # fmt: skip
    except Exception as error:  # of the hub's client, as above
        raise ConfigError(
            f'{name} could not be uploaded ({_first_line(error)}); log in with `hf auth login` and '
            'check the name.'
        ) from None
    return str(getattr(done, 'commit_url', name))


def _hub() -> Any:
    return require('huggingface_hub', 'a model on the hub')


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)[:200].rstrip('.')


@contextlib.contextmanager
def _whole_folder(out: Path) -> Iterator[Path]:
    """Give a folder that becomes ``out`` by one rename when everything is written; what an earlier
    process left that was killed is removed."""
    out.parent.mkdir(parents=True, exist_ok=True)
    prefix = f'.{out.name}.publishing-'
    for left in out.parent.glob(f'{glob.escape(prefix)}*'):
        with _locked(left) as nobody_writes:
            if nobody_writes:
                shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=out.parent))
    try:
        with _locked(folder):
            yield folder
            folder.chmod(0o755)
            folder.rename(out)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[bool | None]:
    """Lock a folder; gives what :func:`vtg.utils.hold` does."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        yield hold(handle)
    finally:
        os.close(handle)


def _reports(checkpoint: Path, report: str | Path | None) -> dict[str, Mapping[str, Any]]:
    """The metrics of this checkpoint by split."""
    paths = [Path(report)] if report else sorted(checkpoint.parent.glob('report_*.json'))
    found = {}
    for path in paths:
        content = read_report(path)
        facts = content.facts
        if report or Path(str(facts.get('checkpoint') or '')).name == checkpoint.name:
            found[str(facts.get('split') or path.stem)] = content.metrics
    return found


def _card(cfg: Config, facts: Mapping[str, Any], model: Any) -> str:
    """The model card: what it is, how it is used, what it needs, what it reached."""
    name, data = markdown_text(facts['name']), markdown_text(benchmark_name(cfg) or 'own data')
    splits = facts['metrics']
    header = ['metric', *splits]
    rows = [
        [metric, *(two_decimals(values.get(metric)) for values in splits.values())]
        for metric in dict.fromkeys(key for values in splits.values() for key in values)
    ]
    dataset = (cfg.get('test_dataloader') or cfg.val_dataloader).dataset
    features = [
        f'- {kind}: {Path(store.get("folder") or store["type"]).name} ({store["dim"]} wide)'
        for kind in ('video', 'audio', 'text')
        for store in dataset.get(kind) or ()
        if 'dim' in store
    ]
    encoders = [f'- `{text}`' for text in (*facts['encoders'], *(facts['text_encoders'] or ()))]
    parameters = sum(weight.numel() for weight in model.parameters())
    parts = [
        '---\nlibrary_name: vtg\ntags:\n- video-temporal-grounding\n- moment-retrieval\n---\n',
        f'# {name}\n',
        f'Finds the moments of a video that match a sentence. Trained on {data} with vtg '
        f'{facts["vtg"]}; {parameters:,} parameters.\n',
        '## Use\n',
        '```python\nfrom vtg.apis.inference import Inferencer\n\n'
        "model = Inferencer.from_pretrained('FOLDER_OR_NAME')\n"
        "print(model('video.mp4', 'a person opens the door')[0].distinct()[:5])\n```\n",
        '## Features\n',
        f'Clips of {dataset.get("clip_length", "?")} s.\n',
        *features,
        '' if encoders else _about_encoders(facts['features']),
        *(['\nEncoders:\n', *encoders] if encoders else []),
        '\n## Results\n',
        markdown_table(header, rows, 1) if rows else 'No report was made for this checkpoint.',
        '',
    ]
    return '\n'.join(parts)


def _about_encoders(recipe: str | None) -> str:
    """How the user makes such features."""
    if recipe is None:
        return '\nThe encoders of these features are given by the user.'
    needed = find_recipe(recipe).needs()
    options = ' '.join(f'--weights {name}=PATH' for name in needed)
    return (
        f'\nMade by `tools/extract_features.py --features {recipe}`; own videos are searched with '
        f'`vtg find VIDEO "sentence" --model FOLDER{" " if options else ""}{options}`.'
    )
