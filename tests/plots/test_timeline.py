# SPDX-License-Identifier: Apache-2.0
import math
import re

import pytest

from vtg.plots.timeline import plot_timeline
from vtg.utils import ConfigError, write_jsonl

QUERY = {'qid': 7, 'query': 'a <b> $c$', 'vid': 'v', 'duration': 20}
LABELS = {
    'relevant_windows': [[2, 8]], 'relevant_clip_ids': [1, 2, 3],
    'saliency_scores': [[1, 2, 3], [4, 4, 4], [0, 0, 0]],
}  # fmt: skip


@pytest.fixture
def files(tmp_path):
    folder = tmp_path / 'in'
    folder.mkdir()
    write_jsonl(folder / 'truth.jsonl', [{**QUERY, **LABELS}, {**QUERY, 'qid': 8, **LABELS}])
    write_jsonl(folder / 'open.jsonl', [QUERY])
    answer = {'qid': 7, 'query': 'q', 'vid': 'v'}
    right = {'pred_relevant_windows': [[2, 8, 0.9], [0, 20, 0.8], [4, 5, 0.1]],
             'pred_saliency_scores': [0.1 * n for n in range(10)]}  # fmt: skip
    write_jsonl(folder / 'right_preds.jsonl', [{**answer, **right}, {**answer, 'qid': 8, **right}])
    write_jsonl(folder / 'half.jsonl', [{**answer, 'pred_relevant_windows': [[2, 5, 0.4]]}])
    return folder


def test_systems_below_the_truth(files, tmp_path):
    systems = [str(files / 'right_preds.jsonl'), f'own={files / "half.jsonl"}']
    out = tmp_path / 'x.svg'
    overlaps, notes = plot_timeline(systems, files / 'truth.jsonl', '7', out)
    assert overlaps == {'right': 1, 'own': 0.5}
    assert notes == ['own: answered 1 of 2 queries; the others count as misses.']
    text = out.read_text()
    for shown in ('annotation', 'right', 'own', 'IoU 0.50', 'saliency, 0 to 1', 'a &lt;b&gt; $c$'):
        assert f'<!-- {shown}' in text or f'{shown} ' in text or shown in text
    overlaps, _ = plot_timeline(systems, files / 'truth.jsonl', '8', tmp_path / 'x.png', top=1)
    assert overlaps['right'] == 1 and math.isnan(overlaps['own'])
    assert '<!-- no answer -->' not in text and (tmp_path / 'x.png').is_file()


def test_every_window_has_room(files, tmp_path):
    def inches(top):
        out = tmp_path / f'{top}.svg'
        plot_timeline([str(files / 'right_preds.jsonl')], files / 'truth.jsonl', '7', out, top=top)
        return float(re.search(r'height="([\d.]+)pt"', out.read_text())[1]) / 72

    # Two rows, and two windows more in each.
    assert inches(3) - inches(1) == pytest.approx(2 * 2 * 0.05, abs=1e-3)
    assert inches(10) == inches(3)  # there are three


def test_without_labels(files, tmp_path):
    out = tmp_path / 'x.pdf'
    overlaps, _ = plot_timeline([str(files / 'half.jsonl')], files / 'open.jsonl', '7', out)
    assert math.isnan(overlaps['half']) and out.read_bytes().startswith(b'%PDF')


def test_mistakes_are_sentences(files, tmp_path):
    systems, truth = [str(files / 'half.jsonl')], files / 'truth.jsonl'
    with pytest.raises(ConfigError, match="no query with the qid '77'; did you mean 7"):
        plot_timeline(systems, truth, '77', tmp_path / 'x.png')
    link = tmp_path / 'y.png'
    link.symlink_to(files / 'half.jsonl')
    with pytest.raises(ConfigError, match='is also the input'):
        plot_timeline(systems, truth, '7', link)
    with pytest.raises(ConfigError, match='does not exist; give prediction files'):
        plot_timeline([str(files / 'none')], truth, '7', tmp_path / 'x.png')
    assert not (tmp_path / 'x.png').exists()
