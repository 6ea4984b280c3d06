# SPDX-License-Identifier: Apache-2.0
"""What users write is obeyed by no terminal and no browser."""

import pickle

from vtg.utils import DataError, has_words, markdown_text, printable, shown


def test_printable():
    assert printable('ein Hund läuft') == 'ein Hund läuft'
    assert printable('\x1b[31mred\n') == r'\x1b[31mred\n'
    assert printable('a\nb\x07', keep='\n') == 'a\nb\\x07'
    assert printable(7) == '7'


def test_errors_never_carry_terminal_codes():
    error = DataError('a\x1b[2J.jsonl is wrong.\nSo is b.')
    assert str(error) == 'a\\x1b[2J.jsonl is wrong.\nSo is b.'
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_shown_is_short():
    assert shown('\x1b') == r"'\x1b'"
    assert shown([1, None]) == '[1, None]'
    assert len(shown(10**400)) == 60 and shown(10**400).endswith('...')


def test_has_words():
    assert all(map(has_words, ('dog', ' 3', '?', 'ü', '\u72ac', '\u200bdog\u200b', '\U0001f415')))
    # White space, zero widths, a mark without a letter, fillers, the private use of nobody.
    blank = (
        '',
        ' \n',
        '\u200b',
        '\ufeff\u2060 \u200e',
        '\u0301\ufe0f',
        '\u3164\u2800',
        '\x00\ue000',
    )
    assert not any(map(has_words, blank))


def test_markdown_has_no_markup_of_users():
    assert markdown_text('<img src=x>&') == '&lt;img src=x&gt;&amp;'
    assert markdown_text('a|b\n# c') == r'a\|b # c'
    assert markdown_text('![x](http://a)') == r'!\[x\](http://a)'
    assert markdown_text('`\x1b') == r'\`\\x1b'
    assert markdown_text('model.moment_head, R1@0.5') == 'model.moment_head, R1@0.5'
