# SPDX-License-Identifier: Apache-2.0
"""QVHighlights: moments and highlights of 10310 queries on videos of up to 150 s."""

from typing import Any

from vtg.registry import DATASETS

from .grounding import GroundingDataset
from .samples import FeatureOptions, LabelOptions


@DATASETS.register_module()
class QVHighlights(GroundingDataset):
    """The files ``highlight_{train,val,test}_release.jsonl`` and ``highlight_test_with_gt.jsonl``.

    Lei et al., "Detecting Moments and Highlights in Videos via Natural Language Queries", 2021.
    Clips of 2 s, at most 75; the saliency label is the sum of three annotators.

    Args:
        features: At most 75 clips unless it says otherwise.
        labels: At most 5 windows, as in the loaders of the DETR family, unless it says otherwise;
            SG-DETR keeps 10.
        kwargs: See :class:`GroundingDataset`.
    """

    def __init__(
        self,
        ann_file: str = '',
        clip_length: float = 2.0,
        features: FeatureOptions | None = None,
        labels: LabelOptions | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            ann_file=ann_file,
            clip_length=clip_length,
            features={'max_video_clips': 75, **(features or {})},
            labels={'saliency': {'type': 'AnnotatorSum'}, 'max_windows': 5, **(labels or {})},
            **kwargs,
        )
