# SPDX-License-Identifier: Apache-2.0
"""Shortest, longest and emptiest samples: finite in every precision, and the same alone."""

from typing import Any

import pytest
import torch
from matrix import first
from systems import EVERY, SYSTEMS, WIDTH, small_system

from vtg.evaluation.records import to_records

# Everywhere the lines of the models, which other tests count.
pytestmark = pytest.mark.no_cover
CASES: dict[str, dict[str, Any]] = {
    'one clip, one word': dict(clips=(1,), words=(1,), moments=[[(0, 1)]]),
    'all clips and none': dict(clips=(75, 1), words=(1, 9), moments=[[(0, 75)], []]),
    # 7 and 13 are no multiple of a stride; the first moment covers no clip.
    'between clips': dict(
        clips=(7, 13, 2), words=(3, 1, 2), moments=[[(2.2, 2.7)], [(0, 13), (3, 5)], []]
    ),
    'no moment': dict(clips=(5, 6), words=(2, 2), moments=[[], []]),
}
# The smallest range first: what is finite in it is so in the others too, but for rounding. They run
# on one case by default, and add nothing to the published forms.
PRECISIONS = (torch.float16, torch.bfloat16, None)
HALF = [(name, case, torch.float16) for name in EVERY for case in CASES]
OTHERS = [(name, case, dtype) for name in SYSTEMS for case in CASES for dtype in PRECISIONS[1:]]
USUAL = HALF + [each for each in OTHERS if each[1] == 'between clips']


@pytest.mark.parametrize(('name', 'case', 'dtype'), first(USUAL, HALF + OTHERS))
def test_finite(name, case, dtype, toy):
    model = small_system(name).train()
    inputs = model.data_preprocessor(
        toy.batch(video_dim=WIDTH, text_dim=WIDTH, **CASES[case]), training=True
    )
    with torch.autocast('cpu', dtype or torch.bfloat16, enabled=dtype is not None):
        losses = model(**inputs, mode='loss')
    assert all(loss.isfinite() for loss in losses.values())
    sum(loss for key, loss in losses.items() if 'loss' in key).backward()
    for key, parameter in model.named_parameters():
        assert parameter.grad is None or parameter.grad.isfinite().all(), key


@pytest.mark.parametrize('name', SYSTEMS)
def test_alone_as_in_the_batch(name, toy, shaken):
    model = shaken(small_system(name), 0.1).eval()
    for case in ('all clips and none', 'between clips'):
        batch = toy.batch(video_dim=WIDTH, text_dim=WIDTH, **CASES[case])
        inputs = model.data_preprocessor(batch)
        with torch.no_grad():
            whole, records = model(**inputs), to_records(model(**inputs, mode='predict'))
            for index, (clips, words) in enumerate(
                zip(*(CASES[case][k] for k in ('clips', 'words')))
            ):
                row = slice(index, index + 1)
                single = {
                    **{key: inputs[key][row, :clips] for key in ('video', 'video_mask', 'audio')},
                    **{key: inputs[key][row, :words] for key in ('text', 'text_mask')},
                    'duration': inputs['duration'][row],
                }
                alone = model(**single)
                torch.testing.assert_close(
                    alone.saliency[0], whole.saliency[index, :clips], rtol=1e-5, atol=1e-5
                )
                ours, theirs = (
                    moments(record)
                    for record in (*to_records(model(**single, mode='predict')), records[index])
                )
                assert len(ours) == len(theirs)
                torch.testing.assert_close(ours, theirs, rtol=0, atol=2e-4)


def moments(record: dict[str, Any]) -> torch.Tensor:
    """The windows ``(K, 3)`` by start and end: equal scores leave their order open."""
    rows = record['pred_relevant_windows']
    return torch.tensor(sorted(rows, key=lambda row: [round(number, 2) for number in row]))
