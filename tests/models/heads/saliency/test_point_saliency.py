# SPDX-License-Identifier: Apache-2.0
"""Clip scores from the cells of a pyramid."""

import pytest
import torch
import torch.nn.functional as F

from vtg.models.extras import PointScores
from vtg.models.heads import PointSaliencyHead
from vtg.structures import FeaturePyramid


def with_points(toy, clips, strides=(1, 2, 4, 8)):
    state = toy.state(clips=clips, words=(3,) * len(clips), sources=range(len(clips)))
    sizes = [max(clips) // stride for stride in strides]
    masks = tuple(
        torch.arange(size) < torch.tensor([[n // stride] for n in clips])
        for size, stride in zip(sizes, strides)
    )
    cells = tuple(torch.zeros(*mask.shape, 16) for mask in masks)
    scores = torch.rand(len(clips), sum(sizes)) * torch.cat(masks, dim=1)
    pyramid = FeaturePyramid(cells, masks, strides, whole_cells=True)
    return state.update(pyramid=pyramid, point_scores=PointScores(scores)), sizes


@pytest.mark.parametrize('cell', ['stride', 'share'])
def test_the_best_cell_of_every_clip_times_the_cosine(toy, cell):
    state, sizes = with_points(toy, (15, 7, 9))
    found = PointSaliencyHead(cell=cell)(state)['saliency']
    scores = state.extras[PointScores].scores.split(sizes, dim=1)
    for row, count in enumerate((15, 7, 9)):
        for clip in range(count):
            best = []
            for level, stride in zip(scores, (1, 2, 4, 8)):
                cells = count // stride
                if cells:
                    width = stride if cell == 'stride' else int(count / cells)
                    best.append(level[row, min(clip // width, cells - 1)])
            angle = F.cosine_similarity(F.relu(state.memory[row, clip]), state.sentence[row], dim=0)
            torch.testing.assert_close(found[row, clip], max(best) * angle)


def test_without_cosine_scores_stay(toy):
    state, _ = with_points(toy, (6, 4), strides=(1,))
    head = PointSaliencyHead(cosine=False)
    real = state.video_mask
    assert head(state)['saliency'][real].equal(state.extras[PointScores].scores[real])
    assert head.requires == ('point_scores', 'pyramid')
