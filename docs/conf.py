"""How Sphinx builds `docs/` into a site: strict, and complete in itself."""

import re
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.errors import SphinxError

project = "belepo"
extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
myst_heading_anchors = 4
nitpicky = True
html_theme = "furo"
html_title = "belepo"
html_show_sphinx = False
html_show_copyright = False
html_copy_source = False
html_static_path = ["_static"]
html_css_files = ["site.css"]

_LOADED = re.compile(
    r"<(?:script|img|iframe|source)\b[^>]*\bsrc=[\"'](?:https?:)?//|<link\b[^>]*\bhref=[\"'](?:https?:)?//"
)
_LOADED_BY_STYLES = re.compile(r"(?:@import\s+|url\()[\"']?(?:https?:)?//")


def setup(app: Sphinx) -> None:
    """Have every build checked."""
    app.connect("build-finished", _stay_on_this_host)


def _stay_on_this_host(app: Sphinx, failure: Exception | None) -> None:
    """Fail where a page or a stylesheet loads something from another host."""
    if failure is not None:
        return
    for pattern, loaded in (("*.html", _LOADED), ("*.css", _LOADED_BY_STYLES)):
        for file in Path(app.outdir).rglob(pattern):
            if found := loaded.search(file.read_text("utf-8")):
                raise SphinxError(f"{file} loads from another host: {found[0]}")
