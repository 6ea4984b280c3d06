# SPDX-License-Identifier: Apache-2.0
"""Every system trains in half precision, and nothing brings its known faults back."""

import math
import re
from pathlib import Path

import pytest
import torch
from systems import SYSTEMS, WIDTH, small_system
from torch.nn.utils import clip_grad_norm_

import vtg.models
from vtg.evaluation.records import to_records

# Everywhere the lines of the models, which other tests count.
pytestmark = pytest.mark.no_cover
# What is out of the range of float16, and where it may stand.
FAULTS = {
    r'F\.normalize': 'layers/functional.py',
    r'F\.cosine_similarity': 'layers/functional.py',
    r'-1e\d': 'refiners/front_door.py',  # the released mask, in float32
    r'finfo': 'layers/functional.py task_modules/atss_assigner.py fusions/reversed_recurrent.py',
    # An opaque operation, which autocast does not enter, and what checks whole models in it.
    r'autocast\(': 'layers/recurrent.py checks.py',
}


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16], ids=['float16', 'bfloat16'])
@pytest.mark.parametrize('name', SYSTEMS)
def test_ten_steps(name, dtype, toy):
    model = small_system(name).train()
    inputs = model.data_preprocessor(toy.batch(video_dim=WIDTH, text_dim=WIDTH), training=True)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, foreach=True)
    scaler = torch.amp.GradScaler('cpu', init_scale=2.0**9, enabled=dtype == torch.float16)
    skipped = 0
    for _ in range(10):
        with torch.autocast('cpu', dtype):
            losses = model(**inputs, mode='loss')
        assert all(loss.dtype == torch.float32 and loss.isfinite() for loss in losses.values())
        optimizer.zero_grad()
        scaler.scale(sum(loss for key, loss in losses.items() if 'loss' in key)).backward()
        scaler.unscale_(optimizer)
        # The norm of all is finite where all are.
        norm = clip_grad_norm_(model.parameters(), math.inf)
        skipped += not norm.isfinite()
        scaler.step(optimizer)
        scaler.update()
    # The scaler halves a scale that is too high; a fault would leave no finite step.
    assert norm > 0 and skipped <= (5 if dtype == torch.float16 else 0)
    assert scaler.get_scale() >= 2**4 or dtype == torch.bfloat16


@pytest.mark.parametrize('name', SYSTEMS)
def test_half_precision_predicts(name, toy):
    model = small_system(name).eval()
    inputs = model.data_preprocessor(toy.batch(video_dim=WIDTH, text_dim=WIDTH))
    with torch.no_grad(), torch.autocast('cpu', torch.float16):
        records = to_records(model(**inputs, mode='predict'))
    for record in records:
        numbers = [number for row in record['pred_relevant_windows'] for number in row]
        assert torch.tensor(numbers + record['pred_saliency_scores']).isfinite().all()


@pytest.mark.parametrize('fault', FAULTS)
def test_one_place_for_what_is_sensitive(fault):
    root = Path(vtg.models.__file__).parent
    found = {
        str(file.relative_to(root))
        for file in root.rglob('*.py')
        if re.search(fault, file.read_text())
    }
    assert found <= set(FAULTS[fault].split()), (
        f'{fault}: use unit, cosine or masked_softmax of vtg.models.layers'
    )
