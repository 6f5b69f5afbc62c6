"""`belepo import --invoices`: a file of invoices, as `PUT /invoices` takes each (P47)."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from services.payments.ledger import NewInvoice
from services.store.migrate import migrate
from tests.world.site import Secrets, Site
from webapp.application import create_app
from webapp.cli.main import main
from webapp.demo import seed
from webapp.settings import load

HEAD = "Számlaszám;Kötvényszám;Összeg;Devizanem;Fizetési határidő;Állapot"
GOOD = "SZ-7;940000001;24 900;HUF;2030.01.31.;esedékes"


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Site:
    """A demonstration of one's own, quick."""
    monkeypatch.chdir(tmp_path)
    for name, value in {"DEMO": "1", "DATA_DIR": str(tmp_path), "BCRYPT_ROUNDS": "4"}.items():
        monkeypatch.setenv(f"BELEPO_{name}", value)
    made = Site(create_app(load()), Secrets())
    migrate(made.parts.store)
    seed.load(made.parts.store, made.parts.profile, made.parts.clock, 4)
    return made


def run(*lines: str, options: tuple[str, ...] = ()) -> Result:
    Path("invoices.csv").write_text("\n".join((*lines, "")), encoding="utf-8")
    return CliRunner().invoke(main, ["import", "--invoices", "invoices.csv", "--json", *options])


def counts(done: Result) -> Any:
    (file,) = json.loads(done.stdout)["files"]
    return [file[name] for name in ("rows", "added", "changed", "unchanged", "refused")]


def find(site: Site, number: str = "SZ-7") -> Any:
    return site.parts.portal.payments.ledger.find(number)[0]


def test_a_file_brings_invoices_and_the_same_again_changes_nothing(site: Site) -> None:
    assert counts(run(HEAD, GOOD)) == [1, 1, 0, 0, 0]
    invoice = find(site)
    assert (invoice.policy_number, invoice.amount, invoice.currency) == ("940000001", 24900, "HUF")
    assert (invoice.due_on, invoice.state) == (date(2030, 1, 31), "due")
    assert counts(run(HEAD, GOOD)) == [1, 0, 0, 1, 0]
    assert counts(run(HEAD, GOOD.replace("01.31", "02.28"))) == [1, 0, 1, 0, 0]
    assert counts(run(HEAD, GOOD.replace("01.31", "02.28").replace("esedékes", "kiegyenlített"))) == [1, 0, 1, 0, 0]
    assert find(site).state == "paid"


def test_refused_rows_say_why_and_the_others_are_taken(site: Site) -> None:
    done = run(
        HEAD,
        GOOD,
        GOOD.replace("SZ-7", "SZ-8").replace("940000001", "949999999"),
        GOOD.replace("SZ-7", "SZ 9"),
        GOOD.replace("24 900", "0"),
        GOOD,
        "SZ-10;940000001;5;HUF;soon;",
        "SZ-11;940000001;5;XXX;2030-01-31;",
    )
    assert done.exit_code == 0
    assert counts(done) == [7, 1, 0, 0, 6]
    rejects = Path("rejects-invoices.csv").read_text("utf-8-sig").splitlines()[1:]
    assert sorted(line.split(";")[1:5] for line in rejects) == [
        ["3", "", "policy_number", "unknown_policy"],
        ["4", "", "number", "malformed"],
        ["5", "", "amount", "malformed"],
        ["6", "", "number", "duplicate"],
        ["7", "", "due_on", "malformed"],
        ["8", "", "currency", "malformed"],
    ]


def test_the_amount_of_a_paid_invoice_stays(site: Site) -> None:
    paid = NewInvoice("940000001", 24900, "HUF", date(2030, 1, 31), state="paid")
    site.parts.portal.payments.ledger.put("SZ-7", paid)
    done = run(HEAD, GOOD.replace("24 900", "25 000"), GOOD.replace("SZ-7", "SZ-8"))
    assert counts(done) == [2, 1, 0, 0, 1]
    assert ";amount;paid;" in Path("rejects-invoices.csv").read_text("utf-8-sig")
    assert (find(site).amount, find(site).state) == (24900, "paid")


def test_a_dry_run_keeps_nothing(site: Site) -> None:
    assert counts(run(HEAD, GOOD, options=("--dry-run",))) == [1, 1, 0, 0, 0]
    assert not [row for row in site.rows("invoices") if row.number == "SZ-7"]


@pytest.mark.parametrize(
    ("lines", "words"), [((HEAD,), "no rows"), ((HEAD, GOOD.replace("HUF", "?")), "All rows"), (("a;b",), "no column")]
)
def test_a_file_that_is_none_is_a_failure(site: Site, lines: tuple[str, ...], words: str) -> None:
    done = run(*lines)
    assert done.exit_code == 1
    assert words in done.output


def test_a_failure_after_the_register_says_so_as_json_too(site: Site) -> None:
    done = run(HEAD, GOOD.replace("HUF", "?"))
    told = json.loads(done.stdout)
    assert told["imported"] is True
    assert told["error"].endswith("The register itself was imported.")
