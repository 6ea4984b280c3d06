# SPDX-License-Identifier: Apache-2.0
"""Loading models of Hugging Face ``transformers`` from a folder or by name."""

import logging
from pathlib import Path
from typing import Any

import torch

from vtg.utils import ConfigError
from vtg.utils.optional import require


def load_pretrained(
    kind: str, weights: str, device: torch.device | None = None, wanted: str = 'its own'
) -> Any:
    """Load ``transformers.<kind>`` from ``weights``; a model comes in evaluation mode.

    A folder is read as it is and needs no network; anything else is a name on the hub. Code that
    comes with weights is never executed.

    Args:
        kind: The class.
        weights: Folder or hub name.
        device: Of a model; None for a tokenizer or the like.
        wanted: Which weights are meant, for the sentence about others.

    Raises:
        ConfigError: The package or the class is missing, or the weights cannot be loaded.
    """
    transformers = require('transformers', kind)
    transformers.utils.logging.disable_progress_bar()
    # What it tries again and again without a network is one sentence in the end.
    logging.getLogger('huggingface_hub').setLevel(logging.ERROR)
    advice = (
        f'wanted is {wanted}: a folder written by save_pretrained, or a name on the Hugging Face '
        'hub that can be reached, see "Weights" in docs/extraction.md.'
    )
    local = Path(weights).expanduser()
    if not local.exists() and (local.is_absolute() or weights.startswith('.')):
        raise ConfigError(f'weights {weights} do not exist; {advice}')
    try:
        factory = getattr(transformers, kind)
        loaded = factory.from_pretrained(str(local) if local.exists() else weights)
    except (OSError, ValueError, AttributeError, ImportError, RuntimeError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ConfigError(
            f'{kind} cannot be loaded from {weights} ({reason.rstrip(".")}); {advice}'
        ) from None
    if device is None:
        return loaded
    # Weights stored in half precision would otherwise compute in it.
    return loaded.float().to(device).eval().requires_grad_(False)
