# SPDX-License-Identifier: Apache-2.0
"""Package definition; requirements live in ``requirements/*.txt``."""

from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent


def requirements(name: str) -> list[str]:
    """Read ``requirements/<name>.txt``, with ``-r`` files, without comments and blank lines."""
    lines = (ROOT / 'requirements' / f'{name}.txt').read_text(encoding='utf-8').splitlines()
    found = []
    for line in (line.split('#', 1)[0].strip() for line in lines):
        if line.startswith('-r '):
            found += requirements(line[3:].strip().removesuffix('.txt'))
        elif line:
            found.append(line)
    return found


def version() -> str:
    """Read ``__version__`` without importing the package."""
    text = (ROOT / 'vtg' / 'version.py').read_text(encoding='utf-8')
    return text.split("__version__ = '", 1)[1].split("'", 1)[0]


setup(
    name='vtg-toolbox',  # `vtg` in the package index is somebody else's
    version=version(),
    description='A modular toolbox for video temporal grounding',
    long_description=(ROOT / 'README.md').read_text(encoding='utf-8'),
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    # Configs and scripts lie beside the package here, and inside of it where it is installed.
    packages=[*find_packages(include=['vtg', 'vtg.*']), 'vtg.configs', 'vtg.tools'],
    package_dir={'vtg.configs': 'configs', 'vtg.tools': 'tools'},
    package_data={
        'vtg': ['py.typed'],
        'vtg.pages': ['assets/*'],
        'vtg.serve': ['assets/*'],
        'vtg.configs': ['**/*.py', '**/*.yml', '**/*.md'],
    },
    entry_points={'console_scripts': ['vtg = vtg.cli:main']},
    python_requires='>=3.10,<3.13',
    install_requires=requirements('runtime'),
    extras_require={
        path.stem: requirements(path.stem)
        for path in sorted((ROOT / 'requirements').glob('*.txt'))
        if path.stem != 'runtime'
    },
    zip_safe=False,
)
