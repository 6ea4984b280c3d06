# SPDX-License-Identifier: Apache-2.0
"""Models as ONNX files: features and masks in, moments and saliency out."""

import json
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmengine.registry import init_default_scope
from torch import Tensor, nn

from vtg.datasets.assembly import Assembly
from vtg.engine.checkpoint import load_weights
from vtg.engine.config import model_config
from vtg.models import Grounder
from vtg.models.answering import existence_of
from vtg.registry import MODELS
from vtg.structures import GroundingState, MomentList, cxw_to_xx
from vtg.utils import ConfigError, atomic_write, check_output, check_replaceable
from vtg.utils.optional import require

from .onnx_operators import translations

FORMAT = 'vtg onnx'
"""What ``metadata_props`` of a file says under ``format``."""
TOLERANCE = 1e-4
# Videos, clips and words: of the tracing, then of the checks. No two are equal.
TRACED, CHECKED = (2, 12, 5), ((1, 7, 3), (3, 26, 9))
_LEAST_MULTIPLE = 8
_PURPOSE = 'an ONNX file'


class ExportedGrounder(nn.Module):
    """What is in the file: the model up to its moments, before ranking and suppression.

    Clips are padded inside to a multiple of the coarsest stride, so that a graph for all lengths
    needs no decisions about them; a component gives the same result for a padded sample.

    Args:
        model: In evaluation mode, with its weights.

    Attributes:
        outputs: Names of what :meth:`forward` returns, in order.
    """

    def __init__(self, model: Grounder) -> None:
        super().__init__()
        self.model = model
        self.multiple = max(_LEAST_MULTIPLE, *(int(s) for s in _strides(model)))
        with torch.no_grad():
            state = model(**example(model), mode='tensor')
            self.outputs = tuple(answers(model, state))

    def forward(
        self,
        video: Tensor,
        video_mask: Tensor,
        text: Tensor,
        text_mask: Tensor,
        duration: Tensor,
        audio: Tensor | None = None,
    ) -> tuple[Tensor, ...]:
        """Return ``moments (B, K, 3)``: start and end in seconds and a score, 0 for none;
        ``saliency (B, L)`` and ``existence (B,)``, a probability, where the model gives them."""
        clips = video.shape[1]
        missing = (clips + self.multiple - 1) // self.multiple * self.multiple - clips
        padded = {'video': _padded(video, missing), 'video_mask': F.pad(video_mask, (0, missing))}
        if audio is not None:
            padded['audio'] = _padded(audio, missing)
        state = self.model(text=text, text_mask=text_mask, duration=duration, **padded,
                           mode='tensor')  # fmt: skip
        found = answers(self.model, state)
        if 'saliency' in found:
            found['saliency'] = found['saliency'][:, :clips]
        return tuple(found[name] for name in self.outputs)


def _padded(features: Tensor, missing: int) -> Tensor:
    """``(B, L, ..., D)`` with zeros behind the last clip."""
    return F.pad(features, [0, 0] * (features.ndim - 2) + [0, missing])


def _strides(model: Grounder) -> Iterator[float]:
    yield 1
    for module in model.modules():
        for name in ('strides', 'whole_strides'):
            strides = getattr(module, name, ())
            yield from strides if isinstance(strides, tuple) else ()


def answers(model: Grounder, state: GroundingState) -> dict[str, Tensor]:
    """What a model says about a batch, see :meth:`ExportedGrounder.forward`.

    Args:
        model: The model. state: Behind all stages.
    """
    found: dict[str, Tensor] = {}
    if model.output is not None:
        end = state.duration[:, None, None]
        spans = (cxw_to_xx(state.spans.float()) * end).clamp(min=0).minimum(end)
        scores = state.span_scores.float()
        lists = {model.output: MomentList(spans, scores, scores > 0)}
        for component in model.slots.values():
            lists = component.revise(state, lists)
        moments = lists[model.output]
        found['moments'] = torch.cat((moments.spans, moments.scores.unsqueeze(-1)), dim=-1)
    if state.saliency is not None:
        found['saliency'] = state.saliency.float()
    existence = existence_of(model.slots.values(), state, None, None)
    if existence is not None:
        found['existence'] = existence.float()
    return found


def export_onnx(
    cfg: Config, checkpoint: str | Path, out: str | Path, config: str = ''
) -> dict[str, float]:
    """Write a model as an ONNX file that gives what PyTorch gives.

    Args:
        cfg: A config.
        checkpoint: Weights that fit it, or the folder of a published model.
        out: File to write, ``.onnx``.
        config: Name of the config, kept in the file.

    Returns:
        The greatest difference from PyTorch by output, over :data:`CHECKED` sizes.

    Raises:
        ConfigError: The model cannot be exported, or the file would say something else than the
            model; nothing is written then. Or ``out`` exists and is no such file.
        CheckpointError: The weights do not fit.
    """
    out = _checked_place(out, [checkpoint, config or None])
    for module in ('onnx', 'onnxscript', 'onnxruntime'):
        require(module, _PURPOSE)
    init_default_scope('vtg')
    model = MODELS.build(model_config(cfg))
    load_weights(model, checkpoint)
    dataset = (cfg.get('test_dataloader') or cfg.get('val_dataloader') or {}).get('dataset', {})
    facts = {
        'config': config or str(cfg.get('filename') or ''),
        'clip_length': str(dataset.get('clip_length', 2.0)),
        'features': json.dumps(asdict(Assembly.of(dataset.get('features') or {}))),
    }
    return write_onnx(model, out, facts)


def write_onnx(model: Grounder, out: str | Path, facts: Mapping[str, str]) -> dict[str, float]:
    """Trace a model, compare it with the file in onnxruntime, and write it if they agree.

    Args:
        model: With its weights. out: File to write. facts: Further ``metadata_props``.

    Raises:
        ConfigError: See :func:`export_onnx`.
    """
    model = model.eval().float()
    exported = ExportedGrounder(model).eval()
    program = _converted(exported)
    with atomic_write(out) as temporary:
        try:
            inputs = {name: list(value.shape[2:]) for name, value in example(model).items()}
            for key, value in {
                **facts, 'format': FORMAT, 'inputs': json.dumps(inputs),
                'outputs': json.dumps(exported.outputs),
            }.items():  # fmt: skip
                program.model.metadata_props[key] = value
            program.save(str(temporary))
        except Exception as error:  # of the serialiser
            raise _impossible(model, 'it cannot be stored', error) from error
        return _compared(model, exported, temporary)


def example(model: Grounder, sizes: tuple[int, int, int] = TRACED) -> dict[str, Tensor]:
    """Random inputs of a model; lengths of a batch differ.

    Args:
        model: Tells widths and streams. sizes: Videos, clips and words.
    """
    batch, clips, words = sizes
    generator = torch.Generator().manual_seed(sum(sizes))

    def mask(length: int) -> Tensor:
        real = torch.tensor([max(1, length - 2 * index) for index in range(batch)])
        return torch.arange(length)[None] < real[:, None]

    def features(modality: str, length: int) -> Tensor:
        shape = (batch, length, *model.row_shape(modality), model.input_width(modality))
        return F.normalize(torch.randn(shape, generator=generator), dim=-1)

    found = {
        'video': features('video', clips), 'video_mask': mask(clips),
        'text': features('text', words), 'text_mask': mask(words),
    }  # fmt: skip
    found['duration'] = 2.0 * found['video_mask'].sum(1)
    if 'audio' in model.modalities:
        found['audio'] = features('audio', clips)
    return found


def traced(exported: ExportedGrounder) -> Any:
    """The graph of a model for batches of all sizes, a ``torch.export.ExportedProgram``."""
    inputs = example(exported.model)
    free = torch.export.Dim.AUTO
    sizes = {name: {0: free} | ({1: free} if value.ndim > 1 else {})
             for name, value in inputs.items()}  # fmt: skip
    with _quiet(), torch.no_grad():
        return torch.export.export(exported, (), inputs, dynamic_shapes=sizes, strict=False)


def _converted(exported: ExportedGrounder) -> Any:
    """The ONNX program of a model."""
    stage = 'PyTorch cannot trace it'
    try:
        graph = traced(exported)
        stage = 'ONNX has no operator for a part of it'
        with _quiet(), torch.no_grad():
            return torch.onnx.export(
                graph, verbose=False, output_names=list(exported.outputs),
                custom_translation_table=translations(), optimize=False,
            )  # fmt: skip
    except Exception as error:  # many kinds: of the tracer, and of whatever it runs into
        raise _impossible(exported.model, stage, error) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep notes about packages that are not installed, and of the tracer, from the terminal."""
    logger = logging.getLogger('torch')
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            yield
    finally:
        logger.setLevel(level)


def _compared(model: Grounder, exported: ExportedGrounder, path: Path) -> dict[str, float]:
    """The greatest difference between file and model, at sizes that were not traced."""
    runtime = require('onnxruntime', _PURPOSE)
    options = runtime.SessionOptions()
    options.log_severity_level = 4
    worst: dict[str, float] = {}
    try:
        session = runtime.InferenceSession(str(path), options)
    except Exception as error:  # of onnxruntime
        raise _impossible(model, 'onnxruntime does not load it', error) from error
    for sizes in CHECKED:
        inputs = example(model, sizes)
        with torch.no_grad():
            expected = answers(model, model(**inputs, mode='tensor'))
        try:
            found = session.run(None, feed(session, inputs))
        except Exception as error:  # of onnxruntime
            place = f'the file does not run with {sizes[1]} clips and {sizes[2]} words'
            raise _impossible(model, place, error) from error
        for (name, value), other in zip(expected.items(), found, strict=True):
            mask = inputs['video_mask'].numpy() if name == 'saliency' else None
            difference = _difference(value.numpy(), other, mask)
            worst[name] = max(worst.get(name, 0.0), difference)
            if not worst[name] <= TOLERANCE:
                raise ConfigError(
                    f'{_described(model)} is not written as ONNX: {name} of the file differ by '
                    f'{difference:.2g} from PyTorch with {sizes[1]} clips and {sizes[2]} words '
                    f'(allowed are {TOLERANCE:g}); an option that lets results depend on padding '
                    '(mask_padding=False and the like of released code) does that.'
                )
    return worst


def feed(session: Any, inputs: Mapping[str, Tensor]) -> dict[str, np.ndarray]:
    """The inputs of a file out of those of a model; what a model ignores is no input."""
    return {item.name: inputs[item.name].numpy() for item in session.get_inputs()}


def _difference(ours: np.ndarray, other: np.ndarray, mask: np.ndarray | None) -> float:
    """Greatest difference, of numbers above 1 relative to them. Moments of padded cells, which have
    the score 0, are left out, as are padded clips."""
    if mask is not None:
        ours, other = ours[mask], other[mask]
    elif ours.ndim == 3:
        ours, other = ours[ours[..., 2] > 0], other[other[..., 2] > 0]
    if ours.shape != other.shape:
        return float('inf')
    error = np.abs(ours - other) / np.maximum(1, np.abs(ours))
    return float(error.max(initial=0))


def _described(model: Grounder) -> str:
    head = model.slots.get('moment_head')
    return 'the model' if head is None else f'the model with the head {type(head).__name__}'


def _impossible(model: Grounder, why: str, error: BaseException) -> ConfigError:
    """The sentence, with the innermost reason."""
    while error.__cause__ is not None:
        error = error.__cause__
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    reason = lines[0][:300].rstrip('.') if lines else type(error).__name__
    return ConfigError(
        f'{_described(model)} is not written as ONNX: {why} ({type(error).__name__}: {reason}).'
    )


def _checked_place(out: str | Path, inputs: Sequence[str | Path | None]) -> Path:
    path = check_output(out, inputs)
    if path.suffix != '.onnx':
        raise ConfigError(f'{out} does not end in .onnx; choose such a name.')
    return check_replaceable(path, _written_here, 'an ONNX file of this tool')


def _written_here(path: Path) -> bool:
    model = require('onnx', _PURPOSE).load(str(path), load_external_data=False)
    return any(item.key == 'format' and item.value == FORMAT for item in model.metadata_props)
