"""How Sphinx builds `docs/` into a site: strict, and complete in itself."""

import re
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.errors import SphinxError

project = "belepo"
extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
myst_heading_anchors = 4
nitpicky = True
html_theme = "furo"
html_title = "belepo"
html_show_sphinx = False
html_show_copyright = False
html_copy_source = False
html_static_path = ["_static"]
html_css_files = ["site.css"]

_PAGE = re.compile(r"\]\(([\w/.-]+)\.md\)")
_ELSEWHERE = r"[\"']?(?:https?:)?//"
_LOADED = {
    "*.html": re.compile(rf"<(?:script|img|iframe|source)\b[^>]*\bsrc={_ELSEWHERE}|<link\b[^>]*\bhref={_ELSEWHERE}"),
    "*.css": re.compile(rf"@import\s+{_ELSEWHERE}|url\({_ELSEWHERE}"),
}


def setup(app: Sphinx) -> None:
    """Add the navigation to the index pages, and check what was built."""
    app.connect("source-read", _navigate)
    app.connect("build-finished", _stay_on_this_host)


def _navigate(app: Sphinx, page: str, source: list[str]) -> None:
    """Give an index page a table of contents: its own links, by its headings. So its source stays plain Markdown."""
    if page.rpartition("/")[2] != "index":
        return
    tables = []
    for section in re.split(r"^##? ", source[0], flags=re.M)[1:]:
        heading, _, body = section.partition("\n")
        if pages := _PAGE.findall(body):
            tables.append("\n".join(["```{toctree}", ":hidden:", f":caption: {heading}", "", *pages, "```", ""]))
    source[0] += "\n" + "\n".join(tables)


def _stay_on_this_host(app: Sphinx, failure: Exception | None) -> None:
    """Fail where a page or a stylesheet loads something from another host."""
    if failure is not None:
        return
    for pattern, loaded in _LOADED.items():
        for file in Path(app.outdir).rglob(pattern):
            if found := loaded.search(file.read_text("utf-8")):
                raise SphinxError(f"{file} loads from another host: {found[0]}")
