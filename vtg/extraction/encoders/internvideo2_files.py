# SPDX-License-Identifier: Apache-2.0
"""The published weight files: which tower their tensors belong to, and what is left out.

A file holds tensors under ``vision_encoder.``, ``text_encoder.`` and a few names beside them, below
``module`` (DeepSpeed), ``model`` or nothing. Files of stage 1 have no prefix; that of InternVL has
the words of the CLIP models without it.
"""

import logging
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import torch
from mmengine.logging import print_log
from torch import Tensor, nn

from vtg.utils import CheckpointError, ConfigError, printable

from .weights import naming, read_tensors

DESCRIPTION = 'see docs/internvideo2.md'
_STAGE2 = 'InternVideo2-stage2_1b-224p-f4.pt'
_LLAMA = 'internvl_c_13b_224px.pth'
_CLIP_6B = 'the checkpoint of InternVideo2-CLIP-6B'
VISION_FILES = {
    'stage2_1b': _STAGE2,
    'clip_1b': f'{_STAGE2} (trunk) and the small file of InternVideo2-CLIP-1B (attention pooling)',
    'clip_6b': _CLIP_6B,
}
"""Where the vision tower of a variant is published."""
TEXT_FILES = {'stage2_1b': _STAGE2, 'clip_1b': _LLAMA, 'clip_6b': f'{_CLIP_6B} or {_LLAMA}'}
"""Where the text tower of a variant is published."""

# Pattern of a name to what it is of: nothing that a feature needs.
_LEFT_OUT = {
    r'vision_encoder\.((final_)?clip_decoder\.|clip_(img_)?pos_embed$)': 'heads of the training',
    r'vision_encoder\.img_pos_embed$': 'positions of single frames',
    r'vision_encoder\.': 'vision tower',
    r'text_encoder\.cls\.': 'language-model head',
    r'text_encoder\.bert\.encoder\.layer\.': 'layers of the text behind those that run',
    r'text_encoder\.|text_proj\.': 'text tower',
    r'vision_proj\.': 'projection of stage 2',
    r'itm_head\.': 'matching head',
    r'(logit_scale|temp)$': 'temperature',
    r'internvl\.': 'other parts of InternVL',
}
_PREFIXES = ('vision_encoder.', 'text_encoder.', 'vision_proj.', 'text_proj.')
_POOLING = 'vision_encoder.clip_projector.'


class WeightFiles:
    """All tensors of one or several files by their name with prefix.

    Where files share a name, one with a trunk gives way to one without: the small file of a CLIP
    model replaces the pooling of the file that its trunk is from. Tensors stay on disk until they
    are used.

    Args:
        paths: A file, a folder with such files, or several of these.

    Raises:
        CheckpointError: A file is missing, damaged, of something else, or needs pickled objects.
        ConfigError: There is no file.
    """

    def __init__(self, paths: str | Sequence[str]) -> None:
        files = _listed([paths] if isinstance(paths, str) else paths)
        with naming(f'a file of InternVideo2, {DESCRIPTION}'):
            found = [(file, _with_prefix(read_tensors(file, mmap=True), file)) for file in files]
        found.sort(key=lambda item: not _below(item[1], 'vision_encoder.blocks.'))
        self.tensors: dict[str, Tensor] = {}
        self.origin: dict[str, Path] = {}
        for file, state in found:
            self.tensors |= state
            self.origin |= dict.fromkeys(state, file)
        self.title = ', '.join(str(file) for file in files)

    def below(self, *prefixes: str) -> list[str]:
        """The names that begin so."""
        return _below(self.tensors, *prefixes)

    def check_pooling(self, variant: str) -> None:
        """Check that a CLIP model does not get the attention pooling of stage 2.

        Raises:
            CheckpointError: It does.
        """
        stage2 = {self.origin[name] for name in self.below('vision_proj.')}
        wrong = stage2 & {self.origin[name] for name in self.below(_POOLING)}
        if variant.startswith('clip') and wrong:
            raise CheckpointError(
                f'{wrong.pop()} is of stage 2, but variant {variant!r} has an attention pooling of '
                f'its own: the weights are {VISION_FILES[variant]}; {DESCRIPTION}.'
            )

    def report(self, used: Collection[str]) -> None:
        """Log how many tensors are used, and what the others are of."""
        counts: Counter[str] = Counter()
        for name in self.tensors.keys() - set(used):
            of = next((of for pattern, of in _LEFT_OUT.items() if re.match(pattern, name)), None)
            counts[of or f'unknown ({name.split(".")[0]})'] += 1
        listed = ', '.join(f'{of} {count}' for of, count in sorted(counts.items()))
        text = f'{self.title}: {len(set(used))} tensors used; not used: {listed or "none"}.'
        print_log(printable(text), logger='current', level=logging.INFO)


class Filling:
    """The tensors that a tower built on the meta device is filled with.

    Args:
        files: Where they are.
        names: Name in the files by name in the model.
        unknown: Names in the files that the tower should have, and has not.
        model: The tower; types of its parameters are those that it computes in.
        advice: Sentence about the files that are expected.
        corrections: Names of the two factors of a low-rank correction, by name in the model.
        scale: Factor of the corrections.

    Raises:
        CheckpointError: A tensor is missing, unknown or of another shape.
    """

    def __init__(
        self,
        files: WeightFiles,
        names: Mapping[str, str],
        unknown: Sequence[str],
        model: nn.Module,
        advice: str,
        corrections: Mapping[str, tuple[str, str]] | None = None,
        scale: float = 1.0,
    ) -> None:
        self.files, self.names, self.model = files, names, model
        self.corrections, self.scale = corrections or {}, scale
        own = model.state_dict()
        stored = {name: files.tensors[names[name]] for name in own if name in names}
        problems = {
            'missing': [name for name in own if name not in names],
            'unknown': unknown,
            'of another shape': [
                f'{names[name]} {tuple(value.shape)} instead of {tuple(own[name].shape)}'
                for name, value in stored.items()
                if value.shape != own[name].shape
            ],
        }
        found = [
            f'{len(names)} {what}: {", ".join(names[:3])}{", ..." if len(names) > 3 else ""}'
            for what, names in problems.items()
            if names
        ]
        if found:
            raise CheckpointError(
                printable(f'{files.title} does not fit ({"; ".join(found)}); {advice}.')
            )

    @property
    def used(self) -> set[str]:
        """Names in the files that are used."""
        factors = (name for pair in self.corrections.values() for name in pair)
        return {*self.names.values(), *factors}

    def load(self, device: torch.device) -> nn.Module:
        """Fill the tower and give it in evaluation mode.

        Raises:
            CheckpointError: A tensor holds NaN or infinity.
        """
        state = {}
        for name, own in self.model.state_dict().items():
            value = self.files.tensors[self.names[name]]
            if name in self.corrections:
                first, second = (self.files.tensors[part] for part in self.corrections[name])
                value = value.float() + self.scale * second.float() @ first.float()
            state[name] = value = value.to(device, own.dtype)
            # A sum is finite only where all numbers are, and takes no memory.
            if not torch.isfinite(value.sum(dtype=torch.float64)):
                raise CheckpointError(
                    f'{self.files.origin[self.names[name]]} holds NaN or infinite weights '
                    f'({self.names[name]}), or they are too large for {own.dtype}; use no '
                    'amp, or copy the file again.'
                )
        self.model.load_state_dict(state, assign=True)
        return self.model.to(device).eval().requires_grad_(False)


def _below(names: Collection[str], *prefixes: str) -> list[str]:
    return [name for name in names if name.startswith(prefixes)]


def _listed(paths: Sequence[str]) -> list[Path]:
    files: list[Path] = []
    for path in (Path(path).expanduser() for path in paths):
        if path.is_dir():
            inside = sorted(file for file in path.iterdir() if file.suffix in ('.pt', '.pth'))
            if not inside:
                raise ConfigError(f'{path} holds no .pt or .pth file; {DESCRIPTION}.')
            files += inside
        else:
            files.append(path)
    return files


def _with_prefix(state: Mapping[str, Tensor], file: Path) -> dict[str, Tensor]:
    """The tensors under the name of the tower that they are of.

    Raises:
        CheckpointError: None of them is of such a tower.
    """
    if _below(state, *_PREFIXES):
        return dict(state)
    if 'cls_token' in state and _below(state, 'blocks.'):
        return {f'vision_encoder.{name}': value for name, value in state.items()}
    if _below(state, 'transformer.'):
        # Beside the words InternVL has a tower for images of its own.
        mine = re.compile(r'transformer\.|text_projection$')
        return {
            f'{"text_encoder" if mine.match(name) else "internvl"}.{name}': value
            for name, value in state.items()
        }
    raise CheckpointError(
        f'{file} is of another model (it begins with {printable(", ".join(list(state)[:2]))}).'
    )
