# SPDX-License-Identifier: Apache-2.0
"""Samples of the dataset: what is in them, and that random choices can be repeated."""

import numpy as np
import pytest
import torch
from mmengine.dataset import ConcatDataset
from mmengine.model import BaseModel
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from vtg.datasets import EpochSampler, SampleKey, collate
from vtg.utils import ConfigError, DataError


def test_features_are_normalised_per_backbone_and_cut_to_the_shortest(disk):
    store = dict(type='FolderStore', folder=str(disk.video), dim=6)
    raw = np.load(disk.video / 'other_0.0_24.0.npz')['features']
    (disk.root / 'second').mkdir()
    for record in disk.records:
        rows = np.full((record['duration'] // 2 - 1, 3), 2.0, np.float32)
        np.save(disk.root / 'second' / f'{record["vid"]}.npy', rows)
    second = dict(type='FolderStore', folder=str(disk.root / 'second'), dim=3)
    sample = disk.build(video=[store, second])[2]
    assert sample['video'].shape == (11, 6 + 3 + 2)
    expected = raw[:11] / (np.linalg.norm(raw[:11], axis=1, keepdims=True) + 1e-5)
    np.testing.assert_allclose(sample['video'][:, :6], expected, rtol=1e-5)
    np.testing.assert_allclose(sample['video'][:, 6:9], 1 / np.sqrt(3), rtol=1e-5)
    np.testing.assert_allclose(sample['video'][:, 9], np.arange(11) / 11, rtol=1e-5)
    assert sample['duration'] == 22 and sample['meta']['num_clips'] == 11


def test_options_switch_steps_off(disk):
    raw = np.load(disk.video / 'other_0.0_24.0.npz')['features']
    sample = disk.build(
        features=dict(normalize_video=False, tef=False, max_video_clips=8, max_text_tokens=3),
        labels=dict(duration_from='annotation'),
    )[2]
    np.testing.assert_array_equal(sample['video'], raw[:8])
    assert sample['text'].shape == (3, 4)
    assert sample['duration'] == 24 and sample['meta']['num_clips'] == 8


def test_text_is_cut_before_it_is_normalised(disk):
    raw = np.load(disk.text / 'qid7.npz')['last_hidden_state'][:2].astype(np.float32)
    text = disk.build(features=dict(max_text_tokens=2))[0]['text']
    np.testing.assert_allclose(
        text, raw / (np.linalg.norm(raw, axis=1, keepdims=True) + 1e-5), rtol=1e-5
    )


def test_words_of_two_vocabularies_are_paired_by_position(disk):
    """Tokens of CLIP and words of GloVe, as configs/flashvtg/qvhl_paper.py has them."""
    vectors = {'a': (3, 0, 4), 'dog': (0, 2, 0), 'beach': (1, 2, 2)}
    lines = [' '.join(map(str, (word, *vector))) for word, vector in vectors.items()]
    (disk.root / 'glove.txt').write_text('\n'.join(lines) + '\n')
    tokens = dict(type='FolderStore', folder=str(disk.text), pattern='qid{qid}', dim=4)
    words = dict(type='GloveStore', file=str(disk.root / 'glove.txt'), dim=3)
    text = disk.build(text=[tokens, words])[0]['text']
    raw = np.load(disk.text / 'qid7.npz')['last_hidden_state'].astype(np.float32)
    assert text.shape == (6, 4 + 3) and len(raw) == 8
    for token, word, row in zip(raw, ['a', 'dog', 'runs', 'on', 'the', 'beach'], text):
        vector = np.array(vectors.get(word, (0, 0, 0)), np.float32)
        for part, found in ((token, row[:4]), (vector, row[4:])):
            norm = np.linalg.norm(part) + 1e-5
            np.testing.assert_allclose(found, part / norm, rtol=1e-5)


def test_spans_keep_file_order_up_to_max_windows(disk):
    spans = disk.build(labels=dict(max_windows=6))[2]['targets']['spans']
    np.testing.assert_allclose(spans[:, 0], (4 * np.arange(6) + 1) / 24, rtol=1e-6)
    np.testing.assert_allclose(spans[:, 1], 2 / 24, rtol=1e-6)


def test_windows_beyond_the_maximum_are_drawn_anew_each_epoch(disk):
    dataset = disk.build(labels=dict(max_windows=3))
    drawn = [dataset[SampleKey(2, epoch)]['targets']['spans'][:, 0] for epoch in range(20)]
    allowed = ((4 * np.arange(6) + 1) / 24).astype(np.float32)
    assert all(len(set(starts)) == 3 and np.isin(starts, allowed).all() for starts in drawn)
    assert len({tuple(starts) for starts in drawn}) > 5
    assert set(np.concatenate(drawn)) == set(allowed)
    assert dataset.get_data_info(2)['relevant_windows'] == [[4 * i, 4 * i + 2] for i in range(6)]


def test_padded_duration_normalises_the_spans(disk):
    sample = disk.build(features=dict(pad_to_multiple=8, mask_padding=False))[0]
    assert sample['meta']['num_clips'] == 16 and sample['duration'] == 32
    np.testing.assert_allclose(sample['targets']['spans'][0], [5 / 32, 6 / 32])
    np.testing.assert_allclose(sample['video'][0, -2:], [0, 0.1], atol=1e-7)


def test_token_dropout_is_for_training_only(disk):
    features = dict(txt_drop_ratio=0.5)
    training = disk.build(features=features)
    zeros = [(training[SampleKey(0, e)]['text'] == 0).all(1) for e in range(8)]
    assert {int(rows.sum()) for rows in zeros} == {4}
    assert len({tuple(rows) for rows in zeros}) > 2
    assert not (disk.build(features=features, test_mode=True)[0]['text'] == 0).all(1).any()


NAMES = ('spans', 'pos_clips', 'neg_clips')


def _draws(dataset, workers, epochs, seed=5, **options):
    sampler = EpochSampler(dataset, shuffle=True, seed=seed)
    loader = DataLoader(
        dataset, batch_size=2, sampler=sampler, num_workers=workers, collate_fn=collate, **options
    )
    result = []
    for epoch in epochs:
        sampler.set_epoch(epoch)
        batches = list(loader)
        result.append(
            {
                meta['qid']: [batch['targets'][name][b] for name in NAMES]
                for batch in batches
                for b, meta in enumerate(batch['meta'])
            }
        )
    return result


def _same(a, b):
    return all(torch.equal(x, y) for qid in a for x, y in zip(a[qid], b[qid]))


def test_draws_do_not_depend_on_workers_order_or_resume(disk):
    dataset = disk.build(labels=dict(max_windows=3))
    alone = _draws(dataset, 0, range(4))
    fresh = _draws(dataset, 2, range(4))
    persistent = _draws(dataset, 1, range(4), persistent_workers=True)
    resumed = _draws(dataset, 1, [2, 3])
    assert all(_same(a, b) and _same(a, c) for a, b, c in zip(alone, fresh, persistent))
    assert _same(alone[2], resumed[0]) and _same(alone[3], resumed[1])
    assert not _same(alone[0], alone[1])
    assert not _same(alone[0], _draws(dataset, 0, [0], seed=6)[0])


class _Recorder(BaseModel):
    """A model that learns nothing and remembers the targets of every epoch."""

    def __init__(self, epochs):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(()))
        self.seen = epochs

    def forward(self, targets, meta, mode, **inputs):
        for b, item in enumerate(meta):
            self.seen.append((item['qid'], [targets[name][b].clone() for name in NAMES]))
        return {'loss_none': self.weight * 0}


def test_the_runner_passes_its_seed_and_epoch_on(disk):
    seen = []
    dataset = disk.build(labels=dict(max_windows=3))
    runner = Runner(
        _Recorder(seen),
        work_dir=str(disk.root / 'run'),
        train_dataloader=dict(
            dataset=dataset,
            batch_size=2,
            num_workers=1,
            persistent_workers=True,
            sampler=dict(type='EpochSampler', shuffle=True),
            collate_fn=dict(type='vtg.collate'),
        ),
        train_cfg=dict(by_epoch=True, max_epochs=3),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)),
        randomness=dict(seed=5),
        default_hooks=dict(checkpoint=None, logger=None),
        default_scope='vtg',
        experiment_name=f'recorder_{disk.root.name}',
    )
    runner.train()
    for epoch, expected in enumerate(_draws(dataset, 0, range(3), seed=5)):
        assert _same(expected, dict(seen[3 * epoch : 3 * epoch + 3]))


@pytest.mark.parametrize('workers', [0, 1])
def test_a_bad_file_stops_the_loader_with_a_data_error(disk, workers):
    disk.replace_video(np.full((12, 6), np.nan))
    with pytest.raises(DataError, match=r'other_0.0_24.0.npz has NaN'):
        _draws(disk.build(), workers, [0])


def test_the_epoch_reaches_the_parts_of_a_concatenation(disk):
    parts = ConcatDataset([disk.build(labels=dict(max_windows=3)) for _ in range(2)])
    drawn = [parts[SampleKey(5, epoch)]['targets']['spans'][:, 0] for epoch in range(8)]
    assert len({tuple(starts) for starts in drawn}) > 3


def test_all_missing_files_are_named_at_once(disk):
    dataset = dict(type='FolderStore', folder='data/nowhere', features_from='the moon', dim=6)
    disk.build()
    disk.annotations.unlink()
    with pytest.raises(DataError) as error:
        type(disk.build())(
            'data/none.jsonl',
            video=dataset,
            text={**dataset, 'pattern': 'qid{qid}'},
            annotations_from='the sun',
        )
    for words in (
        'annotation file data/none.jsonl (from the sun)',
        'feature folder data/nowhere with one {vid}.npz or {vid}.npy or {vid}.pt',
        'qid{qid}.npz',
        '(from the moon)',
        'docs/data.md',
    ):
        assert words in str(error.value)


def test_missing_feature_files_are_refused_or_skipped(disk):
    (disk.text / 'qid8.npz').unlink()
    with pytest.raises(DataError, match=r"features of 1 of 3 records.*first is 'qid8'"):
        disk.build()
    dataset = disk.build(skip_missing=True)
    assert [dataset.get_data_info(i)['qid'] for i in range(len(dataset))] == [7, 9]
    for path in disk.text.iterdir():
        path.unlink()
    with pytest.raises(DataError, match='features of 3 of 3 records'):
        disk.build(skip_missing=True)


def test_relative_folders_are_joined_to_data_root(disk):
    disk.build()
    sample = type(disk.build())(
        'annotations.jsonl',
        data_root=str(disk.root),
        video=dict(type='FolderStore', folder='video'),
        text=dict(type='FolderStore', folder='text', pattern='qid{qid}'),
    )[0]
    assert sample['video'].shape == (10, 8)


@pytest.mark.parametrize(('clips', 'fewer', 'more'), [(11, 1, 0), (13, 0, 1), (12, 0, 0)])
@pytest.mark.parametrize('workers', [0, 2])
def test_small_differences_in_length_are_counted_across_workers(
    disk, caplog, clips, fewer, more, workers
):
    disk.replace_video(np.ones((clips, 6), np.float32))
    dataset = disk.build()
    assert len(_draws(dataset, workers, range(2))[1]) == 3
    dataset.report()
    assert dataset._reported == (fewer, more)


@pytest.mark.parametrize('clips', [10, 14, 40])
def test_greater_differences_in_length_are_refused(disk, clips):
    disk.replace_video(np.ones((clips, 6), np.float32))
    with pytest.raises(DataError, match=f"'other_0.0_24.0' has {clips} clips, expected 12.*24 s"):
        disk.build()[2]
    assert disk.build(features=dict(length_tolerance=28))[2]['meta']['num_clips'] == clips


def test_unknown_options_are_refused(disk):
    with pytest.raises(ConfigError, match='duration_from'):
        disk.build(labels=dict(duration_from='video'))
    with pytest.raises(ConfigError, match='source_rule'):
        disk.build(labels=dict(source_rule='youtube'))
