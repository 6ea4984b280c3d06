# SPDX-License-Identifier: Apache-2.0
"""Which source video a clip was cut from, read off its id.

Two samples of the same source are no negative pair. A rule maps a video id to a source id.
"""

import re
from collections.abc import Callable

_SEGMENT = re.compile(r'(.+)_\d+(?:\.\d+)?_\d+(?:\.\d+)?')


def segment_source(vid: str) -> str:
    """``{video}_{start}_{end}`` gives ``{video}``; any other id is its own source."""
    match = _SEGMENT.fullmatch(vid)
    return match.group(1) if match else vid


def underscore_source(vid: str) -> str:
    """Cut at the last but one underscore; with a single one, at that one (official SG-DETR code).

    Different videos whose ids begin with their only underscore all become the empty source.
    """
    parts = vid.split('_')
    return '_'.join(parts[:-2]) if len(parts) > 2 else parts[0]


SOURCE_RULES: dict[str, Callable[[str], str]] = {
    'segment': segment_source,
    'underscore': underscore_source,
}
