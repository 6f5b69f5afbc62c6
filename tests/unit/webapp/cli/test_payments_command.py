"""The commands about refunds, as an operator types them."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from services.payments.ledger import NewInvoice
from services.store.migrate import migrate
from tests.world.cast import ANNA
from tests.world.site import Secrets, Site
from webapp.application import create_app
from webapp.cli.main import main
from webapp.demo import seed
from webapp.settings import load


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A demonstration of one's own, quick."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    for name, value in {"DEMO": "1", "DATA_DIR": str(tmp_path), "BCRYPT_ROUNDS": "4"}.items():
        monkeypatch.setenv(f"BELEPO_{name}", value)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["payments", *arguments])


def doubled() -> str:
    """Pay an invoice by card although the insurer has its money, and return the payment."""
    app = create_app(load())
    site = Site(app, Secrets())
    migrate(site.parts.store)
    seed.load(site.parts.store, site.parts.profile, site.parts.clock, 4)
    site.wait_for_morning()
    site.open_account(ANNA)
    visitor = site.visitor()
    visitor.sign_in(ANNA.email)
    page = visitor.open("/szamlak")
    address = next(link["href"] for link in page.root.all("a") if link.text == "SZ000002-6")
    visitor.open(f"{address}/fizetes")
    visitor.send("pay", way="card")
    attempt = visitor.seen.path.rpartition("/")[2]
    ledger = site.parts.portal.payments.ledger
    invoice, _ = ledger.find("SZ000002-6")
    names = NewInvoice.__dataclass_fields__.keys() - {"state"}
    ledger.put(invoice.number, NewInvoice(**{name: getattr(invoice, name) for name in names}, state="paid"))
    site.ask(f"/dev/payments/{attempt}", state="succeeded")
    site.parts.portal.payments.worker.ask_due()
    site.parts.store.close()
    return attempt


def test_a_payment_too_many_is_listed_until_its_refund_is_noted() -> None:
    attempt = doubled()
    listed = run("refunds").output
    assert attempt in listed
    assert "SZ000002-6" in listed
    assert "18,400 HUF" in listed
    assert run("refunded", attempt).exit_code == 0
    assert attempt not in run("refunds").output
    again = run("refunded", attempt)
    assert again.exit_code == 1
    assert "no such payment" in again.output


def test_a_statement_is_taken_in_and_told(tmp_path: Path) -> None:
    app = create_app(load())
    site = Site(app, Secrets())
    migrate(site.parts.store)
    seed.load(site.parts.store, site.parts.profile, site.parts.clock, 4)
    site.parts.store.close()
    file = tmp_path / "statement.csv"
    file.write_text(
        "date,amount,currency,reference\n2026-11-30,18400,HUF,SZ000002-6\n2026-11-30,5,HUF,what is this\n"
        "2026-11-30,-7,HUF,fee\n",
        "utf-8",
    )
    told = run("statement", str(file))
    assert told.exit_code == 0
    assert told.output.splitlines() == [
        "1 paid an invoice",
        "1 match no invoice: see the console's worklist",
        "1 passed over: not booked, or no money coming in",
    ]
    assert run("statement", str(file)).output.splitlines()[0] == "2 were known before"
    file.write_text("date,amount,currency,reference\nnever,18400,HUF,SZ000002-6\n", "utf-8")
    broken = run("statement", str(file))
    assert broken.exit_code == 1
    assert "could not be read: 2" in broken.output
    file.write_text("<a/>", "utf-8")
    assert "no camt.053" in run("statement", str(file)).output
