# SPDX-License-Identifier: Apache-2.0
"""Text of users where something could obey it: terminals, Markdown, HTML."""

import re
from typing import Any

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


def markdown_text(text: Any) -> str:
    """Return ``text`` for one line of Markdown, with its markup and that of HTML escaped."""
    line = printable(' '.join(str(text).splitlines()))
    line = line.replace('&', '&amp;').replace('<', '&lt;').replace('>', '&gt;')
    return _MARKUP.sub(r'\\\1', line)
