# SPDX-License-Identifier: Apache-2.0
"""Published numbers of a system, for the report.

They are kept in ``metafile.yml`` in the config folder of a system::

    Name: SG-DETR
    Results:
      - dataset: QVHighlights
        split: val                       # split the numbers are for
        config: qvhl.py                  # optional: the config in this folder that gives the row
        variant: IV2                     # optional: features or setting of the row
        source: paper, Table 1           # where the numbers are printed
        metrics:                         # per cent, names as in the evaluation's `brief`
          MR-full-mAP: 50.0
          HL-min-VeryGood-Hit1: 60.0
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from mmengine.config import Config

from vtg.utils import ConfigError, is_number, one_line, shown

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'
_MOST_BYTES = 1 << 20


class _PlainLoader(yaml.SafeLoader):
    """Plain values without aliases, by which a few lines name more values than fit the memory."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError('it uses an alias (*name); write the values out')
        return super().compose_node(parent, index)


@dataclass(frozen=True)
class Published:
    """Published numbers of a system: ``metrics`` in per cent and where they come from."""

    dataset: str
    split: str
    source: str
    metrics: Mapping[str, float]
    variant: str = ''
    config: str = ''

    @property
    def label(self) -> str:
        """The heading of its column."""
        return f'{self.source} ({", ".join(filter(None, (self.variant, self.split)))})'


def published_for(
    cfg: Config, dataset: str, split: str | None = None, family: bool = False
) -> list[Published]:
    """Return the published numbers that belong to a config, those of its own rows first.

    Own rows are those that name the config or else the nearest config that it inherits from. Where
    none does, all of the nearest ``metafile.yml`` count. ``x_official.py``, which has the quirks of
    the released code, has the rows of ``x.py`` too.

    Args:
        cfg: As :func:`vtg.engine.load_config` gives it.
        dataset: Keep only this dataset. split: Keep only this split.
        family: Put the other rows of the same ``metafile.yml`` behind the own ones.

    Raises:
        ConfigError: See :func:`load_published`.
    """
    file = Path(cfg.filename or '')
    root = next((p for p in file.resolve().parents if p.name == 'configs'), CONFIGS)
    nearest: list[Published] = []
    for place in (file, *(root / name for name in cfg.get('lineage', ()))):
        rows = load_published(place.parent / 'metafile.yml', dataset, split)
        names = (place.name, f'{place.stem.removesuffix("_official")}.py')
        own = [row for row in rows if row.config in names]
        if own:
            return own + [row for row in rows if family and row not in own]
        nearest = nearest or rows
    return nearest


def load_published(
    path: str | Path, dataset: str | None = None, split: str | None = None
) -> list[Published]:
    """Read the published numbers of a ``metafile.yml``; the top of this module shows the format.

    Args:
        path: The file; a missing one has no numbers.
        dataset: Keep only this dataset. split: Keep only this split.

    Raises:
        ConfigError: The file is not YAML, or an entry lacks a field or holds something else.
    """
    path = Path(path)
    if not path.is_file():
        return []
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ConfigError(f'{path} has more than {_MOST_BYTES:,} bytes; is it a metafile?')
        content = yaml.load(path.read_text(encoding='utf-8'), _PlainLoader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError(f'{path} is not valid YAML ({one_line(error)[:300]}).') from None
    results = content.get('Results') if isinstance(content, dict) else None
    if not isinstance(results, list):
        raise ConfigError(
            f'{path} needs a list `Results`; vtg/reports/published.py shows the format.'
        )
    entries = [_published(entry, path, number) for number, entry in enumerate(results, start=1)]
    return [e for e in entries if dataset in (None, e.dataset) and split in (None, e.split)]


def _published(entry: Any, path: Path, number: int) -> Published:
    where = f'{path}, result {number}'
    if not isinstance(entry, dict):
        raise ConfigError(f'{where}: expected a mapping, got {shown(entry)}.')
    known = {'dataset', 'split', 'config', 'variant', 'source', 'metrics'}
    missing = sorted(known - {'config', 'variant'} - set(entry))
    unknown = [name for name in entry if name not in known]
    if missing or unknown:
        problem = f'lacks {missing[0]!r}' if missing else f'has {shown(unknown[0])}'
        raise ConfigError(f'{where} {problem}; expected the fields {", ".join(sorted(known))}.')
    metrics = entry['metrics']
    if not isinstance(metrics, dict) or not all(map(is_number, metrics.values())):
        raise ConfigError(f'{where}: `metrics` must map names to numbers in per cent.')
    texts = {name: entry.get(name, '') for name in sorted(known - {'metrics'})}
    for name, value in (*texts.items(), *(('metrics', key) for key in metrics)):
        if not isinstance(value, str | int | float):
            raise ConfigError(f'{where}: {name} has {shown(value)}; expected text.')
    return Published(
        metrics={str(k): float(v) for k, v in metrics.items()},
        **{name: str(value) for name, value in texts.items()},
    )
