# SPDX-License-Identifier: Apache-2.0
"""The same change on several configs: a sweep over systems."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mmengine.config import Config

from vtg.engine.config import apply_options, load_config
from vtg.utils import ConfigError

from .grid import Cell

CONFIG, ADD = 'config', 'add'
WITHOUT = 'none'


@dataclass(frozen=True)
class SystemCell(Cell):
    """A combination with a config of its own; ``values`` begins with the names of the config and of
    what is added to it."""

    own: Config = field(default_factory=Config, compare=False, repr=False)

    @property
    def changes(self) -> tuple[tuple[str, str], ...]:
        """See :class:`Cell`."""
        return tuple(value for value in self.values if value[0] not in (CONFIG, ADD))

    def start(self, base: Config) -> Config:
        """See :class:`Cell`."""
        return self.own.copy()


def system_cells(
    configs: Sequence[str | Path],
    add: Sequence[str | Path],
    cells: Sequence[Cell],
    cfg_options: Sequence[str] = (),
) -> list[SystemCell]:
    """Every combination of a config, nothing or one of the fragments, and the cells of a grid.

    A fragment is a file like a child config without a base, such as
    ``model = dict(auxiliary=dict(mine=dict(type='LocalAlignment')))``; it is merged into every
    config.

    Args:
        configs: Config files. They are named by their folder where their file names are the same.
            Those that train nothing, such as zero-shot systems, are left out.
        add: Fragments, named by their file.
        cells: Combinations of values for each.
        cfg_options: Overrides for all of them.

    Raises:
        ConfigError: A config or fragment occurs twice, a fragment does not fit a config, or no
            config trains anything.
    """
    paths, files = [Path(path).resolve() for path in configs], [Path(path) for path in add]
    for given in (paths, [path.stem for path in files]):
        if len(set(given)) < len(given):
            raise ConfigError(
                f'a config or a fragment is given twice: {", ".join(map(str, given))}.'
            )
    if any(path.stem == WITHOUT for path in files):
        raise ConfigError(
            f'{WITHOUT} is the name of the row without a fragment; rename {WITHOUT}.py.'
        )
    alike = len({path.stem for path in paths}) == 1
    made = []
    for path in paths:
        name = path.parent.name if alike else f'{path.parent.name}/{path.stem}'
        for file in (None, *files):
            label = ((ADD, WITHOUT if file is None else file.stem),) if files else ()
            own = load_config(path, add=[] if file is None else [file])
            apply_options(own, cfg_options)
            if own.get('train_dataloader') is None:
                continue
            made += [SystemCell(((CONFIG, name), *label, *cell.values), own) for cell in cells]
    if not made:
        raise ConfigError(
            f'none of the configs trains anything: {", ".join(map(str, paths))}; give one with a '
            'train_dataloader.'
        )
    return made
