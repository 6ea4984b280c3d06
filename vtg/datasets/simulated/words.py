# SPDX-License-Identifier: Apache-2.0
"""The vocabulary and the sentences of the simulated queries."""

import re

import numpy as np

SUBJECTS = ('man', 'woman', 'girl', 'boy', 'dog', 'chef', 'player', 'reporter')
VERBS = ('holds', 'paints', 'throws', 'cleans', 'carries', 'opens', 'shows', 'repairs')
OBJECTS = ('ball', 'box', 'camera', 'guitar', 'bottle', 'chair', 'bike', 'kite')
PLACES = ('beach', 'kitchen', 'street', 'forest', 'market', 'garage')
CONTENT_WORDS = (*SUBJECTS, *VERBS, *OBJECTS, *PLACES)

# Words without a trace in the video, in the simulated sentences and in real queries.
_FUNCTION_WORDS = (
    'a an the and or but of in on at to from with by for as is are was were be been being has have '
    'had do does did it its his her their our my your he she they we i you this that these those '
    'there while who which what where when how not no up down out into over under off about then '
    'than so very some several two one other another'
)
FUNCTION_WORDS = frozenset(_FUNCTION_WORDS.split())

_OPENINGS = ((), (), (), ('there', 'is'), ('in', 'this', 'one'))


def content_words(query: str) -> list[str]:
    """Return the lower-case words of a query that mean something; all words if none does."""
    words = re.findall(r"[^\W_]+(?:'\w+)?", query.lower())
    return [word for word in words if word not in FUNCTION_WORDS] or words or [query]


def make_query(rng: np.random.Generator) -> str:
    """Make a sentence of 5 to 11 words: subject, verb, object and, every other time, a place."""
    subject, verb, item, place = (
        choices[rng.integers(len(choices))] for choices in (SUBJECTS, VERBS, OBJECTS, PLACES)
    )
    opening = _OPENINGS[rng.integers(len(_OPENINGS))]
    words = [*opening, 'a', subject, verb, 'the', item]
    if rng.random() < 0.5:
        words += ['at', 'the', place]
    return ' '.join(words).capitalize()
