# SPDX-License-Identifier: Apache-2.0
"""The page about own data, followed literally."""

from pathlib import Path

from pages import ROOT, Follower, blocks

from vtg.utils import read_jsonl

PAGE = ROOT / 'docs/custom_data.md'
# One epoch is enough to see that everything runs.
SHORTER = {'max_epochs=60, val_interval=20': 'max_epochs=1, val_interval=1', 'epoch_60': 'epoch_1'}


def test_the_page(tmp_path, monkeypatch, capsys):
    for name in ('configs', 'tools'):
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.chdir(tmp_path)
    follower = Follower(monkeypatch, capsys, exact=('make_simulated', 'validate_dataset'))
    follower.follow(blocks(PAGE, SHORTER))
    assert follower.commands == [
        f'tools/{name}.py'
        for name in (
            'make_simulated', 'validate_dataset', 'validate_dataset', 'train', 'test', 'predict',
            'eval_predictions', 'demo', 'test',
        )
    ]  # fmt: skip
    predictions = read_jsonl('predictions.jsonl')
    assert [record['qid'] for record in predictions] == [
        record['qid'] for record in read_jsonl('data/custom/queries.jsonl')
    ]
    assert all(record['pred_relevant_windows'] for record in predictions)
    check_records(tmp_path)


def check_records(folder: Path) -> None:
    """The example lines of the page are correct, its other config loads."""
    from vtg.datasets.custom_format import problems_of
    from vtg.engine import load_config

    lines = [block for block in blocks(PAGE) if block.startswith('{')]
    assert lines
    for line in lines:
        (folder / 'line.jsonl').write_text(line)
        assert not list(problems_of(read_jsonl(folder / 'line.jsonl')[0], 2.0, labelled=True))
    cfg = load_config(folder / 'other_data.py')
    assert cfg.val_dataloader.dataset.clip_length == 1.0
