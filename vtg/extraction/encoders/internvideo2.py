# SPDX-License-Identifier: Apache-2.0
"""InternVideo2 as an encoder of clips and sentences."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
import torch

from vtg.registry import ENCODERS
from vtg.utils import ConfigError

from ..networks.internvideo2 import VisionModel
from ..networks.internvideo2_positions import resize_positions
from ..networks.internvideo2_sizes import Changes, TowerSizes, sizes_of
from ..networks.internvideo2_text import BertText, LlamaText
from ..sampling import Sampler, SourceSampler
from .base import Encoder, TextFeatures, as_device, in_batches, normalize_images
from .internvideo2_files import DESCRIPTION, TEXT_FILES, VISION_FILES, Filling, WeightFiles
from .internvideo2_text import DEFAULTS, TextOptions, Words, text_filling

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Mean and deviation of the images that it was trained on."""


@ENCODERS.register_module()
class InternVideo2Encoder(Encoder):
    """Clips, and sentences, in the space of InternVideo2.

    Wang et al., "InternVideo2: Scaling Foundation Models for Multimodal Video Understanding", ECCV
    2024. Which published features were made how is in ``docs/internvideo2.md``. Nothing is
    normalised to unit length.

    Args:
        weights: File, folder with the files, or list of these.
        variant: ``'stage2_1b'`` (512 wide; words of BERT), ``'clip_1b'`` or ``'clip_6b'`` (768
            wide; words of LLaMA, 4096 wide).
        text: Folder or hub name of the tokenizer, or a dict with more, see
            :class:`~.internvideo2_text.TextOptions`; None encodes no sentences.
        frames_per_clip: Frames per clip, by default as many as in training: 4 in stage 2, else 8.
            One frame is encoded as an image.
        feature: ``'projected'`` (default of stage 2), ``'pooled'`` (of the CLIP models), or
            ``'mean'`` of the patch tokens.
        gelu: ``'exact'``, or ``'tanh'`` as the fused kernels of the original code compute it.
        frames: Which pictures of a clip: ``'middle'`` of equal parts of those of the source, as in
            the original evaluation, from the ``'start'`` at whole distances, as in its demo, or
            ``'even'`` in time, which differs by a picture at most.
        resize: How a picture becomes a square; the original forces both sides.
        sizes: Sizes that differ from the variant's, by ``vision`` and ``text``.
        amp: Matrices of the vision tower, and the text tower, in half precision; all else stays in
            float32.
        device: Where to compute; the first GPU by default.
        batch_size: Clips per forward pass.

    Raises:
        CheckpointError: The weights do not fit, or are no weights of InternVideo2.
        ConfigError: A tower, its tokenizer or the device is missing.
    """

    def __init__(
        self,
        weights: str | Sequence[str],
        variant: Literal['stage2_1b', 'clip_1b', 'clip_6b'] = 'clip_1b',
        text: str | TextOptions | None = None,
        frames_per_clip: int | None = None,
        feature: Literal['projected', 'pooled', 'mean'] | None = None,
        gelu: Literal['exact', 'tanh'] = 'exact',
        frames: Literal['middle', 'start', 'even'] = 'middle',
        resize: Literal['squash', 'squash_bilinear', 'crop'] = 'squash',
        sizes: Changes | None = None,
        amp: Literal['bf16', 'fp16'] | None = None,
        device: str | None = None,
        batch_size: int = 4,
    ) -> None:
        from vtg.engine.run_folder import AMP_TYPES  # brings optional packages with it

        self.variant, self.batch_size, self.resize = variant, batch_size, resize
        self.device = as_device(device)
        vision, words = sizes_of(variant, sizes)
        self.frames_per_clip, self.image_size = frames_per_clip or vision.frames, vision.image_size
        self._sampler = Sampler(self.frames_per_clip)
        if frames != 'even':
            self._sampler = SourceSampler(self.frames_per_clip, frames)
        self.feature = feature or ('projected' if vision.projected_dim else 'pooled')
        if self.feature == 'projected' and not vision.projected_dim:
            raise ConfigError(f"feature 'projected' is of stage 2; {variant!r} has 'pooled'.")
        self.joint = self.feature == ('projected' if vision.projected_dim else 'pooled')
        self.has_text = text is not None
        files, kind = WeightFiles(weights), getattr(torch, AMP_TYPES[amp]) if amp else torch.float32
        self.title = files.title
        self._vision_filling: Filling | None = None
        self._text_filling: Filling | None = None
        if files.below('vision_encoder.') or not self.has_text:
            files.check_pooling(variant)
            # Single frames have positions of their own, or the mean of those of clips.
            several = self.frames_per_clip > 1
            running = replace(vision, frames=self.frames_per_clip) if several else vision
            self._vision_filling = vision_filling(files, variant, vision, running, gelu, kind)
        if text is not None:
            tower = BertText if variant == 'stage2_1b' else LlamaText
            given: TextOptions = {'tokenizer': text} if isinstance(text, str) else text
            options: TextOptions = {**DEFAULTS[tower], **given}
            self.words = Words(options, tower, words.vocabulary)
            scale = options.get('lora_scale', 1.0)
            self._text_filling = text_filling(files, variant, tower, words, scale, kind)
        fillings = (self._vision_filling, self._text_filling)
        files.report(set().union(*(filling.used for filling in fillings if filling)))

    @property
    def sampler(self) -> Sampler:
        return self._sampler

    # Towers are filled when they are first used: words alone need no memory for clips.
    @cached_property
    def vision(self) -> Any:
        """The vision tower with its projection.

        Raises:
            ConfigError: The files hold none.
        """
        if self._vision_filling is None:
            raise ConfigError(
                f'{self.title} holds no vision tower of variant {self.variant!r}; give '
                f'{VISION_FILES[self.variant]} as well; {DESCRIPTION}.'
            )
        return self._vision_filling.load(self.device)

    @cached_property
    def text(self) -> Any:
        """The text tower.

        Raises:
            ConfigError: None was asked for.
        """
        if self._text_filling is None:
            raise ConfigError(
                'this InternVideo2Encoder encodes clips only; name a tokenizer (text=FOLDER) and '
                f'have {TEXT_FILES[self.variant]} among the weights; {DESCRIPTION}.'
            )
        return self._text_filling.load(self.device)

    @torch.inference_mode()
    def encode_frames(self, frames: np.ndarray) -> np.ndarray:
        return in_batches(self._encode, frames, self.batch_size)

    def _encode(self, frames: np.ndarray) -> torch.Tensor:
        count, per_clip, size = frames.shape[:3]
        images = frames.reshape(count * per_clip, size, size, 3)
        pixels = normalize_images(images, self.device, self.image_size, MEAN, STD)
        clips = pixels.unflatten(0, (count, per_clip)).transpose(1, 2)
        return self.vision(clips, self.feature)

    @torch.inference_mode()
    def encode_text(self, text: str) -> TextFeatures:
        tower = self.text
        ids = torch.tensor([self.words(text)], device=self.device)
        output = tower(ids, torch.ones_like(ids, dtype=torch.bool))
        projected = self.words.options['tokens'] == 'projected'
        tokens = (output.projected if projected else output.states)[0]
        return TextFeatures(
            tokens[self.words.kept(len(tokens))].float().cpu().numpy(),
            output.pooled[0].float().cpu().numpy(),
        )


def vision_filling(
    files: WeightFiles,
    variant: str,
    sizes: TowerSizes,
    running: TowerSizes,
    gelu: str,
    dtype: torch.dtype,
) -> Filling:
    """Match the vision tower with the tensors of the files, whose positions are resized.

    Args:
        files: The weights.
        variant: Name of the model.
        sizes: Its sizes.
        running: Sizes with the frames that it is to read.
        gelu, dtype: See :class:`InternVideo2Encoder`.

    Raises:
        CheckpointError: They do not fit.
    """
    advice = f'variant {variant!r} needs {VISION_FILES[variant]}, {DESCRIPTION}'
    with torch.device('meta'):
        model = VisionModel(running, gelu)
        model.vision_encoder.to_type(dtype)
    own = model.state_dict()
    # The trunk of a CLIP model may be that of stage 2, which was trained on four frames.
    tables = {'pos_embed': ((sizes.frames, 4, 8), running.frames), 'img_pos_embed': ((1,), 1)}
    for name, (trained, frames) in tables.items():
        name = f'vision_encoder.{name}'
        stored = files.tensors.get(name)
        if name in own and stored is not None and stored.shape != own[name].shape:
            files.tensors[name] = _resized(stored, trained, frames, running.grid)
    names = {name: name for name in own if name in files.tensors}
    mine = files.below('vision_encoder.')
    left = ('clip_decoder.', 'final_clip_decoder.', 'clip_pos_embed', 'clip_img_pos_embed',
            'img_pos_embed')  # fmt: skip
    unknown = [name for name in mine if name not in own
               and not name.removeprefix('vision_encoder.').startswith(left)]  # fmt: skip
    return Filling(files, names, unknown, model, advice)


def _resized(stored: torch.Tensor, trained: Sequence[int], frames: int, grid: int) -> torch.Tensor:
    """Positions for the frames and patches that are read; as stored where they cannot be.

    Args:
        stored: Positions of a file.
        trained: How many frames they may be for, the likeliest first.
        frames, grid: Frames, and patches per side, that are read.
    """
    count = stored.shape[1] - 1 if stored.ndim == 3 else 0
    guesses = [guess for guess in trained if count and count % guess == 0]
    same = [guess for guess in guesses if count // guess == grid**2]
    square = [guess for guess in guesses if round((count // guess) ** 0.5) ** 2 == count // guess]
    for guess in same + square:
        return resize_positions(stored, guess, frames, grid)
    return stored
