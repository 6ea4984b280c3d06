# SPDX-License-Identifier: Apache-2.0
"""The range of every numeric argument of a component, by its name.

A name means the same in every component, so that it has one range.
"""

import math
from collections.abc import Callable
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

Range = tuple[str, Callable[[Any], bool]]

_AT_LEAST_1 = ('at least 1', lambda value: value >= 1)
_AT_LEAST_0 = ('at least 0', lambda value: value >= 0)
# More would be built for hours.
_LAYERS = ('from 1 to 1000', lambda value: 1 <= value <= 1000)
# Each starts from a place of its own and is matched with every moment.
_QUERIES = ('from 1 to 10000', lambda value: 1 <= value <= 10_000)
_SIMULATED = ('from 1 to 100000', lambda value: 1 <= value <= 100_000)
# More stop the machine, or exceed the integers of the libraries.
_PROCESSES = ('from 0 to 1024', lambda value: 0 <= value <= 1024)
_ABOVE_0 = ('above 0', lambda value: value > 0)
ANY = ('any number', lambda value: True)
# Above this a number is a slip of the keyboard or an overflow in a 64-bit integer.
LARGEST = 10**12

# Where infinity stands for no limit.
UNBOUNDED = ('max_length', 'end', 'min_alone')

# Pattern of an argument's name -> its range; the first that fits counts.
RANGES: dict[str, Range] = {
    'prior': ('between 0 and 1', lambda value: 0 < value < 1),
    '*dropout': ('at least 0 and below 1', lambda value: 0 <= value < 1),
    'drop_path': ('at least 0 and below 1', lambda value: 0 <= value < 1),
    '*_drop_ratio': ('at least 0 and below 1', lambda value: 0 <= value < 1),
    'seed': ('at least 0 and below 2**32', lambda value: 0 <= value < 2**32),
    'world_seed': ('at least 0 and below 2**32', lambda value: 0 <= value < 2**32),
    'num_workers': _PROCESSES,
    'opencv_num_threads': _PROCESSES,
    'num_dummies': _AT_LEAST_1,
    'num_queries': _QUERIES,
    'num_layers': _LAYERS,
    'num_convs': _LAYERS,
    'num_levels': _LAYERS,
    'num_linear': _LAYERS,
    # Of more, the made-up annotations alone fill the memory; its splits are as far apart.
    'num_samples': _SIMULATED,
    'num_clips': _SIMULATED,
    'num_*': _AT_LEAST_1,
    'dim': _AT_LEAST_1,
    '*_dim': _AT_LEAST_1,
    '*_dims': _AT_LEAST_1,
    '*_layers': _LAYERS,
    '*_heads': _AT_LEAST_1,
    'kernel_size': ('odd, at least 1', lambda value: value >= 1 and value % 2 == 1),
    'pool_size': _AT_LEAST_1,
    'image_size': _AT_LEAST_1,
    'batch_size': _AT_LEAST_1,
    'prefetch_factor': _AT_LEAST_1,
    'frames_per_clip': _AT_LEAST_1,
    'bins_per_clip': _AT_LEAST_1,
    'pad_to_multiple': _AT_LEAST_1,
    'accumulative_counts': _AT_LEAST_1,
    'max_epochs': _AT_LEAST_1,
    'max_iters': _AT_LEAST_1,
    'val_interval': _AT_LEAST_1,
    'interval': _AT_LEAST_1,
    'window_size': _AT_LEAST_1,
    'keep': _AT_LEAST_1,
    'topk': _AT_LEAST_1,
    'top_n': _AT_LEAST_1,
    'threshold': ('from 0 to 1', lambda value: 0 <= value <= 1),
    'score_thr': ('from 0 to 1', lambda value: 0 <= value <= 1),
    '*thresholds': ('from 0 to 1', lambda value: 0 <= value <= 1),
    'gate_threshold': ('from 0 to 1', lambda value: 0 <= value <= 1),
    'ranks': _AT_LEAST_1,
    'top_k': _AT_LEAST_1,
    'train_clips': ('at least 2', lambda value: value >= 2),
    'max_keep_ckpts': ('at least 1, or -1 for all', lambda value: value >= 1 or value == -1),
    'max_length': _ABOVE_0,
    'max_log': ANY,
    'max_after': _AT_LEAST_1,
    'max_clips': _AT_LEAST_1,
    'max_words': _AT_LEAST_1,
    'max_moment': _ABOVE_0,
    'shares': _AT_LEAST_0,
    'restart': _AT_LEAST_0,
    'max_label': _ABOVE_0,
    'learned_positions': _AT_LEAST_1,
    'loops': _LAYERS,
    'beta': _AT_LEAST_0,
    'limits': _ABOVE_0,
    'lengths': _ABOVE_0,
    'part_length': _ABOVE_0,
    'queue_size': _AT_LEAST_1,
    'text_centres': _AT_LEAST_1,
    'video_centres': _AT_LEAST_1,
    'cut_step': ('at least 0.001', lambda value: value >= 0.001),  # a place per step is kept
    'bins': _AT_LEAST_0,
    'bandwidth': _ABOVE_0,
    'distillation': ('from 0 to 1', lambda value: 0 <= value <= 1),
    'first_qid': _AT_LEAST_0,
    'contents': _AT_LEAST_1,
    'choose_from': _AT_LEAST_0,
    'min_outside': _AT_LEAST_0,
    'min_overlap': ('from 0 to 1', lambda value: 0 <= value <= 1),
    'max_before': _AT_LEAST_1,
    'max_moments': _AT_LEAST_1,
    'max_new_tokens': _AT_LEAST_1,
    'max_text_tokens': _AT_LEAST_1,
    'max_video_clips': _AT_LEAST_1,
    'max_windows': _AT_LEAST_1,
    'max_norm': _ABOVE_0,
    'raters': _AT_LEAST_1,
    'first_video': _AT_LEAST_0,
    'foreground': _AT_LEAST_0,
    'digits': _AT_LEAST_0,
    'score_digits': _AT_LEAST_0,
    'length_tolerance': _AT_LEAST_0,
    'temperature': _ABOVE_0,
    'clip_length': _ABOVE_0,
    'window': _ABOVE_0,
    'unit_seconds': _ABOVE_0,
    'divisor': _ABOVE_0,
    'sigma': _ABOVE_0,
    'top': _ABOVE_0,
    'scale': _ABOVE_0,
    'grid': _ABOVE_0,
    'row_shape': _AT_LEAST_1,
    'radius': _ABOVE_0,
    'sizes': _ABOVE_0,
    'strides': _ABOVE_0,
    'widths': _ABOVE_0,
    'factors': _ABOVE_0,
    'std': _ABOVE_0,
    'moment_seconds': _ABOVE_0,
    'init_scale': _ABOVE_0,
    'min_alone': _AT_LEAST_0,
    'prior_clips': _AT_LEAST_0,
    'min_length': _AT_LEAST_0,
    'min_clips': _AT_LEAST_0,
    'min_width': _AT_LEAST_0,
    'min_probability': ('at least 0 and below 1', lambda value: 0 <= value < 1),
    'min_log': ANY,
    'layer': ANY,
    'pair': ('at least -1, which is the last', lambda value: value >= -1),
    'border': ('at least 0 and below 0.5', lambda value: 0 <= value < 0.5),
    'coef': _AT_LEAST_0,
    'slack': _AT_LEAST_0,
    'negative_offset': _AT_LEAST_0,
    'join_ratio': ('from 0 to 1', lambda value: 0 <= value <= 1),
    'max_refetch': _AT_LEAST_0,
    'max_skipped': _AT_LEAST_1,
    'save_begin': _AT_LEAST_0,
    'video_seconds': _ABOVE_0,
    'moment_clips': _AT_LEAST_1,
    'queries': _AT_LEAST_1,
    'moments': _AT_LEAST_0,
    'levels': _AT_LEAST_0,
    'decay': ('at least 0 and below 1', lambda value: 0 <= value < 1),
    'iou_thr*': ('from 0 to 1', lambda value: 0 <= value <= 1),
    'skip_thr': _AT_LEAST_0,
    'difficulty': _AT_LEAST_0,
    'cache_mib': _AT_LEAST_0,
    'momentum': ('at least 0 and below 1', lambda value: 0 <= value < 1),
    'row_momentum': ('above 0, at most 1', lambda value: 0 < value <= 1),
    'endpoints': _AT_LEAST_0,
    'start_factor': ('above 0 and at most 1', lambda value: 0 < value <= 1),
    'share': ('at least 0 and below 1', lambda value: 0 <= value < 1),
    'start': ('from 0 to 1', lambda value: 0 <= value <= 1),
    'stop': ('from 0 to 1', lambda value: 0 <= value <= 1),
    'alpha': ('from 0 to 1', lambda value: 0 <= value <= 1),
    'gamma': _AT_LEAST_0,
    'lr': _AT_LEAST_0,
    'weight_decay': _AT_LEAST_0,
    '*_std': _AT_LEAST_0,
    '*_scale': _AT_LEAST_0,
    'weight': _AT_LEAST_0,
    'weights': _AT_LEAST_0,
    '*_weight': _AT_LEAST_0,
    '*_weights': _AT_LEAST_0,
    '*eps': _AT_LEAST_0,
}


@cache
def range_of(name: str) -> Range | None:
    """The range of the argument ``name``; None if it may be any number."""
    return next((rule for pattern, rule in RANGES.items() if fnmatchcase(name, pattern)), None)


def in_range(value: Any, name: str) -> bool:
    """Whether a number lies in the range of the argument ``name``."""
    if value in (math.inf, -math.inf):
        return name in UNBOUNDED and value > 0
    rule = range_of(name)
    return abs(value) <= LARGEST and (rule is None or rule[1](value))
