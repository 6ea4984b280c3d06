# SPDX-License-Identifier: Apache-2.0
"""Sentences for the text towers of InternVideo2, and the weights of these."""

from importlib.util import find_spec
from pathlib import Path
from typing import Literal, TypedDict

import torch
from torch import nn

from vtg.utils import ConfigError

from ..networks.internvideo2_sizes import TextSizes
from ..networks.internvideo2_text import BertText, LlamaText
from .hub import load_pretrained
from .internvideo2_files import DESCRIPTION, TEXT_FILES, Filling, WeightFiles


class TextOptions(TypedDict, total=False):
    """How sentences become features.

    ``tokenizer``: folder or hub name. ``max_tokens``: sentences are cut there, 40 in stage 2 and 80
    in the CLIP models. ``tokens``: the words are ``'projected'`` into the space of the clips, as in
    stage 2, or are the last ``'states'``, as in the CLIP models. ``prompt``: stands before the
    sentence, ``'summarize:'`` in the CLIP models. ``keep_prompt``: whether its words, start and end
    token are given too. ``lora_scale``: factor of the low-rank corrections of LLaMA, 2.
    """

    tokenizer: str
    max_tokens: int
    tokens: Literal['projected', 'states']
    prompt: str
    keep_prompt: bool
    lora_scale: float


def text_filling(
    files: WeightFiles,
    variant: str,
    kind: type[BertText | LlamaText],
    sizes: TextSizes,
    scale: float,
    dtype: torch.dtype,
) -> Filling:
    """Match the text tower of a variant with the tensors of the files.

    Args:
        files: The weights.
        variant: Name of the model.
        kind, sizes: Of its text tower.
        scale: Factor of the low-rank corrections.
        dtype: Type that it computes in.

    Raises:
        CheckpointError: They do not fit.
        ConfigError: They hold no such tower.
    """
    stored = files.below(*kind.prefixes)
    if not stored:
        raise ConfigError(
            f'{files.title} holds no text tower of variant {variant!r}; give '
            f'{TEXT_FILES[variant]} as well; {DESCRIPTION}.'
        )
    with torch.device('meta'):
        model = kind(sizes).to(dtype)
    own = model.state_dict()
    names = {kind.own_name(name): name for name in stored}
    unknown = [name for own_name, name in names.items()
               if own_name not in own and not kind.optional(own_name, sizes.layers)]  # fmt: skip
    corrections = {}
    for own_name, first in names.items():
        if 'lora_A' in own_name:
            target = f'{own_name.partition(".lora_A")[0]}.weight'
            corrections[target] = (first, first.replace('lora_A', 'lora_B'))
    lost = [pair for pair in corrections.items() if pair[0] not in own or pair[1][1] not in stored]
    unknown += [pair[0] for _, pair in lost]
    names = {name: source for name, source in names.items() if name in own}
    advice = f'the text tower of variant {variant!r} is in {TEXT_FILES[variant]}, {DESCRIPTION}'
    return Filling(files, names, unknown, model, advice, corrections, scale)


DEFAULTS: dict[type[nn.Module], TextOptions] = {
    BertText: {'max_tokens': 40, 'tokens': 'projected', 'prompt': '', 'keep_prompt': True},
    LlamaText: {
        'max_tokens': 80, 'tokens': 'states', 'prompt': 'summarize:', 'keep_prompt': True,
        'lora_scale': 2.0,
    },
}  # fmt: skip
"""What is not said of a text tower."""


class Words:
    """Sentences to token ids.

    Args:
        options: Of the text tower, complete.
        tower: The tower, which says how a sentence starts and ends.
        vocabulary: Tokens that it knows.

    Raises:
        ConfigError: The tokenizer cannot be loaded, or is that of another model.
    """

    def __init__(
        self, options: TextOptions, tower: type[BertText | LlamaText], vocabulary: int
    ) -> None:
        self.options, self.vocabulary = options, vocabulary
        if 'tokenizer' not in options:
            raise ConfigError(f'text names no tokenizer; give its folder, {DESCRIPTION}.')
        if options['max_tokens'] < 3:
            raise ConfigError(f'max_tokens is {options["max_tokens"]}; use at least 3.')
        _check_readable(Path(options['tokenizer']).expanduser())
        self.tokenizer = load_pretrained(
            'AutoTokenizer', options['tokenizer'], wanted=tower.tokenizer
        )
        ends = [getattr(self.tokenizer, f'{name}_id', None) for name in (tower.start, tower.end)]
        self.start, self.end = (-1 if token is None else token for token in ends)
        if None in ends:
            raise ConfigError(
                f'the tokenizer {options["tokenizer"]} has no {tower.start} or {tower.end}; it is '
                f'of another model, {DESCRIPTION}.'
            )
        self.prompt = len(self._ids(options['prompt']))

    def __call__(self, text: str) -> list[int]:
        """Ids with start and end token, cut to the greatest number."""
        ids = self._ids(f'{self.options["prompt"]}{text}')
        if max(ids, default=0) >= self.vocabulary:
            raise ConfigError(
                f'the tokenizer {self.options["tokenizer"]} gives token {max(ids)}, but the text '
                f'tower knows {self.vocabulary}; it is of another model, {DESCRIPTION}.'
            )
        return [self.start, *ids[: self.options['max_tokens'] - 2], self.end]

    def kept(self, count: int) -> slice:
        """Which of so many tokens are given."""
        return slice(count) if self.options['keep_prompt'] else slice(1 + self.prompt, count - 1)

    def _ids(self, text: str) -> list[int]:
        return self.tokenizer(text, add_special_tokens=False).input_ids if text else []


def _check_readable(folder: Path) -> None:
    """Check that a folder in the format of sentencepiece, as that of LLaMA, can be read here.

    Raises:
        ConfigError: It cannot; names the packages that are missing.
    """
    if not (folder / 'tokenizer.model').is_file() or (folder / 'tokenizer.json').is_file():
        return
    missing = [name for name in ('sentencepiece', 'google.protobuf') if not _installed(name)]
    if missing:
        raise ConfigError(
            f'the tokenizer {folder} is in the format of sentencepiece, which needs '
            f'{" and ".join(missing)}; install them with: pip install sentencepiece protobuf'
        )


def _installed(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:  # what it is part of is missing
        return False
