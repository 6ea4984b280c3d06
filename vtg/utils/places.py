# SPDX-License-Identifier: Apache-2.0
"""Where the configs and scripts lie that come with the toolbox."""

from pathlib import Path


def shipped(name: str) -> Path:
    """The folder ``configs`` or ``tools``: in the package where it was installed from a wheel, else
    beside it."""
    package = Path(__file__).resolve().parents[1]
    inside = package / name
    return inside if inside.is_dir() else package.parent / name


def find_config(path: str | Path) -> Path:
    """The file that is meant by a path, or by the name of a shipped config, such
    as ``sgdetr/demo``; what exists nowhere stays as it is."""
    path = Path(path)
    if not path.exists() and not path.is_absolute() and path.name:
        name = path.with_name(f'{path.name.removesuffix(".py")}.py')
        for place in (name, Path(*name.parts[1:]) if name.parts[0] == 'configs' else name):
            if (shipped('configs') / place).is_file():
                return shipped('configs') / place
    return path
