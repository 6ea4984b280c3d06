# SPDX-License-Identifier: Apache-2.0
def test_curves(run_tool, tmp_path):
    log = tmp_path / 'run' / 'scalars.json'
    log.parent.mkdir()
    log.write_text('{"loss": 1, "epoch": 1, "step": 5}\n{"q/MR-full-mAP": 2, "step": 5}')
    out = tmp_path / 'x.svg'
    ended = run_tool('plot.py', 'curves', f'own={log}', '--out', out, '--title', 'T', '--log')
    assert ended.status == 0 and 'own: 2 curves, up to epoch 1\nwritten: ' in ended.output
    assert out.is_file()
    ended = run_tool('plot.py', 'curves', log, '--out', log)
    assert ended.status == 1 and "ends in '.json'" in ended.errors
    ended = run_tool('plot.py', 'curves', tmp_path / 'none', '--out', out)
    assert ended.status == 1 and 'does not exist; expected a run folder' in ended.errors
