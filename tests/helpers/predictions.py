# SPDX-License-Identifier: Apache-2.0
"""Random annotations with predictions."""

from typing import Any

import numpy as np


def random_records(
    seed: int, queries: int = 60, nulls: bool = True, graded: bool = True
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Annotations and predictions with everything that real files have."""
    rng = np.random.default_rng(seed)
    annotations, predictions = [], []
    for index in range(queries):
        duration = int(rng.integers(20, 60)) * 2
        count = int(rng.integers(0 if nulls else 1, 6))
        ends = np.sort(rng.choice(np.arange(0, duration + 1, 2), 2 * count, replace=False))
        truth = ends.reshape(-1, 2).tolist()
        if count and rng.random() < 0.2:
            truth.append(truth[0])  # one moment twice
        near = [np.clip(np.add(w, rng.normal(0, 3, 2)), 0, duration) for w in truth]
        far = rng.uniform(0, duration, (int(rng.integers(0, 9)), 2))
        rows = [[*sorted(w), float(rng.random())] for w in [*near, *far]]
        rows.sort(key=lambda row: -row[2])
        record = {'qid': index, 'query': f'words of {index} a dog', 'vid': f'v{index // 3}',
                  'duration': duration, 'relevant_windows': truth}  # fmt: skip
        if graded:
            clips = np.unique(rng.integers(0, duration // 2, 8)).tolist() if count else []
            record['relevant_clip_ids'] = clips
            record['saliency_scores'] = rng.integers(0, 5, (len(clips), 3)).tolist()
        annotations.append(record)
        scores = rng.normal(size=duration // 2).round(1).tolist()
        predictions.append({'qid': index, 'vid': record['vid'], 'pred_relevant_windows': rows,
                            'pred_saliency_scores': scores})  # fmt: skip
    return annotations, predictions
