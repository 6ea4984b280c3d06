# SPDX-License-Identifier: Apache-2.0
"""The models and batches that :mod:`reference_values.taskweave` compares."""

from typing import Any

import torch
from torch import Tensor

from vtg.models import Grounder
from vtg.structures import Progress

from .common import batch_of, build_converted, copy_config
from .core import ReferenceSet

SYSTEM = 'taskweave'
EPOCHS = 200

# Options that restore official behaviour; without them the components do what was meant. The stored
# windows leave the video, so `clamp` stays off everywhere.
MASK_LAYOUT = (('fusion', 'mask_layout'),)
CONV_MASK = (('neck.moment_expert', 'conv_mask'),)
QUIRKS = (
    *MASK_LAYOUT,
    *CONV_MASK,
    ('encoder', 'mask_padding'),
    ('neck', 'mask_padding'),
    ('neck.moment_expert', 'mask_padding'),
    ('saliency_head', 'mask_padding'),
    ('feedback.moment_guided', 'length'),
    ('feedback.highlight_guided', 'mean_over'),
    ('moment_head.decoder', 'min_width'),
    ('moment_head.matcher.costs.giou', 'eps'),
    ('moment_head.loss', 'giou_eps'),
)
# Which of them a variant does without.
VARIANTS: dict[str, tuple[tuple[str, str], ...]] = {
    '': (),
    'cleanmask/': MASK_LAYOUT,
    'clean/': (*MASK_LAYOUT, *CONV_MASK),
    'nopad/': (),
    'nopad_clean/': QUIRKS,
}

MOMENTS_FIRST = ('moment_head', 'feedback.moment_guided', 'saliency_head')
HIGHLIGHTS_FIRST = ('saliency_head', 'feedback.highlight_guided', 'moment_head')
# Order of the last stages and target of the feedback; None: training has not come to it.
SCENARIOS: dict[str, tuple[tuple[str, ...], str | None]] = {
    'no_feedback': (MOMENTS_FIRST, None),
    'mr2hd': (MOMENTS_FIRST, 'clip_gain'),
    'hd2mr': (HIGHLIGHTS_FIRST, 'trunk_input'),
    'paper_mr2hd': (MOMENTS_FIRST, 'saliency_memory'),
    'paper_hd2mr': (HIGHLIGHTS_FIRST, 'decoder_input'),
}


def model_config(
    base: dict, info: dict[str, Any], scenario: str, without: tuple[tuple[str, str], ...] = ()
) -> Any:
    """Give the model of a config the sizes and the feedback of a scenario.

    Args:
        base: The config with all official options.
        info: Facts of the reference set.
        scenario: Key of :data:`SCENARIOS`.
        without: Official options to leave away.
    """
    cfg, sizes = copy_config(base), info['config']
    order, target = SCENARIOS[scenario]
    first = [name for name in cfg.stages if name.startswith('feedback') or name.endswith('_head')]
    cfg.stages = (*(name for name in cfg.stages if name not in first), *order)
    if order is HIGHLIGHTS_FIRST:
        cfg.feedback = dict(
            highlight_guided=dict(type='HighlightGuidedFeedback', mean_over='padded')
        )
    if target is not None:
        next(iter(cfg.feedback.values())).target = target

    cfg.defaults.update(
        dim=sizes['hidden_dim'], num_heads=sizes['nheads'], hidden_dim=sizes['dim_feedforward']
    )
    cfg.video_projector.update(in_dim=sizes['video_dim'], num_layers=sizes['n_input_proj'])
    cfg.text_projector.update(in_dim=sizes['text_dim'], num_layers=sizes['n_input_proj'])
    cfg.fusion.num_layers = sizes['enc_layers']
    cfg.neck.num_layers = sizes['shared_layers']
    cfg.saliency_head.losses.margin.margin = sizes['saliency_margin']
    cfg.moment_head.queries.num_queries = sizes['num_queries']
    cfg.moment_head.decoder.num_layers = sizes['dec_layers']
    cfg.moment_head.loss.class_loss.background_weight = sizes['eos_coef']
    for ours, theirs in (('label', 'class'), ('span', 'span'), ('giou', 'giou')):
        cfg.moment_head.matcher.costs[ours].weight = sizes['matcher'][f'cost_{theirs}']
    for place, option in without:
        node = cfg
        for part in place.split('.'):
            node = node.get(part, {})
        node.pop(option, None)
    return cfg


class Case:
    """One variant and scenario, and the model that should reproduce it."""

    def __init__(
        self, data: ReferenceSet, base: dict, variant: str, scenario: str, quirks: bool = True
    ) -> None:
        self.data, self.variant, self.scenario = data, variant, scenario
        without = VARIANTS[variant] if quirks else QUIRKS
        self.cfg = model_config(base, data.info, scenario, without)
        self.model: Grounder = build_converted(self.cfg, SYSTEM, data.below('sd/'))
        epoch = 0 if SCENARIOS[scenario][1] is None else EPOCHS // 2
        self.model.progress = Progress(epoch, EPOCHS)
        inputs = 'nopad/' if 'nopad' in variant else ''
        _join_spans(data, inputs)
        self.batch = batch_of(data, inputs)

    def stored(self, kind: str) -> dict[str, Tensor]:
        """The stored arrays of a kind, e.g. ``out`` or ``loss``, by the rest of their key."""
        return self.data.below(f'{self.variant}{kind}/{self.scenario}/')

    def name(self, kind: str, key: str) -> str:
        """Name of a quantity."""
        return f'{self.variant}{kind}/{self.scenario}/{key}'


def _join_spans(data: ReferenceSet, prefix: str) -> None:
    """Add the spans of a batch in one array, as other sets have them."""
    if f'{prefix}in/span_labels' not in data.arrays:
        parts = data.below(f'{prefix}in/span_labels/')
        spans = [parts[key] for key in sorted(parts, key=int)]
        data.arrays[f'{prefix}in/span_labels'] = torch.cat(spans).numpy()
        counts = torch.tensor([len(part) for part in spans])
        data.arrays[f'{prefix}in/span_labels_count'] = counts.numpy()
