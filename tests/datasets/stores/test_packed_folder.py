# SPDX-License-Identifier: Apache-2.0
"""Packing never costs a file that packing did not write, whatever happens while it runs."""

import os
import resource
import signal

import numpy as np
import pytest

from vtg.datasets import PackedStore, pack_features
from vtg.datasets.stores.packed_folder import MARKER, claimed
from vtg.utils import ConfigError


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / 'files'
    folder.mkdir()
    for index in range(3):
        np.save(folder / f'v{index}.npy', np.full((4, 5), index, np.float32))
    return folder


def _first(out):
    return PackedStore(str(out), verify=True).read({'vid': 'v0'})[0, 0]


def _content(folder):
    return {path: path.read_bytes() for path in folder.rglob('*') if path.is_file()}


@pytest.mark.parametrize('files', [['notes.txt'], ['features.bin'], ['index.json'], ['sub/a.npy']])
def test_a_folder_that_is_no_pack_is_never_touched(source, tmp_path, files):
    out = tmp_path / 'out'
    for name in files:
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_bytes(b'[1, 2, 3]')
    before = _content(tmp_path)
    with pytest.raises(ConfigError, match='choose another folder'):
        pack_features(source, out, force=True)
    assert _content(tmp_path) == before


def test_a_pack_with_a_file_of_the_user_in_it_is_kept(source, tmp_path):
    out = tmp_path / 'out'
    pack_features(source, out)
    (out / 'README').write_text('where these come from')
    before = _content(out)
    with pytest.raises(ConfigError, match="'README'"):
        pack_features(source, out, force=True)
    assert _content(out) == before


@pytest.mark.parametrize('out', ['files', 'files/packed', '.', 'link', 'link/packed'])
def test_output_and_source_do_not_overlap(source, tmp_path, out):
    (tmp_path / 'link').symlink_to(source)
    before = _content(tmp_path)
    with pytest.raises(ConfigError, match='input'):
        pack_features(source, tmp_path / out, force=True)
    assert _content(tmp_path) == before


def test_a_file_in_the_place_of_the_folder_is_kept(source, tmp_path):
    (tmp_path / 'out').write_text('mine')
    with pytest.raises(ConfigError, match='no folder'):
        pack_features(source, tmp_path / 'out', force=True)


def test_names_are_not_lost_where_told_so(source, tmp_path):
    pack_features(source, tmp_path / 'out')
    (source / 'v1.npy').unlink()
    with pytest.raises(ConfigError, match=r"1 features whose files are gone, e.g. 'v1'"):
        pack_features(source, tmp_path / 'out', force=True, keep_names=True)


def _packed_and_killed(source, out, at):
    """Pack in a process that is killed before (odd) or after (even) its renames."""
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1]
    calls, replace = 0, os.replace

    def replacing(*names):
        nonlocal calls
        calls += 1
        if calls * 2 - 1 == at:
            os.kill(os.getpid(), signal.SIGKILL)
        replace(*names)
        if calls * 2 == at:
            os.kill(os.getpid(), signal.SIGKILL)

    try:
        os.replace = os.rename = replacing
        pack_features(source, out, dtype='float32', force=True)
    finally:
        os._exit(0)


@pytest.mark.parametrize('at', [1, 2, 3, 4])
def test_killed_between_the_renames(source, tmp_path, at):
    out = tmp_path / 'out'
    pack_features(source, out, dtype='float32')
    for index in range(3):
        np.save(source / f'v{index}.npy', np.full((4, 5), index + 7, np.float32))
    assert _packed_and_killed(source, out, at) == signal.SIGKILL
    assert _first(out) == (0 if at < 4 else 7)
    pack_features(source, out, dtype='float32', force=True)
    assert _first(out) == 7
    assert len(os.listdir(out)) == 2 and sorted(os.listdir(tmp_path)) == ['files', 'out']


def test_killed_before_there_was_a_pack(source, tmp_path):
    out = tmp_path / 'out'
    assert _packed_and_killed(source, out, at=3) == signal.SIGKILL
    assert MARKER in os.listdir(out) and PackedStore(str(out)).absent()
    pack_features(source, out)
    assert sorted(os.listdir(out)) == ['features.bin', 'index.json']


def test_a_full_disk_leaves_the_earlier_pack(source, tmp_path):
    out = tmp_path / 'out'
    pack_features(source, out)
    np.save(source / 'v9.npy', np.ones((4000, 5), np.float32))
    before, limits = _content(out), resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    try:
        for target in (out, tmp_path / 'new'):
            with pytest.raises(OSError, match='too large'):
                pack_features(source, target, force=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert _content(out) == before and not (tmp_path / 'new').exists()


def test_two_processes_do_not_pack_into_one_folder(source, tmp_path):
    out = tmp_path / 'out'
    with claimed(out), pytest.raises(ConfigError, match='another process'):
        pack_features(source, out)
    assert not out.exists()
