# SPDX-License-Identifier: Apache-2.0
# Charades-STA with the features of FlashVTG: InternVideo2-6B video (768), one row per second, and
# LLaMA word features (4096).
_base_ = './charades.py'

_from = dict(type='FolderStore', features_from='https://github.com/Zhuo-Cao/FlashVTG')
_at = 'data/charades_sta'
benchmark = dict(
    features='charades_internvideo2_6b_llama',
    dataset=dict(features=dict(max_text_tokens=23)),
    video=[dict(folder=f'{_at}/internvideo2_6b_video', pattern='{vid}', dim=768, **_from)],
    text=[dict(folder=f'{_at}/llama_text', pattern='qid{qid}', dim=4096, **_from)],
)
del _from, _at
