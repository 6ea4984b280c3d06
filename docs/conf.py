# SPDX-License-Identifier: Apache-2.0
"""Sphinx: pages in Markdown, an API reference from docstrings, generated catalogues."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import generated

from vtg.version import __version__

project = 'vtg'
author = 'The vtg authors'
html_show_copyright = False  # the licence is in the repository
release = version = __version__
extensions = ['myst_parser', 'sphinx.ext.autodoc', 'sphinx.ext.napoleon']
html_theme = 'furo'
html_title = f'vtg {__version__}'
html_static_path = ['static']
html_css_files = ['site.css']
exclude_patterns = ['_build']
myst_heading_anchors = 4
myst_enable_extensions = ['dollarmath']
suppress_warnings = ['myst.header']

autodoc_default_options = {'members': True, 'show-inheritance': True, 'ignore-module-all': False}
autodoc_typehints = 'signature'
autodoc_member_order = 'bysource'
napoleon_google_docstring = True


def setup(app: object) -> None:
    """Write the generated pages before Sphinx looks for pages."""
    generated.write(Path(__file__).parent / 'reference')
