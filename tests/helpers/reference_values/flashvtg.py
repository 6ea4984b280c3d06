# SPDX-License-Identifier: Apache-2.0
"""FlashVTG against values of its released code."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from vtg.models import Grounder
from vtg.models.fusions.aca import text_share
from vtg.models.heads import PointOutputs
from vtg.models.task_modules.nms import SoftNMS, sort_moments
from vtg.models.task_modules.post_processing import round_scores
from vtg.structures import GroundingState, MomentList, xx_to_cxw

from .common import (
    LOSS_TOLERANCE,
    OUTPUT_TOLERANCE,
    SCORE_TOLERANCE,
    Step,
    batch_of,
    build_converted,
    check_gradients,
    check_padding,
    copy_config,
    predict,
    single,
    train_step,
)
from .core import ReferenceSet, Row, compare, compare_exact

SYSTEM = 'flashvtg'
SUBSET = (
    'official-only: the tiled mask depends on how many true negative pairs the padded batch has'
)
SALIENCY_PARTS = {'margin': 'margin', 'negpair': 'negative', 'rank': 'rank', 'bce': 'bce'}
TERMS = {
    'loss_cls': 'loss_point_label',
    'loss_reg': 'loss_point_span',
    'loss_sal': 'loss_sampled_nce',
    'loss_label': 'loss_clip_score',
}


def model_config(base: dict, info: dict[str, Any]) -> Any:
    """Give a model config the sizes, depths and weights of a reference set."""
    sizes, weights, layout = info['config'], info['loss_weights'], info['model_cfg']
    cfg = copy_config(base)
    cfg.defaults.update(
        dim=sizes['hidden_dim'], num_heads=sizes['nheads'], hidden_dim=sizes['dim_feedforward']
    )
    cfg.video_projector.update(in_dim=sizes['v_feat_dim'], num_layers=sizes['n_input_proj'])
    cfg.text_projector.update(in_dim=sizes['t_feat_dim'], num_layers=sizes['n_input_proj'])
    # The dummy encoder has 8 heads in the released code whatever the option says.
    cfg.refiner.update(
        num_dummies=sizes['num_dummies'], num_layers=sizes['dummy_layers'], num_heads=8
    )
    cfg.fusion.num_layers = sizes['t2v_layers']
    cfg.encoder.num_layers = sizes['enc_layers']
    for losses, factor in ((cfg.saliency_head.losses, 1.0), (cfg.fusion.losses, sizes['lw_wattn'])):
        losses.margin.margin = sizes['saliency_margin']
        for loss in losses.values():
            loss.weight = factor * weights['loss_saliency']
    cfg.neck.strides = tuple(layout['strides'])
    cfg.moment_head.update(
        num_levels=len(layout['strides']),
        kernel_size=sizes['kernel_size'],
        num_convs=sizes['num_conv_layers'],
        num_linear=sizes['num_mlp_layers'],
        unit_seconds=float(sizes['clip_length']),
        loss_weights=dict(
            label=weights['loss_cls'], span=weights['loss_reg'], clip_score=weights['loss_label']
        ),
        max_moments=layout['max_num_moment'],
    )
    radius = layout['loss_cfg'].get('sample_radius')
    if radius is not None:
        cfg.moment_head.assigner.radius = radius
    cfg.auxiliary.nce.weight = weights['loss_sal']
    steps = cfg.test_cfg.post_processor.steps
    steps.round.grid = float(sizes['clip_length'])
    if info['postprocessor'] not in ('hl', 'charadesSTA'):
        steps.clamp = None
    return cfg


def highlight_config(cfg: Any, info: dict[str, Any], youtube: bool) -> Any:
    """The config of the highlight-only variants, from :func:`model_config`."""
    cfg = copy_config(cfg)
    cfg.neck.strides = tuple(info['hd_model_cfg']['strides'])
    cfg.moment_head.num_levels = len(cfg.neck.strides)
    cfg.moment_head.label_target = 'saliency'
    cfg.moment_head.loss_weights.span = 0.0
    cfg.auxiliary.nce.across = False
    if youtube:
        for losses in (cfg.saliency_head.losses, cfg.fusion.losses):
            losses.negative.weight = 0.0
    return cfg


def without_quirks(cfg: Any) -> Any:
    """Switch the padding leaks of the released code off again, in place."""
    cfg.fusion.mask_layout = 'correct'
    cfg.fusion.losses.bce.average_over = 'valid'
    cfg.saliency_head.context = 'mean'
    cfg.neck.mask_padding = cfg.moment_head.mask_padding = True
    cfg.moment_head.clip_score_over = 'sample'
    return cfg


class Case:
    """One variant of the reference set and the model that should reproduce it.

    Args:
        data: The set.
        cfg: Model config.
        inputs: Prefix of the inputs.
        prefix: Prefix of outputs and losses.
        highlights: Prefix of the labels of a highlight-only variant.
    """

    def __init__(
        self, data: ReferenceSet, cfg: Any, inputs: str, prefix: str, highlights: str = ''
    ) -> None:
        self.data, self.inputs, self.prefix, self.highlights = data, inputs, prefix, highlights
        weights = data.below('sd/')
        if highlights:
            levels = cfg['moment_head']['num_levels']
            weights = {k: v for k, v in weights.items() if not k.startswith('pyramid.')}
            weights['coef'] = weights['coef'][:levels]
        self.model: Grounder = build_converted(cfg, SYSTEM, weights)
        info = data.info
        self.names = info['nopad']['video_names'] if inputs else info['in_vid']
        self.tiled = not inputs and cfg['fusion']['mask_layout'] == 'tiled'

    def get(self, key: str) -> Tensor | None:
        """The stored array of this variant, or None."""
        return self.data.get(self.prefix + key)

    def sources(self, names: list[str] | None = None) -> list[str]:
        """The source videos of the stored or given names, as the released code cuts them."""
        names = names or self.names
        cut = self.data.info['dset_name'] == 'hl' and not self.highlights
        return [name.rsplit('_', 2)[0] if cut else name for name in names]

    def batch(self, names: list[str] | None = None) -> dict[str, Any]:
        """The inputs as a collated batch; ``names`` of the videos decide on negatives."""
        stored = self.data.below(f'{self.inputs}in/')
        windows, duration = stored['relevant_windows'], stored['duration']
        mask = windows.isfinite().all(dim=-1)
        windows = torch.where(mask.unsqueeze(-1), windows, windows.new_tensor([0.0, 1.0]))
        spans = xx_to_cxw(windows) / duration[:, None, None]
        batch = batch_of(self.data, self.inputs, self.sources(names), (spans, mask))
        if self.highlights:
            labels = {
                **self.data.below(f'{self.inputs}hd/in/'),
                **self.data.below(f'{self.inputs}{self.highlights}in/'),
            }
            batch['targets'] |= {
                'saliency': labels['saliency_all_labels'],
                'relevant': labels['saliency_all_labels'] > 0,
                'pos_clips': labels['saliency_pos_labels'],
                'neg_clips': labels['saliency_neg_labels'],
            }
        return batch

    def depends_on_pairs(self, name: str, names: list[str] | None = None) -> bool:
        """Whether a stored value holds negatives that were run as a part of a padded batch, under
        a mask that depends on the size of that part."""
        reached = ('_neg', '_rank', 'loss_saliency', 'total', 'grad')
        if not self.tiled or not any(part in name for part in reached) or name == 'real_neg_mask':
            return False
        sources = self.sources(names)
        same = [a == b for a, b in zip(sources, sources[1:] + sources[:1])]
        return any(same) and not all(same)

    def rows(
        self, pairs: dict[str, Tensor], folder: str, names: list[str] | None = None
    ) -> Iterator[Row]:
        """Compare what is stored under ``folder``."""
        for name, ours in pairs.items():
            theirs, label = self.get(folder + name), f'{self.prefix}{folder}{name}'
            if theirs is None:
                continue
            if self.depends_on_pairs(name, names):
                yield Row(label, None, note=SUBSET)
            elif name == 'pred_spans':
                aligned = torch.stack(list(map(align, ours.detach(), theirs)))
                yield compare(label, aligned, theirs, OUTPUT_TOLERANCE)
            elif theirs.is_floating_point():
                yield compare(label, ours, theirs, OUTPUT_TOLERANCE)
            else:
                yield compare_exact(label, ours.long(), theirs.long())


def check(folder: str | Path, base: dict) -> Iterator[Row]:
    """Compare every variant of the set ``flashvtg``.

    Args:
        folder: Where ``flashvtg.npz`` and ``flashvtg.json`` lie.
        base: The model config with all official quirks.
    """
    data = ReferenceSet(folder, SYSTEM)
    official = model_config(base, data.info)
    straight = copy_config(official)
    straight.fusion.mask_layout = 'correct'
    for cfg, inputs, prefix in (
        (official, 'nopad/', 'nopad/'),
        (official, '', ''),
        (straight, '', 'cleanmask/'),
    ):
        case = Case(data, cfg, inputs, prefix)
        yield from check_case(case)
        yield from check_all_real(case)
        for highlights in ('hd/', 'hd_youtube/'):
            variant = highlight_config(cfg, data.info, highlights == 'hd_youtube/')
            case = Case(data, variant, inputs, f'{prefix}{highlights}', highlights)
            if not data.below(case.prefix):
                continue
            step = train_step(case.model, case.batch())
            yield from case.rows(outputs(case.model, step.state), 'out/')
            yield from check_losses(case, step)
    # A video alone has no padding, and a level that is coarser than the video has no cell.
    clean = without_quirks(model_config(base, data.info))
    yield from check_single(Case(data, clean, 'nopad/', 'nopad/'))
    yield from check_single(Case(data, clean, '', ''))
    scaled = copy_config(official)
    scaled.moment_head.clip_score_over = 'sample'
    case = Case(data, scaled, 'nopad/', 'nopad_persample/')
    step = train_step(case.model, case.batch())
    yield from check_losses(case, step)
    yield from check_gradients(case.model, SYSTEM, data, case.prefix)
    yield from check_clean(data, clean)


def check_case(case: Case) -> Iterator[Row]:
    """Compare a training run with the stored video names, and one without the saliency terms."""
    step = train_step(case.model, case.batch())
    yield from case.rows(outputs(case.model, step.state), 'out/')
    yield from check_losses(case, step)
    yield from check_norms(case, 'grad/')
    losses = [
        loss
        for slot in ('saliency_head', 'fusion')
        for loss in case.model.slots[slot].losses.values()
    ]
    weights = [loss.weight for loss in losses]
    for loss in losses:
        loss.weight = 0.0
    train_step(case.model, case.batch())
    for loss, weight in zip(losses, weights):
        loss.weight = weight
    yield from check_norms(case, 'grad_without_loss_saliency/')


def check_norms(case: Case, folder: str) -> Iterator[Row]:
    """Compare the gradient norms that are stored under ``folder``."""
    skipped = {}
    if folder == 'grad/' and case.depends_on_pairs('grad'):
        skipped = dict.fromkeys(case.data.below(f'{case.prefix}{folder}'), SUBSET)
    yield from check_gradients(case.model, SYSTEM, case.data, case.prefix, skipped, folder)


def check_all_real(case: Case) -> Iterator[Row]:
    """Compare the saliency terms with true negatives only, and without negatives."""
    names = case.data.info['in_vid_all_distinct']
    step = train_step(case.model, case.batch(names))
    yield from case.rows(outputs(case.model, step.state), 'out/allreal/', names)
    yield from check_losses(case, step, 'loss/allreal/', names)
    yield from check_norms(case, 'grad_allreal/')
    stages, case.model.negative_stages = case.model.negative_stages, ()
    step = train_step(case.model, case.batch(names))
    case.model.negative_stages = stages
    yield from check_losses(case, step, 'loss/noneg/', names)


def outputs(model: Grounder, state: GroundingState) -> dict[str, Tensor]:
    """What the released model computes in training, by its names."""
    points: PointOutputs = state.moment_outputs['points']
    scores, nce = model.slots['moment_head'].scores, model.slots['auxiliary.nce']
    grid = points.points
    found = {
        'vid_proj': state.projected_video,
        'txt_proj': state.projected_text,
        'dummy_tokens': state.dummies,
        'aca': state.fused,
        'aca_attn': state.attention,
        'memory': state.memory,
        'saliency_scores': state.saliency,
        't2vattnvalues': text_share(state),
        'point': torch.stack((grid.position, grid.low, grid.high, grid.stride), dim=-1),
        'video_emb': F.relu(state.memory),
        'query_emb': nce.pooling(state.text, state.text_mask).unsqueeze(1),
        'video_msk': state.video_mask,
        'out_class': points.logits.unsqueeze(-1),
        'out_coord': points.offsets,
        'pred_spans': table(decoded(points, torch.ones_like(points.mask))),
        'inter_logit': scores.score_across(state.pyramid).unsqueeze(-1),
    }
    levels = zip(state.pyramid.features, state.pyramid.masks)
    found['intra_logit'] = torch.cat([scores.within(*level) for level in levels], 1).unsqueeze(-1)
    for index, (cells, mask) in enumerate(zip(state.pyramid.features, state.pyramid.masks)):
        found |= {f'pyramid_{index}': cells, f'pyramid_msk_{index}': mask}
    if points.assignment is not None:
        found['cls_tgt'] = points.assignment.positive.float()
        found['reg_tgt'] = points.assignment.offsets
    if state.negative is not None:
        rows = state.negative_valid
        found |= {
            'real_neg_mask': rows,
            'saliency_scores_neg': state.negative.saliency[rows],
            't2vattnvalues_neg': text_share(state.negative)[rows],
        }
    return found


def align(ours: Tensor, theirs: Tensor) -> Tensor:
    """Bring ranked rows ``(K, 3)`` into the order of others: that of equal scores is undefined."""
    if ours.shape != theirs.shape:
        return ours
    distance = torch.cdist(theirs.double(), ours.double(), p=1)
    return ours[linear_sum_assignment(distance.numpy())[1]]


def decoded(points: PointOutputs, mask: Tensor) -> MomentList:
    """Points as moments in seconds, not cut to the video, best first, those of ``mask (B, P)``."""
    seconds = points.spans * points.unit[:, None, None]
    return sort_moments(MomentList(seconds, points.logits.sigmoid(), mask))


def table(moments: MomentList) -> Tensor:
    """``(B, K, 3)`` start, end, score."""
    return torch.cat((moments.spans, moments.scores.unsqueeze(-1)), dim=-1)


def parts(losses: dict[str, Tensor]) -> dict[str, Tensor]:
    """The weighted terms of the released criterion and their parts, by its names."""
    found = {theirs: losses[ours] for theirs, ours in TERMS.items() if ours in losses}
    saliency = []
    for short, ours in (('sal', 'loss_saliency'), ('attn', 'loss_attention')):
        for theirs, name in SALIENCY_PARTS.items():
            if f'{ours}_{name}' in losses:
                saliency.append(losses[f'{ours}_{name}'])
                found[f'saliency_part/{short}_{theirs}'] = saliency[-1]
    return found | {'loss_saliency': sum(saliency)}


def check_losses(
    case: Case, step: Step, folder: str = 'loss/', names: list[str] | None = None
) -> Iterator[Row]:
    """Compare every term, plain and weighted, and the total; ``names`` of the videos."""
    weights, factor = case.data.info['loss_weights'], case.data.info['config']['lw_wattn']
    weighted = parts(step.losses)
    for name, ours in weighted.items():
        theirs, label = case.get(folder + name), f'{case.prefix}{folder}{name}'
        weight = weights.get(name, weights['loss_saliency'])
        if '/attn_' in name:
            weight *= factor
        if theirs is None:
            continue
        if weight == 0:
            yield Row(label, None, note='weight 0')
        elif case.depends_on_pairs(name, names):
            yield Row(label, None, note=SUBSET)
        else:
            yield compare(label, ours / weight, theirs, LOSS_TOLERANCE)
    yield from case.rows(weighted, f'{folder}weighted/', names)
    yield from case.rows({'total': step.total}, folder, names)
    for name in TERMS:
        if name not in weighted and case.get(folder + name) is not None:
            yield Row(f'{case.prefix}{folder}{name}', None, note='weight 0')
    for name in case.data.below(f'{case.prefix}{folder}saliency_part/'):
        if name.endswith(('_real', '_false')):
            label = f'{case.prefix}{folder}saliency_part/{name}'
            yield Row(label, None, note='a part of the rank term, which is compared')


def check_single(case: Case) -> Iterator[Row]:
    """Compare what is predicted for every sample alone, before and after suppression."""
    post = case.model.post_processor
    nms = post.steps.pop('nms')
    for index in range(len(case.names)):
        batch = single(case.batch(), index)
        yield from _check_predicted(case, batch, 0, f'out/eval{index}/', nms.options)
    post.steps['nms'] = nms


def _check_predicted(
    case: Case, batch: dict, row: int, folder: str, options: dict[str, Any], points: bool = True
) -> Iterator[Row]:
    state, records = predict(case.model, batch)
    moments = records[row]['pred_relevant_windows']
    label = case.prefix + folder
    if points:
        found = state.moment_outputs['points']
        ranked = decoded(found, found.mask)
        theirs = case.get(f'{folder}boundary')
        ours = align(table(ranked)[row][ranked.mask[row]][: len(theirs)], theirs)
        yield compare(f'{label}boundary', ours, theirs, OUTPUT_TOLERANCE)
    scores = torch.tensor(records[row]['pred_saliency_scores'])
    yield compare(f'{label}saliency', scores, case.get(f'{folder}saliency'), OUTPUT_TOLERANCE)
    stored = case.get(f'{folder}windows_prenms')
    yield from _check_windows(f'{label}windows_prenms', moments, stored)
    rows = torch.tensor(moments)
    listed = MomentList(rows[None, :, :2], rows[None, :, 2], torch.ones(1, len(rows)).bool())
    for theirs, decay in (('normal', 'zeroing'), ('linear', 'linear')):
        ours = table(SoftNMS(**{**options, 'decay': decay})(listed))[0]
        ours[:, 2] = round_scores(ours[:, 2], 4) if decay == 'zeroing' else ours[:, 2]
        stored = case.get(f'{folder}windows_nms_{theirs}')
        yield from _check_windows(f'{label}windows_nms_{theirs}', ours.tolist(), stored)


def _check_windows(label: str, ours: list[list[float]], theirs: Tensor) -> Iterator[Row]:
    """Compare ranked windows; the order among equal scores is not defined."""
    mine = align(torch.tensor(ours), theirs)
    yield compare(f'{label} seconds', mine[:, :2], theirs[:, :2], 1e-4, scaled=False)
    yield compare(f'{label} scores', mine[:, 2], theirs[:, 2], SCORE_TOLERANCE, scaled=False)


def check_clean(data: ReferenceSet, cfg: Any) -> Iterator[Row]:
    """Check that our padded batch predicts what the released code predicts without padding, and
    that padding reaches neither losses nor gradients."""
    case = Case(data, cfg, '', '')
    post = case.model.post_processor
    options = post.steps.pop('nms').options
    for index in range(len(case.names)):
        for row in _check_predicted(
            case, case.batch(), index, f'out/eval{index}/', options, points=False
        ):
            yield Row(f'padding/batch/{row.name}', row.error, row.tolerance, row.note)
    yield from check_padding(
        case.model, case.batch(), real=lambda state: state.moment_outputs['points'].mask
    )
