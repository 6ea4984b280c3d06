# SPDX-License-Identifier: Apache-2.0
"""CG-DETR against values of its released code."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vtg.models import Grounder
from vtg.models.fusions.aca import text_share
from vtg.models.layers import DecoderOutputs
from vtg.structures import GroundingState

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
    train_step,
)
from .core import ReferenceSet, Row, compare, compare_exact

SYSTEM = 'cg_detr'
SUBSET = (
    'official-only: the tiled mask depends on how many true negative pairs the padded batch has'
)
# Terms of the released saliency loss and ours, on the scores and on the attention.
SALIENCY_PARTS = {'margin': 'margin', 'neg': 'negative', 'rank': 'rank', 'bce': 'bce'}
ALIGN_PARTS = {
    'ce_sentence': 'loss_moment_sentence',
    'ce_dummy': 'loss_moment_dummy',
    'bce': 'loss_moment_clips',
}


def model_config(base: dict, info: dict[str, Any]) -> Any:
    """Give a model config the sizes, depths and weights of a reference set."""
    sizes, weights = info['config'], info['loss_weights']
    cfg = copy_config(base)
    cfg.defaults.update(
        dim=sizes['hidden_dim'], num_heads=sizes['nheads'], hidden_dim=sizes['dim_feedforward']
    )
    cfg.video_projector.update(in_dim=sizes['v_feat_dim'], num_layers=sizes['n_input_proj'])
    cfg.text_projector.update(in_dim=sizes['t_feat_dim'], num_layers=sizes['n_input_proj'])
    # The released code weighs the dummies' and prompts' loss like the distillation.
    cfg.refiner.update(
        num_dummies=sizes['num_dummies'],
        num_layers=sizes['dummy_layers'],
        orthogonal_weight=weights['loss_orthogonal_dummy'],
    )
    cfg.fusion.num_layers = sizes['t2v_layers']
    cfg.fusion.context.update(
        num_prompts=sizes['total_prompts'],
        num_selected=sizes['num_prompts'],
        orthogonal_weight=weights['loss_orthogonal_dummy'],
    )
    cfg.encoder.num_layers = sizes['enc_layers']
    for losses, factor in ((cfg.saliency_head.losses, 1.0), (cfg.fusion.losses, sizes['lw_wattn'])):
        losses.margin.margin = sizes['saliency_margin']
        for loss in losses.values():
            loss.weight = factor * weights['loss_saliency']
        if sizes['dset_name'] == 'youtube_uni':
            losses.negative.weight = 0.0
    cfg.auxiliary.correlation.update(
        moment_layers=sizes['moment_layers'],
        sentence_layers=sizes['sent_layers'],
        align_weight=weights['loss_ms_align'],
        distill_weight=weights['loss_distill'],
    )
    head = cfg.moment_head
    head.queries.num_queries = sizes['num_queries']
    head.decoder.num_layers = sizes['dec_layers']
    head.matcher.costs.span.weight = sizes['set_cost_span']
    head.matcher.costs.giou.weight = sizes['set_cost_giou']
    head.matcher.costs.label.weight = sizes['set_cost_class']
    head.loss.weights = {name: weights[f'loss_{name}'] for name in ('span', 'giou', 'label')}
    head.loss.class_loss.background_weight = sizes['eos_coef']
    # Dummy and sentence encoder have 8 heads in the released code whatever the option says.
    cfg.refiner.num_heads = cfg.auxiliary.correlation.sentence_heads = 8
    return cfg


def without_quirks(cfg: Any) -> Any:
    """Switch the padding leaks of the released code off again, in place."""
    cfg.fusion.mask_layout = 'correct'
    cfg.fusion.losses.bce.average_over = 'valid'
    cfg.auxiliary.correlation.average_over = 'valid'
    return cfg


def source_of(name: str, dataset: str) -> str:
    """The source video of a stored name, as the released code cuts it."""
    return name.rsplit('_', 2)[0] if dataset == 'hl' else name


class Case:
    """One variant of the reference set and the model that should reproduce it.

    Args:
        data: The set.
        cfg: Model config.
        inputs: Prefix of the inputs.
        prefix: Prefix of outputs and losses.
    """

    def __init__(self, data: ReferenceSet, cfg: Any, inputs: str, prefix: str) -> None:
        self.data, self.inputs, self.prefix = data, inputs, prefix
        self.model: Grounder = build_converted(cfg, SYSTEM, data.below('sd/'))
        info = data.info['nopad'] if inputs else data.info
        self.names = info['video_names']
        self.tiled = not inputs and cfg['fusion']['mask_layout'] == 'tiled'

    def get(self, key: str) -> Tensor | None:
        """The stored array of this variant, or None."""
        return self.data.get(self.prefix + key)

    def batch(self, names: list[str] | None = None) -> dict[str, Any]:
        """The inputs as a collated batch; ``names`` of the videos decide on negatives."""
        flat, batch = [], 0
        while f'{self.inputs}in/spans_{batch}' in self.data:
            flat.append(self.data[f'{self.inputs}in/spans_{batch}'])
            batch += 1
        spans = torch.nn.utils.rnn.pad_sequence(flat, batch_first=True, padding_value=0.5)
        counts = torch.tensor([len(rows) for rows in flat])
        mask = torch.arange(spans.shape[1]) < counts[:, None]
        return batch_of(self.data, self.inputs, self.sources(names), (spans, mask))

    def sources(self, names: list[str] | None = None) -> list[str]:
        """The source videos of the stored or given names."""
        dataset = self.data.info['config']['dset_name']
        return [source_of(name, dataset) for name in names or self.names]

    def depends_on_pairs(self, name: str, names: list[str] | None = None) -> bool:
        """Whether a stored value holds negatives that were run as a part of a padded batch, under
        a mask that depends on the size of that part."""
        reached = ('_neg', '_rank', 'loss_saliency', 'total', 'grad')
        if not self.tiled or not any(part in name for part in reached) or name == 'real_neg_mask':
            return False
        sources = self.sources(names)
        same = [a == b for a, b in zip(sources, sources[1:] + sources[:1])]
        return any(same) and not all(same)

    def rows(self, pairs: dict[str, Tensor], folder: str = '') -> Iterator[Row]:
        """Compare what is stored under ``folder``."""
        for name, ours in pairs.items():
            theirs, label = self.get(folder + name), f'{self.prefix}{folder}{name}'
            if theirs is None:
                continue
            if self.depends_on_pairs(name):
                yield Row(label, None, note=SUBSET)
            else:
                yield compare(label, ours, theirs, OUTPUT_TOLERANCE)


def check(folder: str | Path, base: dict) -> Iterator[Row]:
    """Compare every variant of the set ``cg_detr``.

    Args:
        folder: Where ``cg_detr.npz`` and ``cg_detr.json`` lie.
        base: The model config with all official quirks.
    """
    data = ReferenceSet(folder, SYSTEM)
    official = model_config(base, data.info)
    straight = copy_config(official)
    straight.fusion.mask_layout = 'correct'
    cases = (
        Case(data, official, 'nopad/', 'nopad/'),
        Case(data, official, '', ''),
        Case(data, straight, '', 'cleanmask/'),
    )
    for case in cases:
        step = train_step(case.model, case.batch())
        yield from check_outputs(case, step.state)
        yield from check_matches(case, step)
        yield from check_losses(case, step)
        skipped = {}
        if case.depends_on_pairs('grad'):
            skipped = dict.fromkeys(data.below(f'{case.prefix}grad/'), SUBSET)
        yield from check_gradients(case.model, SYSTEM, data, case.prefix, skipped)
        yield from check_middle(case)
        yield from check_predictions(case)
        yield from check_variants(case)
    fixed = Case(data, straight, '', 'out_maskfix/')
    yield from fixed.rows(outputs(fixed.model, predict(fixed.model, fixed.batch())[0]))
    clean = Case(data, without_quirks(model_config(base, data.info)), '', '')
    yield from check_padding(clean.model, clean.batch())


def outputs(model: Grounder, state: GroundingState) -> dict[str, Tensor]:
    """What the released model returns, by its names."""
    predictions = state.moment_outputs['queries'].predictions
    layers = list(zip(predictions.logits, predictions.spans))
    found = {
        'pred_logits': layers[-1][0],
        'pred_spans': layers[-1][1],
        'saliency_scores': state.saliency,
        'cate_attn_weights': state.attention,
        't2vattnvalues': text_share(state),
        'dummy_tokens': state.dummies,
    }
    for index, (logits, spans) in enumerate(layers[:-1]):
        found |= {f'aux_{index}_pred_logits': logits, f'aux_{index}_pred_spans': spans}
    if state.negative is not None:
        rows = state.negative_valid
        found['saliency_scores_neg'] = state.negative.saliency[rows]
        found['t2vattnvalues_neg'] = text_share(state.negative)[rows]
        always = state.text_mask.new_ones(state.dummies.shape[:2])
        keys = torch.cat((always, state.negative.text_mask), dim=1)
        found['src_txt_mask_neg'] = keys[rows].float()
    if state.targets is not None:
        learnt = model.slots['auxiliary.correlation'].encode(state)
        found |= {
            'memory_moment': learnt.moment,
            'nmmemory_moment': learnt.other,
            'sentence_txt': learnt.sentence,
            'sentence_dummy': learnt.dummy_sentence,
            'moment2txt_similarity': learnt.similarity,
            'src_vid': learnt.clips,
        }
    return found


def check_outputs(case: Case, state: GroundingState) -> Iterator[Row]:
    """Compare what a training run computes."""
    yield from case.rows(outputs(case.model, state), 'out/')
    if case.get('out/real_neg_mask') is not None:
        label = f'{case.prefix}out/real_neg_mask'
        yield compare_exact(label, state.negative_valid, case.get('out/real_neg_mask'))
    if case.get('out/nmoment2txt_similarity') is not None:
        note = 'official-only: computed and read by nothing'
        yield Row(f'{case.prefix}out/nmoment2txt_similarity', None, note=note)


def check_matches(case: Case, step: Step) -> Iterator[Row]:
    """Compare the matches of the last layer."""
    for sample, row in enumerate(step.matches[-1][-1].tolist()):
        stored = case.get(f'out/match_{sample}')
        if stored is not None:
            ours = sorted((query, moment) for moment, query in enumerate(row) if query >= 0)
            theirs = sorted(map(tuple, stored.T.tolist()))
            yield compare_exact(f'{case.prefix}out/match_{sample}', ours, theirs)


def parts(case: Case, losses: dict[str, Tensor]) -> dict[str, Tensor]:
    """The weighted terms of the released criterion and their parts, by its names."""

    def total(*names: str) -> Tensor:
        return sum(losses[name] for name in names if name in losses)

    found = {'loss_saliency': torch.tensor(0.0)}
    for short, ours in (('sal', 'loss_saliency'), ('attn', 'loss_attention')):
        for theirs, name in SALIENCY_PARTS.items():
            if f'{ours}_{name}' in losses:
                found[f'part_{short}_{theirs}'] = losses[f'{ours}_{name}']
                found['loss_saliency'] = found['loss_saliency'] + losses[f'{ours}_{name}']
    found |= {f'part_ms_{theirs}': losses[ours] for theirs, ours in ALIGN_PARTS.items()}
    found['loss_ms_align'] = total(*ALIGN_PARTS.values())
    found['loss_distill'] = losses['loss_distillation']
    found['loss_orthogonal_dummy'] = total('loss_dummy_orthogonality', 'loss_prompt_orthogonality')
    layers = case.data.info['config']['dec_layers']
    for name in ('span', 'giou', 'label'):
        for suffix in ('', *(f'_{index}' for index in range(layers - 1))):
            found[f'loss_{name}{suffix}'] = total(f'loss_{name}{suffix}')
    return found


def weight_of(case: Case, name: str) -> float:
    """The weight of a released term or part."""
    weights = case.data.info['loss_weights']
    if name.startswith('part_'):
        group = name.split('_')[1]
        factor = case.data.info['config']['lw_wattn'] if group == 'attn' else 1.0
        return factor * weights['loss_ms_align' if group == 'ms' else 'loss_saliency']
    return weights[name]


def whole_rank(case: Case, folder: str) -> Tensor | None:
    """The stored rank loss with the part of samples without a true negative, which may be in it."""
    stored = case.data.below(f'{case.prefix}{folder}')
    rank, alone = stored.get('part_sal_rank'), stored.get('part_sal_rank_falseneg')
    if rank is None or alone is None:
        return rank
    factor = case.data.info['config']['lw_wattn']
    rest = stored['loss_saliency'] - stored['part_sal_margin'] - stored['part_sal_neg']
    rest = rest - factor * sum(v for k, v in stored.items() if k.startswith('part_attn_'))
    return min(rank, rank + alone, key=lambda value: abs(float(rest - value)))


def check_losses(
    case: Case, step: Step, folder: str = 'loss/', names: list[str] | None = None
) -> Iterator[Row]:
    """Compare every term, plain and weighted, and the total; ``names`` of the videos."""
    weighted = parts(case, step.losses)
    for name, ours in weighted.items():
        weight, label = weight_of(case, name), f'{case.prefix}{folder}{name}'
        theirs = case.get(folder + name)
        if name == 'part_sal_rank':
            theirs = whole_rank(case, folder)
        if theirs is None:
            continue
        if weight == 0:
            yield Row(label, None, note='weight 0')
        elif case.depends_on_pairs(name, names):
            yield Row(label, None, note=SUBSET)
        else:
            yield compare(label, ours / weight, theirs, LOSS_TOLERANCE)
    if folder != 'loss/':
        return
    yield from case.rows(weighted, 'loss_w/')
    yield from case.rows({'total': step.total}, 'loss/')
    for name in case.data.below(f'{case.prefix}loss/'):
        if name.startswith('class_error'):
            yield Row(f'{case.prefix}loss/{name}', None, note='official-only: a value for the log')
    yield from check_validation(case, weighted)


def check_validation(case: Case, weighted: dict[str, Tensor]) -> Iterator[Row]:
    """Compare the criterion without the training branch: the other terms do not change."""
    for name in ('loss_saliency', 'loss_orthogonal_dummy'):
        theirs, weight = case.get(f'loss_eval/{name}'), weight_of(case, name)
        label = f'{case.prefix}loss_eval/{name}'
        if case.depends_on_pairs(name):
            yield Row(label, None, note=SUBSET)
        elif theirs is not None and weight:
            yield compare(label, weighted[name] / weight, theirs, LOSS_TOLERANCE)
    for name in ('loss_ms_align', 'loss_distill'):
        note = 'official-only: a placeholder of 0; nothing is trained in validation'
        yield Row(f'{case.prefix}loss_eval/{name}', None, note=note)


def check_middle(case: Case) -> Iterator[Row]:
    """Compare intermediate results of an inference run."""
    if not case.data.below(f'{case.prefix}mid/'):
        return
    decoded: list[DecoderOutputs] = []
    head = case.model.slots['moment_head']
    hook = head.decoder.register_forward_hook(lambda *args: decoded.append(args[-1]))
    state, _ = predict(case.model, case.batch())
    hook.remove()
    before = case.model.stages[: case.model.stages.index('fusion') + 1]
    with torch.no_grad():
        inputs = {name: getattr(state, name) for name in GroundingState.INPUTS}
        token = case.model.run(GroundingState(**inputs), before).context
    encoded = state.memory - state.context.unsqueeze(1)
    clips, dummies = state.fused.shape[1], state.dummies.shape[1]
    ours = {
        'input_vid_proj': state.projected_video,
        'input_txt_proj': state.projected_text,
        'position_embed': state.video_pos,
        'saliency_token': token[None],
        'encoder': torch.cat((state.context[:, None], encoded), dim=1).transpose(0, 1),
        'encoder_input': torch.cat((token[:, None], state.fused), dim=1).transpose(0, 1),
        'decoder_hs': decoded[0].normed,
        'decoder_references': decoded[0].references,
    }
    yield from case.rows(ours, 'mid/')
    # Only these rows of the released sequences are used.
    for name, tokens, rows in (
        ('txtproj_encoder', state.dummies, dummies),
        ('t2v_encoder', state.fused, clips),
    ):
        theirs = case.get(f'mid/{name}')
        if theirs is not None:
            label = f'{case.prefix}mid/{name}'
            yield compare(label, tokens.transpose(0, 1), theirs[:rows], OUTPUT_TOLERANCE)
    for name in ('t2v_layer0', 'saliency_token_input', 'encoder_layer0'):
        if case.get(f'mid/{name}') is not None:
            yield Row(f'{case.prefix}mid/{name}', None, note='inside a stack; its end is compared')


def check_predictions(case: Case) -> Iterator[Row]:
    """Compare decoded windows before and after rounding, and reported clip scores."""
    if case.get('out/decoded_windows') is None:
        return
    state, records = predict(case.model, case.batch())
    raw = case.model.slots['moment_head'].predict(state)['detr']
    raw = torch.cat((raw.spans, raw.scores.unsqueeze(-1)), dim=-1)
    rounded = torch.tensor([record['pred_relevant_windows'] for record in records])
    for name, ours in (('decoded_windows', raw), ('decoded_windows_rounded', rounded)):
        theirs, label = case.get(f'out/{name}'), f'{case.prefix}out/{name}'
        # Stored with four decimals.
        yield compare(f'{label} seconds', ours[..., :2], theirs[..., :2], SCORE_TOLERANCE, False)
        yield compare(f'{label} scores', ours[..., 2], theirs[..., 2], SCORE_TOLERANCE, False)
    stored = case.get('out/decoded_saliency_half')
    for sample, record in enumerate(records):
        ours = torch.tensor(record['pred_saliency_scores'])
        label = f'{case.prefix}out/decoded_saliency_half/{sample}'
        # One unit of float16 where two float32 results fall on different sides of a tie.
        yield compare(label, ours, stored[sample, : len(ours)], 1e-3)


def check_variants(case: Case) -> Iterator[Row]:
    """Compare the saliency terms where some pairs are of one video."""
    for name, names in case.data.info['negative_pair_variants'].items():
        folder = f'loss_{name.split()[0]}/'
        if not case.data.below(case.prefix + folder):
            continue
        step = train_step(case.model, case.batch(names))
        yield from check_losses(case, step, folder, names)
        label = f'{case.prefix}{folder}part_sal_rank_falseneg'
        if label in case.data:
            yield Row(label, None, note='a part of part_sal_rank')
