# SPDX-License-Identifier: Apache-2.0
"""Both pipelines end to end on simulated videos and the sample video, here and on Ray."""

import json
import os
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from vtg.datasets import FolderStore, GroundingDataset, collate
from vtg.extraction import extract_videos, find_videos, read_clips
from vtg.extraction.encoders import Encoder, cosine
from vtg.pretraining import label_moments, make_intervid_mr, make_synthetic_pairs, read_rows
from vtg.pretraining.shards import ShardWorker, run_shards
from vtg.registry import ENCODERS
from vtg.utils import ConfigError, DataError, read_jsonl

CAPTIONS = ('a man opens the red door', 'the woman cooks food in a room', 'dog runs and sits in')


@pytest.fixture
def corpus(videos, tmp_path):
    """The simulated videos, a broken one and, where it is there, the sample video."""
    folder = tmp_path / 'corpus'
    shutil.copytree(videos, folder)
    (folder / 'broken.mp4').write_bytes(b'no video')
    shared = Path(os.environ.get('VTG_SHARED', Path(__file__).parents[2].parent / 'shared'))
    sample = shared / 'data/sample_video/charades.mp4'
    if sample.is_file():
        shutil.copy(sample, folder / 'charades.mp4')
    return find_videos([folder])


@pytest.fixture
def components(tiny_clip, tiny_blip):
    def cfg(kind, weights, **kwargs):
        return dict(type=kind, weights=str(weights), device='cpu', **kwargs)

    clip = cfg('ClipEncoder', tiny_clip)
    return dict(
        captioner=cfg('BlipCaptioner', tiny_blip['caption'], max_new_tokens=6, num_beams=1),
        scorer=dict(type='CosineScorer', encoder=clip),
        encoder=clip,
    )


def caption_rows(tmp_path, corpus):
    """Intervals for every video, one meaningless caption, and a row without a video."""
    rows = []
    for index, vid in enumerate(sorted(corpus)):
        rows.append(dict(vid=vid, caption=CAPTIONS[index % 3], start=1.0, end=5.5))
        rows.append(
            dict(YoutubeID=vid, Caption=CAPTIONS[(index + 1) % 3] + ' again',
                 Start_timestamp='00:00:04.000', End_timestamp='00:00:07.500')
        )  # fmt: skip
    rows += [
        dict(vid='v0', caption='unknown', start=0, end=2),
        dict(vid='absent', caption=CAPTIONS[0], start=0, end=2),
        dict(vid='v0', caption=CAPTIONS[2] + ' here', start=5, end=5),
    ]
    path = tmp_path / 'rows.jsonl'
    path.write_text('\n'.join(map(json.dumps, rows)))
    return read_rows(path)


def contents(folder):
    """Everything in a folder: text of text files, arrays of the others."""
    found = {}
    for path in sorted(folder.rglob('*')):
        name = str(path.relative_to(folder))
        if path.suffix == '.npz':
            found[name] = {key: value.tolist() for key, value in np.load(path).items()}
        elif path.is_file():
            found[name] = path.read_text()
    return found


def test_synthetic_pairs(corpus, components, tmp_path):
    out = tmp_path / 'out'
    result = make_synthetic_pairs(
        corpus, out, components['captioner'], components['scorer'], shard_size=2
    )
    assert result['statistics']['videos'] == {'failed': 1, 'used': len(corpus) - 1}
    assert len(result['problems']) == 1 and 'broken.mp4' in result['problems'][0]
    records = read_jsonl(out / 'annotations.jsonl')
    assert result['statistics']['samples']['written'] == len(records) > 0

    longest = [record for record in records if record['vid'] == 'v2']
    assert [record['relevant_windows'][0] for record in longest] == [[0, 10], [10, 20], [20, 23]]
    record = longest[1]
    clips = read_clips(corpus['v2'], 2.0, 32)
    captioner = ENCODERS.build(components['captioner'])
    encoder = ENCODERS.build(components['encoder'])
    # The frame shown before 15 s is that of clip 7, which covers 14 to 16 s.
    assert record['query'] == captioner.caption(clips.frames[[7], 0])[0]
    features = encoder.encode_frames(clips.frames[5:10])
    expected = cosine(features, encoder.encode_text(record['query']).pooled)
    assert record['relevant_clip_ids'] == [5, 6, 7, 8, 9]
    np.testing.assert_allclose(np.ravel(record['saliency_scores']), expected, atol=1e-5)


def test_intervid(corpus, components, tmp_path):
    rows, out = caption_rows(tmp_path, corpus), tmp_path / 'out'
    result = make_intervid_mr(rows, corpus, out, components['encoder'], dtype='float32')
    counts = result['statistics']
    assert counts['captions'] == {
        'kept': 2 * len(corpus) + 1, 'no video file': 1, 'number of words': 1
    }  # fmt: skip
    assert counts['intervals']['no length'] == 1 and counts['videos']['failed'] == 1
    records = {record['qid']: record for record in read_jsonl(out / 'annotations.jsonl')}
    assert len(records) == counts['samples']['written'] == 2 * (len(corpus) - 1)

    row = next(row for row in rows if row.vid == 'v2')
    record = records[f'v2_{row.number}']
    assert record['vid'] == 'v2_0.0_22.0' and record['duration'] == 22.0
    encoder = ENCODERS.build(components['encoder'])
    features = encoder.encode_frames(read_clips(corpus['v2'], 2.0, 32).frames[:11])
    labels = label_moments(cosine(features, encoder.encode_text(row.caption).pooled), 1.0, 5.5)
    assert record['relevant_windows'] == labels.windows.tolist()
    assert record['saliency_scores'] == [[grade] * 3 for grade in labels.grades if grade]
    store = FolderStore(str(out / 'video'), '{vid}')
    np.testing.assert_allclose(store.read(record), features, atol=1e-5)


def test_training_reads_what_was_made(corpus, components, tmp_path):
    out = tmp_path / 'out'
    make_intervid_mr(caption_rows(tmp_path, corpus), corpus, out, components['encoder'])
    dataset = GroundingDataset(
        str(out / 'annotations.jsonl'),
        video=dict(type='FolderStore', folder=str(out / 'video'), dim=24),
        text=dict(type='FolderStore', folder=str(out / 'text'), pattern='{qid}', dim=16),
        labels=dict(saliency=dict(type='AnnotatorSum')),
    )
    batch = collate([dataset[index] for index in range(len(dataset))])
    assert len(dataset) == 2 * (len(corpus) - 1)
    assert batch['video'].shape[2] == 24 + 2 and batch['targets']['saliency'].max() <= 12


def test_long_videos_are_read_in_parts(components, tmp_path):
    from media import write_video

    path = write_video(tmp_path / 'long.mp4', 400.0, 1)
    rows = [
        dict(vid='long', caption=CAPTIONS[0], start=20, end=30),
        dict(vid='long', caption=CAPTIONS[1], start=340, end=352),
    ]
    (tmp_path / 'rows.jsonl').write_text('\n'.join(map(json.dumps, rows)))
    out = tmp_path / 'out'
    make_intervid_mr(
        read_rows(tmp_path / 'rows.jsonl'), {'long': path}, out, components['encoder'],
        longest=40.0, dtype='float32',
    )  # fmt: skip
    whole = read_clips(path, 2.0, 32)
    encoder = ENCODERS.build(components['encoder'])
    for record in read_jsonl(out / 'annotations.jsonl'):
        begin = float(record['vid'].split('_')[1])
        first = round(begin / 2)
        expected = encoder.encode_frames(whole.frames[first : first + 20])
        stored = FolderStore(str(out / 'video')).read(record)
        np.testing.assert_allclose(stored, expected, atol=1e-5)


class Dying(ShardWorker):
    """Ends its own process at one video, once."""

    def __init__(self, folder, marker):
        super().__init__(folder)
        self.marker = Path(marker)

    def records(self, unit, statistics):
        if unit == 'v3' and not self.marker.exists():
            self.marker.write_text('died')
            os._exit(1)
        return [dict(qid=unit)]


def test_an_interrupted_job_goes_on(tmp_path):
    class Counting(ShardWorker):
        seen = []

        def records(self, unit, statistics):
            if unit == 'v5' and 'v5' not in self.seen:
                self.seen.append(unit)
                raise KeyboardInterrupt
            self.seen.append(unit)
            return [dict(qid=unit)]

    units = [f'v{i}' for i in range(7)]
    arguments = (partial(Counting, str(tmp_path)), units, tmp_path, dict(a=1), 2)
    with pytest.raises(KeyboardInterrupt):
        run_shards(*arguments)
    assert not (tmp_path / 'annotations.jsonl').exists()
    run_shards(*arguments)
    assert Counting.seen == ['v0', 'v1', 'v2', 'v3', 'v4', 'v5', 'v4', 'v5', 'v6']
    assert [record['qid'] for record in read_jsonl(tmp_path / 'annotations.jsonl')] == units
    with pytest.raises(ConfigError, match='a=1'):
        run_shards(partial(Counting, str(tmp_path)), units, tmp_path, dict(a=2), 2)


def test_rows_without_a_field_are_named(tmp_path):
    path = tmp_path / 'rows.jsonl'
    path.write_text('{"vid": "a", "caption": "b", "start": 1}\n')
    with pytest.raises(DataError, match="record 1 has no field 'end'"):
        read_rows(path)
    path.write_text('{"vid": "a", "caption": "b", "start": 1, "end": "late"}\n')
    with pytest.raises(DataError, match='record 1'):
        read_rows(path)


# Ray, also for vtg.extraction: one process starts it once ---------------------------------------


class MeanColour(Encoder):
    """Needs no package of models, whose import takes a process of Ray longer than its work."""

    image_size = 8

    def encode_frames(self, frames):
        return frames.reshape(len(frames), -1, 3).mean(1, dtype=np.float32)


def test_ray_extracts_the_same(corpus, tmp_path, two_workers):
    paths = {**corpus, 'missing': tmp_path / 'missing.mp4'}
    here, there = (
        extract_videos(paths, {'type': MeanColour}, tmp_path / name, ray=ray)
        for name, ray in (('here', None), ('there', two_workers))
    )
    assert here == there and set(here.problems) == {'broken', 'missing'}
    assert list(here.written) == list(there.written)  # in the order of the files
    one, other = contents(tmp_path / 'here'), contents(tmp_path / 'there')
    assert one == other and len(one) == len(corpus) - 1


def test_ray_makes_the_same(corpus, components, tmp_path, two_workers):
    rows = caption_rows(tmp_path, corpus)
    here, there = tmp_path / 'here', tmp_path / 'there'
    one = replace(two_workers, workers=1)  # a process imports all that the models need
    for folder, ray in ((here, None), (there, one)):
        make_synthetic_pairs(
            corpus, folder / 'synthetic', components['captioner'], components['scorer'],
            shard_size=2, ray=ray,
        )  # fmt: skip
        make_intervid_mr(
            rows, corpus, folder / 'intervid', components['encoder'], shard_size=2, ray=ray
        )
    assert contents(here) == contents(there)


def test_a_worker_of_ray_that_dies_loses_nothing(tmp_path, two_workers):
    units = [f'v{i}' for i in range(6)]
    worker = partial(Dying, str(tmp_path / 'out'), str(tmp_path / 'marker'))
    run_shards(worker, units, tmp_path / 'out', {}, 1, two_workers)
    assert (tmp_path / 'marker').exists()
    assert [r['qid'] for r in read_jsonl(tmp_path / 'out/annotations.jsonl')] == units


def test_a_mistake_reaches_the_caller_of_ray(corpus, tmp_path, two_workers):
    encoder = dict(type='ClipEncoder', weights=str(tmp_path / 'nothing'))
    with pytest.raises(ConfigError, match='do not exist'):
        make_intervid_mr(
            caption_rows(tmp_path, corpus),
            corpus,
            tmp_path / 'out',
            encoder,
            ray=replace(two_workers, workers=1),
        )
