# SPDX-License-Identifier: Apache-2.0
"""Outputs never touch what is read, nor what another tool or the user wrote."""

import os
import signal

import numpy as np
import pytest
from mmengine.config import Config

from vtg.apis.predict import holds_predictions, run_prediction
from vtg.conversion import convert_checkpoint
from vtg.datasets.simulated import export_simulated
from vtg.datasets.stores import write_arrays
from vtg.engine.legacy import convert
from vtg.extraction.files import check_kind
from vtg.pretraining import run_shards
from vtg.utils import (
    ConfigError,
    atomic_write,
    check_output,
    check_replaceable,
    leftovers,
    remove_leftovers,
    write_json,
    write_jsonl,
)


@pytest.mark.parametrize(
    ('out', 'source', 'relation'),
    [
        ('a.jsonl', 'a.jsonl', 'is also the input'),
        ('sub/../a.jsonl', 'a.jsonl', 'is also the input'),
        ('link.jsonl', 'a.jsonl', 'is also the input'),
        ('hard.jsonl', 'a.jsonl', 'is also the input'),
        ('.', 'sub', 'contains the input'),
        ('sub/new', 'sub', 'lies inside the input'),
    ],
)
def test_outputs_over_inputs(tmp_path, out, source, relation):
    (tmp_path / 'sub').mkdir()
    (tmp_path / 'a.jsonl').write_text('{}')
    (tmp_path / 'link.jsonl').symlink_to('a.jsonl')
    (tmp_path / 'hard.jsonl').hardlink_to(tmp_path / 'a.jsonl')
    with pytest.raises(ConfigError, match=relation):
        check_output(tmp_path / out, [None, tmp_path / source])
    assert check_output(tmp_path / 'b.jsonl', [tmp_path / source]) == tmp_path / 'b.jsonl'


def test_places_that_cannot_be_written_are_found_before_the_work(tmp_path, monkeypatch):
    (tmp_path / 'file').write_text('')
    (tmp_path / 'folder').mkdir()
    for out in ('file', 'folder', 'folder/new', 'new/new/x'):
        assert check_output(tmp_path / out, []) == tmp_path / out
    for out in ('file/x', 'file/new/x'):
        with pytest.raises(ConfigError, match=r'cannot be written, .*/file is a file; choose'):
            check_output(tmp_path / out, [])
    monkeypatch.setattr('os.access', lambda path, mode: path == tmp_path / 'folder')
    assert check_output(tmp_path / 'folder', []) and check_output(tmp_path / 'folder/x', [])
    with pytest.raises(ConfigError, match='is read-only; choose another path'):
        check_output(tmp_path / 'new', [])
    assert {path.name for path in tmp_path.iterdir()} == {'file', 'folder'}


def test_only_what_the_tool_wrote_is_replaced(tmp_path):
    mine, made = tmp_path / 'q.jsonl', tmp_path / 'p.jsonl'
    write_jsonl(mine, [{'qid': 1, 'query': 'a'}])
    write_jsonl(made, [{'qid': 1, 'pred_relevant_windows': [[0, 1, 1]]}])
    for path in (tmp_path / 'new.jsonl', made):
        assert check_replaceable(path, holds_predictions, 'predictions') == path
    (tmp_path / 'empty').write_text('')
    (tmp_path / 'dangling').symlink_to('nowhere')
    for path in (mine, tmp_path, tmp_path / 'empty', tmp_path / 'dangling'):
        with pytest.raises(ConfigError, match='not overwritten'):
            check_replaceable(path, holds_predictions, 'predictions')


def test_temporary_files_of_living_writers_are_no_leftovers(tmp_path):
    (tmp_path / '.a.json.abcd_123').write_text('half')
    (tmp_path / '.a.json').write_text('not temporary')
    with atomic_write(tmp_path / 'b.json'):
        assert [path.name for path in leftovers(tmp_path)] == ['.a.json.abcd_123']
        assert not list(leftovers(tmp_path, r'b\.json'))


def test_checkpoints_are_not_converted_onto_others(tmp_path):
    source, target = tmp_path / 'in.pth', tmp_path / 'epoch_3.pth'
    source.write_bytes(b'published')
    target.write_bytes(b'trained')
    for run in (
        lambda out: convert_checkpoint('sgdetr', source, out),
        lambda out: convert(source, out, trust=True),
    ):
        for out in (source, target):
            with pytest.raises(ConfigError, match='overwritten'):
                run(out)
    assert (source.read_bytes(), target.read_bytes()) == (b'published', b'trained')


@pytest.mark.parametrize('name', ['train.jsonl', 'queries.jsonl', 'video_features/v.npz'])
def test_own_data_is_not_simulated_over(tmp_path, name):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text('mine')
    with pytest.raises(ConfigError, match='exists already'):
        export_simulated(tmp_path, 5)
    assert [path.name for path in tmp_path.iterdir()] == [name.split('/')[0]]


def test_annotations_of_another_origin_are_not_joined_over(tmp_path):
    (tmp_path / 'annotations.jsonl').write_text('mine')
    with pytest.raises(ConfigError, match='made in another way'):
        run_shards(lambda: None, [1], tmp_path, {})
    assert (tmp_path / 'annotations.jsonl').read_text() == 'mine'


def test_extraction_keeps_folders_of_the_user(tmp_path):
    for name in ('feats', 'packed/video', 'mine/video'):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / 'mine/video/holiday.mp4').write_bytes(b'x')
    write_json(tmp_path / 'packed/video/index.json', {})
    with pytest.raises(ConfigError, match='holiday'):
        check_kind(tmp_path / 'mine', 'video', [], packed=True)
    with pytest.raises(ConfigError, match='lies inside'):
        check_kind(tmp_path / 'feats', 'video', [tmp_path / 'feats'], packed=False)
    with pytest.raises(ConfigError, match='is also the input'):
        check_kind(tmp_path / 'mine', 'video', [tmp_path / 'mine/video'], packed=False)
    with pytest.raises(ConfigError, match='--format packed'):
        check_kind(tmp_path / 'packed', 'video', [], packed=False)


def test_predictions_do_not_overwrite_the_queries(tmp_path):
    queries, annotations = tmp_path / 'q.jsonl', tmp_path / 'train.jsonl'
    for path in (queries, annotations):
        write_jsonl(path, [{'qid': 1, 'query': 'a'}])
        with pytest.raises(ConfigError, match='overwritten'):
            run_prediction(Config(), tmp_path / 'm.pth', queries, path)
    with pytest.raises(ConfigError, match='also the input'):
        run_prediction(Config(), tmp_path / 'm.pth', queries, tmp_path / 'm.pth')


def test_a_killed_writer_leaves_the_earlier_file_and_a_leftover(tmp_path):
    path = tmp_path / 'v.npz'
    write_arrays(path, features=np.zeros((2, 3)))
    child = os.fork()
    if not child:
        try:
            os.replace = lambda *names: os.kill(os.getpid(), signal.SIGKILL)
            write_arrays(path, features=np.ones((2, 3)))
        finally:
            os._exit(0)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    assert not np.load(path)['features'].any() and len(os.listdir(tmp_path)) == 2
    remove_leftovers(tmp_path, r'.+\.npz')
    assert os.listdir(tmp_path) == ['v.npz']
