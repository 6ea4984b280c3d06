# SPDX-License-Identifier: Apache-2.0
"""The predictions of an evaluation as a page to browse."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from vtg.analysis import ORDER, entries_of, make_answers, make_questions
from vtg.pages import media_source, write_page
from vtg.utils import ConfigError, write_jsonl


def write_browser(
    out: Path,
    title: str,
    split: str,
    metric: Any,
    clip_length: float = 2.0,
    videos: str | Path | None = None,
) -> list[Path]:
    """Write the predictions of an evaluation and a page to browse them, worst queries first.

    Args:
        out: Folder of ``predictions_<split>.jsonl.gz`` and ``page_<split>.html``.
        title: Of the page. split: That was evaluated.
        metric: With ``predictions`` and ``annotations``.
        clip_length: Seconds per clip.
        videos: A folder with a file ``<vid>.*`` per video, which the page plays.

    Raises:
        ConfigError: The folder has none of the videos.
    """
    questions = make_questions(metric.annotations, clip_length)
    answers = make_answers('predicted', metric.predictions, questions)
    page = out / f'page_{split}.html'
    entries = entries_of(questions, [answers])
    if videos:
        found = {path.stem: path for path in sorted(Path(videos).glob('*')) if path.is_file()}
        if not any(entry.video in found for entry in entries):
            raise ConfigError(
                f'{videos} has no video of these queries; expected files such as '
                f'{entries[0].video}.mp4.'
            )
        entries = [
            replace(entry, source=media_source(found[entry.video], page))
            if entry.video in found else entry
            for entry in entries
        ]  # fmt: skip
    file = out / f'predictions_{split}.jsonl.gz'
    write_jsonl(file, metric.predictions)
    order = next((name for name in (ORDER, 'HL-AP') if name in entries[0].values), '')
    return [file, write_page(page, title, entries, order=order, note=f'{len(entries)} queries.')]
