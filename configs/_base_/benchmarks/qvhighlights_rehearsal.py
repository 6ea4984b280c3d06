# SPDX-License-Identifier: Apache-2.0
# A rehearsal of QVHighlights: the real annotation files with simulated features of the widths of
# InternVideo2, so that a full-size run can be tried before the real features are downloaded.
_base_ = './qvhighlights.py'

benchmark = dict(
    name='QVHighlights with simulated features',
    dataset=dict(features=dict(max_text_tokens=40), labels=dict(max_windows=10)),
    video=[dict(type='SimulatedVideo', dim=512, difficulty=0.5)],
    text=[dict(type='SimulatedText', dim=512)],
)
