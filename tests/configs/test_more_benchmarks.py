# SPDX-License-Identifier: Apache-2.0
"""The further benchmarks: a small system trains an epoch on real annotations, with simulated
features, and is evaluated."""

from pathlib import Path

import pytest
import torch
from reference_values.answerability import rejection_records

from vtg.apis.test import _annotation
from vtg.apis.train import configure, train
from vtg.datasets import collate, rehearse
from vtg.engine import load_config
from vtg.evaluation.metrics.gather import gather
from vtg.formats import find_format
from vtg.registry import DATASETS, METRICS, MODELS
from vtg.reports.published import load_published
from vtg.utils.io import read_json, read_jsonl, write_jsonl

CONFIGS = Path(__file__).parents[2] / 'configs'
# The file, and the faults of the excerpt that are counted.
CASES = {
    'moment_detr/activitynet': ('activitynet_val_1.jsonl', {'float_noise', 'over_end'}),
    'univtg/nlq': (
        'ego4d_nlq_val_cgdetr.jsonl', {'zero_length', 'float_noise', 'over_end', 'outside'},
    ),
    'qd_detr/castella': (
        'castella_train_before_fixes.jsonl', {'zero_length', 'over_end', 'outside', 'empty_query'},
    ),
    'flashmmr/qvm2': ('qvm2_test.jsonl', set()),
    'causalvtg/charades_rf': (
        'charades_rf_test_first_half.jsonl', {'over_end', 'other_no_moment', 'repeated_qids'},
    ),
}  # fmt: skip
# A number of each metric of a benchmark beside those of every list of moments.
NUMBERS = {
    'univtg/nlq': {'NLQ/R1@0.3', 'NLQ/R5@0.5', 'NLQ/mIoU'},
    'flashmmr/qvm2': {'QVM2/G-mAP', 'QVM2/mAP@3+_tgt'},
    'causalvtg/charades_rf': {'Null/Acc', 'Null/R1@0.5', 'CausalVTG/R1@0.5', 'CausalVTG/mIoU'},
    'qd_detr/didemo': {'DiDeMo/Rank@1', 'DiDeMo/Rank@5', 'DiDeMo/mIoU'},
    'qd_detr/charades_cd': {'recall/dR1@0.5'},
    'univtg/qvhl_na': {'NA-VMR/Rej-R', 'NA-VMR/Acc'},
}
# Formats that are converted: the format, the file and what it needs.
CONVERTED = {
    'qd_detr/didemo': ('didemo', 'didemo_val_data.json.gz'),
    'qd_detr/charades_cd': ('charades_cd', 'charades_cd_val.json.gz'),
    'qd_detr/charades_cg_word': ('charades_cg', 'charades_cg_novel_word.json.gz'),
    'univtg/qvhl_na': ('na_vmr', 'na_vmr_qvhl_ood_neg_val_first200.jsonl.gz'),
    'qd_detr/tut2017': ('tut2017', 'tut2017_test.jsonl.gz'),
    'qd_detr/clotho_moment': ('clotho_moment', 'clotho_moment_val_first200.jsonl.gz'),
}
FAULTS = ('float_noise', 'over_end', 'outside', 'zero_length', 'empty_query', 'other_no_moment')
SPLITS = ('train', 'val', 'test')


def excerpt(path, count=12):
    """The first records of a file, and a few of every kind that is not as it should be."""
    records = read_jsonl(path)
    rest = sorted(records[count:], key=lambda r: r['relevant_windows'][-1][1] - r['duration'])
    kinds = (
        [r for r in rest if r['relevant_windows'][-1][1] > r['duration']],
        [r for r in rest if any(start == end for start, end in r['relevant_windows'])],
        [r for r in rest if lost(r)],
        [r for r in rest if not r['query'].strip()],
        [r for r in rest if r['qid'] == records[0]['qid']],
    )
    few = [r for kind in kinds for r in (*kind[:2], *kind[-1:])]
    return list({id(r): r for r in (*records[:count], *few)}.values())


def lost(record):
    """Whether every moment begins when the video is over."""
    return all(start >= record['duration'] for start, _ in record['relevant_windows'])


def load(name):
    return load_config(CONFIGS / f'{name}.py')


def small(name, path):
    """The config with simulated features, a small model and one annotation file for all splits."""
    cfg = rehearse(load(name))
    cfg.model.defaults.update(dim=16, num_heads=4, hidden_dim=32)
    for split in SPLITS:
        loader = cfg[f'{split}_dataloader']
        loader.update(num_workers=0, persistent_workers=False, batch_size=8, pin_memory=False)
        loader.dataset.ann_file = str(path)
    return cfg


@pytest.mark.parametrize('name', CASES)
def test_an_epoch_on_the_real_file(name, shared, tmp_path):
    file, faults = CASES[name]
    path = tmp_path / file
    records = excerpt(shared / 'data' / 'more' / f'{file}.gz')
    write_jsonl(path, records)
    cfg = small(name, path)
    if 'repeated_qids' in faults:
        # The published training file of this benchmark is another one.
        cfg.train_dataloader.dataset.qid = 'renumber'
    cfg.train_cfg.update(max_epochs=1, val_interval=1)
    runner = train(configure(cfg, str(tmp_path / 'run')))

    train_set, val_set = runner.train_dataloader.dataset, runner.val_dataloader.dataset
    counts = val_set.census.counts()
    assert {f for f in (*FAULTS, 'repeated_qids') if counts[f]} == faults
    # What cannot be learnt is left out of training, what cannot be hit stays in the evaluation.
    mute = sum(not record['query'].strip() for record in records)
    assert len(val_set) == len(records) - mute
    assert len(train_set) == len(val_set) - sum(map(lost, records))
    evaluator = runner.val_evaluator
    assert all(len(metric.predictions) == len(val_set) for metric in evaluator.metrics)
    values = {f'{m.prefix}/{k}': v for m in evaluator.metrics for k, v in m.table['main'].items()}
    assert all(0 <= value <= 100 for value in values.values() if value == value)
    assert NUMBERS.get(name, set()) | {'moments/MR-full-R1@0.5'} <= values.keys()
    known = load_published(CONFIGS / name.split('/')[0] / 'metafile.yml', load(name).benchmark.name)
    shown = gather(evaluator.metrics, {}).table['main']
    assert all(set(row.metrics) <= shown.keys() for row in known)
    # The report names the file, by which protocols differ, and what was mended.
    assert _annotation(runner).startswith(file) and (': ' in _annotation(runner)) == bool(faults)


@pytest.mark.parametrize('name', CONVERTED)
def test_a_step_on_converted_records(name, shared, tmp_path):
    kind, file = CONVERTED[name]
    found = list(find_format(kind)().read(shared / 'data' / 'more' / file))[:40]
    write_jsonl(tmp_path / 'a.jsonl', found)
    cfg = small(name, tmp_path / 'a.jsonl')
    batches = []
    for split in ('train', 'test'):
        dataset = DATASETS.build(cfg[f'{split}_dataloader'].dataset)
        assert len(dataset) == len(found)
        batches.append(collate([dataset[index] for index in range(3)]))
    torch.manual_seed(0)
    model = MODELS.build(cfg.model)
    losses = model(**model.data_preprocessor(batches[0], True), mode='loss')
    assert all(value.isfinite() for value in losses.values())
    model.eval()
    with torch.no_grad():
        predictions = model.test_step(batches[1])
    evaluators = cfg.test_evaluator if isinstance(cfg.test_evaluator, list) else []
    values = {}
    for metric in map(METRICS.build, evaluators):
        metric.process(batches[1], predictions)
        values |= metric.evaluate(3)
    assert NUMBERS.get(name, set()) <= values.keys()


def test_the_data_name_their_protocol():
    """What does not compare has another name, by which published numbers are looked up."""
    names = {
        name: load(name).benchmark.name
        for name in ('qd_detr/activitynet', 'causalvtg/activitynet_internvideo2',
                     'qd_detr/charades_cd', 'qd_detr/charades_cd_iid', 'qd_detr/charades_cg',
                     'qd_detr/charades_cg_word', 'qd_detr/charades_cg_trivial',
                     'causalvtg/charades_rf', 'causalvtg/charades')
    }  # fmt: skip
    assert len(set(names.values())) == len(names)
    assert 'val_1' in names['qd_detr/activitynet']
    cfg = load('qd_detr/activitynet')
    assert cfg.test_dataloader.dataset.ann_file.endswith('val_1.jsonl')
    cfg = load('causalvtg/activitynet_internvideo2')
    assert cfg.val_dataloader.dataset.ann_file.endswith('val_1.jsonl')
    assert cfg.test_dataloader.dataset.ann_file.endswith('val_2.jsonl')


def test_refusals_count_as_in_the_released_evaluator(shared):
    """Over all records, and with the ids that repeat; both as computed by the released code."""
    case = read_json(shared / 'golden_more' / 'causalvtg.json')['rf_metrics']
    predictions, annotations = rejection_records(case)
    assert len({truth['text_key'] for truth in annotations}) < len(annotations)
    for config in load('causalvtg/charades_rf').test_evaluator[1:]:
        metric = METRICS.build(config)
        metric.add(predictions, annotations)
        values = metric.evaluate(len(predictions))
        expected = case['result' if 'compat' in config else 'result_rowwise']
        for name in ('R1@0.3', 'R1@0.5', 'R1@0.7', 'mIoU'):
            found = values[f'{metric.prefix}/{name}']
            assert found == pytest.approx(expected[f'MR-full-{name}'], abs=0.0051), name
        accuracy = values[f'{metric.prefix}/Acc']
        assert accuracy == pytest.approx(100 * expected['No-Answer-Acc'])
