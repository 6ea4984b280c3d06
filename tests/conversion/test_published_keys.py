# SPDX-License-Identifier: Apache-2.0
"""Published keys of UniVTG, TR-DETR and VideoLights have a place each."""

import numpy as np
import pytest
import torch

from vtg.conversion import convert_state_dict
from vtg.utils import CheckpointError


@pytest.mark.parametrize('system', ['univtg', 'tr_detr', 'videolights'])
def test_unknown_keys_are_named(shared, system):
    with np.load(shared / 'golden' / f'{system}.npz') as file:
        weights = {k[3:]: torch.from_numpy(file[k]) for k in file.files if k.startswith('sd/')}
    converted = convert_state_dict(system, weights)
    assert len(converted) <= len(weights)
    with pytest.raises(CheckpointError, match=r'1 keys of the checkpoint have no place.*extra\.x'):
        convert_state_dict(system, {**weights, 'extra.x': torch.zeros(1)})
