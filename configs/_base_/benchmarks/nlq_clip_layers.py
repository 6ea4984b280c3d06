# SPDX-License-Identifier: Apache-2.0
# Ego4D-NLQ with all tokens of the last four layers of CLIP ViT-B/32, one frame per 2 s, see
# qvhighlights_clip_layers.py.
_base_ = './nlq.py'

_from = dict(type='FolderStore', features_from='https://github.com/yeliudev/R2-Tuning')
_at = 'data/nlq'
benchmark = dict(
    dataset=dict(
        features=dict(normalize_video=False, normalize_text=False),
        labels=dict(
            saliency=dict(type='AllWindows', clip_from='clip_length', rounding='ceil'),
            cut_windows=True,
            min_clips=1.0,
        ),
    ),
    video=[dict(folder=f'{_at}/clip_b32_vid_k4', dim=768, row_shape=(4, 50), **_from)],
    text=[dict(folder=f'{_at}/clip_b32_txt_k4', pattern='{qid}', dim=512, row_shape=(4,), **_from)],
)
del _from, _at
