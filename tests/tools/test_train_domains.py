# SPDX-License-Identifier: Apache-2.0
"""The command lines of the domain protocol and of the conversion of ratings."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_mistakes_are_one_sentence(run_tool, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    config = ROOT / 'configs' / 'qd_detr' / 'tvsum_demo.py'
    status, output, errors = run_tool('train_domains.py', config, '--domains', 'BX')
    assert status == 1 and not output and len(errors.splitlines()) == 1
    assert "error: --domains names 'BX'; choose" in errors
    status, _, errors = run_tool('train_domains.py', config, '--seeds', '0,a')
    assert status == 2 and "--seeds: 'a' is no whole number" in errors
    assert not list(tmp_path.iterdir())


def test_ratings_are_converted(run_tool, shared, tmp_path):
    folder = shared / 'data' / 'tvsum'
    status, output, errors = run_tool(
        'convert_ratings.py',
        folder / 'tvsum_train_sfc.json.gz',
        folder / 'tvsum_splits.json',
        tmp_path,
    )
    assert status == 0, errors
    assert 'train.jsonl: 40 videos' in output and 'val.jsonl: 10 videos' in output
    status, _, errors = run_tool('convert_ratings.py', 'none.json', 'none.json', tmp_path)
    assert status == 1 and errors.startswith('error: none.json does not exist')
