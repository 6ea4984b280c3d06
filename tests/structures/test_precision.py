# SPDX-License-Identifier: Apache-2.0
"""The cast to float32 and the way out of autocast."""

import torch

from vtg.structures import FeaturePyramid, full_precision, in_float32


def test_cast_reaches_everything():
    half, index = torch.ones(2, dtype=torch.float16), torch.ones(2, dtype=torch.long)
    pyramid = FeaturePyramid((half,), (index.bool(),), (1.0,))
    cast = in_float32({'a': [half, index], 'b': pyramid, 'c': None})
    assert cast['a'][0].dtype == cast['b'].features[0].dtype == torch.float32
    assert cast['a'][1] is index and cast['b'].masks == pyramid.masks and cast['c'] is None
    single = torch.ones(2)
    assert in_float32(single) is single


def test_autocast_is_left_and_entered_again():
    half, matrix = torch.ones(2, dtype=torch.float16), torch.ones(2, 2)
    with torch.autocast('cpu', torch.float16):
        kinds = full_precision(
            lambda cast: (cast.dtype, (matrix @ matrix).dtype), half, half.device
        )
        assert kinds == (torch.float32, torch.float32)
        assert (matrix @ matrix).dtype == torch.float16
    for device in ('cpu', 'meta'):
        assert full_precision(lambda kept: kept, half, torch.device(device)) is half
