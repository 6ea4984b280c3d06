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


def test_other_kinds(run_tool, tmp_path):
    table = tmp_path / 't.csv'
    table.write_text('n,seed,mAP\n1,0,2\n1,1,4\n')
    ask = ('scatter', table, '--x', 'n', '--y', 'mAP', '--out')
    ended = run_tool('plot.py', *ask, tmp_path / 's.svg')
    assert ended.status == 0 and 'mAP: 1 points of 2 runs\nwritten: ' in ended.output
    query = '{"qid": 1, "query": "q", "vid": "v", "duration": 10, "relevant_windows": [[0, 4]]}'
    answer = '{"qid": 1, "query": "q", "vid": "v", "pred_relevant_windows": [[0, 2, 1.0]]}'
    (tmp_path / 'a.jsonl').write_text(query)
    (tmp_path / 'p.jsonl').write_text(answer)
    ask = ('timeline', tmp_path / 'p.jsonl', '--annotations', tmp_path / 'a.jsonl', '--qid', 1)
    ended = run_tool('plot.py', *ask, '--out', tmp_path / 't.svg')
    assert ended.status == 0 and 'p: IoU of the first window 0.50' in ended.output
    ask = ('heatmap', 'cg_detr/demo', '--cfg-options', 'benchmark.splits.val.num_samples=1')
    ended = run_tool('plot.py', *ask, '--stages', 'fusion', '--out', tmp_path / 'h.svg')
    assert ended.status == 0 and 'note: no checkpoint was given' in ended.output
    assert 'fusion (ACA): ' in ended.output and (tmp_path / 'h.svg').is_file()
    ended = run_tool('plot.py', *ask, '--stages', 'refiner', '--out', tmp_path / 'i.svg')
    assert ended.status == 1 and 'DummyEncoder) sets dummies and no clip' in ended.errors
