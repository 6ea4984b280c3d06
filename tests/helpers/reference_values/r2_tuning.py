# SPDX-License-Identifier: Apache-2.0
"""R2-Tuning against values of its released code."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from vtg.datasets.labelling import Labelling
from vtg.models.extras import LayeredText, LayerSteps
from vtg.models.heads import PointOutputs
from vtg.models.layers import cosine
from vtg.structures import GroundingState, MomentList, cxw_to_xx, xx_to_cxw

from .batches import single
from .case import Outputs, Run, SystemCase
from .common import Step, check_padding, predict, set_options
from .core import ReferenceSet, Row, compare, compare_exact
from .detr import width
from .flashvtg import align, decoded, table

LAYERS = {'embedding.mask_padding': True, 'fusion.mask_padding': True}
# Rounding, suppression and the step that changes for each kind of stored windows.
WINDOWS: dict[str, tuple[float | None, str | None]] = {
    'windows_prenms': (2.0, None),
    'windows_nms_normal': (2.0, 'zeroing'),
    'windows_nms_linear': (2.0, 'linear'),
    'windows_nounit_nms_linear': (None, 'linear'),
    'windows_unit0.1_nms_linear': (0.1, 'linear'),
}


class R2TuningCase(SystemCase):
    """Both tasks with and without padding, highlights alone with labels of two kinds (``kind``
    ``hd/`` and ``hd_youtube/``), and sample by sample."""

    system, config, video = 'r2_tuning', 'r2_tuning/qvhl_official.py', 'in/video'
    sizes = {
        'defaults.dim': 'config.dims',
        'defaults.num_heads': 'config.heads',
        'defaults.hidden_dim': lambda data: (
            data.fact('config.dims') * data.fact('config.ffn_ratio')
        ),
        'video_projector.in_dim': lambda data: width('video')(data) + 2,
        'video_projector.row_shape': lambda data: tuple(data['nopad/in/video'].shape[2:4]),
        'text_projector.in_dim': width('query'),
        'text_projector.row_shape': lambda data: (data['nopad/in/query'].shape[2],),
        'fusion.backbone_layers': 'config.k',
        'neck.strides': 'config.strides',
        'moment_head.num_levels': lambda data: len(data.fact('config.strides')),
        'moment_head.scores.kernel_size': 'config.kernel_size',
        'moment_head.assigner.radius': 'config.sample_radius',
        'moment_head.max_moments': 'config.max_num_moment',
        'moment_head.unit_seconds': lambda data: 1 / data.fact('fps'),
        'moment_head.losses.label.weight': 'loss_weights.loss_cls',
        'moment_head.losses.span.weight': 'loss_weights.loss_reg',
        'auxiliary.nce.weight': 'loss_weights.loss_sal',
        'auxiliary.nce.temperature': 'config.temperature',
        'auxiliary.calibration.temperature': 'config.temperature',
        'auxiliary.calibration.video_weight': 'loss_weights.loss_video_cal',
        'auxiliary.calibration.layer_weight': 'loss_weights.loss_layer_cal',
        'test_cfg.post_processor.steps.round.grid': lambda data: 2.0,
    }
    clean = {**LAYERS, 'neck.mask_padding': True, 'moment_head.mask_padding': True}
    runs = (
        Run('nopad/'),
        Run(''),
        Run('cleanmask/', '', LAYERS),
        *(
            Run(f'{inputs}{kind}', inputs, kind=kind)
            for kind in ('hd/', 'hd_youtube/')
            for inputs in ('nopad/', '')
        ),
        # A video alone has no padding, and a level that is coarser than the video has no cell.
        Run('nopad/', None, clean, 'single'),
        Run('', None, clean, 'single'),
        Run('nopad/hd/', 'nopad/', clean, 'hd/single'),
        Run('hd/', '', clean, 'hd/single'),
    )
    losses = {
        'loss_cls': 'loss_point_label',
        'loss_reg': 'loss_point_span',
        'loss_sal': 'loss_sampled_nce',
        'loss_video_cal': 'loss_video_calibration',
        'loss_layer_cal': 'loss_layer_calibration',
    }
    weighted = 'loss/weighted/'
    valid = r'out/(step\d+/(video_cls|query|tem_in|tem_out)|video_emb|cosine)'

    @property
    def highlights(self) -> bool:
        """Whether the run is of a model that rates clips only."""
        return self.run.kind.startswith('hd')

    @classmethod
    def model_config(cls, base: dict, data: ReferenceSet, run: Run | None = None) -> Any:
        """The config with sizes, and what highlights alone need."""
        cfg = super().model_config(base, data, run)
        if run is not None and run.kind.startswith('hd'):
            weight = data.fact('hd_loss_weights.loss_cls')
            highlights = {
                'video_projector.in_dim': width('video')(data),
                'neck.strides': (1,),
                'moment_head.num_levels': 1,
                'moment_head.losses.label': dict(type='ClipLabelLoss', weight=weight),
                'moment_head.losses.span': None,
                'saliency_head.cosine': False,
                'auxiliary.nce.across': False,
                'auxiliary.nce.weight': data.fact('hd_loss_weights.loss_sal'),
            }
            set_options(cfg, highlights)
        return cfg

    def stored_weights(self) -> dict[str, Tensor]:
        """The weights, those of a single level without offsets for highlights."""
        weights = super().stored_weights()
        if self.highlights:
            apart = ('pyramid.', 'coord_head.')
            weights = {k: v for k, v in weights.items() if not k.startswith(apart)}
            weights |= self.data.below('hd/sd/')
        return weights

    def make_batch(self) -> dict[str, Any]:
        """The inputs as a collated batch; the released model makes the temporal endpoints itself,
        of the padded length."""
        stored = self.data.below(f'{self.inputs}in/')
        mask = stored['video_mask'].bool()
        video, size = stored['video'], mask.shape[1]
        if self.highlights:
            kind = 'hd/' if self.run.kind == 'hd/single' else self.run.kind
            stored |= self.data.below(f'{self.inputs}{kind}in/')
        else:
            count = mask.sum(dim=1)
            if not self.model.slots['embedding'].mask_padding:
                count = torch.full_like(count, size)
            clip = torch.arange(size) / count[:, None]
            ends = torch.stack((clip, clip + 1 / count[:, None]), dim=-1)
            if self.model.slots['embedding'].mask_padding:
                ends = self.cleaned(ends, mask)
            ends = ends[:, :, None, None].expand(*video.shape[:4], 2)
            video = torch.cat((video, ends), dim=-1)
        duration, saliency = stored['duration'].float(), stored['saliency']
        span_mask = stored['boundary'].isfinite().all(dim=-1)
        windows = torch.where(span_mask[..., None], stored['boundary'], torch.tensor((0.0, 1.0)))
        return {
            'video': video,
            'video_mask': mask,
            'text': stored['query'],
            'text_mask': stored['query_mask'].bool(),
            'duration': duration,
            'targets': {
                'spans': xx_to_cxw(windows) / duration[:, None, None],
                'span_mask': span_mask,
                'saliency': saliency,
                'relevant': (saliency > 0) & mask,
                'pos_clips': stored['pos_clip'],
                'neg_clips': stored['pos_clip'],
                'source_id': torch.arange(len(mask)),
            },
            'meta': [{'qid': i, 'query': '', 'vid': str(i)} for i in range(len(mask))],
        }

    @staticmethod
    def cleaned(ends: Tensor, mask: Tensor) -> Tensor:
        """Temporal endpoints of true lengths; padded clips have those that go on."""
        return ends

    def compare(self) -> Iterator[Row]:
        """Compare a training step, or what is predicted for every sample alone."""
        if not self.run.kind.endswith('single'):
            yield from super().compare()
            return
        for index in range(len(self.batch['video'])):
            yield from self.single(single(self.batch, index), 0, f'out/eval{index}/')

    def trained(self, step: Step) -> Outputs:
        """What the released model computes in training."""
        state, fusion = step.state, self.model.slots['fusion']
        words = state.extras[LayeredText].tokens
        steps = state.extras[LayerSteps]
        found: Outputs = {
            'out/video_emb': F.relu(state.memory),
            'out/query_emb': state.sentence.unsqueeze(1),
            'out/cosine': cosine(F.relu(state.memory), state.sentence.unsqueeze(1)),
        }
        blocks = self.block_calls(state)
        for number in range(fusion.backbone_layers):
            folder = f'out/step{number}/'
            before, after = blocks[number]
            found |= {
                f'{folder}video_cls': steps.clips[:, number],
                f'{folder}query text': words[:, :, -1 - number],
                f'{folder}query_pooled': steps.sentences[:, number].unsqueeze(1),
                f'{folder}tem_in': before,
                f'{folder}tem_out': after,
            }
        for index, (cells, mask) in enumerate(zip(state.pyramid.features, state.pyramid.masks)):
            found |= {f'out/pyramid_{index}': cells, f'out/pyramid_msk_{index}': mask}
        points: PointOutputs = state.moment_outputs['points']
        grid = points.points
        found |= {
            'out/point': torch.stack((grid.position, grid.low, grid.high, grid.stride), dim=-1),
            'out/out_class': points.logits.unsqueeze(-1),
            'out/out_coord': points.offsets,
        }
        if points.assignment is not None:
            found['out/cls_tgt'] = points.assignment.positive.float()
            found['out/reg_tgt'] = points.assignment.offsets
        return found

    def block_calls(self, state: GroundingState) -> list[tuple[Tensor, Tensor]]:
        """Input and output of every pass through the temporal block of the fusion."""
        fusion, calls = self.model.slots['fusion'], []
        hook = fusion.block.register_forward_hook(
            lambda module, given, made: calls.append((given[0], made))
        )
        with torch.no_grad():
            fusion(state)
        hook.remove()
        return calls

    def single(self, batch: dict, row: int, folder: str, points: bool = True) -> Iterator[Row]:
        """Compare what is predicted for one sample, before and after suppression."""
        state, _ = predict(self.model, batch)
        clips = int(batch['video_mask'][row].sum())
        yield from self.rows({f'{folder}saliency': state.saliency[row, :clips]})
        memory = state.memory[row : row + 1, :clips]
        memory = memory if self.highlights else F.relu(memory)
        yield from self.rows(
            {f'{folder}memory': (memory, lambda x: x if self.highlights else F.relu(x))}
        )
        found = state.moment_outputs['points']
        if points:
            yield from self.rows({f'{folder}class_logit': found.logits[row].unsqueeze(-1)})
        if self.highlights:
            return
        theirs = self.get(f'{folder}boundary')
        if points and theirs is not None:
            ranked = decoded(found, found.mask)
            ours = table(ranked)[row][ranked.mask[row]][: len(theirs)]
            name = self.name(f'{folder}boundary')
            yield compare(name, align(ours, theirs), theirs, self.tolerance(name))
        for key, (grid, decay) in WINDOWS.items():
            yield from self.ranked(f'{folder}{key}', state, row, grid, decay)

    def ranked(
        self, key: str, state: GroundingState, row: int, grid: float | None, decay: str | None
    ) -> Iterator[Row]:
        """Compare the moments of one sample with other rounding and suppression."""
        theirs, steps = self.get(key), dict(self.model.post_processor.steps)
        if theirs is None:
            return
        steps['round'].grid, kept = grid, steps['round'].grid
        moments: MomentList = self.model.slots['moment_head'].predict(state)['points']
        options = steps['nms'].options
        nms = type(steps['nms'])(**{**options, 'decay': decay or 'zeroing'})
        for name in ('clamp', 'round'):
            moments = steps[name](moments, state.duration)
        moments = nms(moments, state.duration) if decay else moments
        steps['round'].grid = kept
        ours = table(moments)[row][moments.mask[row]]
        yield from self.windows(key, align(ours, theirs), 1e-4)

    @classmethod
    def whole_set(cls, data: ReferenceSet, base: dict) -> Iterator[Row]:
        """Check that our padded batch predicts what the released code predicts without padding,
        that padding reaches neither losses nor gradients, and the labels."""
        case = cls(data, base, Run('', '', cls.clean, 'single'))
        for index in range(len(case.batch['video'])):
            for row in case.single(case.batch, index, f'out/eval{index}/', points=False):
                yield Row(f'padding/batch/{row.name}', row.error, row.tolerance, row.note)
        real = lambda state: state.moment_outputs['points'].mask  # noqa: E731
        yield from check_padding(case.model, case.batch, real=real)
        yield from check_labels(data)


def check_labels(data: ReferenceSet) -> Iterator[Row]:
    """Compare windows, labels of clips, and which clips may be drawn, with and without ratings."""
    for number, case in enumerate(data.info.get('label_cases', ())):
        clip_length = 1 / case['fps']
        end = case['num_clips'] * clip_length
        # Reading a file has turned reversed windows.
        windows = np.sort(case['relevant_windows']).tolist()
        record = {'vid': '', **case, 'relevant_windows': windows}
        saliency, best = dict(type='AllWindows', clip_from='clip_length', rounding='ceil'), 1
        if 'saliency_scores' in case:
            saliency, best = dict(type='AnnotatorSum', easy='rated'), 12
        labelling = Labelling(saliency, cut_windows=True, min_clips=1.0)
        rng = np.random.default_rng(0)
        draws = [labelling.targets(record, case['num_clips'], clip_length, rng) for _ in range(100)]
        found = cxw_to_xx(torch.from_numpy(draws[0]['spans'])) * end
        stored = case['boundary_seconds']
        yield compare(f'label_cases/{number}/seconds', found, stored, 1e-5, scaled=False)
        ours = draws[0]['saliency'] / best
        yield compare(f'label_cases/{number}/saliency', ours, case['saliency'], 1e-6)
        clips = sorted({int(labels['pos_clips'][-1]) for labels in draws})
        yield compare_exact(f'label_cases/{number}/clips', clips, case['admissible_pos_clips'])
