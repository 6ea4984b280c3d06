# SPDX-License-Identifier: Apache-2.0
"""MomentMix: labels go with features, random choices can be repeated, nothing else changes."""

import pickle

import numpy as np
import pytest
from torch.utils.data import DataLoader

from vtg.datasets import MomentMix, SampleKey, SimulatedDataset
from vtg.datasets.custom import CustomDataset
from vtg.datasets.mixing import Piece, is_temporal, join_pieces, slice_pieces
from vtg.utils import ConfigError, write_jsonl

KINDS = ('foreground', 'background', 'both')


def only(kind, **options):
    return dict(type='MomentMix', shares={kind: 1.0}, **options)


def records(count=40, clip_length=2.0, exact=True):
    """Records of one to three moments each in videos of their own."""
    rng = np.random.default_rng(3)
    found = []
    for number in range(count):
        clips = int(rng.integers(20, 70))
        cuts = np.sort(rng.choice(np.arange(1, clips), 2 * int(rng.integers(1, 4)), replace=False))
        spans = [(int(a), int(b)) for a, b in cuts.reshape(-1, 2)]
        record = dict(
            qid=number, vid=f'v{number}', query='a dog runs', duration=clips * clip_length
        )
        if exact:
            ids = [clip for span in spans for clip in range(*span)]
            record['relevant_clip_ids'] = ids
            record['saliency_scores'] = [[clip, number, 0] for clip in ids]
            record['relevant_windows'] = [[a * clip_length, b * clip_length] for a, b in spans]
        else:
            a, b = spans[0]
            window = [a * clip_length + 0.3, b * clip_length + 0.5 * clip_length]
            record['relevant_windows'] = [window]
            record['duration'] += 0.7 * clip_length
        found.append(record)
    return found


def numbered(record):
    """A feature array that says of every row from where it is."""
    rows = int(record['duration'] / 2)
    return [np.stack([np.full(rows, record['qid']), np.arange(rows)], 1).astype(np.float32)]


def mixed(mix, rows, kind):
    """All records that can be mixed, with the joined features."""
    for index, record in enumerate(rows):
        new = mix(record, index, np.random.default_rng(index))
        if new is not record:
            yield record, new, mix.arrays(new, lambda i: numbered(rows[i]))[0]


@pytest.mark.parametrize('kind', KINDS)
def test_labels_stay_with_their_clips(kind):
    rows = records()
    mix = MomentMix(shares={kind: 1.0})
    mix.prepare(rows, 2.0)
    count = 0
    for old, new, video in mixed(mix, rows, kind):
        count += 1
        assert len(video) == old['duration'] / 2 and new['query'] == old['query']
        own = video[:, 0] == old['qid']
        scored = zip(old['relevant_clip_ids'], old['saliency_scores'])
        grade = {(old['qid'], clip): row for clip, row in scored}
        # A score belongs to the very clip that had it, and no relevant clip is lost.
        marked = [tuple(video[place].astype(int)) for place in new['relevant_clip_ids']]
        assert [grade[clip] for clip in marked] == new['saliency_scores']
        assert sorted(marked) == sorted(grade)
        covered = [clip for start, end in new['relevant_windows']
                   for clip in range(int(start / 2), int(end / 2))]  # fmt: skip
        assert covered == new['relevant_clip_ids']
        assert all(0 <= start < end <= old['duration'] for start, end in new['relevant_windows'])
        if kind == 'foreground':
            assert own.all() and sorted(video[:, 1]) == list(range(len(video)))
            assert len(new['relevant_windows']) > len(old['relevant_windows'])
        else:  # other videos, and nothing of its own, outside of the moments
            assert not own[np.setdiff1d(np.arange(len(video)), covered)].any()
    assert count > 10


@pytest.mark.parametrize('kind', KINDS)
def test_windows_within_clips_keep_their_content_and_stay_in_the_video(kind):
    rows = records(exact=False)
    mix = MomentMix(shares={kind: 1.0})
    mix.prepare(rows, 2.0)
    count = 0
    for old, new, video in mixed(mix, rows, kind):
        count += 1
        ((begin, finish),) = old['relevant_windows']
        assert abs(len(video) - int(old['duration'] / 2)) <= 1
        total = 0.0
        for start, end in new['relevant_windows']:
            assert 0 <= start < end <= min(old['duration'], len(video) * 2)
            total += end - start
            middle = video[int(start / 2 + 0.5) : int(end / 2)]
            assert (middle[:, 0] == old['qid']).all()
            assert ((middle[:, 1] + 1) * 2 > begin).all() and (middle[:, 1] * 2 < finish).all()
        assert total == pytest.approx(finish - begin, abs=1e-6)
        if kind == 'background':
            assert new['relevant_windows'] == old['relevant_windows']
    assert count > 10


def test_what_cannot_be_mixed_stays():
    rows = records(6)
    rows[0]['query'] = 'She sits down, then reads'
    rows[1]['relevant_windows'] = []
    rows[2]['relevant_windows'] = [[0, 10], [8, 20]]
    rows[3]['relevant_windows'] = [[0, rows[3]['duration']]]
    for kind in KINDS:
        mix = MomentMix(shares={kind: 1.0}, temporal='nothing')
        mix.prepare(rows, 2.0)
        for index in range(4):
            assert mix(rows[index], index, np.random.default_rng(0)) is rows[index]
    # All stretches of the bin are its own: given up, not drawn for ever.
    mix = MomentMix(shares={'background': 1.0})
    mix.prepare(rows[4:5] * 2, 2.0)
    assert mix(rows[4], 0, np.random.default_rng(0)) is rows[4]
    mix = MomentMix(shares={'foreground': 1.0})
    mix.prepare(rows, 2.0, max_clips=5)
    assert not any(mix.stretches)
    assert mix(rows[4], 4, np.random.default_rng(0)) is rows[4]


def test_words_about_time():
    assert is_temporal('He waves, Then leaves') and is_temporal('as long as it rains')
    assert not is_temporal('a glass in the grass')
    assert is_temporal('a glass', whole_words=False)


def test_pieces():
    pieces = [Piece(0, 5, 8), Piece(1, 0, 2), Piece(0, 3, 3), Piece(0, 1, 3)]
    assert slice_pieces(pieces, 2, 6) == [Piece(0, 7, 8), Piece(1, 0, 2), Piece(0, 1, 2)]
    stored = [[np.arange(7.0)[:, None]], [np.full((4, 1), 9.0)]]
    (filled,) = join_pieces(pieces, stored.__getitem__)
    assert filled[:, 0].tolist() == [5, 6, 6, 9, 9, 1, 2]
    (short,) = join_pieces(pieces, stored.__getitem__, fill=False)
    assert short[:, 0].tolist() == [5, 6, 9, 9, 1, 2]


def simulated(**options):
    return SimulatedDataset(num_samples=24, video_dims=(8,), text_dim=8, **options)


def same(one, other):
    assert one['meta'] == other['meta']
    for name in ('video', 'text'):
        np.testing.assert_array_equal(one[name], other[name])
    for name, value in one['targets'].items():
        np.testing.assert_array_equal(value, other['targets'][name])


def test_a_sample_depends_on_seed_epoch_and_index_alone():
    data = simulated(augment=dict(type='MomentMix'))
    copy = pickle.loads(pickle.dumps(data))
    keys = [SampleKey(index, epoch, 5) for epoch in range(3) for index in range(24)]
    there = {(int(key), key.epoch): data[key] for key in keys}
    for key in reversed(keys):
        same(copy[key], there[int(key), key.epoch])
    moved = [not np.array_equal(there[i, 0]['video'], there[i, 1]['video']) for i in range(24)]
    assert sum(moved) > 6
    other = [data[SampleKey(index, 0, 6)]['video'] for index in range(24)]
    assert any(not np.array_equal(video, there[i, 0]['video']) for i, video in enumerate(other))


def test_workers_make_the_same_samples():
    data = simulated(augment=dict(type='MomentMix'))
    keys = [SampleKey(index, 1, 2) for index in range(24)]
    loader = DataLoader(data, sampler=keys, batch_size=4, num_workers=2, collate_fn=list)
    found = [sample for batch in loader for sample in batch]
    for key, sample in zip(keys, found):
        same(sample, data[key])


def test_plain_samples_and_tests_are_those_without_it():
    plain, mixes = simulated(), simulated(augment=only('plain'))
    tests = simulated(augment=dict(type='MomentMix'), test_mode=True)
    for index in range(24):
        same(mixes[index], plain[index])
    assert tests.augment is None
    same(tests[3], simulated(test_mode=True)[3])


def test_rows_of_mixed_videos_are_normalised_or_not():
    norms = {}
    for given in (True, False):
        features = dict(normalize_mixed=given, tef=False)
        data = simulated(augment=only('both'), features=features)
        plain = simulated(features=dict(tef=False))
        norm = [np.linalg.norm(data[index]['video'], axis=1) for index in range(24)]
        norms[given] = [bool(np.allclose(rows, 1, atol=1e-3)) for rows in norm]
        changed = [not np.array_equal(data[i]['video'], plain[i]['video']) for i in range(24)]
        assert sum(changed) > 6
        if not given:
            assert all(norms[given][i] != changed[i] for i in range(24))
    assert all(norms[True])


def test_a_second_stream_takes_the_same_pieces():
    stream = dict(type='SimulatedVideo', dim=8, backbone='video0')
    data = simulated(augment=only('both'), audio=stream, features=dict(tef=False))
    for index in range(24):
        sample = data[index]
        np.testing.assert_allclose(sample['audio'], sample['video'], atol=1e-6)


def test_own_data_with_grades_per_clip(tmp_path):
    rng = np.random.default_rng(0)
    lines = []
    for folder in ('video_features', 'text_features'):
        (tmp_path / folder).mkdir()
    for number in range(12):
        clips = 40
        start = int(rng.integers(2, 12))
        grades = [4 if start <= clip < start + 16 else 0 for clip in range(clips)]
        lines.append(dict(qid=number, query='a dog', video=f'v{number}', duration=80.0,
                          windows=[[2.0 * start, 2.0 * start + 32]], saliency=grades))  # fmt: skip
        rows = np.asarray(grades, np.float32)[:, None] + np.ones((1, 3), np.float32)
        np.save(tmp_path / 'video_features' / f'v{number}.npy', rows)
        np.save(tmp_path / 'text_features' / f'qid{number}.npy', np.ones((3, 4), np.float32))
    write_jsonl(tmp_path / 'train.jsonl', lines)
    data = CustomDataset(
        str(tmp_path / 'train.jsonl'), str(tmp_path), augment=only('foreground'),
        features=dict(normalize_video=False, tef=False),
    )  # fmt: skip
    counts = []
    for index in range(12):
        sample = data[index]
        counts.append(len(sample['targets']['spans']))
        np.testing.assert_array_equal(sample['targets']['relevant'], sample['video'][:, 0] > 1)
        np.testing.assert_array_equal(sample['targets']['saliency'] > 0, sample['video'][:, 0] > 1)
    assert max(counts) > 1


@pytest.mark.parametrize(
    ('options', 'text'),
    [
        (dict(bins=(0, 10, 10)), 'ascend'),
        (dict(shares=dict(plain=0.0)), 'not all 0'),
        (dict(shares=dict(plane=1.0)), 'plane'),
        (dict(fill_from='none'), 'fill_from'),
    ],
)
def test_wrong_options(options, text):
    with pytest.raises(ConfigError, match=text):
        MomentMix(**options)
