# SPDX-License-Identifier: Apache-2.0
"""FlashMMR's inference, its labels and the module of its verification against the released code."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from vtg.datasets import AllWindows
from vtg.models.auxiliary.moment_verification import IntervalScore

from .batches import single
from .case import Run
from .cg_detr import ATTENTION_SIZES
from .common import GRADIENT_TOLERANCE, OUTPUT_TOLERANCE, predict, without_noise
from .core import ReferenceSet, Row, compare, compare_exact, compare_relative, largest
from .detr import SIZES
from .flashvtg import FlashVtgCase

# Random clips are drawn this many times and have to be admissible every time.
DRAWS = 8


class FlashMmrCase(FlashVtgCase):
    """The released code predicts alone: every sample without padding, here also in the batch."""

    system, config = 'flashmmr', 'flashmmr/qvhl_official.py'
    sizes = {
        **SIZES,
        'refiner.num_heads': ATTENTION_SIZES['refiner.num_heads'],
        'refiner.num_dummies': 'config.num_dummies',
        'refiner.num_layers': 'config.dummy_layers',
        'fusion.num_layers': 'config.t2v_layers',
        'encoder.num_layers': 'config.enc_layers',
        'neck.strides': 'config.strides',
        'moment_head.num_levels': lambda data: len(data.fact('config.strides')),
        'moment_head.scores.kernel_size': 'config.kernel_size',
        'moment_head.scores.num_convs': 'config.num_conv_layers',
        'moment_head.scores.num_linear': 'config.num_mlp_layers',
        'moment_head.unit_seconds': 'config.clip_length',
        'moment_head.max_moments': 'config.max_num_moment',
        'test_cfg.post_processor.steps.round.grid': 'config.clip_length',
    }
    clean: dict[str, Any] = {}
    runs = (Run('', kind='single'),)
    left_out = {
        r'out/eval\d+/pred_saliency': 'the saliency that is compared, to four decimals',
    }

    @classmethod
    def model_config(cls, base: dict, data: ReferenceSet, run: Run | None = None) -> Any:
        """The config with the sizes of the set."""
        stored = data.described_by({**data.info, 'postprocessor': data.fact('config.dset_name')})
        return super().model_config(base, stored, run)

    def names(self) -> list[str]:
        """No two samples are of one video."""
        return [f'{index}_0_0' for index in range(len(self.data['in/src_vid']))]

    def compare(self) -> Iterator[Row]:
        """Also compare what the encoder gives."""
        yield from super().compare()
        for index in range(len(self.batch['video'])):
            state, _ = predict(self.model, single(self.batch, index))
            yield from self.rows({f'out/eval{index}/memory': state.memory})

    @classmethod
    def whole_set(cls, data: ReferenceSet, base: dict) -> Iterator[Row]:
        """Check that padding reaches no sample, the verification and the labels."""
        yield from super().whole_set(data, base)
        yield from check_verification(data)
        yield from check_labels(data)


def check_verification(data: ReferenceSet) -> Iterator[Row]:
    """Compare the scores of padded intervals, and the gradients of their sum."""
    sizes = data.info['pv_config']
    module = without_noise(IntervalScore(sizes['input_dim'], sizes['hidden_dim']))
    module.load_state_dict(data.below('pv/sd/'), strict=True)
    rows, count = data['pv/in/features'], data['pv/in/lengths'].long()
    scores = module(rows, count)
    yield compare('pv/out/scores', scores.unsqueeze(-1), data['pv/out/scores'], OUTPUT_TOLERANCE)
    scores.sum().backward()
    for name, stored in data.below('pv/grad/').items():
        parts = module if name == 'ALL' else module.get_submodule(name)
        norms = [parameter.grad.double().norm() for parameter in parts.parameters()]
        ours = torch.stack(norms).norm()
        yield compare_relative(f'pv/grad/{name}', ours, stored, GRADIENT_TOLERANCE)


def check_labels(data: ReferenceSet) -> Iterator[Row]:
    """Compare the labels of clips with the stored ones, and drawn pairs with those admissible."""
    for index, case in enumerate(data.info['label_cases']):
        rows = [row for seed in range(DRAWS) for row in _drawn_labels(case, seed)]
        for name in ('saliency', 'positive', 'negative'):
            yield largest(f'label_cases/{index}/{name}', (r for r in rows if r.name == name))


def _drawn_labels(case: dict[str, Any], seed: int) -> Iterator[Row]:
    labels = AllWindows(min_outside=2)(case, case['num_clips'], 0.0, np.random.default_rng(seed))
    yield compare_exact('saliency', labels['saliency'], np.float32(case['saliency']))
    pos, neg = labels['pos_clips'].tolist(), labels['neg_clips'].tolist()
    distinct = (len(set(pos)) == len(pos)) == case['positives_distinct']
    yield compare_exact('positive', set(pos) <= set(case['positive_pool']) and distinct, True)
    pool = pos if case['negatives_equal_positives'] else case['negative_pool']
    yield compare_exact('negative', set(neg) <= set(pool), True)
