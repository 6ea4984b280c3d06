# SPDX-License-Identifier: Apache-2.0
"""Weighted boxes fusion along time."""

import json

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from vtg.models.task_modules import (
    AnchorDeltaCoder,
    AnchorGenerator1D,
    WeightedBoxFusion1D,
    temporal_nms,
)
from vtg.structures import MomentList
from vtg.utils import ConfigError


def as_list(entries, size=None):
    """Pad per-sample ``(spans, scores)`` to one list; the padding holds numbers that would win."""
    size = size or max(len(scores) for _, scores in entries)
    dtype = torch.as_tensor(entries[0][0]).dtype
    spans = torch.full((len(entries), size, 2), 0.5, dtype=dtype)
    spans[..., 1] = 0.9
    scores = torch.full((len(entries), size), 9.0, dtype=dtype)
    mask = torch.zeros(len(entries), size, dtype=torch.bool)
    for index, (own_spans, own_scores) in enumerate(entries):
        count = len(own_scores)
        spans[index, :count] = torch.as_tensor(own_spans)
        scores[index, :count] = torch.as_tensor(own_scores)
        mask[index, :count] = True
    return MomentList(spans, scores, mask)


def rows(moments, sample=0):
    """Start, end and score of the real entries of one sample."""
    mask = moments.mask[sample]
    table = torch.cat((moments.spans[sample], moments.scores[sample, :, None]), dim=-1)
    return table[mask].numpy()


@pytest.mark.parametrize('case', ['0', '1', '2', '4', '5'])  # 3 has another confidence type
def test_published_values(shared, case) -> None:
    golden = np.load(shared / 'golden/sgdetr_parts.npz')
    config = json.loads((shared / 'golden/sgdetr_parts.json').read_text())['config'][f'wbf/{case}']
    lists = [
        as_list([(golden[f'in/wbf/{case}/spans{m}'], golden[f'in/wbf/{case}/scores{m}'])])
        for m in range(len(config['weights']))
    ]
    for threshold in config['iou_thr']:
        fusion = WeightedBoxFusion1D(
            weights=config['weights'],
            iou_thr=threshold,
            skip_thr=config['skip_box_thr'],
            conf_type=config['conf_type'],
            allows_overflow=config['allows_overflow'],
        )
        fused = rows(fusion(lists))
        assert np.allclose(fused[:, :2], golden[f'out/wbf/{case}/thr{threshold}/spans'], atol=1e-6)
        assert np.allclose(fused[:, 2], golden[f'out/wbf/{case}/thr{threshold}/scores'], atol=1e-6)


def raw_atss(golden, prefix, pre_thr, nms, top_n):
    """Prepare the list of the ATSS head from its stored raw outputs, padded cells included."""
    join = lambda name: torch.cat(  # noqa: E731
        [torch.from_numpy(golden[f'{prefix}out/atss/{name}{level}']) for level in range(4)], dim=1
    )
    anchors = torch.cat(AnchorGenerator1D()([40, 20, 10, 5]))
    scores = (join('cls').sigmoid() * join('ctr').sigmoid()).sqrt()[..., 0]
    duration = torch.from_numpy(golden[f'{prefix}in/duration'])[:, None, None]
    spans = AnchorDeltaCoder().decode(anchors, join('reg')) * 2
    spans = torch.minimum(spans.clamp(min=0), duration)
    return temporal_nms(MomentList(spans, scores, scores > pre_thr), nms, max_after=top_n)


@pytest.mark.parametrize('prefix', ['', 'nopad/'])
@pytest.mark.parametrize(
    'name, atss, options',
    [
        (
            'qvhighlights',
            {'pre_thr': 0.01, 'nms': 0.75, 'top_n': 10},
            {'weights': (1, 2.5), 'iou_thr': 0.8, 'skip_thr': 0.1, 'max_length': 152},
        ),
        (
            'charades',
            {'pre_thr': 0.1, 'nms': 0.5, 'top_n': 50},
            {'weights': (1, 1), 'iou_thr': 0.5, 'skip_thr': 0.4, 'max_length': 200},
        ),
        (
            'tacos',
            {'pre_thr': 0.05, 'nms': 0.6, 'top_n': 20},
            {'weights': (1, 1), 'iou_thr': 0.6, 'skip_thr': 0.1, 'max_length': 1500},
        ),
    ],
)
def test_fused_lists_of_the_official_model(shared, prefix, name, atss, options) -> None:
    golden = np.load(shared / 'golden/sgdetr.npz')
    get = lambda kind, b: golden[f'{prefix}out/prep/{name}/{kind}/{b}']  # noqa: E731
    detr = [get('detr', b) for b in range(3)]
    fused = WeightedBoxFusion1D(**options)(
        [
            as_list([(table[:, :2], np.sqrt(table[:, 2] * table[:, 3])) for table in detr]),
            raw_atss(golden, prefix, **atss),
        ]
    )
    for sample in range(3):
        expected, own = get('comb', sample), rows(fused, sample)
        assert own.shape == expected.shape
        assert np.allclose(own[:, 2], expected[:, 2], atol=2e-6)
        # Equal scores may come in another order.
        close = np.abs(own[:, None, :2] - expected[None, :, :2]).max(-1) < 1e-3
        same = np.abs(own[:, None, 2] - expected[None, :, 2]) < 2e-6
        assert (close & same).any(1).all() and (close & same).any(0).all()


def test_by_hand() -> None:
    first = as_list([(torch.tensor([[0.0, 10.0], [20.0, 30.0]]), torch.tensor([0.8, 0.5]))])
    spans = torch.tensor([[0.0, 12.0], [60.0, 50.0], [7.0, 7.0]])
    second = as_list([(spans, torch.full((3,), 0.6))])
    options = {'weights': (1, 2), 'iou_thr': 0.7, 'max_length': 100.0}
    fused = rows(WeightedBoxFusion1D(**options)([first, second]))
    # 1.2 * [0, 12] and 0.8 * [0, 10] make [0, 11.2] with (1.2 + 0.8) / 2 * 2 / 3; the reversed span
    # is turned round, the empty one is dropped; single entries keep half of their share.
    expected = [[0, 11.2, 2 / 3], [50, 60, 1.2 / 3], [20, 30, 0.5 / 3]]
    assert np.allclose(fused, expected, atol=1e-5)
    highest = rows(WeightedBoxFusion1D(conf_type='max', **options)([first, second]))
    assert np.allclose(highest[:, 2], [0.6, 0.6, 0.25])
    strict = rows(WeightedBoxFusion1D(skip_thr=0.6, **options)([first, second]))
    assert np.allclose(strict, expected[:2], atol=1e-5)
    # IoU 10 / 12 equal to the threshold does not join.
    exact = WeightedBoxFusion1D(weights=(1, 2), iou_thr=10 / 12, max_length=16.0)
    assert len(rows(exact([first, second]))) == 2  # beyond 16 s everything is empty


def test_ties_keep_their_order() -> None:
    spans = torch.tensor([[0.0, 0.1], [0.2, 0.3], [0.4, 0.5]])
    first = as_list([(spans[1:], torch.tensor([0.5, 0.5]))])
    second = as_list([(spans[:1], torch.tensor([0.5]))])
    fused = rows(WeightedBoxFusion1D()([first, second]))
    assert np.allclose(fused[:, 0], [0.2, 0.4, 0.0])


def test_batch_padding_and_empty_samples_do_not_matter() -> None:
    fusion = WeightedBoxFusion1D(weights=(1, 2.5), iou_thr=0.5, skip_thr=0.1, max_length=150)
    counts = [(25, 10), (3, 0), (0, 0), (1, 7)]
    spans = lambda n: torch.rand(n, 2).sort(-1).values * 150  # noqa: E731
    lists = [[(spans(row[m]), torch.rand(row[m])) for row in counts] for m in range(2)]
    batch = fusion([as_list(lists[0], 40), as_list(lists[1], 30)])
    assert batch.spans.dtype == torch.float32 and batch.scores.dtype == torch.float32
    for sample in range(4):
        alone = fusion([as_list([lists[0][sample]]), as_list([lists[1][sample]])])
        assert np.array_equal(rows(batch, sample), rows(alone))
        assert (np.diff(rows(batch, sample)[:, 2]) <= 0).all()
    assert not batch.mask[2].any()
    assert batch.mask[0].any()
    assert not batch.spans[~batch.mask].any() and not batch.scores[~batch.mask].any()


def one_by_one(fusion, spans, scores):
    """The rule as a loop over the entries ``(N, 2)``, ``(N,)`` of a sample, best first."""
    clusters = []
    for span, score in sorted(zip(spans.tolist(), scores.tolist()), key=lambda row: -row[1]):
        overlaps = [
            max(0, min(c['end'], span[1]) - max(c['start'], span[0]))
            / (max(c['end'], span[1]) - min(c['start'], span[0]))
            for c in clusters
        ]
        best = max(overlaps, default=0)
        if best > fusion.iou_thr:
            cluster = clusters[overlaps.index(best)]
        else:
            cluster = {'members': []}
            clusters.append(cluster)
        cluster['members'].append((*span, score))
        weight = sum(row[2] for row in cluster['members'])
        for side, name in enumerate(('start', 'end')):
            total = sum(row[side] * row[2] for row in cluster['members'])
            cluster[name] = total / weight
        cluster['score'] = weight / len(cluster['members'])
    table = [(c['start'], c['end'], c['score']) for c in clusters]
    return np.array(sorted(table, key=lambda row: -row[2]))


@pytest.mark.parametrize('threshold', [0.3, 0.6, 0.9])
def test_the_batch_agrees_with_a_loop_over_entries(threshold) -> None:
    fusion = WeightedBoxFusion1D(iou_thr=threshold)
    samples = [(torch.rand(n, 2).sort(-1).values, torch.rand(n)) for n in (60, 7, 31, 1)]
    fused = fusion([as_list(samples)])
    for sample, (spans, scores) in enumerate(samples):
        expected = one_by_one(fusion, spans, scores)
        assert np.allclose(rows(fused, sample), expected, atol=1e-6)


def test_few_operations_however_many_entries() -> None:
    class Count(TorchDispatchMode):
        seen = 0

        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            self.seen += 1
            return func(*args, **(kwargs or {}))

    counts = []
    for entries in (5, 50):
        moments = as_list([(torch.rand(entries, 2), torch.rand(entries))])
        with Count() as count:
            WeightedBoxFusion1D()([moments])
        counts.append(count.seen)
    assert counts[0] == counts[1] < 60


def test_scores_of_zero_are_fused_without_nan() -> None:
    spans = torch.tensor([[0.0, 0.5], [0.0, 0.5], [0.6, 0.9]])
    fused = rows(WeightedBoxFusion1D()([as_list([(spans, torch.zeros(3))])]))
    assert np.allclose(fused, [[0, 0.5, 0], [0.6, 0.9, 0]])


def test_configuration_errors() -> None:
    with pytest.raises(ConfigError, match='2 weights for 1 result lists'):
        WeightedBoxFusion1D(weights=(1, 2))([as_list([(torch.rand(1, 2), torch.rand(1))])])
