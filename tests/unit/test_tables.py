"""Whose tables are whose: only the owner writes one, and declares when its rows are erased and who gets to see them."""

import ast
import importlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from sqlalchemy import Table

from services.store.declarations import Declarations
from services.store.tables import DECLARED, metadata
from services.store.tables.register import REGISTER

ROOT = Path(__file__).parents[2]
TABLES = ROOT / "services" / "store" / "tables"
OWNERS = sorted(path.stem for path in TABLES.glob("*.py") if path.stem not in ("__init__", "base"))
MODULES = sorted(
    path
    for tree in ("services", "webapp")
    for path in (ROOT / tree).rglob("*.py")
    if TABLES not in path.parents and "migrations" not in path.parts
)

# --- What is declared -------------------------------------------------------------------------------------------

_OF_REGISTER = tuple(table.name for table in REGISTER)
_REGISTER = "the insurer's register: an import changes it, the account's end does not"
_NOBODYS = "counts about nobody"
_OF_STAFF = "about staff, not about the account"
NEVER_OVER = {
    **dict.fromkeys(_OF_REGISTER, _REGISTER),
    "accounts": "kept until the customer closes it, or its activation is over",
    "passkeys": "kept as long as the account",
    "calendar_feeds": "kept until the customer ends it, or the account",
    "staff": "kept: the audit trail speaks of those who left",
    "api_keys": "kept: the audit trail speaks of clients whose key has ended",
    "quality_sweep": "one row",
    **dict.fromkeys(("letters", "letter_events"), "proof of delivery, as long as the policy holder is in the register"),
    "letter_passwords": "kept as long as the account",
    "webhooks": "kept until the operator removes it",
    "upload_events": "the database erases them with the file, by the foreign key",
    "upload_objects": "the worker erases an object of the storage, and its row, once no file names it",
    "letter_consents": "proof of the consent, as long as the policy holder is in the register",
    "grants": "kept as long as the account",
    **dict.fromkeys(("invoices", "payments"), "the insurer's books, as long as the policy holder is in the register"),
    "request_events": "the database erases them with the request, by the foreign key",
    "heartbeats": "a row for each machine; a beat erases those of machines that are gone for a day",
}
OUTLIVES_THE_ACCOUNT = {
    **dict.fromkeys(_OF_REGISTER, _REGISTER),
    "activations": "the database erases them with the account, by the foreign key",
    "one_time_codes": "who closes an account and registers again gets no new budget of codes",
    "reference_codes": "dead ends that a customer met, gone as soon as a registration",
    "outbox": "what tells the customer of the end is sent after it; other messages are withdrawn by their topics",
    "demo_messages": "a demonstration's inbox",
    "allowances": "who closes an account and registers again gets no new tries",
    "sign_in_tries": "keyed hashes: they name nobody, and a guesser gets no new tries",
    **dict.fromkeys(("contact_changes", "events", "webhooks", "webhook_failures"), "for the insurer's own systems"),
    **dict.fromkeys(("letters", "letter_events"), "the insurer's archive and its proof of delivery"),
    "upload_events": "the database erases them with the file, by the foreign key",
    "upload_objects": "the worker erases an object of the storage, and its row, once no file names it",
    "letter_consents": "proof of how letters were to be sent",
    **dict.fromkeys(("requests", "request_events"), "the insurer's business: what was asked for and what came of it"),
    **dict.fromkeys(
        ("invoices", "payments", "bank_entries"), "the insurer's books: what was asked for and what was paid"
    ),
    "audit": "says that the account was closed, and by whom",
    "invitations": "who has declined stays known",
    "quality_cases": "about the register's data",
    "staff_cases": "what staff did, as long as a registration is kept",
    "api_answers": "what a client of the API was answered, for a day",
    **dict.fromkeys(("staff", "staff_sessions", "invitation_batches", "quality_sweep", "api_keys"), _OF_STAFF),
    **dict.fromkeys(("figures", "message_figures", "sms_months", "heartbeats"), _NOBODYS),
}
NOT_EXPORTED = {
    **dict.fromkeys(_OF_REGISTER, "the insurer's register: its own system answers for it"),
    "accounts": "the account itself heads the export",
    "activations": "a secret",
    "letter_passwords": "a secret",
    "upload_events": "the files' states say it",
    "upload_objects": "where bytes are kept",
    "password_resets": "a secret",
    "calendar_feeds": "a secret",
    "one_time_codes": "a secret",
    "reference_codes": "dead ends before there was an account",
    "outbox": "what was sent is with the customer; the history says what it was about",
    "demo_messages": "a demonstration's inbox",
    "allowances": "counts of tries, most of them by a keyed hash",
    "sign_in_tries": "keyed hashes and counts",
    "contact_changes": "the history names them",
    "events": "ids for the insurer's own systems; what happened is exported as letters and invoices",
    **dict.fromkeys(("webhooks", "webhook_failures"), "about the insurer's own systems"),
    "invitations": "about a customer who has no account",
    "quality_cases": "about the register's data",
    "letter_events": "each letter's certificate tells them",
    "nudges": "the history names them",
    "payments": "each invoice says when it was paid",
    "request_events": "each request says what state it is in",
    "bank_entries": "each invoice says when it was paid",
    "staff_cases": "the history says what staff did",
    "api_answers": "what the API's client was answered",
    **dict.fromkeys(("staff", "staff_sessions", "invitation_batches", "quality_sweep", "api_keys"), _OF_STAFF),
    **dict.fromkeys(("figures", "message_figures", "sms_months", "heartbeats"), _NOBODYS),
}


def _own(owner: str) -> tuple[dict[str, Table], Declarations]:
    module = importlib.import_module(f"services.store.tables.{owner}")
    tables = {name: value for name, value in vars(module).items() if isinstance(value, Table)}
    return tables, module.DECLARED


def _over(declared: Declarations) -> set[Table]:
    return {_of(rule.key) for rule in declared.retention if rule.emptied is None and not rule.is_account} | {
        _of(rule.moment) for rule in declared.retention if rule.is_account
    }


def _erased(declared: Declarations) -> set[Table]:
    return {_of(rows.column) for rows in declared.erased_with_account}


def _exported(declared: Declarations) -> set[Table]:
    return {_of(rows.column) for rows in declared.exported}


def _of(column: object) -> Table:
    table = getattr(column, "table", None)
    assert isinstance(table, Table)
    return table


def test_every_table_has_one_owner_who_is_a_package() -> None:
    owned = [table for owner in OWNERS for table in _own(owner)[0].values()]
    assert sorted(table.name for table in owned) == sorted(metadata.tables)
    for owner in OWNERS:
        assert (ROOT / "services" / owner).is_dir() or (ROOT / "services" / f"{owner}.py").is_file()


def test_what_every_owner_declares_is_collected() -> None:
    assert sorted(map(id, DECLARED)) == sorted(id(_own(owner)[1]) for owner in OWNERS)


@pytest.mark.parametrize("owner", OWNERS)
def test_an_owner_declares_its_own_tables_alone(owner: str) -> None:
    tables, declared = _own(owner)
    ended = {_of(rows.column) for rows in declared.ended_with_staff}
    assert _over(declared) | _erased(declared) | _exported(declared) | ended <= set(tables.values())


@pytest.mark.parametrize(
    ("declares", "excuses"),
    [(_over, NEVER_OVER), (_erased, OUTLIVES_THE_ACCOUNT), (_exported, NOT_EXPORTED)],
    ids=["retention", "erasure", "export"],
)
def test_every_table_is_declared_or_excused(declares: object, excuses: Mapping[str, str]) -> None:
    assert callable(declares)
    declared = {table.name for one in DECLARED for table in declares(one)}
    assert declared | set(excuses) == set(metadata.tables)
    assert not declared & set(excuses), "declared, and excused all the same"


# --- Who writes -------------------------------------------------------------------------------------------------

_VERBS = {"insert", "update", "delete", "insert_for", "insert_in"}
_DECLARED_ROWS = "tables that their owners declare"
WRITES_ANY_TABLE = {
    "services/retention.py": _DECLARED_ROWS,
    "services/accounts/closing.py": _DECLARED_ROWS,
    "services/staff/accounts.py": _DECLARED_ROWS,
    "services/sessions.py": "the tables of sessions, of customers and of staff",
    "services/store/statements.py": "builds the statements of others",
    "webapp/demo/seed.py": "throws all data of a demonstration away",
    "services/register/importing/merging.py": "the register's own tables and its stage, kind by kind",
    "services/register/importing/staging.py": "the stage of an import",
}
"""The modules that write tables which they do not name."""


STANDS_IN_FOR = {"webapp/demo/sender.py": "messages", "webapp/demo/seed.py": "register"}
"""Testers' code that does an owner's work in demo mode."""


def _owner_of(path: Path) -> str:
    if owner := STANDS_IN_FOR.get(str(path.relative_to(ROOT))):
        return owner
    parts = path.relative_to(ROOT).with_suffix("").parts
    return parts[1] if parts[0] == "services" else ""


def _tables_in(tree: ast.Module) -> dict[str, str]:
    """Return the owner of each table that a module imports or gives another name to."""
    known: dict[str, str] = {}
    prefix = "services.store.tables."
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(prefix):
            known |= {alias.asname or alias.name: node.module.removeprefix(prefix) for alias in node.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name | ast.Tuple):
            target, value = node.targets[0], node.value
            names = target.elts if isinstance(target, ast.Tuple) else [target]
            values = value.elts if isinstance(value, ast.Tuple) else [value]
            for name, of in zip(names, values, strict=False):
                if isinstance(name, ast.Name) and isinstance(of, ast.Name) and of.id in known:
                    known[name.id] = known[of.id]
    return known


def _writes(tree: ast.Module) -> Iterator[tuple[int, ast.expr | None]]:
    """Yield the line of each statement that writes, and the table as the code names it."""
    sql = _VERBS | {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module in ("sqlalchemy", "services.store.statements")
        for alias in node.names
        if alias.name in _VERBS
    }
    tables = _tables_in(tree)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        if isinstance(node.func, ast.Name) and node.func.id in sql:
            yield node.lineno, node.args[-1] if node.args else None
        elif isinstance(node.func, ast.Attribute) and node.func.attr in _VERBS:
            receiver = node.func.value
            if isinstance(receiver, ast.Name) and receiver.id in tables:
                yield node.lineno, receiver
            elif not isinstance(receiver, ast.Name | ast.Attribute) or _is_dialect(receiver):
                yield node.lineno, node.args[-1] if node.args else None


def _is_dialect(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in ("sqlite", "postgresql", "sqlalchemy", "sql")


def _foreign_writes(path: Path, tree: ast.Module) -> list[str]:
    tables, owner, name = _tables_in(tree), _owner_of(path), str(path.relative_to(ROOT))
    found = []
    for line, table in _writes(tree):
        whose = tables.get(table.id) if isinstance(table, ast.Name) else None
        if whose is None and name not in WRITES_ANY_TABLE:
            found.append(f"{name}:{line} writes a table that it does not name")
        elif whose is not None and whose != owner:
            found.append(f"{name}:{line} writes a table of {whose}")
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_only_its_owner_writes_a_table(path: Path) -> None:
    assert not _foreign_writes(path, ast.parse(path.read_text("utf-8")))


@pytest.mark.parametrize(
    "statement",
    [
        "insert(theirs)",
        "update(theirs).where(theirs.c.id == 1)",
        "delete(theirs)",
        "insert_for(connection, theirs).values(id=1).on_conflict_do_nothing()",
        "insert_in(dialect, theirs)",
        "theirs.insert()",
        "theirs.update().values(id=1)",
        "sqlite.insert(theirs)",
        "update(another_name)",
        "change(theirs)",
        "delete(of_any_owner())",
        "(sqlite if is_sqlite else postgresql).insert(theirs)",
    ],
)
def test_a_write_of_anothers_table_is_found(statement: str) -> None:
    code = f"""
from sqlalchemy import delete, insert, update, update as change
from services.store.statements import insert_for, insert_in
from services.store.tables.accounts import accounts as theirs
another_name = theirs
{statement}
"""
    assert _foreign_writes(ROOT / "services" / "staff" / "cases.py", ast.parse(code))
