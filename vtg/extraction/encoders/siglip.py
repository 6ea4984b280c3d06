# SPDX-License-Identifier: Apache-2.0
"""SigLIP and SigLIP 2 through Hugging Face ``transformers``."""

from vtg.registry import ENCODERS

from .dual import DualEncoder


@ENCODERS.register_module()
class SiglipEncoder(DualEncoder):
    """Images and sentences in the space of SigLIP (Zhai et al., ICCV 2023), not normalised.

    A clip is one frame. The model has learnt sentences that are padded to its full length, so they
    are padded here; the states of the padding are no tokens.

    Args:
        weights: Folder or hub name, e.g. ``'google/siglip-base-patch16-224'`` (768 wide).
        device: Where to compute; the first GPU by default.
        batch_size: Frames per forward pass.
        amp: Images in half precision; ``'fp16'`` on a GPU only.
    """

    kind = 'SiglipModel'
    wanted = 'SigLIP, such as google/siglip-base-patch16-224'
    mean, std = (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)
    pads_text = True
