# SPDX-License-Identifier: Apache-2.0
"""What stands for a modality that data do not have."""

from typing import Any

import numpy as np

from vtg.registry import TRANSFORMS

from .base import FeatureStore


@TRANSFORMS.register_module()
class BlankStore(FeatureStore):
    """One row of zeros for every record, for systems that read nothing of this modality.

    YouTube Highlights has no queries in UMT (CVPR 2022): its model is without ``text_projector``.

    Args:
        dim: Width of the row.
    """

    def __init__(self, dim: int = 1) -> None:
        super().__init__('{qid}', dim)

    def read(self, record: dict[str, Any]) -> np.ndarray:
        return np.zeros((1, self.dim or 1), dtype=np.float32)
