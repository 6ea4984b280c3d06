# SPDX-License-Identifier: Apache-2.0
"""Text of users where something could obey it: terminals, Markdown, HTML."""

import os
import re
import unicodedata
from typing import Any

# Of the categories of letters and symbols, and drawn as nothing: fillers, the empty Braille cell.
_BLANK = '\u115f\u1160\u2800\u3164\uffa0'
_MARKUP = re.compile(r'([\\`*\[\]|])')


def printable(text: Any, keep: str = '') -> str:
    """Return ``text`` with control characters escaped, so that a terminal does not obey them.

    Args:
        text: Anything; its ``str`` is taken.
        keep: Characters to leave as they are, such as ``'\\n'``.
    """
    text = str(text)
    if text.isprintable():
        return text
    return ''.join(
        character
        if character.isprintable() or character in keep
        else character.encode('unicode_escape').decode()
        for character in text
    )


def shown(value: Any, most: int = 60) -> str:
    """Return the ``repr`` of a value of a file for a message, cut to ``most`` characters."""
    text = printable(repr(value))
    return text if len(text) <= most else f'{text[: most - 3]}...'


def is_unicode(text: str) -> bool:
    """Whether a text has no lone surrogates, which no file and no terminal takes; a name of a file
    that is no UTF-8 has some."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def fitting(text: str, most: int) -> str:
    """Return as much of ``text`` as ``most`` bytes of the name of a file hold."""
    return os.fsencode(text)[: max(most, 0)].decode('utf-8', 'ignore')


def one_line(error: BaseException) -> str:
    """Return what an error says as a part of a sentence: on one line, without a full stop."""
    text = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    return ' '.join(text.split()).rstrip('.')


def has_words(text: str) -> bool:
    """Whether a text shows anything: letters, numbers, punctuation, symbols.

    White space, and what has no width or shape (format characters, lone marks, fillers), is none.
    """
    return any(
        unicodedata.category(character)[0] in 'LNPS' and character not in _BLANK
        for character in text
    )


def markdown_text(text: Any) -> str:
    """Return ``text`` for one line of Markdown, with its markup and that of HTML escaped."""
    line = printable(' '.join(str(text).splitlines()))
    line = line.replace('&', '&amp;').replace('<', '&lt;').replace('>', '&gt;')
    return _MARKUP.sub(r'\\\1', line)
