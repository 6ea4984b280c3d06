# SPDX-License-Identifier: Apache-2.0
"""From predictions in tensors to records: the one place where they become lists of numbers."""

import torch

from vtg.structures import MomentList, Prediction
from vtg.utils import Record

ANSWER_FIELDS = ('pred_exist_score', 'pred_answered')
"""What a record says of whether the query has a moment at all."""
PLACEHOLDER = [0.0, 0.0, 0.0]
"""Stands where a query has no window; the official evaluators need one."""


def to_records(prediction: Prediction, fill: bool = False) -> list[Record]:
    """Turn a prediction into one record per sample.

    Args:
        prediction: Of a batch.
        fill: Put :data:`PLACEHOLDER` into empty lists.

    Returns:
        ``qid``, ``query`` and ``vid`` from ``meta``; where the model has the heads,
        ``pred_relevant_windows``: ``[[start_s, end_s, score], ...]``, best first;
        ``alternatives``: further lists by name; ``pred_saliency_scores``: one per real clip;
        ``pred_exist_score``: the probability that the query has a moment, where something tells;
        ``pred_answered``: whether it is above the threshold, where one was chosen.
    """
    records = [{key: item.get(key) for key in ('qid', 'query', 'vid')} for item in prediction.meta]
    if prediction.output is not None:
        digits, lists = prediction.digits, prediction.lists
        named = {name: moments_to_lists(found, digits) for name, found in lists.items()}
        for index, record in enumerate(records):
            windows = {name: rows[index] for name, rows in named.items()}
            if fill:
                windows = {name: rows or [list(PLACEHOLDER)] for name, rows in windows.items()}
            record['pred_relevant_windows'] = windows.pop(prediction.output)
            record['alternatives'] = windows
    if prediction.saliency is not None:
        lengths = prediction.video_mask.sum(dim=1).tolist()
        rows = prediction.saliency.double().cpu().numpy()
        for record, row, length in zip(records, rows, lengths):
            record['pred_saliency_scores'] = row[:length].tolist()
    if prediction.existence is not None:
        for record, value in zip(records, prediction.existence.double().tolist()):
            score = value if prediction.digits is None else round(value, prediction.digits)
            record['pred_exist_score'] = score
            if prediction.threshold is not None:
                record['pred_answered'] = score > prediction.threshold
    return records


def moments_to_lists(moments: MomentList, digits: int | None = 4) -> list[list[list[float]]]:
    """Turn a batch into ``[[start_s, end_s, score], ...]`` per sample, padding left out.

    One transfer to the host; numbers are rounded to ``digits`` decimals (None keeps them).
    """
    table = torch.cat((moments.spans, moments.scores.unsqueeze(-1)), dim=-1).double()
    flat = torch.cat((table.flatten(1), moments.mask.double()), dim=1).cpu().numpy()
    count = moments.mask.shape[1]
    rows = flat[:, : 3 * count].reshape(len(flat), count, 3)  # (B, K, 3)
    masks = flat[:, 3 * count :].astype(bool)
    if digits is not None:
        rows = rows.round(digits)
    return [row[mask].tolist() for row, mask in zip(rows, masks)]
