# SPDX-License-Identifier: Apache-2.0
"""CG-DETR against values of its released code."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from vtg.models.extras import Attention, Context, Dummies
from vtg.models.fusions.aca import text_share
from vtg.models.layers import DecoderOutputs
from vtg.structures import GroundingState

from .batches import batch_of
from .case import Outputs, Run, SystemCase
from .common import SCORE_TOLERANCE, Step, predict, train_step
from .core import Row
from .detr import DETECTION, SIZES, DetrCase, loss_sizes, scaled
from .qd_detr import STRAIGHT

ALIGN = {
    'ce_sentence': 'loss_moment_sentence',
    'ce_dummy': 'loss_moment_dummy',
    'bce': 'loss_moment_clips',
}
TERMS = ('margin', 'negative', 'rank', 'bce')


def saliency_terms(names: dict[str, str]) -> dict[str, str]:
    """Our saliency losses by the stored part, on the scores and on the attention."""
    return {
        f'{short}_{theirs}': f'{ours}_{name}'
        for short, ours in (('sal', 'loss_saliency'), ('attn', 'loss_attention'))
        for theirs, name in names.items()
    }


WHOLE_SALIENCY = tuple(saliency_terms({name: name for name in TERMS}).values())
ATTENTION_SIZES: dict[str, Any] = {
    # Dummy encoders have 8 heads in the released code whatever the option says.
    'refiner.num_heads': lambda data: 8,
    'refiner.num_dummies': 'config.num_dummies',
    'refiner.num_layers': 'config.dummy_layers',
    'fusion.num_layers': 'config.t2v_layers',
    'encoder.num_layers': 'config.enc_layers',
    'saliency_head.losses.margin.margin': 'config.saliency_margin',
    'fusion.losses.margin.margin': 'config.saliency_margin',
    'saliency_head.losses.*.weight': scaled('loss_weights.loss_saliency', exact=True),
    'fusion.losses.*.weight': scaled('loss_weights.loss_saliency', 'config.lw_wattn', exact=True),
}
"""Of the systems with dummies and adaptive cross-attention."""


class PairedCase(SystemCase):
    """A system that runs true negative pairs alone, as names of videos tell them apart."""

    def names(self) -> list[str]:
        """The names of the videos of this run."""
        raise NotImplementedError

    def sources(self, names: list[str] | None = None) -> list[str]:
        """Source videos of the stored or given names, as the released code cuts them."""
        dataset = self.data.fact('dset_name') or self.data.fact('config.dset_name')
        cut = dataset == 'hl' and 'hd' not in self.run.kind
        return [name.rsplit('_', 2)[0] if cut else name for name in names or self.names()]

    def make_batch(self, names: list[str] | None = None) -> dict[str, Any]:
        """The inputs; ``names`` of the videos decide on negatives."""
        self.pairs = self.sources(names)
        return batch_of(self.data, self.inputs, self.pairs)

    def uncomparable(self, name: str) -> str | None:
        """Negatives of a padded batch run under a mask that depends on their number."""
        reached = ('_neg', '_rank', 'loss_saliency', 'total', 'grad')
        tiled = not self.inputs and 'fusion.mask_layout' not in self.run.options
        if not tiled or not any(part in name for part in reached) or 'real_neg_mask' in name:
            return None
        same = [a == b for a, b in zip(self.pairs, self.pairs[1:] + self.pairs[:1])]
        if any(same) and not all(same):
            return (
                'official-only: the tiled mask depends on how many true negative pairs the padded '
                'batch has'
            )
        return None

    def retrained(self, names: list[str]) -> Step:
        """A training step with other names of the videos; they stay."""
        self.batch = self.make_batch(names)
        return train_step(self.model, self.batch)

    def negatives(self, state: GroundingState) -> Outputs:
        """What the true negative pairs give."""
        if state.negative is None:
            return {}
        rows = state.negative_valid
        return {
            'out/real_neg_mask': rows,
            'out/saliency_scores_neg': state.negative.saliency[rows],
            'out/t2vattnvalues_neg': text_share(state.negative)[rows],
        }


class CgDetrCase(PairedCase, DetrCase):
    """Every variant of the set; outputs are those of a training step."""

    system, config = 'cg_detr', 'cg_detr/qvhl_official.py'
    sizes = {
        **SIZES,
        **loss_sizes('loss_weights'),
        **ATTENTION_SIZES,
        # The released code weighs the dummies' and prompts' loss like the distillation.
        'refiner.orthogonal_weight': 'loss_weights.loss_orthogonal_dummy',
        'fusion.context.num_prompts': 'config.total_prompts',
        'fusion.context.num_selected': 'config.num_prompts',
        'fusion.context.orthogonal_weight': 'loss_weights.loss_orthogonal_dummy',
        'saliency_head.losses.negative.weight': lambda data: (
            0.0 if data.fact('config.dset_name') == 'youtube_uni' else None
        ),
        'fusion.losses.negative.weight': lambda data: (
            0.0 if data.fact('config.dset_name') == 'youtube_uni' else None
        ),
        'auxiliary.correlation.moment_layers': 'config.moment_layers',
        'auxiliary.correlation.sentence_encoder.num_layers': 'config.sent_layers',
        'auxiliary.correlation.align_weight': 'loss_weights.loss_ms_align',
        'auxiliary.correlation.distill_weight': 'loss_weights.loss_distill',
        'auxiliary.correlation.sentence_encoder.num_heads': lambda data: 8,
        'moment_head.queries.num_queries': 'config.num_queries',
        'moment_head.decoder.num_layers': 'config.dec_layers',
    }
    clean = {
        **STRAIGHT,
        'fusion.losses.bce.average_over': 'valid',
        'auxiliary.correlation.average_over': 'valid',
    }
    runs = (
        Run('nopad/'),
        Run(''),
        Run('cleanmask/', '', STRAIGHT),
        Run('out_maskfix/', '', STRAIGHT),
    )
    aux, match = 'out/aux_{layer}_', ('out/aux_{layer}_match_{sample}', 'out/match_{sample}')
    weighted, valid = 'loss_w/', '-'
    losses = {
        **DETECTION,
        'loss_saliency': WHOLE_SALIENCY,
        'loss_ms_align': tuple(ALIGN.values()),
        'loss_distill': 'loss_distillation',
        'loss_orthogonal_dummy': ('loss_dummy_orthogonality', 'loss_prompt_orthogonality'),
        **{f'part_ms_{theirs}': ours for theirs, ours in ALIGN.items()},
        **{
            f'part_{theirs}': ours
            for theirs, ours in saliency_terms(
                {'margin': 'margin', 'neg': 'negative', 'rank': 'rank', 'bce': 'bce'}
            ).items()
        },
    }
    left_out = {
        r'out/nmoment2txt_similarity': 'official-only: computed and read by nothing',
        r'mid/(t2v_layer0|saliency_token_input|encoder_layer0)': (
            'inside a stack; its end is compared'
        ),
        r'loss\w*/part_sal_rank_falseneg': 'a part of part_sal_rank',
        r'loss_eval/loss_(ms_align|distill)': (
            'official-only: a placeholder of 0; nothing is trained in validation'
        ),
        r'loss(_w)?/loss_(ms_align|distill|orthogonal_dummy)_\d+': 'the weight of a copy',
    }

    def names(self) -> list[str]:
        """The names of the videos of this run."""
        return (self.data.info['nopad'] if self.inputs else self.data.info)['video_names']

    def weight(self, name: str) -> float:
        """The weight of a released term or part."""
        if name.startswith('part_ms'):
            name = 'loss_ms_align'
        factor = self.data.info['config']['lw_wattn'] if name.startswith('part_attn') else 1.0
        return factor * super().weight(name)

    def predicted(self, state: GroundingState, records: list[dict[str, Any]]) -> Outputs:
        """What lies in the middle of an inference run."""
        if self.prefix == 'out_maskfix/':
            found = self.outputs(state)
            return {key.removeprefix('out/'): value for key, value in found.items()}
        decoded: list[DecoderOutputs] = []
        hook = self.head.decoder.register_forward_hook(lambda *args: decoded.append(args[-1]))
        predict(self.model, self.batch)
        hook.remove()
        before = self.model.stages[: self.model.stages.index('fusion') + 1]
        with torch.no_grad():
            inputs = {name: getattr(state, name) for name in GroundingState.INPUTS}
            token = self.model.run(GroundingState(**inputs), before).extras[Context].token
        context, tokens = state.extras[Context].token, state.extras[Dummies].tokens
        encoded = state.memory - context.unsqueeze(1)
        clips, dummies = state.fused.shape[1], tokens.shape[1]
        return {
            'mid/input_vid_proj': state.projected_video,
            'mid/input_txt_proj': state.projected_text,
            'mid/position_embed': state.video_pos,
            'mid/saliency_token': token[None],
            'mid/encoder': torch.cat((context[:, None], encoded), dim=1).transpose(0, 1),
            'mid/encoder_input': torch.cat((token[:, None], state.fused), dim=1).transpose(0, 1),
            'mid/decoder_hs': decoded[0].normed,
            'mid/decoder_references': decoded[0].references,
            # Only these rows of the released sequences are used.
            'mid/txtproj_encoder': (tokens.transpose(0, 1), lambda t: t[:dummies]),
            'mid/t2v_encoder': (state.fused.transpose(0, 1), lambda t: t[:clips]),
        }

    def outputs(self, state: GroundingState) -> Outputs:
        """What inference and training have in common."""
        return {
            **self.queries(state),
            'out/saliency_scores': state.saliency,
            'out/cate_attn_weights': state.extras[Attention].weights,
            'out/t2vattnvalues': text_share(state),
            'out/dummy_tokens': state.extras[Dummies].tokens,
        }

    @torch.no_grad()
    def trained(self, step: Step) -> Outputs:
        """What the released model returns."""
        state = step.state
        learnt = self.model.slots['auxiliary.correlation'].encode(state)
        always = state.text_mask.new_ones(state.extras[Dummies].tokens.shape[:2])
        keys = torch.cat((always, state.negative.text_mask), dim=1)
        return {
            **self.outputs(state),
            **self.negatives(state),
            'out/src_txt_mask_neg': keys[state.negative_valid].float(),
            'out/memory_moment': learnt.moment,
            'out/nmmemory_moment': learnt.other,
            'out/sentence_txt': learnt.sentence,
            'out/sentence_dummy': learnt.dummy_sentence,
            'out/moment2txt_similarity': learnt.similarity,
            'out/src_vid': learnt.clips,
        }

    def reported(self, state: GroundingState, records: list[dict[str, Any]]) -> Iterator[Row]:
        """Compare windows before and after rounding, and clip scores."""
        ranked = self.head.predict(state)['detr']
        table = torch.cat((ranked.spans, ranked.scores.unsqueeze(-1)), dim=-1)
        # Stored with four decimals.
        yield from self.windows('out/decoded_windows', table, SCORE_TOLERANCE)
        windows = torch.tensor([record['pred_relevant_windows'] for record in records])
        yield from self.windows('out/decoded_windows_rounded', windows, SCORE_TOLERANCE)
        yield from self.scores('out/decoded_saliency_half', records)

    def stored_loss(self, key: str) -> Tensor:
        """The stored loss; the rank loss with the part of samples without a true negative, which
        may be in it."""
        folder, _, name = key.rpartition('/')
        stored = self.data.below(f'{self.prefix}{folder}/')
        rank, alone = stored.get('part_sal_rank'), stored.get('part_sal_rank_falseneg')
        if name != 'part_sal_rank' or alone is None:
            return super().stored_loss(key)
        rest = stored['loss_saliency'] - stored['part_sal_margin'] - stored.get('part_sal_neg', 0)
        attention = sum(v for k, v in stored.items() if k.startswith('part_attn_'))
        rest = rest - self.data.info['config']['lw_wattn'] * attention
        return min(rank, rank + alone, key=lambda value: abs(float(rest - value)))

    def more(self) -> Iterator[Row]:
        """Compare the criterion without the training branch, where the other terms do not change,
        and the saliency terms where some pairs are of one video."""
        step = train_step(self.model, self.batch)
        for name in ('loss_saliency', 'loss_orthogonal_dummy'):
            if self.get(f'loss_eval/{name}') is not None:
                yield from self.compare_loss(step, f'loss_eval/{name}', name, False)
        for name, names in self.data.info.get('negative_pair_variants', {}).items():
            folder = f'loss_{name.split()[0]}/'
            if self.data.below(self.prefix + folder):
                yield from self.compare_losses(self.retrained(names), folder)
