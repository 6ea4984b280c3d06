# SPDX-License-Identifier: Apache-2.0
"""CausalVTG on QVHighlights with InternVideo2 clips (768) and LLaMA words (4096)."""

_base_ = './qvhl.py'

_from = dict(
    type='FolderStore', features_from='https://huggingface.co/datasets/MXwanghhh/CausalVTG'
)
_at = 'data/qvhighlights'
benchmark = dict(
    video=[dict(folder=f'{_at}/internvideo2_6b_video', pattern='{vid}', dim=768, **_from)],
    text=[dict(folder=f'{_at}/llama_text', pattern='qid{qid}', dim=4096, **_from)],
)
del _from, _at
# The training file lacks the queries 611 and 1265.
train_dataloader = dict(dataset=dict(skip_missing=True))
