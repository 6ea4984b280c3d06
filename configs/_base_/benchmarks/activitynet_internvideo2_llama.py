# SPDX-License-Identifier: Apache-2.0
# ActivityNet Captions with the features of CausalVTG: InternVideo2-6B video (768), one row per 2 s,
# and LLaMA word features (4096). Its file of val_2 lacks 17 queries on three videos. Moments are
# rounded to 0.1 s.
_base_ = './activitynet.py'

_from = dict(
    type='FolderStore', features_from='https://huggingface.co/datasets/MXwanghhh/CausalVTG'
)
_at = 'data/activitynet'
benchmark = dict(
    features='internvideo2_6b_llama',
    video=[dict(folder=f'{_at}/internvideo2_6b_video', pattern='{vid}', dim=768, **_from)],
    text=[dict(folder=f'{_at}/llama_text', pattern='qid{qid}', dim=4096, **_from)],
    grid=0.1,
)
del _from, _at
