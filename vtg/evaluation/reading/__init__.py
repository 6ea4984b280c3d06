# SPDX-License-Identifier: Apache-2.0
"""Reading predictions of any code base: ours, and answers of language models."""

from .answers import Answers, read_answers
from .complete import MISSING, Completed, complete
from .files import RawFile, read_raw
from .formats import FORMATS
from .times import spans_in

__all__ = [
    'FORMATS',
    'MISSING',
    'Answers',
    'Completed',
    'RawFile',
    'complete',
    'read_answers',
    'read_raw',
    'spans_in',
]
