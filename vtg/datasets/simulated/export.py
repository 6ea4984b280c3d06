# SPDX-License-Identifier: Apache-2.0
"""Simulated videos as files, in the format for own data."""

from pathlib import Path

import numpy as np

from vtg.datasets.stores import write_arrays
from vtg.utils import ConfigError, Record, write_jsonl

from .dataset import SimulatedDataset

FOLDERS = ('video_features', 'text_features')
# Share of the videos in every split.
SPLITS = {'train': 0.6, 'val': 0.2, 'test': 0.2}


def export_simulated(
    out: str | Path,
    videos: int = 20,
    clip_length: float = 2.0,
    video_dim: int = 64,
    text_dim: int = 64,
    difficulty: float = 0.0,
    seed: int = 0,
) -> dict[str, int]:
    """Write ``{train,val,test}.jsonl``, ``video_features`` and ``text_features`` into a folder.

    ``queries.jsonl`` holds the queries of the test split without their labels.

    Args:
        out: The folder.
        videos: Number of videos, at least 5; three fifths of them are for training.
        clip_length: Seconds per clip.
        video_dim, text_dim: Widths of the features.
        difficulty: From 0 (easy) to 1.
        seed: Seed of the annotations.

    Returns:
        Number of queries per split.

    Raises:
        ConfigError: There are too few videos, or the folder holds data already.
    """
    if videos < 5:
        raise ConfigError(f'{videos} videos cannot be split into three; make at least 5.')
    out = Path(out)
    _check_free(out)
    dataset = SimulatedDataset(
        num_samples=2 * videos,
        seed=seed,
        clip_length=clip_length,
        video_dims=(video_dim,),
        text_dim=text_dim,
        difficulty=difficulty,
    )
    names: dict[str, str] = {}
    records: list[tuple[int, Record]] = []
    for index in range(len(dataset)):
        record = dataset.get_data_info(index)
        names.setdefault(record['vid'], f'video{len(names) + 1:04d}')
        number = list(names).index(record['vid'])
        if number < videos:
            records.append((number, record))
    for folder in FOLDERS:
        (out / folder).mkdir(parents=True, exist_ok=True)
    counts, first = {}, 0
    for split, share in SPLITS.items():
        end = videos if split == 'test' else first + round(share * videos)
        chosen = [record for number, record in records if first <= number < end]
        write_jsonl(
            out / f'{split}.jsonl', [own_format(r, names[r['vid']], clip_length) for r in chosen]
        )
        for record in chosen:
            name = names[record['vid']]
            (video,), (text,) = dataset.reader.read_video(record), dataset.reader.read_text(record)
            write_arrays(out / f'video_features/{name}.npz', features=video)
            qid = own_format(record, name, clip_length)['qid']
            write_arrays(out / f'text_features/qid{qid}.npz', last_hidden_state=text)
        counts[split], first = len(chosen), end
    # The last split once more as a user's questions: without labels.
    labels = ('windows', 'saliency')
    lines = [own_format(record, names[record['vid']], clip_length) for record in chosen]
    queries = [{k: v for k, v in line.items() if k not in labels} for line in lines]
    write_jsonl(out / 'queries.jsonl', queries)
    return counts


def _check_free(out: Path) -> None:
    """Refuse a folder in which data would be overwritten or mixed with others."""
    for name in (*(f'{split}.jsonl' for split in SPLITS), 'queries.jsonl', *FOLDERS):
        path = out / name
        if path.is_file() or (path.is_dir() and any(path.iterdir())):
            raise ConfigError(
                f'{path} exists already and would be overwritten; choose another folder, or remove '
                'the data in it yourself.'
            )


def own_format(record: Record, name: str, clip_length: float) -> Record:
    """Turn an internal record into a line of the format for own data."""
    saliency = np.zeros(round(record['duration'] / clip_length))
    saliency[record['relevant_clip_ids']] = np.mean(record['saliency_scores'], axis=1)
    return {
        'qid': f'{name}-{record["qid"].rpartition("_")[2]}',
        'video': name,
        'duration': record['duration'],
        'query': record['query'],
        'windows': record['relevant_windows'],
        'saliency': saliency.round(2).tolist(),
    }
