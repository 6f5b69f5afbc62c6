"""What must hold of the house: who may import whom, who reads time and chance, and that every word exists."""

import ast
import importlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from services.denials import DEAD_ENDS, REFUSALS, Audience
from services.profiles import load as load_profile
from services.refusal import DeadEnd, Refusal
from tests import ROOT
from webapp.api.problems import STATUS

SERVICES = sorted((ROOT / "services").rglob("*.py"))
WEBAPP = sorted((ROOT / "webapp").rglob("*.py"))
TEMPLATES = sorted((ROOT / "webapp" / "templates").rglob("*.html")) + sorted(
    (ROOT / "services" / "messages").glob("mail.*")
)
LANGUAGES = ("hu", "en")
_PLURALS = ("none", "zero", "one", "two", "few", "many", "other")
_KEY = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z0-9_]+)+")
_TIME = {"now", "utcnow", "today", "time", "time_ns", "localtime", "gmtime"}
_LATE_IMPORTS = {
    "services/messages/senders/sms.py": ("apprise",),
    "services/letters/openers.py": ("services.letters.password_box",),
    "services/pdf/typesetting.py": ("typst",),
    "services/pdf/encryption.py": ("pikepdf",),
    "services/accounts/passkeys.py": ("services.accounts.ceremonies",),
    "services/events/sealing.py": ("services.events.secret_box",),
    "services/staff/second_factor.py": ("services.staff.secret_box",),
    "services/worklists/selection_tokens.py": ("services.worklists.token_box",),
}
"""Large packages that most processes never need, and the modules that bring some."""
_CLOCKS = {"services/clock.py", "webapp/cli/doctor.py"}
"""The clock, and the command that looks whether the machine's own goes right."""


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def _imports(node: ast.AST) -> Iterator[tuple[ast.stmt, str]]:
    for inner in ast.walk(node):
        if isinstance(inner, ast.Import):
            yield from ((inner, alias.name) for alias in inner.names)
        elif isinstance(inner, ast.ImportFrom):
            assert not inner.level, "relative imports hide where a module lives"
            yield from ((inner, f"{inner.module}.{alias.name}") for alias in inner.names)


def _begins(module: str, *packages: str) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


@pytest.mark.parametrize("path", SERVICES, ids=_name)
def test_the_rules_know_nothing_of_the_web(path: Path) -> None:
    for _, module in _imports(_tree(path)):
        assert not _begins(module, "flask", "wtforms", "flask_wtf", "werkzeug", "webapp", "flask_babel"), module


@pytest.mark.parametrize("path", sorted((ROOT / "webapp" / "steps").glob("*.py")), ids=_name)
def test_steps_know_neither_the_request_nor_each_other(path: Path) -> None:
    for _, module in _imports(_tree(path)):
        assert not _begins(module, "flask", "flask_limiter", "webapp.steps"), module


@pytest.mark.parametrize("path", sorted((ROOT / "webapp" / "steps").glob("*.py")), ids=_name)
def test_steps_reach_the_session_through_no_function(path: Path) -> None:
    assert "flask.session" not in _reached(_module(path))


def test_what_is_reached_is_found_through_other_modules() -> None:
    assert "flask.session" in _reached("webapp.registration.dead_ends")


def _reached(start: str) -> set[str]:
    """Return the names that a module's code uses, and those that the functions and classes behind them use."""
    known = {_module(path): _tree(path) for path in WEBAPP}
    reached: set[str] = set()
    todo = [name for node in known[start].body for name in _used(start, node)]
    while todo:
        name = todo.pop()
        module, _, symbol = name.rpartition(".")
        if name not in reached and module in known:
            todo += [used for node in known[module].body if symbol in _defined(node) for used in _used(module, node)]
        reached.add(name)
    return reached


def _used(module: str, node: ast.stmt) -> Iterator[str]:
    """Yield the names in `node`, with the modules that they come from."""
    path = ROOT / module.replace(".", "/")
    tree = _tree(path / "__init__.py" if path.is_dir() else path.with_suffix(".py"))
    imported = {name.rpartition(".")[2]: name for _, name in _imports(tree)}
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name):
            yield imported.get(inner.id, f"{module}.{inner.id}")
        elif isinstance(inner, ast.Attribute) and isinstance(inner.value, ast.Name) and inner.value.id in imported:
            yield f"{imported[inner.value.id]}.{inner.attr}"


def _defined(node: ast.stmt) -> list[str]:
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]


_NO_VIEWS = {
    "cli": "commands migrate, fill and examine the database",
    "wsgi": "has a demonstration's database migrated",
    "wiring": "opens the database",
    "parts": "holds it",
    "demo": "testers fill, change and empty it",
    "worker": "hands services the connection of the delivery",
    "settings": "holds the database's address",
    "service_urls": "reads the database's address",
}
_DATABASE_ERRORS = {"webapp/ui/faults.py": ("sqlalchemy.exc",)}
"""The one place that answers what the database raises."""


def _database_use(path: Path) -> list[str]:
    """Return what of the database a module names: an import, or the store of the parts."""
    imported = [
        module
        for _, module in _imports(_tree(path))
        if _begins(module, "sqlalchemy", "services.store")
        and not _begins(module, *_DATABASE_ERRORS.get(_name(path), ()))
    ]
    asked = [node.attr for node in ast.walk(_tree(path)) if isinstance(node, ast.Attribute) and node.attr == "store"]
    return imported + asked


@pytest.mark.parametrize("path", [path for path in WEBAPP if path.parent != ROOT / "webapp"], ids=_name)
def test_views_ask_services_instead_of_the_database(path: Path) -> None:
    if _room(_module(path)) not in _NO_VIEWS:
        assert not _database_use(path)


def test_whatever_uses_the_database_without_a_service_says_why() -> None:
    used = {_room(_module(path)) for path in WEBAPP if path.stem != "__init__" and _database_use(path)}
    assert used == set(_NO_VIEWS)


@pytest.mark.parametrize("path", SERVICES + WEBAPP, ids=_name)
def test_imports_stand_at_the_top(path: Path) -> None:
    tree = _tree(path)
    for function in ast.walk(tree):
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
            for _, module in _imports(function):
                assert _begins(module, *_LATE_IMPORTS.get(_name(path), ())), f"{module} is imported late"


# Rooms, from the top to the bottom: what stands further down is never imported from further up.
ROOMS = {
    "webapp": (
        "cli", "wsgi", "application", "wiring", "demo", "worker", "operations", "api", "console", "registration",
        "portal", "site", "account", "steps", "journey", "ui", "http", "parts", "gateways", "settings",
        "service_urls",
    ),
    "services": (
        "health", "heartbeats", "retention", "worklists", "clients", "staff", "portal", "payments", "requests",
        "uploads", "grants", "letters",
        "pdf", "contracts", "gateways", "registrations", "accounts", "sessions", "figures", "codes", "messages",
        "register", "events", "passwords", "terms",
        "references", "audit", "limits", "base", "store", "links", "keys", "profiles", "texts", "values",
        "request_ids", "pauses", "randomness",
        "clock", "refusal", "denials", "crash_points",
    ),
}  # fmt: skip


@pytest.mark.parametrize("tree", ROOMS)
def test_imports_point_downwards(tree: str) -> None:
    order = ROOMS[tree]
    arrows = [(name, other) for name, others in _imported().items() for other in others if _begins(name, tree)]
    assert len(arrows) > 200
    upwards = [
        f"{name} imports {other}"
        for name, other in arrows
        if _begins(other, tree) and (above := _room(name)) != (below := _room(other))
        if order.index(above) > order.index(below)
    ]
    assert not upwards


def test_the_top_of_the_web_has_eight_files_at_most() -> None:
    assert len(sorted((ROOT / "webapp").glob("*.py"))) <= 8


def test_no_circles() -> None:
    after = _imported()
    done: set[str] = set()

    def access(name: str, way: tuple[str, ...]) -> None:
        assert name not in way, f"a circle: {' → '.join((*way, name))}"
        if name not in done:
            for other in after[name]:
                access(other, (*way, name))
            done.add(name)

    for name in after:
        access(name, ())


@cache
def _imported() -> dict[str, set[str]]:
    """Return the modules that each module of ours imports, those for type checking alone included."""
    known = {_module(path): path for path in SERVICES + WEBAPP}
    return {
        name: {found for _, module in _imports(_tree(path)) if (found := _nearest(module, known)) and found != name}
        for name, path in known.items()
    }


def _room(module: str) -> str:
    return module.split(".")[1]


def _module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def _nearest(module: str, known: dict[str, Path]) -> str | None:
    return module if module in known else module.rpartition(".")[0] if module.rpartition(".")[0] in known else None


# --- Size --------------------------------------------------------------------------------------------------------

MOST_COLLABORATORS, MOST_VERBS, LONGEST_FUNCTION, LONGEST_WIRING, MOST_GROUPS = 7, 10, 45, 40, 12
_HOOKS = ("validate_",)
"""WTForms calls the methods with these names by itself."""
_CODE = [path for path in SERVICES + WEBAPP if "migrations" not in path.parts]
"""All but migrations: each is one list of what it changes, and is never edited again."""


def test_no_class_has_too_many_collaborators() -> None:
    found = {
        f"{_name(path)}: {one.name}": len(arguments.args) + len(arguments.kwonlyargs) - 1
        for path, one in _classes()
        for init in one.body
        if isinstance(init, ast.FunctionDef) and init.name == "__init__"
        for arguments in (init.args,)
    }
    assert len(found) > 50
    assert not {name: count for name, count in found.items() if count > MOST_COLLABORATORS}


def test_no_class_has_too_many_verbs() -> None:
    found = {
        f"{_name(path)}: {one.name}": sum(
            isinstance(method, ast.FunctionDef) and not method.name.startswith(("_", *_HOOKS)) for method in one.body
        )
        for path, one in _classes()
    }
    assert not {name: count for name, count in found.items() if count > MOST_VERBS}


def test_no_function_is_too_long() -> None:
    found = {
        f"{_name(path)}: {function.name}": _length(function)
        for path in _CODE
        for function in ast.walk(_tree(path))
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef))
    }
    assert not {name: lines for name, lines in found.items() if lines > LONGEST_FUNCTION}


def test_the_wiring_is_short() -> None:
    """Each package builds its own services: the wiring calls them in order."""
    path = ROOT / "webapp" / "wiring.py"
    assert sum(_length(node) for node in _tree(path).body if isinstance(node, ast.FunctionDef)) <= LONGEST_WIRING


def test_the_parts_are_a_tree_of_few_groups() -> None:
    (parts,) = (one for path, one in _classes() if _name(path) == "webapp/parts.py" and one.name == "Parts")
    fields = {ast.unparse(node.target) for node in parts.body if isinstance(node, ast.AnnAssign)}
    assert 0 < len(fields - {"settings", "base", "demo", "clock", "health", "links"}) <= MOST_GROUPS


def _classes() -> Iterator[tuple[Path, ast.ClassDef]]:
    for path in _CODE:
        yield from ((path, node) for node in ast.walk(_tree(path)) if isinstance(node, ast.ClassDef))


def _length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return how many lines a function has without its docstring."""
    lines = (function.end_lineno or 0) - function.lineno + 1
    first = function.body[0]
    return lines if ast.get_docstring(function) is None else lines - ((first.end_lineno or 0) - first.lineno + 1)


def _calls(path: Path) -> Iterator[tuple[str, str]]:
    """Yield what is called on what: datetime.now() as ("datetime", "now")."""
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value
            yield owner.id if isinstance(owner, ast.Name) else getattr(owner, "attr", ""), node.func.attr


@pytest.mark.parametrize("path", SERVICES + WEBAPP, ids=_name)
def test_only_the_clock_reads_the_time(path: Path) -> None:
    if _name(path) in _CLOCKS:
        assert ("time", "time") in set(_calls(path))
        return
    for owner, method in _calls(path):
        is_read = owner in ("datetime", "date", "time", "_time") and method in _TIME
        assert not is_read, f"{owner}.{method}()"
    for _, module in _imports(_tree(path)):
        assert module not in ("time.time", "time.time_ns"), module


@pytest.mark.parametrize("path", SERVICES + WEBAPP, ids=_name)
def test_only_one_module_asks_for_chance(path: Path) -> None:
    modules = {module for _, module in _imports(_tree(path)) if _begins(module, "random", "secrets", "uuid")}
    assert bool(modules) == (_name(path) == "services/randomness.py"), modules
    assert not [call for call in _calls(path) if call == ("os", "urandom")]


# --- Words --------------------------------------------------------------------------------------------------------


@cache
def _catalogue(language: str) -> frozenset[str]:
    with (ROOT / "services" / "texts" / "catalogues" / f"{language}.po").open("rb") as file:
        return frozenset(str(entry.id) for entry in read_po(file) if entry.id and entry.string)


def _has(key: str, language: str) -> bool:
    return key in _catalogue(language) or f"{key}.other" in _catalogue(language)


def _literals() -> Iterator[tuple[str, str]]:
    """Yield each text in code and templates that looks like a key, and where it stands."""
    for path in SERVICES + WEBAPP:
        for node in ast.walk(_tree(path)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and _KEY.fullmatch(node.value):
                yield node.value, _name(path)
    for path in TEMPLATES:
        for key in re.findall(r"""(?<!url_for\()['"]([a-z][\w.]*)['"]""", path.read_text("utf-8")):
            if _KEY.fullmatch(key):
                yield key, _name(path)


def _called() -> Iterator[tuple[str, str]]:
    """Yield each key that stands whole in a call of `t`, `t.plain`, `say` and the like."""
    call = re.compile(r"""(?:\bt(?:\.plain)?|say\(\)(?:\.plain)?|\bsay)\(\s*['"]([a-z0-9_.]+)['"]""")
    for path in [*SERVICES, *WEBAPP, *TEMPLATES]:
        for key in call.findall(path.read_text("utf-8")):
            if not key.endswith("."):
                yield key, _name(path)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_key_that_is_asked_for_exists(language: str) -> None:
    asked = sorted(set(_called()))
    assert len(asked) > 100
    missing = [(key, where) for key, where in asked if not _has(key, language)]
    families = {key.partition(".")[0] for key in _catalogue("hu")}
    missing += [
        (key, where)
        for key, where in sorted(set(_literals()))
        if where.endswith(".html") and key.partition(".")[0] in families and not _has(key, language)
        and not (ROOT / "webapp" / "templates" / key).exists()
    ]  # fmt: skip
    assert not missing


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_refusal_that_people_read_has_its_words(language: str) -> None:
    read = {
        (refusal := Refusal(*pair)).key: [f"staff.{refusal.key}"] if declared.audience is Audience.STAFF else []
        for pair, declared in REFUSALS.items()
        if declared.audience in (Audience.CUSTOMER, Audience.STAFF)
    }
    assert len(read) > 100
    assert not [key for key, others in read.items() if not any(_has(one, language) for one in (key, *others))]


def test_the_words_of_a_refusal_ask_for_no_other_facts() -> None:
    texts = load_profile("mygenerali").texts
    told, times = set(texts.facts("hu")), {"at": "time", "moment": "datetime"}
    for pair, declared in REFUSALS.items():
        key = Refusal(*pair).key
        asked = set().union(*(texts.offered(f"{by}{key}{form}") for by in ("", "staff.") for form in ("", ".other")))
        assert asked - told <= {times.get(fact, fact) for fact in declared.facts}, pair


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_dead_end_has_its_words(language: str) -> None:
    keys = [f"dead_end.{kind}.{end}" for kind in DEAD_ENDS for end in ("heading", "text")]
    assert not [key for key in keys if not _has(key, language)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_problem_of_the_api_has_its_words(language: str) -> None:
    assert not [kind for kind in STATUS for end in ("", ".text") if not _has(f"api.problem.{kind}{end}", language)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_rule_of_a_password_has_its_words(language: str) -> None:
    rules = [node for node in _constructed("Rule") if len(node.args) == 3]
    assert len(rules) >= 6
    names = {name for node in rules for name in _possible(node.args[0])}
    assert not [name for name in names if not _has(f"password.rule.{name}", language)]
    assert {("password", reason) for node in rules for reason in _possible(node.args[2])} <= set(REFUSALS)


def test_every_refusal_that_is_raised_is_declared_with_its_facts() -> None:
    raised = [
        ((field, reason), _facts(node))
        for node in _constructed("Refusal")
        for field in _possible(node.args[0])
        for reason in _possible(node.args[1])
    ]
    assert len(raised) > 80
    assert not [pair for pair, _ in raised if pair not in REFUSALS]
    assert not [(pair, facts) for pair, facts in raised if not facts <= REFUSALS[pair].facts]


def test_every_field_that_numbers_are_read_for_is_declared() -> None:
    read = {
        field
        for path in SERVICES + WEBAPP
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and len(node.args) == 2
        if node.func.attr in ("code", "_number")
        for field in _possible(node.args[1])
    }
    assert {"code", "kutid", "policy_number"} <= read
    assert not [(field, why) for field in read for why in ("empty", "malformed") if (field, why) not in REFUSALS]


def test_every_dead_end_that_is_raised_is_declared_with_its_facts() -> None:
    raised = [(kind, _facts(node)) for node in _constructed("DeadEnd") for kind in _possible(node.args[0])]
    assert len(raised) > 5
    assert not [(kind, facts) for kind, facts in raised if not facts <= DEAD_ENDS.get(kind, set())]


def test_a_dead_end_that_is_not_declared_is_not_raised() -> None:
    with pytest.raises(KeyError):
        DeadEnd("forgotten")


def test_an_insurers_own_step_refuses_for_a_reason_of_its_own() -> None:
    assert Refusal("salutation", "empty").key == "error.salutation.empty"


def test_refusals_beside_another_control_name_one_that_is_there() -> None:
    steps = (importlib.import_module(f"webapp.steps.{path.stem}") for path in (ROOT / "webapp" / "steps").glob("*.py"))
    controls = {name for step in steps for one in vars(step).values() for name in getattr(one, "labels", ())}
    beside = {declared.beside for declared in REFUSALS.values()} - {""}
    assert beside <= controls


def _constructed(name: str) -> Iterator[ast.Call]:
    """Yield each call of the class with this name."""
    for path in SERVICES + WEBAPP:
        for node in ast.walk(_tree(path)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name:
                yield node


def _facts(node: ast.Call) -> set[str]:
    return {keyword.arg for keyword in node.keywords if keyword.arg is not None}


def _possible(node: ast.expr) -> set[str]:
    """Return the texts that an argument may be; none when it is worked out elsewhere."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return {node.value}
    if isinstance(node, ast.IfExp):
        return _possible(node.body) | _possible(node.orelse)
    return set()


def test_the_languages_have_the_same_keys() -> None:
    forms = re.compile(rf"\.(?:{'|'.join(_PLURALS)})$")
    hungarian, english = ({forms.sub("", key) for key in _catalogue(language)} for language in LANGUAGES)
    assert hungarian <= english
