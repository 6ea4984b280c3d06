# SPDX-License-Identifier: Apache-2.0
# TVSum with I3D features as VideoLights loads it: text is normalised and cut, and clips beyond the
# ratings stay, with the label 0.
_base_ = './tvsum_i3d.py'

benchmark = dict(
    dataset=dict(
        features=dict(normalize_text=True, max_text_tokens=32, unrated_clips='keep'),
    )
)
