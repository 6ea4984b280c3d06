# SPDX-License-Identifier: Apache-2.0
"""All features of a recipe, for videos and queries: what ``tools/extract_features.py`` does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from vtg.datasets.stores import read_feature_file
from vtg.datasets.stores.packing import check_names_kept
from vtg.registry import ENCODERS
from vtg.utils import ConfigError, check_clip_length, listed

from .encoders.audio import AudioEncoder
from .executor import RayOptions
from .files import SOUND_SUFFIXES, SUFFIXES, check_kind, find_videos, keep_settings
from .pipeline import OnStart, Width, extract_texts, extract_videos, silent
from .recipes import WEIGHTS, WHERE, Part, Recipe, encoder_of, options_of
from .report import ExtractionReport

# Options of encoders that change how wide features are.
_NETWORKS = frozenset({'network', 'sizes'})


@dataclass(frozen=True)
class Job:
    """Features that are wanted, and where they go.

    Attributes:
        recipe: What to make.
        weights: Paths by name, see :func:`vtg.extraction.recipes.locate_weights`.
        out: The folder; every part of the recipe is a folder below it.
        options: Arguments of all encoders that take them, such as ``device``.
        dtype: Instead of the recipe's.
        packed: Whether the features are packed in the end.
        threads: Videos decoded at a time.
        ray: Work on Ray instead of in this process.
    """

    recipe: Recipe
    weights: Mapping[str, str]
    out: Path
    options: Mapping[str, Any] = field(default_factory=dict)
    dtype: str | None = None
    packed: bool = False
    threads: int = 1
    ray: RayOptions | None = None

    def parts(self, videos: bool, texts: bool) -> list[tuple[str, Part]]:
        """The parts that are made of what there is."""
        return [
            (kind, part)
            for kind, part in self.recipe.streams()
            if (texts if kind == 'text' else videos)
        ]

    def suffix(self, part: Part) -> str:
        """Of the files of a part; packed features keep what belongs to them until they are."""
        return '.npz' if self.packed else part.suffix

    def run(
        self,
        videos: Sequence[str | Path],
        records: Sequence[dict[str, Any]] = (),
        text_file: str | Path | None = None,
        on_start: OnStart = silent,
    ) -> dict[str, ExtractionReport]:
        """Extract; what is there already is left alone.

        Args:
            videos: Files and folders.
            records: Annotation records with queries.
            text_file: Where they were read from.
            on_start: See :func:`vtg.extraction.extract_videos`.

        Returns:
            A report by the folder of each part.

        Raises:
            ConfigError: Something would be overwritten, or an encoder cannot be built or does not
                take an option.
        """
        parts = self.parts(bool(videos), bool(records))
        self._check_options()
        inputs = [*videos, text_file]
        places = [check_kind(self.out, part.folder, inputs, self.packed) for _, part in parts]
        files = find_videos(videos, self._suffixes()) if videos else {}
        reports = {}
        for (kind, part), (folder, result) in zip(parts, places):
            encoder = self.encoder(part)
            settings = {**encoder, 'dtype': self.dtype or part.dtype}
            common: dict[str, Any] = {
                'encoder': encoder, 'folder': folder, 'dtype': self.dtype or part.dtype,
                'ray': self.ray, 'on_start': on_start, 'expected': self._expected(part),
            }  # fmt: skip
            where = self.out / f'{part.folder}.json'
            if kind == 'text':
                keep_settings(where, {**settings, 'pattern': part.pattern}, (folder, result))
                report = extract_texts(records, pattern=part.pattern, **common)
            else:
                suffix = self.suffix(part)
                present = [path.stem for path in folder.glob(f'*{suffix}')]
                check_names_kept(result, [*files, *present])
                length = check_clip_length(self.recipe.clip_length, '--clip-len')
                keep_settings(where, {**settings, 'clip_length': length}, (folder, result))
                report = extract_videos(
                    files, clip_length=length, threads=self.threads, suffix=suffix, **common
                )
            reports[part.folder] = report
        return reports

    def encoder(self, part: Part) -> dict[str, Any]:
        """The config of the encoder of a part, with the options that it takes."""
        return encoder_of(part, self.weights, **self.options)

    def different_rows(self, reports: Mapping[str, ExtractionReport]) -> list[str]:
        """Videos of this run whose features have different numbers of rows."""
        parts = [(part, self.suffix(part)) for kind, part in self.parts(True, False)]
        names = {name for part, _ in parts for name in reports[part.folder].written}
        found = []
        for name in sorted(names) if len(parts) > 1 else ():
            folders = [
                self.out / f'{part.folder}{".parts" if self.packed else ""}' for part, _ in parts
            ]
            files = [folder / f'{name}{suffix}' for folder, (_, suffix) in zip(folders, parts)]
            if len({len(read_feature_file(file)) for file in files if file.is_file()}) > 1:
                found.append(name)
        return found

    def _check_options(self) -> None:
        """Refuse options that no encoder takes, which would be a mistake in a name."""
        parts = [part for _, part in self.recipe.streams()]
        taken = {name for part in parts for name in options_of(part.encoder)}
        unknown = sorted(set(self.options) - taken - {'device', 'amp'})
        if unknown:
            raise ConfigError(
                f'no encoder of these features has an option {listed(unknown)}; options are '
                f'{listed(sorted(taken))}.'
            )

    def _expected(self, part: Part) -> Width | None:
        """The width of published features; unknown without a recipe, or of another network."""
        if not part.dim or not _NETWORKS.isdisjoint(self.options):
            return None
        needs, package = part.needs(), 'the package as installed'
        used = listed([self.weights[name] for name in needs]) if needs else package
        wanted = '; '.join(WEIGHTS[name] for name in needs) or package
        return Width(part.dim, used, f'{wanted}, see {WHERE}')

    def _suffixes(self) -> tuple[str, ...]:
        """Recordings are read where all that is wanted of a file is its sound."""
        kinds = [ENCODERS.get(part.encoder['type']) for _, part in self.parts(True, False)]
        sound = all(isinstance(kind, type) and issubclass(kind, AudioEncoder) for kind in kinds)
        return (*SUFFIXES, *SOUND_SUFFIXES) if sound else SUFFIXES


def joined(recipe: Recipe) -> Recipe:
    """The same features with the columns of all encoders of the video in one array."""
    configs = [dict(part.encoder) for part in recipe.video]
    if len(configs) < 2:
        return recipe
    whole = Part(
        {'type': 'JoinedEncoder', 'encoders': configs}, sum(part.dim for part in recipe.video),
        'video_features', dtype=min(part.dtype for part in recipe.video),
    )  # fmt: skip
    return replace(recipe, video=(whole,))


def plain(encoder: Mapping[str, Any], clip_length: float, pattern: str) -> Recipe:
    """The features of one encoder, in the folders ``video`` and ``text``."""
    video = Part(encoder, 0, 'video')
    return Recipe((video,), (replace(video, folder='text', pattern=pattern),), (), clip_length)
