# SPDX-License-Identifier: Apache-2.0
"""Dependencies point one way, as docs/architecture.md states; imports inside functions count."""

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1] / 'vtg'
LISTS = ('__init__.py', 'models/__init__.py')  # import what they offer, and do nothing else

BASIS = {'utils', 'structures', 'registry', 'version'}
PARTS = BASIS | {
    'models.base',
    'models.extras',
    'models.layers',
    'models.task_modules',
    'models.losses',
}
COMPONENTS = ['auxiliary', 'data_preprocessor', 'embeddings', 'encoders', 'feedback', 'fusions']
COMPONENTS += ['heads', 'necks', 'projectors', 'refiners']
# Room -> the rooms that it may import. A room is a folder or module of vtg; where `a.b` has a row,
# it is a room of its own and `a` is what remains, except as an entry: there it stands for both.
ALLOWED: dict[str, set[str]] = {
    'version': set(),
    'utils': {'version'},
    'structures': {'utils'},
    'registry': {'utils'},
    'models.base': BASIS,
    'models.extras': BASIS,
    'models.layers': BASIS,
    'models.task_modules': BASIS | {'models.layers'},
    'models.losses': PARTS - {'models.losses'},
    **{f'models.{name}': PARTS for name in COMPONENTS},
    'models': BASIS | {'models.base', 'models.task_modules'},  # the model as a whole
    'datasets.stores': BASIS,
    'formats': BASIS,
    'datasets': BASIS | {'datasets.stores', 'formats'},
    'evaluation': BASIS,
    'pages': BASIS,
    'plots': BASIS | {'analysis', 'apis', 'datasets', 'engine', 'evaluation', 'models'},
    'analysis': BASIS | {'evaluation', 'pages', 'reports'},
    'engine': BASIS,
    'extraction': BASIS | {'datasets.stores', 'engine'},
    'pretraining': BASIS | {'extraction'},
    'conversion': BASIS | {'engine'},
    'reports': BASIS | {'evaluation'},
    'apis': BASIS
    | {'models', 'datasets', 'evaluation', 'engine', 'extraction', 'formats', 'reports'}
    | {'analysis', 'pages'},
    'search': BASIS
    | {'apis', 'datasets.stores', 'engine', 'evaluation', 'extraction', 'models', 'pages'},
    'serve': BASIS | {'extraction', 'pages', 'search'},
    '__main__': {'cli'},
    'cli': BASIS | {'apis', 'engine', 'extraction', 'search', 'serve', 'pages'},
    'sweeps': BASIS | {'apis', 'datasets', 'engine', 'reports'},
}


def room_of(name: str) -> str:
    """The room of a dotted name without ``vtg``."""
    parts = name.split('.')
    return next((r for r in ('.'.join(parts[:2]), parts[0]) if r in ALLOWED), name)


def imports(source: str, package: str) -> Iterator[str]:
    """Yield what a module of ``package`` imports from vtg, as dotted names without ``vtg``."""
    for node in ast.walk(ast.parse(source)):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package.split('.')[: 1 - node.level or None] if node.level else []
            base = [*above, node.module] if node.module else above
            names = ['.'.join([*base, alias.name]) for alias in node.names]
        yield from (name.removeprefix('vtg.') for name in names if name.startswith('vtg.'))


def allowed(room: str, target: str) -> bool:
    return target == room or bool({target, target.split('.')[0]} & ALLOWED[room])


def test_dependencies_point_one_way() -> None:
    wrong = []
    for path in sorted(PACKAGE.rglob('*.py')):
        place = path.relative_to(PACKAGE)
        if place.as_posix() in LISTS:
            continue
        room = room_of('.'.join(place.with_suffix('').parts))
        assert room in ALLOWED, f'{place} belongs to no room: give {room!r} a row in ALLOWED'
        package = '.'.join(('vtg', *place.parent.parts))
        found = {room_of(name) for name in imports(path.read_text(encoding='utf-8'), package)}
        wrong += [f'{place} imports {other}' for other in sorted(found) if not allowed(room, other)]
    assert not wrong, '\n'.join(wrong)


def test_the_rule_has_no_cycle() -> None:
    graph = {
        room: {other for other in ALLOWED if other != room and allowed(room, other)}
        for room in ALLOWED
    }
    assert list(TopologicalSorter(graph).static_order())


def test_every_kind_of_import_counts() -> None:
    source = (
        'import vtg.apis.test\nfrom . import b\nfrom ..c import d\ndef f():\n from vtg.e import g'
    )
    found = {'apis.test', 'models.x.b', 'models.c.d', 'e.g'}
    assert set(imports(source, 'vtg.models.x')) == found
    assert room_of('models.heads.saliency') == 'models.heads'
    assert room_of('models.Grounder') == room_of('models.grounder.Grounder') == 'models'
    assert not allowed('models', 'models.heads') and not allowed('datasets', 'models')
