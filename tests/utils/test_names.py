# SPDX-License-Identifier: Apache-2.0
"""Misspelled names, and ids that would leave their folder."""

import pytest

from vtg.utils import (
    ConfigError,
    DataError,
    check_choice,
    check_keys,
    file_name,
    nearest_names,
    printable,
)


def test_nearest_names_ignores_case_and_puts_the_best_first():
    assert nearest_names('bicmf', ['SGCA', 'BiCMF', 'BiCMFs']) == ['BiCMF', 'BiCMFs']
    assert nearest_names('zzz', ['SGCA']) == []


def test_check_choice():
    assert check_choice('sum', ('sum', 'mean'), 'reduction') == 'sum'
    assert check_choice(None, (None, 'mean'), 'reduction') is None
    with pytest.raises(ConfigError, match=r"reduction is 'maen'; did you mean 'mean'\?"):
        check_choice('maen', ('sum', 'mean'), 'reduction')
    with pytest.raises(ConfigError, match=r"reduction is 3; use None, 'sum' or 'mean'\."):
        check_choice(3, (None, 'sum', 'mean'), 'reduction')
    with pytest.raises(ConfigError, match='flag is 1'):
        check_choice(1, (True, False), 'flag')  # equal to True, but not what was meant


def test_check_keys():
    assert check_keys(None, ['a'], 'weights') == {}
    assert check_keys({'a': 1}, ['a', 'b'], 'weights') == {'a': 1}
    with pytest.raises(ConfigError, match=r'weights has no labell; did you mean label\?'):
        check_keys({'labell': 1}, ['span', 'label'], 'weights')
    with pytest.raises(ConfigError, match=r'weights has no zzz; it takes span, label\.'):
        check_keys({'zzz': 1}, ['span', 'label'], 'weights')
    with pytest.raises(ConfigError, match=r'weights is 3; expected a dict with span, label\.'):
        check_keys(3, ['span', 'label'], 'weights')
    with pytest.raises(ConfigError, match=r'it takes k0, k1.*, k11, \.\.\.\.$'):
        check_keys({'zzz': 1}, [f'k{number}' for number in range(80)], 'defaults')


@pytest.mark.parametrize('name', ['RoripwjYFp8_60.0_210.0', 17, 'a b', 'ü', 'x' * 200, '.a'])
def test_file_name_accepts(name):
    assert file_name(name, 'a.jsonl, line 1') == str(name)


@pytest.mark.parametrize(
    ('name', 'reason'),
    [
        ('..', 'names no file'),
        ('.', 'names no file'),
        ('', 'names no file'),
        ('  ', 'names no file'),
        ('../up', 'has a path separator'),
        ('/etc/passwd', 'has a path separator'),
        ('a\\b', 'has a path separator'),
        ('a\x00b', 'has a control character'),
        ('\x1b[31m', 'has a control character'),
        ('\ud800', 'has a control character'),
        ('ü' * 101, 'is longer than 200 bytes'),
        (True, 'is of type bool'),
        (['a'], 'is of type list'),
        (1.5, 'is of type float'),
    ],
)
def test_file_name_refuses(name, reason):
    with pytest.raises(DataError, match=reason) as error:
        file_name(name, 'a.jsonl, line 1 (qid)')
    assert str(error.value).startswith('a.jsonl, line 1 (qid): ')
    assert str(error.value).isprintable()


def test_printable():
    assert printable('a\x1b[31mb\n') == 'a\\x1b[31mb\\n'
    assert printable('grün') == 'grün'
