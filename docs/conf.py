"""Configuration of Sphinx: ``python -m sphinx -W docs OUT``."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

import bundleimp

project = "bundleimp"
author = "the bundleimp authors"
project_copyright = author
version = release = bundleimp.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_argparse_cli",
    "generated",
]
exclude_patterns = ["_ext"]
myst_heading_anchors = 4
myst_links_external_new_tab = False
default_role = "code"
nitpicky = True
nitpick_ignore_regex = [  # named by docstrings, and not public: kinds of BundleError, records in a PackReport
    ("py:exc", "PackError|BundleFormatError|BundleSignatureError"),
    ("py:class", "LeftOut|RunsOn|PackWarning"),
]
smartquotes = False  # options begin with two hyphens

autodoc_typehints = "none"  # signatures show them; the runtime's types are known to type checkers only
autodoc_member_order = "bysource"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_custom_sections = [("Arguments", "params_style")]
napoleon_use_rtype = False

html_theme = "furo"
html_title = f"bundleimp {version}"
html_static_path = ["_static"]
html_css_files = ["wide.css"]
html_copy_source = False
html_show_sphinx = False
