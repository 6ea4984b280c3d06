# SPDX-License-Identifier: Apache-2.0
"""The command line that converts published annotations."""

import json

from vtg.utils import read_jsonl


def test_counts_are_printed_and_the_result_is_read(run_tool, tmp_path):
    source, out = tmp_path / 'a.json', tmp_path / 'a.jsonl'
    entry = {'duration': 10, 'timestamps': [[1, 10.5], [3, 3]], 'sentences': ['x', ' y']}
    source.write_text(json.dumps({'v': entry}))
    status, output, errors = run_tool('convert_annotations.py', 'activitynet', source, out)
    assert status == 0 and errors == ''
    assert output.startswith(f'{source}: 2 queries, 1 videos, 2 windows\n  over_end ')
    assert output.endswith(f'{out}: 2 records\n')
    assert [r['relevant_windows'] for r in read_jsonl(out)] == [[[1, 10]], [[3, 3]]]
    status, output, _ = run_tool('validate_dataset.py', '--annotations', out)
    assert status == 0 and 'found' not in output


def test_a_file_without_json_lines_is_one_sentence(run_tool, tmp_path):
    source = tmp_path / 'a.json'
    entry = {'duration': 10, 'timestamps': [[1, 5]], 'sentences': ['x']}
    source.write_text(json.dumps({'v': entry}, indent=1))
    status, output, _ = run_tool('validate_dataset.py', '--annotations', source)
    assert status == 1 and output.count('convert_annotations.py activitynet') == 1
    assert output.rstrip().splitlines()[-1].strip() in ('1 problem', '2 problems')


def test_lists_and_mistakes(run_tool, tmp_path):
    status, output, _ = run_tool('convert_annotations.py', '--list')
    assert status == 0 and 'charades_sta' in output and 'didemo' in output
    status, _, errors = run_tool('convert_annotations.py', 'activtynet', 'a', 'b')
    assert status == 1 and errors.count('\n') == 1 and 'did you mean activitynet' in errors
    status, _, errors = run_tool('convert_annotations.py', 'tacos')
    assert status == 2 and 'give the format' in errors
    status, _, errors = run_tool('convert_annotations.py', 'csv', 'a', 'b', '--columns', 'x')
    assert status == 2 and 'FIELD=COLUMN' in errors
    status, _, errors = run_tool('convert_annotations.py', 'tacos', tmp_path / 'x.json', 'b')
    assert status == 1 and 'does not exist' in errors
