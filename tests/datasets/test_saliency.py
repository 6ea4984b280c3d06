# SPDX-License-Identifier: Apache-2.0
"""Saliency labels against the reference values of the official dataset classes."""

import json

import numpy as np
import pytest

from vtg.datasets import AnnotatorSum, ClipRatings, CoveredClips, SingleWindow


@pytest.fixture
def golden(shared):
    return np.load(shared / 'golden' / 'saliency_labels.npz')


def _record(golden, row):
    names = ('relevant_clip_ids', 'saliency_scores', 'relevant_windows')
    return {name: golden[f'in/{row}/{name}'].tolist() for name in names}


def test_qvhighlights_rows(golden, shared):
    rows = json.loads((shared / 'golden' / 'saliency_labels.json').read_text())['rows']
    assert len(rows) == 12
    for row in (info['row'] for info in rows):
        clips = int(golden[f'in/{row}/ctx_l'])
        out = {name: golden[f'out/{row}/{name}'] for name in ('hard_pos', 'hard_neg', 'easy_neg')}
        official = golden[f'out/{row}/saliency_all_labels']
        for epoch in range(5):
            labels = AnnotatorSum()(_record(golden, row), clips, 2.0, np.random.default_rng(epoch))
            np.testing.assert_array_equal(labels['saliency'], official[:clips])
            pos, neg = labels['pos_clips'], labels['neg_clips']
            assert pos[0] in out['hard_pos'] and neg[0] in out['hard_neg']
            if golden[f'out/{row}/easy_from_pool']:
                assert pos[1] in golden[f'out/{row}/easy_pos'] and neg[1] in out['easy_neg']
            else:
                assert (pos[1], neg[1]) == (pos[0], neg[0])
            relevant = np.flatnonzero(labels['relevant'])
            expected = golden[f'in/{row}/relevant_clip_ids']
            np.testing.assert_array_equal(relevant, expected[expected < clips])
            assert max(pos.max(), neg.max()) < clips


def test_easy_pair_covers_all_admissible_clips(golden):
    record, clips = _record(golden, '00'), int(golden['in/00/ctx_l'])
    rng = np.random.default_rng(0)
    drawn = [AnnotatorSum()(record, clips, 2.0, rng) for _ in range(600)]
    for name, admissible in (('pos_clips', 'easy_pos'), ('neg_clips', 'easy_neg')):
        seen = {int(labels[name][1]) for labels in drawn}
        assert seen == set(golden[f'out/00/{admissible}'].tolist())


@pytest.mark.parametrize(('easy', 'expected'), [('relevant', {1, 2, 3}), ('rated', {1, 3})])
def test_the_random_clip_may_have_to_be_rated(easy, expected):
    record = {'relevant_clip_ids': [1, 2, 3], 'saliency_scores': [[1], [0], [4]]}
    rng = np.random.default_rng(0)
    drawn = [AnnotatorSum(easy=easy)(record, 5, 2.0, rng)['pos_clips'][1] for _ in range(50)]
    assert {int(clip) for clip in drawn} == expected


@pytest.mark.parametrize(('easy', 'expected'), [('relevant', {1}), ('rated', {0, 1})])
def test_the_random_clip_without_another_clip(easy, expected):
    record = {'relevant_clip_ids': [0, 1], 'saliency_scores': [[1], [4]]}
    rng = np.random.default_rng(0)
    drawn = [AnnotatorSum(easy=easy)(record, 2, 2.0, rng)['pos_clips'][1] for _ in range(50)]
    assert {int(clip) for clip in drawn} == expected


@pytest.mark.parametrize('row', ['10', '11'])
def test_clamping_moves_late_clips_to_the_last_one(golden, row):
    record, clips = _record(golden, row), int(golden[f'in/{row}/ctx_l'])
    labels = AnnotatorSum('clamp')(record, clips, 2.0, np.random.default_rng(0))
    official = golden[f'out/{row}/saliency_all_labels']
    assert len(official) == clips + 1
    np.testing.assert_array_equal(labels['saliency'][:-1], official[: clips - 1])
    assert labels['saliency'][-1] == official[clips]
    assert labels['pos_clips'][0] in golden[f'out/{row}/hard_pos']
    assert labels['neg_clips'][0] in golden[f'out/{row}/hard_neg']


def test_no_clip_left_gives_a_pair_without_information():
    record = {'relevant_clip_ids': [9], 'saliency_scores': [[4, 4, 4]]}
    labels = AnnotatorSum()(record, 5, 2.0, np.random.default_rng(0))
    assert not labels['saliency'].any() and not labels['relevant'].any()
    np.testing.assert_array_equal(labels['pos_clips'], labels['neg_clips'])


def test_single_window_rows(golden):
    for k in range(5):
        clips = int(golden[f'in/sub{k}/ctx_l'])
        record = {'relevant_windows': [golden[f'in/sub{k}/window'].tolist()]}
        for epoch in range(5):
            labels = SingleWindow()(record, clips, 2.0, np.random.default_rng(epoch))
            np.testing.assert_array_equal(
                labels['saliency'], golden[f'out/sub{k}/saliency_all_labels']
            )
            pos = golden[f'out/sub{k}/pos']
            assert np.isin(labels['pos_clips'], pos).all()
            assert len(set(labels['pos_clips'].tolist())) == min(2, len(pos))
            assert np.isin(labels['neg_clips'], golden[f'out/sub{k}/neg']).all()
            assert len(set(labels['neg_clips'].tolist())) == 2


def test_single_window_over_the_whole_video_repeats_the_positives():
    record = {'relevant_windows': [[0, 10]], 'duration': 10}
    labels = SingleWindow('duration')(record, 5, 99.0, np.random.default_rng(0))
    assert labels['relevant'].all()
    np.testing.assert_array_equal(labels['pos_clips'], labels['neg_clips'])


def test_clip_ratings_rows(golden):
    for k in range(2):
        clips = int(golden[f'in/tvsum{k}/ctx_l'])
        record = {'label': golden[f'in/tvsum{k}/label'].tolist()}
        labels = ClipRatings()(record, clips, 2.0, np.random.default_rng(0))
        np.testing.assert_allclose(
            labels['saliency'], golden[f'out/tvsum{k}/saliency_all_labels'], atol=1e-6
        )
        assert labels['pos_clips'][0] in golden[f'out/tvsum{k}/hard_pos']
        assert labels['neg_clips'][0] in golden[f'out/tvsum{k}/hard_neg']
        summed = (golden[f'in/tvsum{k}/label'][:clips] - 1).sum(1)
        threshold = golden[f'out/tvsum{k}/tr_detr_pos_threshold']
        official = golden[f'out/tvsum{k}/tr_detr_pos_mask'].astype(bool)
        clear = summed != threshold
        np.testing.assert_array_equal(labels['relevant'][clear], official[clear])
        assert labels['relevant'].sum() == official.sum()


SIMILARITIES = {
    'relevant_windows': [[10.0, 20.0]],
    'relevant_clip_ids': [5, 6, 7, 8, 9],
    'saliency_scores': [[0.21], [0.24], [0.31], [0.27], [0.25]],
}


def test_similarities_are_spread_over_the_grades():
    labels = AnnotatorSum(top=12.0)(SIMILARITIES, 12, 2.0, np.random.default_rng(0))
    expected = [1, 4.3, 12, 7.6, 5.4]
    np.testing.assert_allclose(labels['saliency'][5:10], expected, rtol=1e-6)
    assert not labels['saliency'][:5].any() and not labels['saliency'][10:].any()
    equal = SIMILARITIES | {'saliency_scores': [[-0.2]] * 5}
    labels = AnnotatorSum(top=12.0)(equal, 12, 2.0, np.random.default_rng(0))
    assert labels['saliency'][5:10].tolist() == [12.0] * 5


def test_labels_below_the_first_rank_are_noted():
    assert 'top=12' in AnnotatorSum().note([SIMILARITIES])
    assert AnnotatorSum(top=12.0).note([SIMILARITIES]) is None
    graded = SIMILARITIES | {'saliency_scores': [[4, 3, 2]] * 5}
    assert AnnotatorSum().note([SIMILARITIES, graded]) is None
    assert AnnotatorSum().note([{'saliency_scores': None}]) is None


def test_the_hard_pair_of_labels_without_grades_is_of_two_relevant_clips():
    record = {'relevant_windows': [[4.0, 10.0]]}
    for seed in range(5):
        labels = CoveredClips(pairs='hard_easy')(record, 8, 2.0, np.random.default_rng(seed))
        assert (labels['pos_clips'][0], labels['neg_clips'][0]) == (4, 2)
        assert labels['relevant'][labels['pos_clips'][1]]
        assert not labels['relevant'][labels['neg_clips'][1]]
        plain = CoveredClips()(record, 8, 2.0, np.random.default_rng(seed))
        np.testing.assert_array_equal(labels['saliency'], plain['saliency'])
        assert not plain['relevant'][plain['neg_clips']].any()
    every = {'relevant_windows': [[0.0, 16.0]]}
    labels = CoveredClips(pairs='hard_easy')(every, 8, 2.0, np.random.default_rng(0))
    assert labels['pos_clips'].tolist() == [7, 7] and labels['neg_clips'].tolist() == [0, 0]
