# SPDX-License-Identifier: Apache-2.0
"""Encoders of sound: PANNs (Cnn14) and CLAP."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from vtg.registry import ENCODERS
from vtg.utils.optional import folder_of, require

from ..sound import SoundClips, iter_sound
from .base import Encoder, as_device, in_batches
from .dual import DualEncoder
from .hub import load_pretrained
from .weights import load_exactly, naming, read_tensors

WANTED = 'Cnn14_mAP=0.431.pth of PANNs (32 kHz, AudioSet), see "Weights" in docs/extraction.md'


class AudioEncoder(Encoder):
    """Reads the sound of clips instead of their frames.

    Attributes:
        sample_rate: Samples per second.
        window: Seconds of sound around the middle of a clip; None takes the clip itself.
    """

    sample_rate: int
    window: float | None = None

    def iter_clips(
        self, path: str | Path, clip_length: float, max_clips: int
    ) -> Iterator[SoundClips]:
        return iter_sound(path, clip_length, self.sample_rate, self.window, max_clips)

    def encode_clips(self, clips: SoundClips) -> np.ndarray:
        return self.encode_sound(clips.samples)

    def encode_sound(self, samples: np.ndarray) -> np.ndarray:
        """Map mono samples ``(n, N)`` float32 to ``(n, D)`` float32, one row per clip."""
        raise NotImplementedError

    def encode_frames(self, frames: np.ndarray) -> np.ndarray:
        raise TypeError(f'{type(self).__name__} encodes sound, not frames.')


@ENCODERS.register_module()
class PannsEncoder(AudioEncoder):
    """PANNs audio features, 2048 wide: the embedding of Cnn14 before its classifier.

    Kong et al., "PANNs: Large-Scale Pretrained Audio Neural Networks for Audio Pattern
    Recognition", 2020. The network is that of the package ``panns-inference``, of which only the
    definition is imported: the package as a whole would write into the home folder and download.

    Args:
        weights: ``Cnn14_mAP=0.431.pth``.
        window: Seconds of sound around the middle of a clip, at least 0.32; the clip by default.
        device: Where to compute; the first GPU by default.
        batch_size: Clips per forward pass.

    Raises:
        CheckpointError: The weights do not fit.
        ConfigError: The package is missing.
    """

    sample_rate = 32000
    width = 2048

    def __init__(
        self,
        weights: str,
        window: float | None = None,
        device: str | None = None,
        batch_size: int = 32,
    ) -> None:
        self.device = as_device(device)
        self.window = window
        self.batch_size = batch_size
        with naming(WANTED):
            state = read_tensors(weights)
            model = _panns_models().Cnn14(
                sample_rate=self.sample_rate, window_size=1024, hop_size=320, mel_bins=64, fmin=50,
                fmax=14000, classes_num=len(state.get('fc_audioset.bias', range(527))),
            )  # fmt: skip
            load_exactly(model, state, weights)
        self.model = model.to(self.device).eval().requires_grad_(False)

    @torch.inference_mode()
    def encode_sound(self, samples: np.ndarray) -> np.ndarray:
        # Five halvings of 100 frames per second leave nothing of less.
        needed = 32 * 320
        samples = np.pad(samples, ((0, 0), (0, max(0, needed - samples.shape[1]))))
        return in_batches(self._encode, samples, self.batch_size)

    def _encode(self, samples: np.ndarray) -> Tensor:
        return self.model(torch.from_numpy(samples).to(self.device))['embedding']


def _panns_models() -> ModuleType:
    """The module with the networks; the package's own import has side effects."""
    why, name = 'PannsEncoder', 'panns_inference'
    require('torchlibrosa', why)
    if name in sys.modules:
        return importlib.import_module(f'{name}.models')
    package = ModuleType(name)
    package.__path__ = [str(folder_of(name, why))]
    sys.modules[name] = package
    try:
        return importlib.import_module(f'{name}.models')
    finally:
        del sys.modules[name]


@ENCODERS.register_module()
class ClapEncoder(AudioEncoder, DualEncoder):
    """Sound and sentences in the space of CLAP, not normalised.

    Wu et al., "Large-Scale Contrastive Language-Audio Pretraining with Feature Fusion and
    Keyword-to-Caption Augmentation", ICASSP 2023. Clips longer than the model's ten seconds are cut
    to their middle; shorter ones are repeated as it has learnt them. Text tokens are the last
    hidden states before the projection, with start and end token.

    Args:
        weights: Folder or hub name, e.g. ``'laion/clap-htsat-unfused'``.
        projected: Whether clips and the pooled sentence are projected into the joint space (512
            wide); else they are those of the towers (768), which are not comparable.
        window: Seconds of sound around the middle of a clip; the clip by default.
        device: Where to compute; the first GPU by default.
        batch_size: Clips per forward pass.
        amp: Sound in half precision; ``'fp16'`` on a GPU only.
    """

    kind = 'ClapModel'
    wanted = 'CLAP, such as laion/clap-htsat-unfused'

    def __init__(
        self,
        weights: str,
        projected: bool = True,
        window: float | None = None,
        device: str | None = None,
        batch_size: int = 16,
        amp: Literal['bf16', 'fp16'] | None = None,
    ) -> None:
        super().__init__(weights, device, batch_size, amp)
        self.extractor = load_pretrained('ClapFeatureExtractor', weights, wanted=self.wanted)
        self.sample_rate = self.extractor.sampling_rate
        self.window = window
        self.joint = self.projected = projected
        # Positions count from behind that of the padding.
        self.max_tokens -= self.model.config.text_config.pad_token_id + 1

    def project_text(self, pooled: Tensor) -> Tensor:
        return self.model.text_projection(pooled) if self.projected else pooled

    @torch.inference_mode()
    def encode_sound(self, samples: np.ndarray) -> np.ndarray:
        # The extractor would choose a part by chance.
        begin = max(0, samples.shape[1] - self.extractor.nb_max_samples) // 2
        samples = samples[:, begin : begin + self.extractor.nb_max_samples]
        return in_batches(self._encode, samples, self.batch_size)

    def _encode(self, samples: np.ndarray) -> Tensor:
        inputs: Any = self.extractor(
            list(samples), sampling_rate=self.sample_rate, return_tensors='pt'
        )
        # Of models with fusion the extractor would call one clip longer than it is, by chance.
        longer = torch.zeros(len(samples), 1, dtype=torch.bool, device=self.device)
        with self.precision():
            pooled = self.model.audio_model(
                inputs.input_features.to(self.device), is_longer=longer
            ).pooler_output
            return self.model.audio_projection(pooled) if self.projected else pooled
