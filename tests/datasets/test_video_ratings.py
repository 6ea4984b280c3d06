# SPDX-License-Identifier: Apache-2.0
"""The original annotation files: all videos, the published splits, equality with the records."""

import pytest

from vtg.datasets import GroundingDataset
from vtg.datasets.video_ratings import read_video_ratings
from vtg.utils import DataError, read_jsonl, write_json, write_jsonl


@pytest.mark.parametrize(
    ('folder', 'file', 'splits', 'counts'),
    [
        ('tvsum', 'tvsum_train_sfc.json.gz', 'tvsum_splits.json', (50, 40, 10)),
        ('youtube_highlights', 'youtube_anno.json.gz', 'youtube_splits.json', (422, 235, 157)),
    ],
)
def test_all_videos_load(shared, folder, file, splits, counts):
    root = shared / 'data' / folder
    everything = read_video_ratings(root / file)
    assert len(everything) == counts[0]
    by_split = [read_video_ratings(root / file, root / splits, s) for s in ('train', 'val')]
    assert tuple(map(len, by_split)) == counts[1:]
    name = folder.split('_')[0]
    lines = read_jsonl(root / f'{name}_{"val" if name == "tvsum" else "valid"}.jsonl')
    known = {record['vid']: record for record in by_split[1]}
    for record in lines:
        assert known[record['vid']]['label'] == record['label']
        assert known[record['vid']]['domain'] == record['domain']
    assert all(record['query'].strip() for record in everything)


def test_summed_ratings_in_seconds(shared, tmp_path):
    """The variant of TVSum with one summed rating per clip and the duration in seconds."""
    for split, count in (('train', 40), ('val', 10)):
        dataset = GroundingDataset(
            ann_file=str(shared / 'data' / 'tvsum' / f'tvsum_{split}_sfc.jsonl'),
            video=dict(type='SimulatedVideo', dim=4),
            text=dict(type='SimulatedText', dim=4),
            labels=dict(saliency=dict(type='ClipRatings', offset=20.0, scale=12 / 80)),
        )
        assert len(dataset) == count
        record, sample = dataset.get_data_info(0), dataset[0]
        assert sample['meta']['num_clips'] == len(record['label'])
        assert abs(record['duration'] - 2 * len(record['label'])) < 4
        assert sample['targets']['saliency'].max() <= 12


def test_converted_records_make_a_dataset(shared, tmp_path):
    root = shared / 'data' / 'youtube_highlights'
    records = read_video_ratings(root / 'youtube_anno.json.gz', root / 'youtube_splits.json', 'val')
    write_jsonl(tmp_path / 'val.jsonl', records)
    dataset = GroundingDataset(
        ann_file=str(tmp_path / 'val.jsonl'),
        video=dict(type='SimulatedVideo', dim=4),
        text=dict(type='SimulatedText', dim=4),
        labels=dict(saliency=dict(type='ClipRatings', offset=0.0, scale=1.0)),
        domain='dog',
    )
    assert len(dataset) == 17


def test_a_video_without_fields_is_named(tmp_path):
    write_json(tmp_path / 'anno.json', {'v1': {'fps': 30.0, 'frames': '90', 'domain': 'dog'}})
    with pytest.raises(DataError, match="video 'v1'"):
        read_video_ratings(tmp_path / 'anno.json')
