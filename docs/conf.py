"""Settings of the site that `bash .ci/docs` builds with Sphinx from the Markdown pages of this repository.

The source folder is the repository itself, so that a link means the same on the site as in a checkout. Nothing is
loaded from the network, neither while building nor while reading.
"""

from __future__ import annotations

import sys
from pathlib import Path

from sphinx.application import Sphinx

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))

import core  # noqa: E402 - from the repository

project = "Learnable SMPLify for Blender"
author = "the contributors of Learnable SMPLify for Blender"
release = core.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
root_doc = "README"
include_patterns = ["README.md", "CHANGELOG.md", "docs/**.md", "training/README.md"]
exclude_patterns = [".*", "build", "dist", "out", "logs", "**/__pycache__"]

# Markdown: a heading of up to four levels is an anchor that links are checked against, as a code host makes them.
myst_heading_anchors = 4

# Docstrings: Google's form; a name in backticks is a link where it is documented, else code.
smartquotes = False  # strings in docstrings stay as they are written
default_role = "py:obj"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {"members": True}
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_custom_sections = ["Convention"]
python_use_unqualified_type_names = True
add_module_names = False

html_theme = "furo"
html_title = project
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
templates_path = ["_templates"]
html_additional_pages = {"index": "index.html"}

CONTENTS = """
```{{toctree}}
:hidden:
:caption: {caption}

{pages}
```
"""
PAGES = {
    "For animators": (
        "docs/guide/first-figure",
        "docs/guide/character",
        "docs/guide/sidebar",
        "docs/formats",
        "docs/guide/export",
        "docs/guide/unreal",
        "docs/guide/unity",
        "docs/guide/mixamo",
        "docs/guide/vrm",
        "docs/guide/opensim",
        "docs/guide/troubleshooting",
    ),
    "For scripts": (
        "docs/guide/batch",
        "docs/cluster",
        "docs/live",
        "docs/automation",
        "docs/python",
        "docs/reference",
    ),
    "Behind it": ("docs/METHOD", "docs/accuracy", "docs/ARCHITECTURE", "training/README"),
    "The project": ("docs/CONTRIBUTING", "docs/SECURITY", "CHANGELOG"),
}
"""The pages beside the README, in the order of the sidebar."""


def add_contents(app: Sphinx, docname: str, source: list[str]) -> None:
    """Append the contents to the README, which is the front page, without showing them in a checkout."""
    if docname == root_doc:
        blocks = (CONTENTS.format(caption=caption, pages="\n".join(names)) for caption, names in PAGES.items())
        source[0] += "".join(blocks)


def setup(app: Sphinx) -> None:
    """Connect to Sphinx."""
    app.connect("source-read", add_contents)
