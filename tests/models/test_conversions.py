# SPDX-License-Identifier: Apache-2.0
"""Predictions turn from tensors into lists of numbers once, at the end, and nothing goes back."""

from typing import Any

import numpy as np
import pytest
import torch
from torch.overrides import TorchFunctionMode

from vtg.evaluation.metrics import QVHighlightsMetric

TO_HOST = ('tolist', 'numpy')
FROM_HOST = ('tensor', 'as_tensor', 'from_numpy')


class Conversions(TorchFunctionMode):
    """Collects the names of the calls between tensors and numbers, lists or arrays.

    A tensor made of one number, as a limit, is no conversion.
    """

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = getattr(func, '__name__', '')
        made = name in FROM_HOST and args and isinstance(args[0], list | tuple | np.ndarray)
        if name in TO_HOST or made:
            self.calls.append(name)
        return func(*args, **(kwargs or {}))


def annotations(batch: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {**meta, 'duration': seconds, 'relevant_windows': [[0, 2]]}
        for meta, seconds in zip(batch['meta'], batch['duration'].tolist())
    ]


@pytest.mark.parametrize('sliding', [False, True])
def test_one_conversion_between_head_and_metric(toy, sgdetr, sliding):
    """Every list, the scores and the lengths become plain once; the evaluation is NumPy's."""
    windows = {'windows': dict(clips=8, overlap=4, tef=()), 'type': 'SlidingGrounder'}
    model, batch = sgdetr(windows if sliding else {}).eval(), toy.batch()
    truth = annotations(batch)
    with torch.no_grad(), Conversions() as heads:
        (prediction,) = model.test_step(batch)
    # A long video is cut by its number of clips, which is known on the host only, and the moments
    # of its windows are merged there: of every list one table of numbers and the lengths.
    merging = ['numpy', 'numpy'] * len(prediction.lists)
    cut = ['tolist', 'tensor', 'tensor']
    # Boxes that have no fixed number are fused on the host as well: one table.
    fusion = ['numpy']
    assert sorted(heads.calls) == sorted(fusion + cut + merging if sliding else fusion)
    metric = QVHighlightsMetric()
    with Conversions() as border:
        metric.process({'meta': [{'annotation': record} for record in truth]}, [prediction])
    assert sorted(border.calls) == ['numpy'] * (len(prediction.lists) + 1) + ['tolist']
    with Conversions() as behind:
        metric.evaluate(3)
    assert behind.calls == [] and len(metric.predictions) == 3
