"""The static files as browsers get them: under names that carry a hash of their content, precompressed.

`python -m webapp.http.assets` (or `make assets`) writes static/dist from our own sources and from the npm packages;
`Assets` tells the templates what the files are called. A source that imports others becomes one file with them, and
comments stay behind: they would be a sixth of what browsers load. Nothing else is minified, since compression leaves
little to gain.
"""

import json
import re
from collections.abc import Iterator
from gzip import compress as gzip_compress
from hashlib import sha256
from pathlib import Path

import brotli

HERE = Path(__file__).parents[1]
SOURCES = HERE / "static" / "src"
FETCHED = [HERE.parent / "node_modules" / "htmx.org" / "dist" / "htmx.min.js"]
BUILT = HERE / "static" / "dist"
MANIFEST = "manifest.json"
_IMPORT = re.compile(r"""^(?:@import|import(?: \{.+\} from)?) ["']\./(.+)["'];?\n""", re.M)
_COMMENT = {".css": re.compile(r"^ */\*.*?\*/\n", re.M | re.S), ".js": re.compile(r"^ *//.*\n", re.M)}


class Assets:
    """Where the built files are, by the names of their sources."""

    def __init__(self, built: Path = BUILT, prefix: str = "/static/") -> None:
        try:
            names: dict[str, str] = json.loads((built / MANIFEST).read_text())
        except FileNotFoundError:
            raise RuntimeError(f"{built} holds no built files: run `make assets` first.") from None
        self._urls = {name: prefix + built_name for name, built_name in names.items()}

    def url(self, name: str) -> str:
        return self._urls[name]


def build(built: Path = BUILT) -> dict[str, str]:
    """Write missing files, remove unused ones, return the manifest."""
    built.mkdir(parents=True, exist_ok=True)
    sources = dict(_inputs())
    names = {name: _hashed(name, content) for name, content in sorted(sources.items())}
    wanted = {MANIFEST}
    for name, content in sources.items():
        for suffix, pack in ((".br", brotli.compress), (".gz", _gzip), ("", bytes)):
            path = built / (names[name] + suffix)
            wanted.add(path.name)
            if not path.exists():
                _write(path, pack(content))
    _write(built / MANIFEST, json.dumps(names, indent=1).encode())
    for path in built.iterdir():
        if path.name not in wanted:
            path.unlink()
    return names


def _inputs() -> Iterator[tuple[str, bytes]]:
    for path in sorted(SOURCES.glob("*.*")):
        yield path.name, bundle(path).encode()
    for path in FETCHED:
        if not path.exists():
            raise RuntimeError(f"{path} is missing: run `make assets`, which fetches it.")
        yield path.name, path.read_bytes()


def bundle(path: Path) -> str:
    """Return a source with all that it imports, each file once, in the order in which a browser would take them.

    The modules of a script share one scope, so no two may give the same name at their top.
    """
    text = _with_imports(path, set())
    return f"(() => {{\n'use strict'\n{text}}})()\n" if path.suffix == ".js" else text


def _with_imports(path: Path, done: set[Path]) -> str:
    if path in done:
        return ""
    done.add(path)
    text = path.read_text("utf-8")
    if comment := _COMMENT.get(path.suffix):
        text = comment.sub("", text)
    if path.suffix == ".js":
        text = re.sub(r"^export ", "", text, flags=re.M)
    return _IMPORT.sub(lambda found: _with_imports(path.parent / found[1], done), text)


def _hashed(name: str, content: bytes) -> str:
    stem, dot, ending = name.rpartition(".")
    return f"{stem}.{sha256(content).hexdigest()[:8]}{dot}{ending}"


def _gzip(content: bytes) -> bytes:
    # Without the time of the build: the same source gives the same bytes.
    return gzip_compress(content, mtime=0)


def _write(path: Path, content: bytes) -> None:
    # Whole or not at all: a running server may be reading the folder.
    part = path.with_name(path.name + ".part")
    part.write_bytes(content)
    part.replace(path)


if __name__ == "__main__":
    for name, built_name in build().items():
        print(f"{name:14} {built_name:28} {(BUILT / (built_name + '.br')).stat().st_size:6} bytes (brotli)")
