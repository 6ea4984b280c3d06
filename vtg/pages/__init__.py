# SPDX-License-Identifier: Apache-2.0
"""One self-contained HTML page: timelines of queries, a browser through them, and plots."""

from .entries import Entry, Section, Track
from .page import frame, media_source, render_page, write_page

__all__ = ['Entry', 'Section', 'Track', 'frame', 'media_source', 'render_page', 'write_page']
