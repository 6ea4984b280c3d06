# SPDX-License-Identifier: Apache-2.0
"""The three layouts in which weights of SlowFast are published, by the names of our network.

They hold the same tensors under other names: those of ``facebookresearch/SlowFast`` in PyTorch,
which are ours, those of its model zoo, which come from Caffe2, and those of PyTorchVideo.
"""

import re
from collections.abc import Mapping, Sequence

from torch import Tensor

from vtg.utils import CheckpointError, printable

from .slowfast import SlowFast

_BN_CAFFE2 = {'weight': 's', 'bias': 'b', 'running_mean': 'rm', 'running_var': 'riv'}
# What no feature needs: the classifier, counters, and what a solver of Caffe2 leaves behind.
_UNUSED = re.compile(
    r'num_batches_tracked$|^head\.projection\.|^blocks\.6\.proj\.|^pred_[wb]$'
    r'|momentum|model_iter|(^|_)lr($|_)'
)


def caffe2_name(name: str, depths: Sequence[int]) -> str:
    """The name of one of our tensors in the files of the model zoo.

    Args:
        name: Ours, e.g. ``'s3.pathway1_res0.branch2.a_bn.running_var'``.
        depths: Blocks per stage.
    """
    module, _, kind = name.rpartition('.')
    bn = re.search(r'(^|[._])bn$', module) is not None
    end = f'_bn_{_BN_CAFFE2[kind]}' if bn else '_w'
    if match := re.match(r's1\.pathway(\d)_stem', module):
        return f'{_prefix(match[1])}{"res_" if bn else ""}conv1{end}'
    if match := re.match(r's(\d)_fuse', module):
        stage = int(match[1])
        if stage == 1:
            return f't_pool1_subsample{end}'
        return f't_res{stage}_{depths[stage - 2] - 1}_branch2c_bn_subsample{end}'
    match = re.fullmatch(r's(\d)\.pathway(\d)_res(\d+)\.(branch1|branch2\.[abc])(_bn)?', module)
    assert match, name
    branch = match[4].replace('.', '')
    return f'{_prefix(match[2])}res{match[1]}_{match[3]}_{branch}{end}'


def _prefix(pathway: str) -> str:
    return 't_' if pathway == '1' else ''


def pytorchvideo_name(name: str) -> str:
    """The name of one of our tensors in PyTorchVideo."""
    stage, _, rest = name.partition('.')
    block = f'blocks.{int(stage[1]) - 1}'
    if stage.endswith('_fuse'):
        rest = rest.replace('conv_f2s.', 'conv_fast_to_slow.').replace('bn.', 'norm.')
        return f'{block}.multipathway_fusion.{rest}'
    place, _, rest = rest.partition('.')
    pathway, _, unit = place.removeprefix('pathway').partition('_')
    if unit == 'stem':
        return f'{block}.multipathway_blocks.{pathway}.{rest.replace("bn.", "norm.")}'
    rest = rest.replace('branch1_bn.', 'branch1_norm.').replace('branch1.', 'branch1_conv.')
    rest = re.sub(r'branch2\.([abc])_bn\.', r'branch2.norm_\1.', rest)
    rest = re.sub(r'branch2\.([abc])\.', r'branch2.conv_\1.', rest)
    number = unit.removeprefix('res')
    return f'{block}.multipathway_blocks.{pathway}.res_blocks.{number}.{rest}'


def to_own_names(state: Mapping[str, Tensor], model: SlowFast, path: object) -> dict[str, Tensor]:
    """Rename the weights of a file, whichever of the three layouts it has.

    Names that are in no layout stay, so that a strict comparison finds them; what no feature needs
    is left out.

    Args:
        state: The tensors of a file.
        model: What they are for.
        path: Where the file lies, for sentences.

    Raises:
        CheckpointError: Two tensors of the file stand for one of ours.
    """
    own = [name for name in model.state_dict() if not _UNUSED.search(name)]
    layouts = [
        {name: name for name in own},
        {caffe2_name(name, model.depths): name for name in own},
        {pytorchvideo_name(name): name for name in own},
    ]
    # The zoo's converter knows the convolution of the stem by either name.
    layouts[1] |= {
        f'{prefix}res_conv1_w': layouts[1][f'{prefix}conv1_w'] for prefix in ('', 't_')
    }  # fmt: skip
    layout = max(layouts, key=lambda names: sum(name in names for name in state))
    found: dict[str, Tensor] = {}
    for name, value in state.items():
        target = layout.get(name, name)
        if target in found:
            raise CheckpointError(
                f'{path} holds {target} twice, also as {printable(name)}; download it again.'
            )
        if name in layout or not _UNUSED.search(name):
            found[target] = value
    return found
