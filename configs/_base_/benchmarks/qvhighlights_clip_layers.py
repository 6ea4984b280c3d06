# SPDX-License-Identifier: Apache-2.0
# QVHighlights with all tokens of the last four layers of CLIP ViT-B/32, one frame per 2 s: of every
# frame the class token and 49 patches (768), of every word one feature per layer (512). Published
# by R2-Tuning in half precision.
_base_ = './qvhighlights.py'

_from = dict(type='FolderStore', features_from='https://github.com/yeliudev/R2-Tuning')
_at = 'data/qvhighlights'
benchmark = dict(
    dataset=dict(
        features=dict(normalize_video=False, normalize_text=False),
        labels=dict(
            saliency=dict(type='AnnotatorSum', easy='rated'),
            max_windows=None,
            cut_windows=True,
            min_clips=1.0,
        ),
    ),
    video=[dict(folder=f'{_at}/clip_b32_vid_k4', dim=768, row_shape=(4, 50), **_from)],
    text=[dict(folder=f'{_at}/clip_b32_txt_k4', pattern='{qid}', dim=512, row_shape=(4,), **_from)],
)
del _from, _at
