# SPDX-License-Identifier: Apache-2.0
"""The tools end with a sentence and a status."""

import pytest
from torch.utils.data import DataLoader

from vtg.utils import DataError, run_main


class Broken:
    """A dataset whose only sample cannot be read."""

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int) -> None:
        raise DataError('a.npz is truncated; copy it again.')


@pytest.mark.parametrize('workers', [0, 1])
def test_an_error_is_one_sentence(capsys, workers):
    with pytest.raises(SystemExit) as caught:
        run_main(lambda: list(DataLoader(Broken(), num_workers=workers)))
    assert caught.value.code == 1
    assert capsys.readouterr().err == 'error: a.npz is truncated; copy it again.\n'


def test_status_is_that_of_the_function():
    for status in (None, 0, 3):
        with pytest.raises(SystemExit) as caught:
            run_main(lambda status=status: status)
        assert caught.value.code == (status or 0)


def test_bugs_keep_their_traceback():
    with pytest.raises(ZeroDivisionError):
        run_main(lambda: 1 / 0)
