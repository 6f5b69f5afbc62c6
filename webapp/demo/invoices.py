"""The demonstration's invoices (contract, "The demo data set")."""

from datetime import date, timedelta

from services.clock import Clock
from services.payments.ledger import NewInvoice, bring
from services.profiles import Profile
from services.store.engine import Store

CROWD = range(10000101, 10000601)
"""The ids of the customers who have two invoices each."""
_AMOUNTS = {"HU": ("HUF", 12_000, 24_900, 18_400), "SK": ("EUR", 3_200, 6_640, 4_900)}
_ANNAS_CAR, _ANNAS_HOME = "940000001", "940000002"


def amounts(profile: Profile) -> tuple[str, int, int, int]:
    """Return the currency of an insurer's invoices, and the amounts paid, due and overdue, in its smallest unit."""
    return _AMOUNTS.get(profile.country, _AMOUNTS["HU"])


def load_invoices(store: Store, profile: Profile, clock: Clock) -> None:
    """Bring the invoices of customers 10000101 to 10000600, and of 10000001, who has an overdue one."""
    now = clock.now()
    today = now.astimezone(profile.zone).date()
    currency, _, due, overdue = amounts(profile)
    rows = {
        "SZ000001-8": _invoice(_ANNAS_CAR, due, currency, today - timedelta(days=70), is_paid=True),
        "SZ000001-9": _invoice(_ANNAS_CAR, due, currency, today + timedelta(days=21)),
        "SZ000002-6": _invoice(_ANNAS_HOME, overdue, currency, today - timedelta(days=9)),
    }
    for kutid in CROWD:
        rows |= usual_invoices(profile, f"{940_000_000 + kutid - 10_000_000 + 100_000}", today)
    with store.write() as connection:
        bring(connection, rows, now)


def usual_invoices(profile: Profile, policy_number: str, today: date) -> dict[str, NewInvoice]:
    """Return the invoices of one contract by their numbers: one paid, and one due in 30 days."""
    currency, paid, due, _ = amounts(profile)
    return {
        f"SZ{policy_number[-6:]}-1": _invoice(policy_number, paid, currency, today - timedelta(days=60), is_paid=True),
        f"SZ{policy_number[-6:]}-2": _invoice(policy_number, due, currency, today + timedelta(days=30)),
    }


def _invoice(policy_number: str, amount: int, currency: str, due_on: date, *, is_paid: bool = False) -> NewInvoice:
    return NewInvoice(
        policy_number,
        amount,
        currency,
        due_on,
        period_from=due_on,
        period_until=due_on + timedelta(days=90),
        state="paid" if is_paid else "due",
    )
