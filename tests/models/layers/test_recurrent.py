# SPDX-License-Identifier: Apache-2.0
"""The recurrent unit as one operation."""

import torch

from vtg.models.layers import GRU


def test_operation_is_the_module():
    unit, rows = GRU(3, 4), torch.randn(2, 5, 3, requires_grad=True)
    weights = list(unit.parameters())
    theirs, _ = unit(rows)
    ours = torch.ops.vtg.gru(rows, weights)
    assert torch.equal(ours, theirs) and ours.shape == (2, 5, 4)
    factor = torch.randn(2, 5, 4)
    expected = torch.autograd.grad((theirs * factor).sum(), [rows, *weights])
    found = torch.autograd.grad((ours * factor).sum(), [rows, *weights])
    for mine, wanted in zip(found, expected, strict=True):
        assert torch.allclose(mine, wanted, atol=1e-6)
    torch.library.opcheck(
        torch.ops.vtg.gru.default, (rows, weights), test_utils=('test_schema', 'test_faketensor')
    )
