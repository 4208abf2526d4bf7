"""The documentation site: ``sphinx-build -W -b html docs build/docs``."""

from ragdiag import __version__

project, author, version, release = "ragdiag", "the ragdiag authors", __version__, __version__
copyright = "2026, the ragdiag authors"

extensions = ["myst_nb", "sphinx.ext.autodoc"]
source_suffix = {".md": "myst-nb", ".ipynb": "myst-nb"}
nb_execution_mode = "off"  # a test executes them

myst_heading_anchors = 3

default_role = "code"  # in docstrings
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
autodoc_member_order = "bysource"
add_module_names = False

html_theme = "furo"
html_title = f"ragdiag {__version__}"
html_copy_source = False
html_show_sourcelink = False
