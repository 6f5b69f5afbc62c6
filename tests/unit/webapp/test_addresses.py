"""Each address of the site is written once, at its route; everything else makes it by the endpoint's name."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from tests import ROOT
from webapp.application import create_app
from webapp.http.addresses import Application
from webapp.settings import load
from webapp.worker.mailed_pages import mailed_pages

PYTHON = sorted((ROOT / "services").rglob("*.py")) + sorted((ROOT / "webapp").rglob("*.py"))
TEMPLATES = sorted((ROOT / "webapp" / "templates").rglob("*.html")) + sorted(
    (ROOT / "services" / "messages").glob("mail.*")
)
SCRIPTS = sorted((ROOT / "webapp" / "static" / "src").rglob("*.js"))
EXCUSED = {
    ("webapp/api/calls.py", "/email"): "a JSON pointer into the body of a request",
    ("webapp/settings.py", "/dev"): "a sentence for operators",
    ("webapp/settings.py", "/metrics"): "a sentence for operators",
    ("webapp/cli/doctor.py", "/dev/reset"): "a sentence for operators",
    ("webapp/cli/outside.py", "/metrics"): "a sentence for operators",
    ("webapp/console/managed.py", "/fajlok"): "below the adviser's own address",
    ("webapp/cli/outside.py", "/healthz"): "asked where customers ask, from a process without pages",
}
"""What looks like a second copy, by file, and why it is none. What is no longer needed here must go."""

_TOKEN = re.compile(r"""(?<![\w.:/-])(?:https?://[\w.:-]+)?(/[^\s"'`?#,;()]*)""")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The application with all that it can have: the demonstration's pages, and the company's sign-in."""
    company = {"oidc_issuer": "https://sso.example", "oidc_client_id": "belepo", "oidc_client_secret": "s" * 32}
    made = create_app(load(demo=True, data_dir=str(tmp_path_factory.mktemp("addresses")), **company))
    yield made
    made.extensions["belepo"].store.close()


def test_each_address_is_written_once(app: Flask) -> None:
    declared = _declared(app)
    assert len(declared) > 80
    found = Counter((name, token) for name, token in _written() if token in declared)
    second = {one for one, count in found.items() if count > 1 or one[0] not in declared[one[1]]}
    assert second == set(EXCUSED)


def test_no_template_begins_an_address_itself() -> None:
    """The start page's is no more than a slash, which stands for much else elsewhere."""
    begun = re.compile(r"""(?:href|action|src|data-hx-\w+)=["']/""")
    assert not [_name(path) for path in TEMPLATES if begun.search(path.read_text("utf-8"))]


def test_each_name_is_an_endpoints(app: Flask) -> None:
    call = re.compile(r"""url_for\(\s*['"]([\w.]+)['"]""")
    named = {name for path in (*PYTHON, *TEMPLATES) for name in call.findall(path.read_text("utf-8"))}
    assert len(named) > 40
    assert not named - set(app.view_functions)


def test_an_address_is_made_without_a_request_as_with_one(app: Flask) -> None:
    assert isinstance(app, Application)
    with app.test_request_context("/", base_url="https://elsewhere.example"):
        within = [app.url_for(name) for name in ("site.start", "sign_in.show", "partner.home")]
        assert app.url_for("sign_in.show", next="/fiok") == "/belepes?next=/fiok"
        assert app.url_for("sign_in.show", _external=True) == "https://elsewhere.example/belepes"
    assert within == [app.url_for(name) for name in ("site.start", "sign_in.show", "partner.home")]
    assert within == ["/", "/belepes", "/partner"]


def test_mails_lead_to_pages_of_the_site(app: Flask) -> None:
    adapter = app.url_map.bind("")
    assert all(adapter.test(path, "GET") for path in vars(mailed_pages()).values())


def _declared(app: Flask) -> dict[str, set[str]]:
    """Return each end of an address with the files that may declare it; no file declares what an argument cuts off."""
    declared: dict[str, set[str]] = {}
    for rule in app.url_map.iter_rules():
        blueprint = app.blueprints[rule.endpoint.rpartition(".")[0]]
        files = {_file_of(blueprint.import_name), _file_of(app.view_functions[rule.endpoint].__module__)}
        path = re.sub(r"<\w+:", "<", rule.rule)
        for end in (*_ends(path), blueprint.url_prefix or path):
            declared.setdefault(end, set()).update(files)
        for cut in re.finditer("<", path):
            for end in _ends(path[: cut.start()].rstrip("/")):
                declared.setdefault(end, set())
    return declared


def _ends(path: str) -> Iterator[str]:
    """Yield a path, and what is left of it after each of its parts."""
    yield from (path[found.start() :] for found in re.finditer(r"/(?=[\w.])", path))


def _written() -> Iterator[tuple[str, str]]:
    """Yield what looks like an address in code, templates and scripts, with its file."""
    for path in PYTHON:
        for text in _texts(ast.parse(path.read_text("utf-8"))):
            yield from ((_name(path), token) for token in _tokens(text))
    for path in (*TEMPLATES, *SCRIPTS):
        text = re.sub(r"\{#.*?#\}|^\s*//.*?$", "", path.read_text("utf-8"), flags=re.S | re.M)
        yield from ((_name(path), token) for token in _tokens(text))


def _texts(tree: ast.AST) -> Iterator[str]:
    """Yield the texts of a module, those that explain it aside."""
    remarks = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in remarks:
            yield node.value


def _tokens(text: str) -> Iterator[str]:
    for token in _TOKEN.findall(text):
        yield token.replace("{", "<").replace("}", ">").rstrip("/.:")


def _file_of(module: str) -> str:
    path = module.replace(".", "/")
    return f"{path}/__init__.py" if (ROOT / path).is_dir() else f"{path}.py"


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))
