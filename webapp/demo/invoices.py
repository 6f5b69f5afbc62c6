"""The demonstration's invoices (contract, "The demo data set")."""

from datetime import timedelta

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
    currency, paid, due, overdue = amounts(profile)

    def invoice(policy: str, amount: int, days: int, *, is_paid: bool = False) -> NewInvoice:
        start = today + timedelta(days=days)
        return NewInvoice(
            policy,
            amount,
            currency,
            due_on=start,
            period_from=start,
            period_until=start + timedelta(days=90),
            state="paid" if is_paid else "due",
        )

    rows = {
        "SZ000001-8": invoice(_ANNAS_CAR, due, -70, is_paid=True),
        "SZ000001-9": invoice(_ANNAS_CAR, due, 21),
        "SZ000002-6": invoice(_ANNAS_HOME, overdue, -9),
    }
    for kutid in CROWD:
        policy = f"{940_000_000 + kutid - 10_000_000 + 100_000}"
        rows[f"SZ{policy[-6:]}-1"] = invoice(policy, paid, -60, is_paid=True)
        rows[f"SZ{policy[-6:]}-2"] = invoice(policy, due, 30)
    with store.write() as connection:
        bring(connection, rows, now)
