# SPDX-License-Identifier: Apache-2.0
"""SG-DETR's model config with the sizes and settings of a reference set."""

from typing import Any

from .common import copy_config

# Post-processing per data set: list of the dense head, list that enters the fusion, the fusion.
PUBLISHED_TEST_CFG = {
    'qvhighlights': dict(
        dense=dict(score_thr=0.05, iou_thr=0.5, top_n=10),
        fused=dict(score_thr=0.01, iou_thr=0.75, top_n=10),
        fusion=dict(weights=(1.0, 2.5), iou_thr=0.8, skip_thr=0.1, max_length=152.0),
        post=dict(grid=2.0, high=150.0, min_length=2.0, max_length=150.0),
    ),
    'charades': dict(
        dense=dict(score_thr=0.1, iou_thr=0.5, top_n=50),
        fused=dict(score_thr=0.1, iou_thr=0.5, top_n=50),
        fusion=dict(weights=(1.0, 1.0), iou_thr=0.5, skip_thr=0.4, max_length=200.0),
        post=dict(grid=0.1, high=200.0, min_length=1.0, max_length=200.0),
    ),
    'tacos': dict(
        dense=dict(score_thr=0.05, iou_thr=0.6, top_n=20),
        fused=dict(score_thr=0.05, iou_thr=0.6, top_n=20),
        fusion=dict(weights=(1.0, 1.0), iou_thr=0.6, skip_thr=0.1, max_length=1500.0),
        post=dict(grid=0.4, high=1500.0, min_length=2.0, max_length=1500.0),
    ),
}


def model_config(base: dict, info: dict[str, Any], learned_queries: bool) -> dict:
    """Give the model of a config the sizes, depths and weights of a reference set."""
    sizes, criterion, weights = info['config'], info['criterion'], info['loss_weights']
    matcher = info['matcher']
    if learned_queries:
        matcher = info['norpn']['matcher']
    dim, heads, hidden = sizes['model_dim'], sizes['heads'], sizes['ffn']
    cfg = copy_config(base)

    cfg.defaults.update(dim=dim, num_heads=heads, hidden_dim=hidden)
    cfg.video_projector.update(in_dim=sizes['vid_dim'], num_layers=sizes['num_input_proj_layers'])
    cfg.text_projector.update(in_dim=sizes['txt_dim'], num_layers=sizes['num_input_proj_layers'])
    cfg.local_saliency_head.num_layers = sizes['local_saliency_head']['num_aggregation_layers']
    cfg.embedding.temperature = float(sizes['pos_temp'])
    cfg.fusion.update(num_layers=sizes['num_t2v_layers'], gate=sizes['weight_attn_with_saliency'])
    cfg.encoder.num_layers = sizes['num_encoder_layers']
    cfg.auxiliary.alignment.update(
        num_layers=sizes['num_moment_layers'],
        sentence_layers=sizes['num_sentence_layers'],
        align_weight=weights['loss_ms_align'],
        clip_weight=weights['loss_momcls'],
    )
    for head in (cfg.local_saliency_head, cfg.saliency_head):
        head.losses.margin.margin = criterion['saliency_margin']
        head.losses.rank.weight = criterion['contrastive_reducer']
        for loss in head.losses.values():
            loss.weight = loss.get('weight', 1.0) * weights['loss_saliency']

    dense, queries = cfg.moment_head.dense_head, cfg.moment_head.query_head
    atss = sizes['atss']
    dense.update(num_convs=atss['num_convs'], prior=sizes['prior_prob'])
    queries.prior = sizes['prior_prob']
    dense.anchors.update(strides=atss['fpn_strides'], sizes=atss['anchor_sizes'])
    dense.assigner.topk = atss['top_k_positive_anchors']
    names = dict(label='label', giou='giou', span='span', centerness='ctrness')
    dense.loss_weights = {k: weights[f'aux_loss_{v}'] for k, v in names.items()}
    queries.decoder.num_layers = sizes['num_decoder_layers']
    queries.matcher.costs = dict(
        label=dict(type='ClassCost', weight=matcher['cost_class']),
        span=dict(type='L1SpanCost', weight=matcher['cost_span']),
        giou=dict(type='GIoUCost', weight=matcher['cost_giou'], eps=0.0),
        quality=dict(type='QualityCost', weight=matcher['cost_iou']),
        reference=dict(type='ReferenceCost', weight=matcher['cost_reference'])
        if matcher['cost_reference']
        else None,
    )
    queries.loss.update(
        weights={
            **{name: weights[f'loss_{name}'] for name in ('span', 'giou', 'label', 'quality')},
            'centre_offset': weights['center_l1_ref'],
            'width_offset': weights['width_l1_ref'],
        },
        quality_targets=criterion['quality_scoring_mode'],
        margins=dict(
            centre_offset=criterion['center_offset_margin'],
            width_offset=criterion['width_offset_margin'],
        ),
        stage_weights=dict(proposals=criterion['encoder_coef']),
        extra_weights=dict(
            collab=criterion['colab_ref_reducer'], denoising=criterion['denoise_reducer']
        ),
    )
    queries.loss.class_loss.background_weight = criterion['background_weight']
    noise = sizes['denoise']
    queries.denoising = dict(
        type='DenoisingGenerator',
        num_queries=noise['num_groups'],
        noise_scale=noise['span_noise_scale'],
        negative_offset=noise['negative_offset'],
    )
    if learned_queries:
        queries.queries = dict(type='LearnedQueries', num_queries=sizes['num_queries'])
    else:
        queries.queries.update(
            num_queries=sizes['num_queries'],
            widths=sizes['default_widths'],
            prior=sizes['prior_prob'],
        )
    return cfg


def without_quirks(cfg: Any) -> Any:
    """The config with the intended behaviour instead of the released one's."""
    cfg = copy_config(cfg)
    cfg.neck.mask_padding = True
    cfg.auxiliary.alignment.average_over = 'valid'
    dense, queries = cfg.moment_head.dense_head, cfg.moment_head.query_head
    dense.update(mask_padding=True, unit_seconds=None, truncate_targets=False, clamp_length=True)
    queries.update(denoising_sees_unused=False, rank_by='score', score_digits=None)
    queries.queries.use_ineligible = False
    queries.decoder.min_width = 1e-3
    queries.loss.giou_eps = 1e-6
    for head in (cfg.local_saliency_head, cfg.saliency_head):
        head.losses.rank.min_alone = 1
    return cfg
