# SPDX-License-Identifier: Apache-2.0
"""LA-DETR on QD-DETR against values of its released code."""

from collections.abc import Iterator
from types import SimpleNamespace

import torch

from vtg.models.heads.query.grouped_queries import GroupedQueries

from .case import Run
from .core import ReferenceSet, Row, compare, compare_exact
from .detr import DETR_SIZES
from .momentmix import check_features
from .qd_detr import QdDetrCase

QUERIES = 'moment_head.queries'


def check_classes(data: ReferenceSet) -> Iterator[Row]:
    """Compare the classes of moments of stored lengths."""
    for number, case in enumerate(data.info.get('class_cases', ())):
        source = dict(type='LearnedQueries', num_queries=1, dim=8)
        queries = GroupedQueries(source, case['thresholds'])
        duration = max(*case['thresholds'], case['length_seconds'])
        spans = torch.tensor([[[0.5, case['length_seconds'] / duration]]])
        given = SimpleNamespace(spans=spans, duration=torch.tensor([float(duration)]))
        yield compare_exact(f'class_cases/{number}', queries.classes(given).item(), case['group'])


class LaDetrCase(QdDetrCase):
    """Also which moment belongs to which group, and the gradients of single groups."""

    system, config = 'la_detr', 'la_detr/qvhl_official.py'
    sizes = {
        **{key: value for key, value in DETR_SIZES.items() if 'num_queries' not in key},
        f'{QUERIES}.lengths': 'thresholds_seconds',
        f'{QUERIES}.source.num_queries': 'queries_per_group',
    }
    left_out = {
        **QdDetrCase.left_out,
        r'out/unrestricted_match_\w+': 'no part of the model: a matching without groups',
    }

    @classmethod
    def whole_set(cls, data: ReferenceSet, base: dict) -> Iterator[Row]:
        """Compare the classes of given lengths, and mixed rows."""
        yield from super().whole_set(data, base)
        yield from check_classes(data)
        if any(key.startswith('mix/') for key in data):
            case = cls(data, base, Run('', cls.padded(data)))
            yield from check_features(data, case.head.queries.classes)

    def more(self) -> Iterator[Row]:
        """Compare classes of moments and gradients of learned rows."""
        yield from super().more()
        targets = self.model.data_preprocessor(self.batch, True)['targets']
        found = self.head.queries.classes(targets)[targets.span_mask]
        yield compare_exact(
            f'{self.inputs}moment_class', found, self.data[f'{self.inputs}in/moment_class'].long()
        )
        for key, name in (
            ('patterns_rows', 'content'),
            ('query_embed_rows', 'source.reference_logits'),
        ):
            stored = self.get(f'grad/{key}')
            if stored is not None:
                ours = self.head.queries.get_parameter(name).grad.norm(dim=1)
                yield compare(
                    self.name(f'grad/{key}'), ours / stored.norm(), stored / stored.norm(), 1e-4
                )
