# SPDX-License-Identifier: Apache-2.0
"""Own data: the format, its labels, parts of long videos."""

import json
import pickle

import numpy as np
import pytest

from vtg.datasets import (
    CustomDataset,
    SampleKey,
    collate,
    pack_features,
    read_custom,
    read_queries,
)
from vtg.datasets.custom import cut_record
from vtg.utils import DataError, write_jsonl

LINES = [
    {'video': 'v1', 'duration': 10, 'query': 'A dog runs', 'windows': [[2, 7.2]]},
    {
        'video': 'v1', 'duration': 10, 'query': 'Waves', 'windows': [[0, 2], [6, 10]], 'qid': 'w',
        'saliency': [4, 1, 0, 2.5, 3], 'source': 'somewhere',
    },
    {'video': 'v.2', 'duration': 6.5, 'query': 'A man cooks', 'windows': [[1, 2]], 'qid': 3},
]  # fmt: skip
QIDS = ('train-1', 'w', 3)


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    for name, shapes in {
        'video_features': {'v1': (5, 6), 'v.2': (3, 6)},
        'text_features': {f'qid{qid}': (4, 3) for qid in QIDS},
    }.items():
        (tmp_path / name).mkdir()
        for stem, shape in shapes.items():
            np.savez(tmp_path / name / f'{stem}.npz', features=rng.normal(size=shape))
    write_jsonl(tmp_path / 'train.jsonl', LINES)
    return tmp_path


def build(folder, **options):
    return CustomDataset(options.pop('ann_file', 'train.jsonl'), data_root=str(folder), **options)


def test_samples(folder):
    samples = [build(folder)[index] for index in range(3)]
    assert [sample['meta']['qid'] for sample in samples] == list(QIDS)
    assert [sample['meta']['vid'] for sample in samples] == ['v1', 'v1', 'v.2']
    assert [sample['video'].shape for sample in samples] == [(5, 8), (5, 8), (3, 8)]
    # 7.2 s: clip 3 is covered by more than half.
    plain, graded, short = (sample['targets'] for sample in samples)
    assert plain['saliency'].tolist() == [0, 1, 1, 1, 0]
    assert graded['saliency'].tolist() == [12, 3, 0, 7.5, 9]
    assert graded['relevant'].tolist() == [True, False, False, True, True]
    # Best and worst relevant clip; then a relevant and another clip.
    assert (graded['pos_clips'][0], graded['neg_clips'][0]) == (0, 3)
    assert graded['pos_clips'][1] in (0, 3, 4) and graded['neg_clips'][1] in (1, 2)
    np.testing.assert_allclose(graded['spans'], [[0.1, 0.2], [0.8, 0.4]], rtol=1e-6)
    # A moment of half a clip still has its clip.
    assert short['saliency'].tolist() == [1, 0, 0]
    batch = collate(samples)
    assert batch['targets']['source_id'].tolist()[0] == batch['targets']['source_id'].tolist()[1]


def test_other_clip_lengths(folder):
    np.savez(folder / 'video_features/v1.npz', features=np.ones((30, 6)))
    np.savez(folder / 'video_features/v.2.npz', features=np.ones((20, 6)))
    bare = [{k: v for k, v in record.items() if k != 'saliency'} for record in LINES]
    write_jsonl(folder / 'train.jsonl', bare)
    sample = build(folder, clip_length=1 / 3)[0]
    assert sample['meta']['num_clips'] == 30 and sample['duration'] == pytest.approx(10)
    assert np.flatnonzero(sample['targets']['relevant']).tolist() == list(range(6, 22))


def test_packed_features_and_several_backbones(folder):
    expected = build(folder)[0]
    pack_features(folder / 'video_features', folder / 'packed', dtype='float32')
    packed = build(folder, video='packed')
    np.testing.assert_allclose(packed[0]['video'], expected['video'], rtol=1e-5)
    both = build(folder, video=['packed', dict(type='FolderStore', folder='video_features', dim=6)])
    assert both[0]['video'].shape == (5, 14)


def test_queries_without_labels(folder):
    write_jsonl(folder / 'new.jsonl', [{k: LINES[0][k] for k in ('video', 'duration', 'query')}])
    np.savez(folder / 'text_features/qidnew-1.npz', features=np.ones((4, 3)))
    sample = build(folder, ann_file='new.jsonl', test_mode=True)[0]
    assert 'targets' not in sample and sample['meta']['annotation']['qid'] == 'new-1'
    assert [record['qid'] for record in read_queries(folder / 'new.jsonl')] == ['new-1']
    with pytest.raises(DataError, match='line 1: there are no windows; training needs'):
        build(folder, ann_file='new.jsonl')


@pytest.mark.parametrize(
    ('change', 'problem'),
    [
        ({'video': None}, 'video is None'),
        ({'video': ...}, "no field 'video'."),
        ({'duration': ..., 'durations': 10}, "no field 'duration'; is 'durations' meant?"),
        ({'duration': -1}, 'duration is -1'),
        ({'duration': True}, 'duration is True'),
        ({'query': ' '}, "the query ' ' has no words"),
        ({'windows': [[7, 2]]}, r'window \[7, 2\] does not end after its start'),
        ({'windows': [[3, 3]]}, 'does not end after'),
        ({'windows': [[2, 11]]}, r'lies outside the video \(0 to 10 s\)'),
        ({'windows': [[2, float('nan')]]}, r'windows is \[\[2, nan\]\]; expected a list'),
        ({'windows': [2, 4]}, 'expected a list of'),
        ({'windows': ...}, 'there are no windows'),
        ({'windows': ..., 'window': [[2, 4]]}, "a field 'window' but none 'windows'"),
        ({'saliency': [1, 2]}, r'saliency has 2 numbers; expected 5, one per clip \(10 s at 2 s'),
        ({'saliency': [0, 0, 5, 0, 0]}, 'grade 5; expected numbers from 0 to 4'),
        ({'saliency': 'high'}, "saliency is 'high'"),
        ({'qid': 1.5}, 'qid is 1.5'),
        (
            {'qid': 'a/../b'},
            'cannot be the name of a file because it has a path separator',
        ),
        ({'qid': ['w']}, r"qid is \['w'\]"),
        ({'video': '..'}, 'cannot be the name of a file'),
        ({'duration': 10**400}, 'duration is 1000'),
        ({'windows': [[2, 10**400]]}, r'windows is \[\[2, 1000'),
        ({'saliency': [0, 1, None, 1, 1]}, r'saliency is \[0, 1, None, 1, 1\]; expected a list'),
        ({'saliency': [0, 1, True, 1, 1]}, r'saliency is \[0, 1, True, 1, 1\]; expected a list'),
        ({'saliency': [0, 1, 1e300, 1, 1]}, 'grade 1e[+]300; expected numbers from 0 to 4'),
    ],
)
def test_every_mistake_names_its_line(folder, change, problem):
    changed = {**LINES[0], **change}
    record = {key: value for key, value in changed.items() if value is not ...}
    write_jsonl(folder / 'train.jsonl', [LINES[1], record])
    with pytest.raises(DataError, match=f'train.jsonl, line 2: .*{problem}'):
        build(folder)


def test_the_number_of_wrong_lines_is_told_and_blank_lines_count(folder):
    text = '\n'.join(['', json.dumps(LINES[0]), '{"video": ', '[1]', json.dumps(LINES[2])])
    (folder / 'train.jsonl').write_text(text)
    lines = list(read_custom(folder / 'train.jsonl', 2.0))
    assert [line.number for line in lines] == [2, 3, 4, 5]
    assert lines[0].record['qid'] == 'train-2'
    with pytest.raises(DataError, match=r'line 3: not valid JSON .* 2 lines are wrong'):
        build(folder)
    write_jsonl(folder / 'train.jsonl', [LINES[2], LINES[2]])
    with pytest.raises(DataError, match='line 2: the qid 3 is already used in line 1'):
        build(folder)


def test_a_query_without_a_moment_is_legal(folder):
    write_jsonl(folder / 'test.jsonl', [LINES[0], {**LINES[1], 'windows': []}])
    np.savez(folder / 'text_features/qidtest-1.npz', features=np.ones((4, 3)))
    dataset = build(folder, ann_file='test.jsonl', test_mode=True)
    targets = collate([dataset[0], dataset[1]])['targets']
    assert targets['span_mask'].tolist() == [[True], [False]]
    assert targets['saliency'][1].tolist() == [12, 3, 0, 7.5, 9]
    trained = build(folder, ann_file='test.jsonl')
    assert collate([trained[0], trained[1]])['targets']['span_mask'].tolist() == [[True], [False]]


def test_windows_are_cut_to_the_video(folder):
    line = {**LINES[0], 'qid': 3, 'duration': 9.9995, 'windows': [[2, 10]]}
    write_jsonl(folder / 'train.jsonl', [line])
    assert build(folder).get_data_info(0)['relevant_windows'] == [[2, 9.9995]]


def test_fields_of_other_formats_mean_nothing(folder):
    other = {'label': 'dog', 'relevant_windows': 'x', 'saliency_scores': 7, '_part': [0, 1]}
    write_jsonl(folder / 'train.jsonl', [{**LINES[1], **other, 'source': 'kept'}])
    record = build(folder).get_data_info(0)
    assert record['relevant_windows'] == [[0, 2], [6, 10]] and record['source'] == 'kept'
    assert not {'label', 'saliency_scores', '_part'} & set(record)


def test_queries_that_would_share_a_file_are_refused(folder):
    path = folder / 'queries.jsonl'
    write_jsonl(path, [{'qid': 1, 'query': 'a dog'}, {'qid': '1', 'query': 'a cat'}])
    with pytest.raises(DataError, match="line 2: the qid '1' is already used by another query"):
        read_queries(path)
    write_jsonl(path, [{'qid': 1, 'query': 'a dog'}] * 2)
    assert len(read_queries(path)) == 2
    write_jsonl(path, [{'qid': 'x/../../up', 'query': 'a dog'}])
    with pytest.raises(DataError, match=r'line 1: qid: .* has a path separator'):
        read_queries(path)


def test_training_takes_a_part_of_a_long_video(folder):
    rng = np.random.default_rng(1)
    features = rng.normal(size=(100, 6)).astype(np.float32)
    np.savez(folder / 'video_features/v1.npz', features=features)
    grades = rng.integers(0, 5, 100).tolist()
    long = {**LINES[1], 'duration': 200, 'windows': [[40, 60], [150, 190]], 'saliency': grades}
    write_jsonl(folder / 'train.jsonl', [long])
    options = dict(features=dict(normalize_video=False, tef=False))
    dataset = pickle.loads(pickle.dumps(build(folder, train_clips=20, **options)))
    starts = set()
    for epoch in range(20):
        sample = dataset[SampleKey(0, epoch, 0)]
        assert sample['video'].shape == (20, 6) and sample['duration'] == 40
        start = int(np.flatnonzero((features == sample['video'][0]).all(1))[0])
        starts.add(start)
        np.testing.assert_array_equal(sample['video'], features[start : start + 20])
        np.testing.assert_array_equal(
            sample['targets']['saliency'], 3.0 * np.asarray(grades[start : start + 20])
        )
        inside = np.zeros(100, bool)
        inside[20:30] = inside[75:95] = True
        np.testing.assert_array_equal(sample['targets']['relevant'], inside[start : start + 20])
        spans = sample['targets']['spans']
        assert len(spans) == 1 and (spans[:, 0] - spans[:, 1] / 2 >= -1e-6).all()
        # The moment of 20 s lies in the part as a whole.
        assert not 20 <= start + 10 < 30 or (start <= 20 and start + 20 >= 30)
    assert len(starts) > 5
    # The same epoch gives the same part, and tests see everything.
    assert (dataset[SampleKey(0, 3, 0)]['video'] == dataset[SampleKey(0, 3, 0)]['video']).all()
    whole = build(folder, train_clips=20, test_mode=True, **options)[0]
    assert whole['video'].shape == (100, 6)


def test_parts_of_moments_that_are_longer():
    record = {'duration': 100.0, 'relevant_windows': [[10.0, 90.0], [95.0, 95.5]]}
    for seed in range(20):
        part, clips = cut_record(record, 5, 2.0, np.random.default_rng(seed))
        assert clips.stop - clips.start == 5
        assert part['duration'] == 10 and len(part['relevant_windows']) == 1
        start, end = part['relevant_windows'][0]
        assert 0 <= start < end <= 10
    whole = cut_record(record, 50, 2.0, np.random.default_rng(0))
    assert whole == (record, slice(None))
