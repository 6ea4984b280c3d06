# SPDX-License-Identifier: Apache-2.0
"""CLIP through Hugging Face ``transformers``."""

from torch import Tensor

from vtg.registry import ENCODERS

from .dual import DualEncoder


@ENCODERS.register_module()
class ClipEncoder(DualEncoder):
    """CLIP features as published for Moment-DETR and its successors.

    A clip is one frame, encoded and projected into the joint space, not normalised. Text tokens are
    the last hidden states after the final layer norm and before the projection, with start and end
    token; the pooled sentence is projected.

    Args:
        weights: Folder or hub name, e.g. ``'openai/clip-vit-base-patch32'`` (512 wide).
        device: Where to compute; the first GPU by default.
        batch_size: Frames per forward pass.
        amp: Images in half precision; ``'fp16'`` on a GPU only.
    """

    kind = 'CLIPModel'
    wanted = 'CLIP, such as openai/clip-vit-base-patch32'

    def project_image(self, pooled: Tensor) -> Tensor:
        return self.model.visual_projection(pooled)

    def project_text(self, pooled: Tensor) -> Tensor:
        return self.model.text_projection(pooled)
