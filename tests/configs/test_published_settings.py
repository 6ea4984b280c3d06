# SPDX-License-Identifier: Apache-2.0
"""Settings of the released training scripts, one table for each kind, against our configs.

Networks and losses have reference values; what a script sets beside them has only its number. A
value that a config takes from elsewhere, because its authors released none, is named there.
"""

from functools import cache
from pathlib import Path
from typing import Any

import pytest

from vtg.engine import load_config

ROOT = Path(__file__).resolve().parents[2] / 'configs'

# Batch, lr, weight decay, epochs, evaluated every so many, seed, seconds per clip.
TRAINING = {
    'moment_detr/qvhl': (32, 1e-4, 1e-4, 200, 5, 2018, 2.0),
    'moment_detr/charades': (32, 2e-4, 1e-4, 200, 1, 2023, 1.0),
    'moment_detr/tacos': (32, 2e-4, 1e-4, 200, 1, 2023, 2.0),
    'moment_detr/activitynet': (32, 1e-4, 1e-4, 200, 1, 2023, 2.0),
    'moment_detr/tvsum': (4, 1e-3, 1e-4, 2000, 1, 2018, 2.0),
    'moment_detr/youtube': (4, 2e-4, 1e-4, 1000, 1, 2018, 5 / 3),
    'qd_detr/qvhl': (32, 1e-4, 1e-4, 200, 5, 2018, 2.0),
    'qd_detr/qvhl_audio': (32, 1e-4, 1e-4, 200, 5, 3, 2.0),
    'qd_detr/tvsum': (4, 1e-3, 1e-4, 2000, 5, 0, 2.0),
    'tr_detr/qvhl': (32, 1e-4, 1e-4, 200, 5, 2017, 2.0),
    'tr_detr/tvsum': (4, 1e-3, 1e-4, 2000, 5, 2017, 2.0),
    'tr_detr/charades': (32, 2e-4, 1e-4, 200, 1, 2023, 1.0),
    'cg_detr/qvhl': (32, 1e-4, 1e-4, 200, 5, 2018, 2.0),
    'cg_detr/charades': (32, 2e-4, 1e-4, 200, 5, 2018, 1.0),
    'cg_detr/charades_vgg': (16, 2e-4, 1e-4, 200, 5, 2018, 1 / 6),
    'cg_detr/tacos': (32, 2e-4, 1e-4, 200, 5, 2018, 2.0),
    'cg_detr/tvsum': (4, 1e-3, 1e-4, 1000, 5, 2018, 2.0),
    'cg_detr/youtube': (4, 2e-4, 1e-4, 1000, 5, 2018, 5 / 3),
    'univtg/qvhl': (32, 1e-4, 1e-4, 200, 5, 2018, 2.0),
    'univtg/qvhl_na': (32, 1e-4, 1e-4, 200, 1, 2018, 2.0),
    'univtg/charades_na': (32, 1e-4, 1e-5, 100, 1, 2018, 1.0),
    'taskweave/qvhl': (32, 1e-4, 1e-4, 200, 5, 1004, 2.0),
    'taskweave/charades_vgg': (32, 1e-4, 1e-4, 100, 5, 1004, 1 / 6),
    'taskweave/tvsum': (4, 1e-3, 1e-4, 2000, 5, 0, 2.0),
    'videolights/qvhl': (32, 1e-4, 1e-4, 200, 5, 2018, 2.0),
    'videolights/charades': (32, 1e-4, 1e-4, 100, 5, 2018, 1.0),
    'videolights/tacos': (32, 2e-4, 1e-4, 100, 5, 2018, 2.0),
    'videolights/tvsum': (4, 1e-3, 1e-4, 2000, 5, 2018, 2.0),
    'videolights/pretrain': (256, 1e-4, 1e-4, 50, 5, 2018, 2.0),
    'flashvtg/qvhl': (64, 5e-4, 1e-4, 150, 1, 2024, 2.0),
    'flashvtg/qvhl_internvideo2': (64, 5e-4, 1e-4, 150, 5, 2024, 2.0),
    'flashvtg/charades': (128, 2.5e-4, 1e-4, 50, 1, 2024, 1.0),
    'flashvtg/charades_internvideo2': (32, 1.5e-4, 1e-4, 50, 1, 2024, 1.0),
    'flashvtg/charades_vgg': (16, 1e-4, 1e-4, 200, 1, 2024, 1 / 6),
    'flashvtg/tacos': (32, 2e-4, 1e-4, 150, 3, 2024, 2.0),
    'flashvtg/tvsum': (4, 1e-3, 0.05, 600, 1, 2024, 2.0),
    'flashvtg/youtube': (4, 2e-4, 1e-4, 1000, 2, 2024, 5 / 3),
    'sgdetr/qvhl': (128, 5e-4, 0.1, 160, 1, 40, 2.0),
    'sgdetr/qvhl_finetune': (128, 5e-4, 1e-4, 50, 1, 42, 2.0),
    'sgdetr/pretrain_intervidmr': (256, 5e-4, 0.1, 30, 1, 42, 2.0),
    'sgdetr/charades': (64, 5e-4, 0.1, 100, 1, 45, 1.0),
    'sgdetr/charades_finetune': (64, 5e-4, 0.1, 30, 1, 42, 1.0),
    'sgdetr/tacos': (32, 5e-4, 0.1, 120, 1, 47, 2.0),
    'sgdetr/tacos_finetune': (32, 5e-4, 0.1, 40, 1, 44, 2.0),
    'sgdetr/tvsum': (4, 5e-4, 0.1, 200, 1, 40, 2.0),
    'sgdetr/tvsum_finetune': (4, 5e-4, 0.1, 200, 1, 45, 2.0),
    'sgdetr/youtube_finetune': (4, 1e-5, 0.1, 200, 1, 45, 5 / 3),
    'eatr/qvhl': (32, 1e-4, 1e-4, 200, 1, 429, 2.0),
    'eatr/qvhl_clip': (32, 1e-4, 1e-4, 200, 1, 2023, 2.0),
    'eatr/charades': (32, 2e-4, 1e-4, 200, 1, 2023, 1.0),
    'eatr/tacos': (32, 2e-4, 1e-4, 200, 1, 2023, 2.0),
    'eatr/activitynet': (32, 1e-4, 1e-4, 200, 1, 2023, 2.0),
    'eatr/castella': (32, 1e-4, 1e-4, 200, 1, 2023, 1.0),
    'eatr/clotho_moment': (32, 1e-4, 1e-4, 200, 1, 2023, 1.0),
    'uvcom/qvhl': (32, 1e-4, 1e-4, 200, 5, 2023, 2.0),
    'uvcom/charades': (8, 1e-4, 1e-4, 200, 5, 2018, 1.0),
    'uvcom/tacos': (32, 2e-4, 1e-4, 200, 1, 2023, 2.0),
    'uvcom/activitynet': (32, 1e-4, 1e-4, 200, 1, 2023, 2.0),
    'uvcom/castella': (32, 1e-4, 1e-4, 200, 1, 2023, 1.0),
    'uvcom/tvsum': (4, 1e-3, 1e-4, 2000, 5, 0, 2.0),
    'uvcom/youtube': (4, 2e-4, 1e-4, 1000, 1, 2018, 5 / 3),
    'bam_detr/qvhl': (32, 1e-4, 1e-4, 200, 1, 2018, 2.0),
    'bam_detr/charades': (32, 1e-4, 1e-4, 200, 1, 2018, 1.0),
    'bam_detr/tacos': (32, 1e-4, 1e-4, 200, 1, 2018, 2.0),
    'umt/qvhl': (32, 1e-3, 1e-4, 200, 1, 0, 2.0),
    'umt/charades_vgg': (8, 1e-3, 1e-4, 100, 1, 0, 1 / 6),
    'umt/charades_vgg_flow': (8, 1e-3, 1e-4, 100, 1, 0, 1 / 6),
    'umt/tvsum': (1, 1e-3, 1e-4, 500, 1, 0, 2.0),
    'umt/youtube': (4, 1e-3, 1e-4, 100, 1, 0, 5 / 3),
    'r2_tuning/qvhl': (128, 5e-4, 1e-4, 120, 4, 0, 2.0),
    'r2_tuning/charades': (32, 2.5e-4, 1e-4, 50, 1, 0, 1.0),
    'r2_tuning/tacos': (32, 2.5e-4, 1e-4, 100, 1, 0, 2.0),
    'r2_tuning/nlq': (32, 2.5e-4, 1e-4, 30, 1, 0, 2.0),
    'r2_tuning/tvsum': (4, 5e-4, 1e-4, 500, 1, 0, 2.0),
    'r2_tuning/youtube': (4, 5e-4, 1e-4, 200, 1, 0, 5 / 3),
    'ld_detr/qvhl': (32, 1e-4, 1e-4, 250, 1, 0, 2.0),
    'ld_detr/charades': (32, 1e-4, 1e-4, 100, 1, 0, 1.0),
    'ld_detr/tacos': (32, 1e-4, 1e-4, 250, 1, 0, 2.0),
    'ld_detr/tvsum': (4, 1e-3, 1e-4, 1000, 5, 0, 2.0),
    'causalvtg/qvhl': (64, 1.25e-4, 1e-4, 200, 4, 0, 2.0),
    'causalvtg/qvhl_internvideo2': (64, 1.25e-4, 1e-4, 200, 4, 0, 2.0),
    'causalvtg/charades': (64, 2.5e-4, 1e-4, 50, 1, 0, 1.0),
    'causalvtg/charades_internvideo2': (64, 2.5e-4, 1e-4, 50, 1, 0, 1.0),
    'causalvtg/charades_rf': (64, 2.5e-4, 1e-4, 50, 1, 0, 1.0),
    'causalvtg/charades_rf_internvideo2': (64, 2.5e-4, 1e-4, 50, 1, 0, 1.0),
    'causalvtg/activitynet_internvideo2': (64, 2.5e-4, 1e-4, 50, 1, 0, 2.0),
    'causalvtg/activitynet_rf_internvideo2': (64, 2.5e-4, 1e-4, 50, 1, 0, 2.0),
    'la_detr/qvhl': (32, 1e-4, 1e-4, 200, 5, 2023, 2.0),
    'la_detr/qvhl_tr_detr': (32, 1e-4, 1e-4, 200, 5, 2027, 2.0),
    'la_detr/qvhl_uvcom': (32, 1e-4, 1e-4, 200, 5, 2027, 2.0),
    'la_detr/qvhl_uvcom_internvideo2': (32, 1e-4, 1e-4, 200, 5, 2021, 2.0),
    'la_detr/tacos': (16, 1e-4, 1e-4, 200, 5, 2023, 2.0),
    'la_detr/charades': (8, 1e-4, 1e-4, 150, 5, 2026, 1.0),
    'la_detr/charades_vgg': (8, 1e-4, 1e-4, 100, 5, 2021, 1 / 6),
    'flashmmr/qvm2': (32, 5e-4, 1e-4, 150, 1, 2024, 2.0),
    'flashmmr/qvhl': (32, 5e-4, 1e-4, 150, 1, 2024, 2.0),
}

# Epochs at which the lr falls to a tenth (one number: to 0 along a cosine), steps of the warm-up,
# and what chooses the epoch.
MAP, R1, HIGHLIGHTS = 'MR-full-mAP', 'selection', 'HL-mAP'
SCHEDULES = {
    'eatr/qvhl': ([150], 0, MAP),
    'eatr/qvhl_clip': ([], 0, MAP),
    'eatr/charades': ([40, 80, 120, 160], 0, MAP),
    'eatr/tacos': ([40, 80, 120, 160], 0, MAP),
    'eatr/activitynet': ([], 0, MAP),
    'eatr/castella': ([], 0, MAP),
    'eatr/clotho_moment': ([], 0, MAP),
    'uvcom/qvhl': ([100], 0, MAP),
    'uvcom/charades': ([80], 0, R1),
    'uvcom/tacos': ([100], 0, MAP),
    'uvcom/activitynet': ([100], 0, MAP),
    'uvcom/castella': ([100], 0, MAP),
    'uvcom/tvsum': ([], 0, HIGHLIGHTS),
    'uvcom/youtube': ([], 0, HIGHLIGHTS),
    'bam_detr/qvhl': ([80, 160], 0, MAP),
    'bam_detr/charades': ([80, 160], 0, R1),
    'bam_detr/tacos': ([80, 160], 0, R1),
    'umt/qvhl': ([], 0, MAP),
    'umt/charades_vgg': ([], 0, R1),
    'umt/charades_vgg_flow': ([], 0, R1),
    'umt/tvsum': ([], 0, HIGHLIGHTS),
    'umt/youtube': ([], 0, HIGHLIGHTS),
    'r2_tuning/qvhl': ([80], 500, MAP),
    'r2_tuning/charades': ([30], 500, R1),
    'r2_tuning/tacos': ([50], 500, R1),
    'r2_tuning/nlq': ([20], 500, R1),
    'r2_tuning/tvsum': ([], 50, HIGHLIGHTS),
    'r2_tuning/youtube': ([], 50, HIGHLIGHTS),
    'ld_detr/qvhl': (250, 0, MAP),
    'ld_detr/charades': (100, 0, MAP),
    'ld_detr/tacos': (250, 0, MAP),
    'ld_detr/tvsum': ([], 0, HIGHLIGHTS),
    'causalvtg/qvhl': ([120], 500, MAP),
    'causalvtg/qvhl_internvideo2': ([120], 500, MAP),
    'causalvtg/charades': ([30], 500, R1),
    'causalvtg/charades_internvideo2': ([30], 500, R1),
    'causalvtg/charades_rf': ([30], 500, R1),
    'causalvtg/charades_rf_internvideo2': ([30], 500, R1),
    'causalvtg/activitynet_internvideo2': ([30], 500, R1),
    'causalvtg/activitynet_rf_internvideo2': ([30], 500, R1),
    'la_detr/qvhl': ([], 0, MAP),
    'la_detr/qvhl_tr_detr': ([], 0, MAP),
    'la_detr/qvhl_uvcom': ([100], 0, MAP),
    'la_detr/qvhl_uvcom_internvideo2': ([100], 0, MAP),
    'la_detr/tacos': ([100], 0, MAP),
    'la_detr/charades': ([80], 0, R1),
    'la_detr/charades_vgg': ([], 0, R1),
    'flashmmr/qvm2': ([], 0, MAP),
    'flashmmr/qvhl': ([], 0, MAP),
}

# Of systems that do not train with AdamW and gradients cut to a norm of 0.1.
OPTIMIZERS = {'umt': ('Adam', None), 'r2_tuning': ('AdamW', 35.0), 'causalvtg': ('AdamW', 35.0)}

# Clips and words that are kept at most, whether words are normalised, moments that are kept.
LOADING = {
    'moment_detr/qvhl': (75, 32, True, 5),
    'moment_detr/charades': (75, 32, True, None),
    'moment_detr/tacos': (None, 100, True, None),
    'moment_detr/castella': (300, 32, True, 5),
    'qd_detr/tvsum': (1000, None, False, None),
    'cg_detr/charades': (None, 100, True, None),
    'cg_detr/charades_vgg': (None, None, False, None),
    'cg_detr/tacos': (None, 100, True, None),
    'cg_detr/youtube': (1000, None, False, None),
    'cg_detr/qvhl_pt': (75, 75, True, 5),
    'univtg/qvhl': (75, None, True, None),
    'univtg/qvhl_na': (75, None, True, None),
    'univtg/charades': (None, None, True, None),
    'univtg/charades_na': (None, None, True, None),
    'univtg/tacos': (None, None, True, None),
    'univtg/tvsum': (1000, None, True, None),
    'univtg/youtube': (1000, None, True, None),
    'videolights/charades': (75, 32, True, None),
    'videolights/tacos': (None, 32, True, None),
    'videolights/tvsum': (1000, 32, True, None),
    'videolights/tvsum_i3d': (1000, 32, True, None),
    'flashvtg/qvhl': (75, 40, True, None),
    'flashvtg/qvhl_internvideo2': (75, 40, True, None),
    'flashvtg/charades': (None, 32, True, None),
    'flashvtg/charades_internvideo2': (None, 23, True, None),
    'flashvtg/tacos': (None, 100, True, None),
    'flashvtg/tvsum': (1000, None, False, None),
    'sgdetr/qvhl': (75, 40, True, 10),
    'sgdetr/charades': (200, 40, True, 10),
    'sgdetr/tacos': (750, 40, True, 10),
    'sgdetr/tvsum': (1000, 40, True, None),
    'eatr/qvhl': (75, 32, True, 5),
    'eatr/charades': (75, 32, True, None),
    'eatr/tacos': (None, 100, True, None),
    'eatr/activitynet': (75, 32, True, None),
    'eatr/castella': (300, 32, True, 5),
    'uvcom/charades': (75, 32, True, None),
    'uvcom/tacos': (None, 100, True, None),
    'uvcom/tvsum': (1000, None, False, None),
    'bam_detr/qvhl': (75, 32, True, 5),
    'umt/qvhl': (75, None, False, None),
    'umt/charades_vgg': (None, None, False, None),
    'r2_tuning/qvhl': (75, None, False, None),
    'r2_tuning/charades': (None, None, False, None),
    'r2_tuning/tacos': (None, None, False, None),
    'r2_tuning/nlq': (None, None, False, None),
    'ld_detr/qvhl': (75, 32, True, 5),
    'ld_detr/charades': (None, 32, True, None),
    'ld_detr/tacos': (None, 32, True, None),
    'causalvtg/qvhl': (75, None, True, None),
    'causalvtg/qvhl_internvideo2': (75, None, True, None),
    'causalvtg/charades': (None, None, True, None),
    'causalvtg/charades_internvideo2': (None, None, True, None),
    'causalvtg/charades_rf': (None, None, True, None),
    'causalvtg/charades_rf_internvideo2': (None, None, True, None),
    'causalvtg/activitynet_internvideo2': (None, None, True, None),
    'la_detr/qvhl': (75, 32, True, 5),
    'la_detr/tacos': (None, 32, True, None),
    'la_detr/charades': (None, 32, True, None),
    'la_detr/charades_vgg': (None, None, False, None),
    'flashmmr/qvm2': (75, 40, True, None),
}

# How clips are labelled where there are no ratings.
LABELS = {
    'qd_detr/charades': {'type': 'SingleWindow', 'clip_from': 'clip_length'},
    'tr_detr/charades': {
        'type': 'SingleWindow', 'clip_from': 'clip_length', 'relevant': 'touched',
    },
    'tr_detr/tacos': {'type': 'SingleWindow', 'clip_from': 'clip_length', 'relevant': 'touched'},
    'cg_detr/charades': {'type': 'SingleWindow', 'clip_from': 'duration'},
    'flashvtg/tacos': {'type': 'SingleWindow', 'clip_from': 'duration'},
    'videolights/charades': {'type': 'SingleWindow', 'clip_from': 'duration'},
    'videolights/pretrain': {'type': 'SingleWindow', 'clip_from': 'duration'},
    'videolights/pretrain_asr': {'type': 'SingleWindow', 'clip_from': 'duration'},
    'univtg/charades': {
        'type': 'SingleWindow', 'clip_from': 'clip_length', 'rounding': 'nearest',
    },
    'univtg/tacos': {'type': 'SingleWindow', 'clip_from': 'clip_length', 'rounding': 'nearest'},
    'univtg/nlq': {'type': 'SingleWindow', 'clip_from': 'clip_length', 'rounding': 'nearest'},
    'sgdetr/charades': {'type': 'CoveredClips', 'share': 0.5},
    'sgdetr/charades_official': {'type': 'CoveredClips', 'share': 0.5, 'pairs': 'hard_easy'},
}  # fmt: skip

# Everything else, by its place.
PLACES = {
    'moment_detr/charades': {'model.loss_balancer.weights.saliency': 4.0},
    'qd_detr/tacos': {'model.loss_balancer.weights.saliency': 4.0},
    'qd_detr/qvhl_audio': {'train_dataloader.dataset.features.tef': (1, 2)},
    'tr_detr/tvsum': {
        'model.auxiliary.local_alignment.weight': 2.0,
        'model.auxiliary.global_alignment.weight': 0.5,
    },
    'tr_detr/qvhl_audio': {
        'model.auxiliary.local_alignment.weight': 0.3,
        'model.auxiliary.global_alignment.weight': 0.3,
    },
    'cg_detr/qvhl': {
        'model.refiner.num_dummies': 45, 'model.fusion.context.num_selected': 1,
        'default_hooks.checkpoint.save_best': 'MR-full-mAP',
    },
    'cg_detr/activitynet': {'model.fusion.context.num_selected': 2},
    'cg_detr/clotho_moment': {'model.fusion.context.num_selected': 2},
    'cg_detr/charades': {
        'model.fusion.context.num_selected': 2, 'model.saliency_head.losses.rank.weight': 4.0,
        'model.fusion.losses.bce.weight': 4.0, 'default_hooks.checkpoint.save_best': 'selection',
    },
    'cg_detr/charades_vgg': {
        'model.defaults.dropout': 0.2, 'model.refiner.dropout': 0.1,
        'model.auxiliary.correlation.sentence_encoder.dropout': 0.1,
        'model.test_cfg.post_processor.steps.clamp.high': 360.0,
    },
    'cg_detr/tacos': {'model.refiner.num_dummies': 50, 'model.fusion.context.num_selected': 2},
    'cg_detr/tvsum': {'model.refiner.num_dummies': 3},
    'cg_detr/youtube': {
        'model.refiner.num_dummies': 1, 'model.saliency_head.losses.negative': None,
        'model.fusion.losses.negative': None, 'model.saliency_head.losses.rank.weight': 4.0,
    },
    'univtg/nlq': {
        'train_dataloader.dataset.labels.min_clips': 1.0,
        'default_hooks.checkpoint.save_best': 'MR-full-R1@0.3',
    },
    'univtg/charades': {'default_hooks.checkpoint.save_best': 'MR-full-R1@0.3'},
    'univtg/charades_na': {
        'default_hooks.checkpoint.save_best': 'MR-full-R1@0.3',
        'model.saliency_head.losses.intra.weight': 1.0,
        'model.saliency_head.losses.inter.weight': 0.5,
    },
    'univtg/tvsum': {'train_dataloader.dataset.features.unrated_clips': 'cut_first'},
    'taskweave/qvhl': {'default_hooks.ema.decay': 0.9},
    'taskweave/charades_vgg': {
        'default_hooks.ema.decay': 0.9, 'model.feedback.moment_guided.start': 0.5,
    },
    'videolights/charades': {
        'model.moment_head.losses.align.weight': 0.3,
        'model.auxiliary.clip_text.losses.cosine.weight': 0.3,
    },
    'videolights/tacos': {
        'model.loss_balancer.weights.saliency': 4.0,
        'model.auxiliary.moment_saliency.losses.cosine.weight': 4.0,
        'model.saliency_head.losses.hard_positive.coef': 1.0,
        'model.moment_head.losses.align.weight': 0.002,
        'model.auxiliary.clip_text.losses.cosine.weight': 0.002,
    },
    'videolights/pretrain': {'model.moment_head.losses.align.weight': 0.01},
    'videolights/pretrain_asr': {
        'model.moment_head.losses.align.weight': 0.2,
        'train_dataloader.dataset.text.0.pattern': 'qid{qid}',
    },
    'videolights/tvsum': {
        'model.saliency_head.losses.hard_positive.coef': 1.0,
        'train_dataloader.dataset.features.unrated_clips': 'keep',
    },
    'videolights/tvsum_pt': {'model.saliency_head.losses.hard_negative.coef': 10.0},
    'flashvtg/qvhl_internvideo2': {
        'model.neck.strides': (1, 2, 4, 8, 16), 'model.moment_head.losses.clip_score': None,
    },
    'flashvtg/charades': {
        'model.moment_head.losses.clip_score.weight': 0.1, 'model.auxiliary.nce.weight': 0.01,
    },
    'flashvtg/charades_internvideo2': {
        'model.moment_head.scores': {'kernel_size': 7, 'num_convs': 2, 'num_linear': 3},
    },
    'flashvtg/charades_vgg': {
        'model.moment_head.scores': {'kernel_size': 3, 'num_convs': 2, 'num_linear': 5},
        'model.test_cfg.post_processor.steps.clamp.high': 150.0,
    },
    'flashvtg/tacos': {
        'model.moment_head.scores': {'kernel_size': 5, 'num_convs': 2, 'num_linear': 5},
        'model.fusion.num_layers': 8, 'model.refiner.num_layers': 3,
        'model.refiner.num_dummies': 35, 'model.defaults.dropout': 0.0,
        'model.auxiliary.nce.weight': 0.05,
        'default_hooks.checkpoint.save_best': 'MR-full-R1@0.3',
    },
    'flashvtg/tvsum': {
        'model.moment_head.scores': {'kernel_size': 3, 'num_convs': 3, 'num_linear': 3},
        'model.fusion.num_layers': 2, 'model.refiner.num_dummies': 3,
    },
    'flashvtg/youtube': {
        'model.moment_head.scores': {'kernel_size': 5, 'num_convs': 2, 'num_linear': 3},
        'model.moment_head.losses.label.weight': 0.6, 'model.auxiliary.nce.weight': 0.5,
        'model.moment_head.losses.clip_score.weight': 5.0, 'train_dataloader.drop_last': True,
        'model.saliency_head.losses.rank.weight': 0.7, 'model.fusion.losses.negative': None,
    },
    'sgdetr/qvhl_official': {'default_hooks.checkpoint.save_best': 'MR-full-mAP-detr'},
    'sgdetr/charades': {
        'model.moment_head.dense_head.prior': 0.25,
        'model.moment_head.dense_head.assigner.topk': 18,
        'model.test_cfg.post_processor.steps.round.grid': 0.1,
        'model.test_cfg.post_processor.steps.clamp.high': 200.0,
        'model.test_cfg.post_processor.steps.length.min_length': 1.0,
        'default_hooks.checkpoint.save_best': 'MR-full-R1@0.5',
    },
    'sgdetr/tacos': {
        'model.moment_head.dense_head.prior': 0.2, 'model.local_saliency_head.num_layers': 1,
        'model.test_cfg.post_processor.steps.round.grid': 0.4,
        'model.test_cfg.post_processor.steps.clamp.high': 1500.0,
        'model.test_cfg.post_processor.steps.length.min_length': 2.0,
        'default_hooks.checkpoint.save_best': 'MR-full-R1@0.3',
    },
    'eatr/qvhl': {
        'model.encoder.num_layers': 3,
        'model.moment_head.decoder.num_layers': 3,
        'model.moment_head.queries.num_iterations': 3,
        'model.moment_head.queries.losses.span.weight': 30.0,
        'model.moment_head.queries.losses.giou.weight': 3.0,
    },
    'eatr/charades': {
        'model.encoder.num_layers': 2,
        'model.moment_head.decoder.num_layers': 2,
        'model.loss_balancer.weights.saliency': 4.0,
        'train_dataloader.dataset.labels.saliency.clip_from': 'clip_length',
        'model.test_cfg.post_processor.steps.clamp.high': 150.0,
        'model.test_cfg.post_processor.steps.round.grid': 1.0,
    },
    'eatr/qvhl_clip': {'model.encoder.num_layers': 2},
    'uvcom/qvhl': {
        'model.moment_head.queries.num_queries': 30,
        'model.fusion.integration.text_centres': 5,
        'model.fusion.integration.video_centres': 30,
        'model.auxiliary.contrast.choose_from': 80,
    },
    'uvcom/charades': {
        'model.auxiliary.contrast.choose_from': 70,
        'train_dataloader.dataset.labels.saliency.clip_from': 'clip_length',
    },
    'uvcom/youtube': {'model.loss_balancer.weights.saliency': 4.0},
    'bam_detr/qvhl': {
        'model.test_cfg.post_processor.steps.nms.decay': 'gaussian_above',
        'model.test_cfg.post_processor.steps.nms.iou_threshold': 0.3,
        'model.moment_head.losses.quality.weight': 2.0,
    },
    'umt/qvhl': {
        'train_dataloader.dataset.features.tef': False,
        'train_dataloader.dataset.features.normalize_video': False,
        'train_dataloader.dataset.features.normalize_text': False,
        'model.saliency_head.losses.bce.weight': 3.0,
        'model.moment_head.losses.width.weight': 0.1,
    },
    'umt/charades_vgg': {
        'model.saliency_head': None,
        'model.moment_head.losses.width.weight': 0.05,
        'model.moment_head.losses.offset.weight': 0.5,
        'val_evaluator.recall5': True,
        'model.test_cfg.post_processor.steps.nms.decay': 'gaussian',
    },
    'umt/tvsum': {
        'train_dataloader.dataset.features.normalize_video': False,
        'model.encoder.num_layers': 1,
        'model.saliency_head.losses.bce.weight': 1.0,
    },
    'r2_tuning/qvhl': {
        'model.video_projector.dropout': 0.5,
        'model.auxiliary.nce.weight': 0.1,
        'train_dataloader.dataset.labels.saliency.easy': 'rated',
        'train_dataloader.dataset.labels.cut_windows': True,
        'train_dataloader.dataset.labels.min_clips': 1.0,
        'model.test_cfg.post_processor.steps.round.grid': 2.0,
        'model.test_cfg.post_processor.steps.nms.decay': 'zeroing',
    },
    'r2_tuning/charades': {
        'model.video_projector.dropout': 0.35,
        'model.text_projector.dropout': 0.35,
        'model.auxiliary.nce.weight': 0.01,
        'train_dataloader.dataset.labels.cut_windows': True,
        'train_dataloader.dataset.labels.min_clips': 1.0,
        'model.test_cfg.post_processor.steps.round.grid': 0.1,
        'model.test_cfg.post_processor.steps.nms.decay': 'linear',
    },
    'r2_tuning/tacos': {
        'model.auxiliary.nce.weight': 0.05,
        'train_dataloader.dataset.labels.cut_windows': True,
        'train_dataloader.dataset.labels.min_clips': 1.0,
        'train_dataloader.dataset.video.0.pattern': '{vid}-cam-002',
        'benchmark.grid': None,
        'model.test_cfg.post_processor.steps.nms.decay': 'linear',
    },
    'r2_tuning/nlq': {
        'model.video_projector.dropout': 0.3,
        'model.text_projector.dropout': 0.3,
        'model.auxiliary.nce.weight': 0.1,
        'train_dataloader.dataset.labels.cut_windows': True,
        'train_dataloader.dataset.labels.min_clips': 1.0,
        'benchmark.grid': None,
        'model.test_cfg.post_processor.steps.nms.decay': 'linear',
    },
    'r2_tuning/tvsum': {
        'train_dataloader.dataset.features.tef': False,
        'train_dataloader.dataset.labels.saliency.scale': 1 / 80,
        'train_dataloader.dataset.labels.saliency.relevant': 'above_median',
        'train_dataloader.dataset.labels.saliency.pair': 'random',
        'model.neck.strides': (1,),
    },
    'ld_detr/qvhl': {
        'model.encoder.blocks.num_blocks': 5,
        'model.auxiliary.distillation.distillation': 0.4,
        'model.auxiliary.distillation.weight': 0.6,
        'model.auxiliary.prediction.weight': 0.6,
    },
    'ld_detr/charades': {
        'model.encoder.blocks.num_blocks': 4,
        'model.auxiliary.distillation.distillation': 0.3,
        'model.auxiliary.distillation.weight': 0.6,
        'model.auxiliary.prediction.weight': 0.4,
        'model.loss_balancer.weights.saliency': 1.5,
    },
    'ld_detr/tacos': {
        'model.encoder.blocks.num_blocks': 5,
        'model.auxiliary.distillation.distillation': 0.7,
        'model.auxiliary.prediction.weight': 0.6,
        'model.loss_balancer.weights.saliency': 4.0,
    },
    'causalvtg/qvhl': {
        'model.auxiliary.nce.weight': 0.1,
        'model.auxiliary.answerability.weight': 0.1,
        'train_dataloader.dataset.labels.saliency.easy': 'rated',
        'train_dataloader.dataset.labels.cut_windows': True,
        'train_dataloader.dataset.labels.min_clips': 1.0,
        'model.test_cfg.post_processor.steps.round.grid': 2.0,
        'model.test_cfg.post_processor.steps.nms.iou_threshold': 0.7,
    },
    'causalvtg/charades': {
        'model.auxiliary.nce.weight': 0.01,
        'model.neck.strides': (1, 2, 4, 8),
        'train_dataloader.dataset.labels.saliency.rounding': 'ceil',
        'train_dataloader.dataset.labels.cut_windows': True,
        'train_dataloader.dataset.labels.min_clips': 1.0,
        'model.test_cfg.post_processor.steps.round.grid': 0.1,
    },
    'causalvtg/charades_internvideo2': {
        'model.auxiliary.nce.weight': 0.01,
        'model.neck.strides': (1, 2, 4, 8),
        'train_dataloader.dataset.labels.saliency.rounding': 'ceil',
        'train_dataloader.dataset.labels.cut_windows': True,
        'train_dataloader.dataset.labels.min_clips': 1.0,
        'model.test_cfg.post_processor.steps.round.grid': 0.1,
    },
    'causalvtg/charades_rf': {
        'model.auxiliary.nce.weight': 0.01,
        'model.neck.strides': (1, 2, 4, 8),
        'train_dataloader.dataset.labels.saliency.rounding': 'ceil',
        'train_dataloader.dataset.labels.cut_windows': True,
        'train_dataloader.dataset.labels.min_clips': 1.0,
        'model.test_cfg.post_processor.steps.round.grid': 0.1,
    },
    'causalvtg/charades_rf_internvideo2': {
        'model.auxiliary.nce.weight': 0.01,
        'model.neck.strides': (1, 2, 4, 8),
        'train_dataloader.dataset.labels.saliency.rounding': 'ceil',
        'train_dataloader.dataset.labels.cut_windows': True,
        'train_dataloader.dataset.labels.min_clips': 1.0,
        'model.test_cfg.post_processor.steps.round.grid': 0.1,
    },
    'causalvtg/activitynet_internvideo2': {
        'model.auxiliary.nce.weight': 0.01,
        'model.neck.strides': (1, 2, 4, 8, 16),
        'train_dataloader.dataset.labels.saliency.rounding': 'ceil',
        'train_dataloader.dataset.labels.cut_windows': True,
        'train_dataloader.dataset.labels.min_clips': 1.0,
        'model.test_cfg.post_processor.steps.round.grid': 0.1,
    },
    'causalvtg/activitynet_rf_internvideo2': {
        'model.auxiliary.nce.weight': 0.01,
        'model.neck.strides': (1, 2, 4, 8, 16),
        'train_dataloader.dataset.labels.saliency.rounding': 'ceil',
        'train_dataloader.dataset.labels.cut_windows': True,
        'train_dataloader.dataset.labels.min_clips': 1.0,
        'model.test_cfg.post_processor.steps.round.grid': 0.1,
    },
    'la_detr/qvhl': {
        'model.moment_head.queries.lengths': (13.8, 32.0, 55.0, 150.0),
        'train_dataloader.dataset.augment.part_length': 5.0,
    },
    'la_detr/qvhl_tr_detr': {'model.moment_head.queries.lengths': (13.8, 31.0, 75.0, 150.0)},
    'la_detr/qvhl_uvcom': {'model.moment_head.queries.lengths': (13.4, 31.5, 75.0, 150.0)},
    'la_detr/tacos': {
        'model.moment_head.queries.lengths': (10.25, 19.34, 38.34, 1e7),
        'model.auxiliary.contrast.choose_from': 70,
        'train_dataloader.dataset.labels.saliency.clip_from': 'clip_length',
        'train_dataloader.dataset.augment.part_length': 10.0,
        'train_dataloader.dataset.augment.temporal': 'nothing',
    },
    'la_detr/charades': {
        'model.moment_head.queries.lengths': (5.67, 14.0, 1e4),
        'model.auxiliary.contrast.choose_from': 70,
        'train_dataloader.dataset.labels.saliency.clip_from': 'clip_length',
        'train_dataloader.dataset.augment.part_length': 10.0,
        'train_dataloader.dataset.augment.fill_from': 'moments',
    },
    'la_detr/charades_vgg': {
        'model.moment_head.queries.lengths': (5.67, 14.0, 1e4),
        'model.auxiliary.contrast.choose_from': 70,
        'train_dataloader.dataset.labels.saliency.clip_from': 'duration',
        'train_dataloader.dataset.augment.cut_step': 1.0,
    },
    'flashmmr/qvm2': {
        'train_dataloader.dataset.labels.saliency.type': 'AllWindows',
        'model.test_cfg.post_processor.steps.nms.iou_threshold': 0.7,
    },
}  # fmt: skip


@cache
def load(name: str) -> Any:
    return load_config(ROOT / f'{name}.py')


def at(cfg: Any, place: str) -> Any:
    """The value at a dotted path."""
    for key in place.split('.'):
        cfg = cfg[int(key) if isinstance(cfg, list | tuple) else key]
    return cfg


@pytest.mark.parametrize('name', TRAINING)
def test_training(name):
    cfg = load(name)
    optimizer, loop = cfg.optim_wrapper.optimizer, cfg.train_cfg
    ours = (cfg.train_dataloader.batch_size, optimizer.lr, optimizer.weight_decay)
    ours += (loop.max_epochs, loop.val_interval, cfg.randomness.seed)
    assert (*ours, cfg.train_dataloader.dataset.clip_length) == TRAINING[name]
    kind, clip = OPTIMIZERS.get(name.split('/')[0], ('AdamW', 0.1))
    assert optimizer.type == kind
    assert (cfg.optim_wrapper.get('clip_grad') or {}).get('max_norm') == clip


@pytest.mark.parametrize('name', SCHEDULES)
def test_schedule(name):
    cfg = load(name)
    drops, warm_up = [], 0
    for part in cfg.param_scheduler:
        if part.type == 'LinearLR':
            assert (part.start_factor, part.by_epoch) == (1 / 1000, False)
            warm_up = part.end
        elif part.type == 'CosineAnnealingLR':
            assert part.by_epoch and part.eta_min == 0
            drops = part.T_max
        else:
            assert part.by_epoch and part.gamma == 0.1
            steps = part.get('milestones') or range(part.step_size, 10**4, part.step_size)
            drops += [epoch for epoch in steps if epoch < cfg.train_cfg.max_epochs]
    assert (drops, warm_up, cfg.default_hooks.checkpoint.save_best) == SCHEDULES[name]


@pytest.mark.parametrize('name', LOADING)
def test_loading(name):
    dataset = load(name).train_dataloader.dataset
    features, labels = dataset.get('features') or {}, dataset.get('labels') or {}
    qvhighlights = dataset.type == 'QVHighlights'
    ours = (features.get('max_video_clips', 75 if qvhighlights else None),)
    ours += (features.get('max_text_tokens'), features.get('normalize_text', True))
    ours += (labels.get('max_windows', 5 if qvhighlights else None),)
    assert ours == LOADING[name]


@pytest.mark.parametrize('name', LABELS)
def test_labels(name):
    assert load(name).train_dataloader.dataset.labels.saliency == LABELS[name]


@pytest.mark.parametrize('name', PLACES)
def test_places(name):
    for place, value in PLACES[name].items():
        found = at(load(name), place)
        assert (tuple(found) if isinstance(value, tuple) else found) == value, place
