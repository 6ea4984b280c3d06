# SPDX-License-Identifier: Apache-2.0
"""How near own features are to published ones."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from vtg.datasets.stores import check_features, read_feature_file
from vtg.datasets.stores.files import SUFFIXES
from vtg.utils import ConfigError, listed, printable

SAME, NEAR = 0.999, 0.98
"""Mean cosine per clip from which features are the same, or near."""
LONGEST_SHIFT = 5


@dataclass
class Comparison:
    """Own features of one kind beside published ones.

    Attributes:
        folder: Name of the kind.
        widths: Of the own and of the published features.
        lengths: Rows of own and published features by video.
        missing, extra: Published videos without own features, and the other way round.
        mean, worst: Cosine of the rows at the best shift; ``worst_at`` is where that is.
        shift: Rows by which the own features begin later than the published ones.
        unshifted: Mean cosine without a shift.
        others: Mean cosine with the other rows of the same video, which nearness has to exceed.
    """

    folder: str
    widths: tuple[int, int] = (0, 0)
    lengths: dict[str, tuple[int, int]] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)
    mean: float = 0.0
    worst: float = 0.0
    worst_at: str = ''
    shift: int = 0
    unshifted: float = 0.0
    others: float = 0.0

    @property
    def near(self) -> bool:
        """Whether a model that was trained on the published features can read these."""
        # Where the clips of a video hardly differ, any of them would be near.
        told_apart = self.mean - self.others > (1 - self.others) / 2
        return self.shift == 0 and self.mean >= NEAR and told_apart

    def verdict(self) -> str:
        """One sentence."""
        own, published = self.widths
        if own != published:
            return f'other features: {own} wide, the published ones {published}; use their encoder.'
        if self.near:
            if self.mean >= SAME:
                return 'the same features up to rounding.'
            return 'near: the same encoder on slightly other frames, sizes or precision.'
        if self.shift and self.mean >= NEAR:
            return (
                f'the same encoder {abs(self.shift)} rows {"early" if self.shift < 0 else "late"}; '
                'check the clip length and where clips begin.'
            )
        if self.mean >= NEAR:
            return 'not told: the rows of these videos hardly differ; compare other videos.'
        return 'other features; check weights, clip length, frames and normalisation.'

    def text(self) -> str:
        """All that was found, in lines."""
        lines = [f'{self.folder}: {self.verdict()}']
        if self.widths[0] == self.widths[1]:
            lines.append(
                f'  cosine per row {self.mean:.4f} on average, {self.worst:.4f} at worst '
                f'({printable(self.worst_at)}); with other rows of the video {self.others:.4f}'
            )
            lines.append(
                f'  best shift {self.shift} rows'
                + (f' (without it {self.unshifted:.4f})' if self.shift else '')
            )
        different = {n: pair for n, pair in self.lengths.items() if pair[0] != pair[1]}
        line = f'  {len(self.lengths)} compared, {len(different)} of other length'
        if different:
            name, (own, published) = max(
                different.items(), key=lambda item: abs(item[1][0] - item[1][1])
            )
            line += f' (at most {abs(own - published)} rows, {printable(name)}: {own}, {published})'
        lines.append(line)
        for what, names in (('missing', self.missing), ('not published', self.extra)):
            if names:
                lines.append(f'  {len(names)} {what}, such as {printable(names[0])}')
        return '\n'.join(lines)


@dataclass
class Comparisons:
    """Of all kinds of features."""

    parts: list[Comparison]

    @property
    def near(self) -> bool:
        """Whether all are."""
        return all(part.near for part in self.parts)

    def text(self) -> str:
        """All that was found, in lines."""
        return '\n'.join(part.text() for part in self.parts)


def compare_features(own: str | Path, folders: Sequence[str], published: str | Path) -> Comparisons:
    """Compare own features with published ones.

    Args:
        own: Folder of the own features.
        folders: Names of the kinds of features in it.
        published: A folder with some of these folders, or with the files of the only kind.

    Raises:
        ConfigError: There is nothing of the same name in both.
        DataError: A file cannot be read.
    """
    own, published = Path(own), Path(published)
    if not published.is_dir():
        raise ConfigError(f'{published} is no folder; give the folder of the published features.')
    if published.resolve() == own.resolve():
        raise ConfigError(f'{published} holds the own features; give the folder of published ones.')
    here = [name for name in folders if (own / name).is_dir()]
    pairs = [(name, own / name, published / name) for name in here if (published / name).is_dir()]
    if not pairs and len(here) == 1:
        pairs = [(here[0], own / here[0], published)]
    if not pairs:
        raise ConfigError(
            f'{published} holds none of the folders {listed(folders)}'
            + (f', of which {own} has {listed(here)}' if here else f', and neither does {own}')
            + '; name the folder above them, or extract only the kind that you compare.'
        )
    return Comparisons([_compare(*pair) for pair in pairs])


def _compare(name: str, own: Path, published: Path) -> Comparison:
    ours, theirs = _files(own), _files(published)
    common = [stem for stem in ours if stem in theirs]
    if not common:
        raise ConfigError(
            f'{own} and {published} have no file of the same name; names are those of the videos '
            'or queries.'
        )
    found = Comparison(
        name,
        missing=[stem for stem in theirs if stem not in ours],
        extra=[stem for stem in ours if stem not in theirs],
    )
    # Cosines of the pairs of rows by shift, with where they are.
    rows: dict[int, list[np.ndarray]] = {}
    others: list[tuple[float, int]] = []
    for stem in common:
        mine, other = (_rows(files[stem]) for files in (ours, theirs))
        found.widths = (mine.shape[1], other.shape[1])
        found.lengths[stem] = (len(mine), len(other))
        if mine.shape[1] != other.shape[1]:
            return found
        for shift in range(-LONGEST_SHIFT, LONGEST_SHIFT + 1):
            first, second = mine[max(0, -shift) :], other[max(0, shift) :]
            count = min(len(first), len(second))
            cosines = np.einsum('ld,ld->l', first[:count], second[:count])
            rows.setdefault(shift, []).append(cosines)
        shown = min(len(mine), len(other))
        # All pairs but those of equal rows.
        total = mine[:shown].sum(0) @ other[:shown].sum(0) - rows[0][-1].sum()
        others.append((float(total), shown * (shown - 1)))
    means = {
        shift: float(np.concatenate(parts).mean())
        for shift, parts in rows.items()
        if sum(map(len, parts))
    }
    best = max(means, key=lambda shift: (means[shift], -abs(shift)))
    found.shift = best if means[best] > means[0] + 1e-4 else 0
    found.mean, found.unshifted = means[found.shift], means[0]
    total, count = np.sum(others, axis=0)
    found.others = float(total / count) if count else 0.0
    lowest = [part.min(initial=np.inf) for part in rows[found.shift]]
    worst = int(np.argmin(lowest))
    found.worst = float(lowest[worst])
    row = int(rows[found.shift][worst].argmin()) + max(0, -found.shift)
    found.worst_at = f'{common[worst]}, row {row}'
    return found


def _files(folder: Path) -> dict[str, Path]:
    """Feature files by the name of their video or query."""
    found = {path.stem: path for path in sorted(folder.iterdir()) if path.suffix in SUFFIXES}
    if not found:
        raise ConfigError(f'{folder} holds no feature file ({", ".join(SUFFIXES)}).')
    return found


def _rows(path: Path) -> np.ndarray:
    """The rows of a file, of unit length."""
    array = check_features(read_feature_file(path), str(path), None).astype(np.float64)
    return array / np.maximum(np.linalg.norm(array, axis=1, keepdims=True), 1e-12)
