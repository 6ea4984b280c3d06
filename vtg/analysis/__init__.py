# SPDX-License-Identifier: Apache-2.0
"""What is wrong with predictions, and how systems differ: NumPy over prediction files."""

from .arrays import TOP, Answers, Questions, as_records, make_answers, make_questions
from .browser import ORDER, entries_of
from .parts import OFFICIAL, markdown_of, parts_of, summary_table
from .study import Options, Published, Study
from .systems import System

__all__ = [
    'OFFICIAL',
    'ORDER',
    'TOP',
    'Answers',
    'Options',
    'Published',
    'Questions',
    'Study',
    'System',
    'as_records',
    'entries_of',
    'make_answers',
    'make_questions',
    'markdown_of',
    'parts_of',
    'summary_table',
]
