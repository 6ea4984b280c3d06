# SPDX-License-Identifier: Apache-2.0
"""Pages that are made from the toolbox itself: components, model zoo, API reference."""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

import vtg
from vtg.engine.components import find_component, list_components
from vtg.utils.tables import markdown_table

CONFIGS = Path(__file__).resolve().parents[1] / 'configs'
# Numbers of the zoo's tables, those that a row has, in this order.
_METRICS = (
    'MR-full-R1@0.3', 'MR-full-R1@0.5', 'MR-full-R1@0.7', 'MR-full-mAP', 'MR-full-mIoU',
    'HL-min-VeryGood-mAP', 'HL-min-VeryGood-Hit1', 'HL-mAP',
)  # fmt: skip


def write(folder: Path) -> None:
    """Write the pages where they are new or differ: Sphinx reads a page anew when it changes."""
    folder.mkdir(exist_ok=True)
    for name, text in {
        'components.md': components(),
        'model_zoo.md': model_zoo(),
        'api.md': api(),
    }.items():
        path = folder / name
        if not path.is_file() or path.read_text(encoding='utf-8') != text:
            path.write_text(text, encoding='utf-8')


def components() -> str:
    """Every registered component by slot: signature and docstring."""
    parts = ['# Components\n', 'What can be put into a slot, by slot, made from the registry.\n']
    for slot, names in list_components().items():
        parts.append(f'## {slot}\n')
        parts.append('| component | what it does |\n| --- | --- |')
        parts += [f'| `{name}` | {_literals(text)} |' for name, text in names.items()]
        parts.append('')
        for name in names:
            parts.append(_directive(find_component(name), name))
    return '\n'.join(parts)


def _literals(text: str) -> str:
    """A line of a docstring as Markdown."""
    return text.replace('``', '`').replace('|', '\\|')


def _directive(item: Any, name: str) -> str:
    kind = 'autoclass' if inspect.isclass(item) else 'autofunction'
    options = ':no-members:\n:no-index:\n' if kind == 'autoclass' else ':no-index:\n'
    body = f'```{{eval-rst}}\n.. {kind}:: {item.__module__}.{item.__qualname__}\n'
    return body + ''.join(f'   {line}\n' for line in options.splitlines()) + '```\n'


def model_zoo() -> str:
    """Systems with their configs and published numbers, from the metafiles."""
    parts = [
        '# Model zoo\n',
        'Published numbers of every system, per cent, with the config of each row. What was '
        'measured with this toolbox stands in [results](../results.md) and, on simulated data, in '
        '[demos](../demos.md).\n',
    ]
    for path in sorted(CONFIGS.glob('*/metafile.yml')):
        content = yaml.safe_load(path.read_text(encoding='utf-8'))
        parts.append(f'## {content["Name"]}\n')
        parts.append(f'[Paper]({content["Paper"]}) · `configs/{path.parent.name}`\n')
        by_data: dict[str, list[dict[str, Any]]] = {}
        for row in content.get('Results') or ():
            by_data.setdefault(f'{row["dataset"]} {row.get("split", "")}'.strip(), []).append(row)
        for data, rows in by_data.items():
            names = [name for name in _METRICS if any(name in row['metrics'] for row in rows)]
            if not names:
                names = list(dict.fromkeys(name for row in rows for name in row['metrics']))[:8]
            header = ['config', 'variant', *names]
            cells = [
                [
                    str(row.get('config', '')), str(row.get('variant', '')),
                    *(f'{row["metrics"][n]:.2f}' if n in row['metrics'] else '-' for n in names),
                ]
                for row in rows
            ]  # fmt: skip
            parts += [f'### {data}\n', markdown_table(header, cells, 2) + '\n']
    return '\n'.join(parts)


def api() -> str:
    """The public names of every package."""
    parts = ['# API\n', 'Public names by package, from docstrings.\n']
    for name in _packages():
        module = importlib.import_module(name)
        public = getattr(module, '__all__', ())
        if public:
            parts.append(f'## {name}\n')
            parts.append((inspect.getdoc(module) or '').split('\n\n')[0] + '\n')
            parts += [_member(module, item) for item in public]
    return '\n'.join(part for part in parts if part)


def _packages() -> Iterator[str]:
    for info in pkgutil.walk_packages(vtg.__path__, 'vtg.'):
        if info.ispkg:
            yield info.name


def _member(module: Any, name: str) -> str:
    item = getattr(module, name)
    if inspect.isclass(item) or inspect.isfunction(item):
        return _directive(item, name)
    return ''
