# SPDX-License-Identifier: Apache-2.0
"""Streams of features that become one sequence of tokens."""

import pytest
import torch

from vtg.models.projectors import LinearProjector, StreamSum
from vtg.utils import ConfigError


def test_sum_of_projected_streams():
    projector = StreamSum(in_dim=7, dim=4, widths=(5, 2)).eval()
    features, mask = torch.randn(2, 3, 7), torch.ones(2, 3, dtype=torch.bool)
    expected = torch.zeros(2, 3, 4)
    with torch.no_grad():
        for stream, part in zip(projector.streams, (features[..., :5], features[..., 5:])):
            alone = LinearProjector(part.shape[-1], 4).eval()
            alone.layers.load_state_dict(stream.state_dict())
            expected += alone.project(part, mask)
        assert torch.allclose(projector.project(features, mask), expected, atol=1e-6)


def test_widths_that_are_not_those_of_the_features_are_refused():
    with pytest.raises(ConfigError, match='are 7 columns together, but the features have 8'):
        StreamSum(in_dim=8, dim=4, widths=(5, 2))
