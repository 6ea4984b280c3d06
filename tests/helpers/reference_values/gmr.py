# SPDX-License-Identifier: Apache-2.0
"""Moment-DETR with an existence head (GMR) against values of its released code."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from vtg.datasets.labelling import Labelling
from vtg.models.auxiliary import ExistenceHead
from vtg.models.losses.classification import foreground_probability
from vtg.structures import GroundingState, MomentList

from .answerability import check_generalized
from .batches import batch_of
from .case import Outputs, Run
from .common import LOSS_TOLERANCE, SCORE_TOLERANCE
from .core import ReferenceSet, Row, compare, compare_exact
from .detr import DETECTION, DetrCase

SALIENCY = 'saliency_head.losses.margin'
# The prefix of a batch by its name in the description.
BATCHES = {'main': '', 'nopad': 'nopad/', 'null': 'null/', 'pos': 'pos/'}


class GmrCase(DetrCase):
    """Batches with some, with only and without queries that have no moment."""

    system, config = 'moment_detr', 'moment_detr/soccer_gmr_official.py'
    sizes = {
        **{path: value for path, value in DetrCase.sizes.items() if SALIENCY not in path},
        'auxiliary.existence.pool': 'config.exist_pool',
        'auxiliary.existence.threshold': 'config.exist_gate_thd',
        'auxiliary.existence.weight': 'weights.loss_exist',
        'test_cfg.post_processor.steps.clamp.high': 'config.max_ts_val',
        'test_cfg.post_processor.steps.round.grid': 'config.clip_length',
    }
    runs = (
        *(Run(prefix) for prefix in BATCHES.values()),
        Run('meanpool/', '', {'auxiliary.existence.pool': 'mean'}),
        Run('sal/', 'pos/', kind='saliency'),
    )
    losses = {
        **DETECTION,
        'loss_exist': 'loss_existence',
        'loss_saliency': 'loss_saliency_margin',
    }

    @classmethod
    def model_config(cls, base: dict, data: ReferenceSet, run: Run | None = None) -> Any:
        """The config with the sizes of the set; one run trains the saliency."""
        cfg = super().model_config(base, data, run)
        if run is not None and run.kind == 'saliency':
            margin = data.fact('config.saliency_margin')
            cfg.saliency_head.losses = dict(margin=dict(type='MarginPairLoss', margin=margin))
        return cfg

    def make_batch(self) -> dict[str, Any]:
        """The inputs; the pairs of clips are stored where they are used."""
        batch = batch_of(self.data, self.inputs)
        for ours, theirs in (('pos_clips', 'pos'), ('neg_clips', 'neg')):
            stored = self.get(f'in/saliency_{theirs}_labels')
            if stored is not None:
                batch['targets'][ours] = stored
        return batch

    def weight(self, name: str) -> float:
        """The weight of a stored loss; that of the saliency is 0 but in its own run."""
        alone = (name, self.run.kind) == ('loss_saliency', 'saliency')
        return 1.0 if alone else super().weight(name)

    def tolerance(self, name: str) -> float:
        """A logit is the sum of many; it has twice the tolerance of what it is made from."""
        return 2 * LOSS_TOLERANCE if 'exist_logits' in name else super().tolerance(name)

    @property
    def existence(self) -> ExistenceHead:
        """The existence head."""
        return self.model.slots['auxiliary.existence']

    @torch.no_grad()
    def predicted(self, state: GroundingState, records: list[dict[str, Any]]) -> Outputs:
        """Also what the existence head makes of the queries and what the gate does."""
        logits = self.existence.existence(state)
        classes = state.moment_outputs['queries'].predictions.last().logits
        return {
            **super().predicted(state, records),
            'out/mid.exist_pool': self.existence.pooled(state),
            'out/pred_exist_logits': logits,
            'out/exist_probability': logits.sigmoid(),
            'out/foreground': foreground_probability(classes),
            'out/gated_scores': self.gated(state, 'soft'),
            'out/hard_gated_scores': self.gated(state, 'zero'),
        }

    def gated(self, state: GroundingState, gate: Any) -> torch.Tensor:
        """Scores ``(B, Q)`` of all queries in their order behind a gate."""
        everything = torch.ones_like(state.span_scores, dtype=torch.bool)
        found = {'detr': MomentList(state.spans, state.span_scores, everything)}
        return self.behind(gate, lambda: self.existence.revise(state, found)['detr'].scores)

    def behind(self, gate: Any, call: Any) -> Any:
        """What a call gives with another gate."""
        before, self.existence.gate = self.existence.gate, gate
        try:
            return call()
        finally:
            self.existence.gate = before

    def reported(self, state: GroundingState, records: list[dict[str, Any]]) -> Iterator[Row]:
        """Compare what is reported, with the hard gate too, and the records."""
        yield from super().reported(state, records)
        scores = torch.tensor([record['pred_exist_score'] for record in records])
        if (stored := self.get('out/post_exist')) is not None:
            yield compare(self.name('out/post_exist'), scores, stored, SCORE_TOLERANCE, False)
        moments = self.behind('zero', lambda: self.model.predict(state).lists['detr'])
        hard = torch.cat((moments.spans, moments.scores.unsqueeze(-1)), dim=-1)
        yield from self.windows('out/post_windows_hard', hard, 1e-4)
        name = next((name for name, prefix in BATCHES.items() if prefix == self.prefix), None)
        for index, written in enumerate(self.data.info['records'][name] if name else ()):
            ours = np.asarray(records[index]['pred_relevant_windows'])
            theirs = np.asarray(written['pred_relevant_windows'])
            yield compare(
                f'records/{name}/{index}/seconds', ours[:, :2], theirs[:, :2], 1e-4, False
            )
            yield compare(
                f'records/{name}/{index}/scores', ours[:, 2], theirs[:, 2], SCORE_TOLERANCE, False
            )

    @classmethod
    def whole_set(cls, data: ReferenceSet, base: dict) -> Iterator[Row]:
        """Also check the targets that are made of the annotations, and the metrics."""
        yield from super().whole_set(data, base)
        labelling = Labelling(dict(type='AllWindows'), data.fact('config.max_windows'))
        clip_length = data.fact('config.clip_length')
        for name, prefix in BATCHES.items():
            rows = []
            for record, count in zip(
                data.info['annotations'][name], data[f'{prefix}in/src_vid_mask']
            ):
                generator = np.random.default_rng(0)
                clips = int(count.sum())
                rows.append(labelling.targets(record, clips, clip_length, generator)['spans'])
            spans = np.concatenate(rows)
            yield compare(f'{prefix}in/span_labels', spans, data[f'{prefix}in/span_labels'], 1e-6)
            exists = [float(len(row) > 0) for row in rows]
            yield compare_exact(
                f'{prefix}in/exist_label', exists, data[f'{prefix}in/exist_label'].tolist()
            )
        yield from check_generalized(data)
