"""What a payment costs the database, from the button to the mail: a bar of `portal.md`'s section 9."""

from collections import Counter

from sqlalchemy import event

from services.store.engine import Store
from tests.unit.services.payments.test_payments_at_once import Shop


def test_a_payment_is_fourteen_statements_and_six_commits_at_most(store: Store) -> None:
    shop = Shop(store)
    tally: Counter[str] = Counter()

    def statement(_connection: object, _cursor: object, text: str, *_: object) -> None:
        tally["statements"] += not text.startswith(("BEGIN", "PRAGMA"))

    def commit(connection: object) -> None:
        tally["commits"] += bool(connection.info.get("writes"))  # type: ignore[attr-defined]

    engine = shop.world.store.engine
    event.listen(engine, "before_cursor_execute", statement)
    event.listen(engine, "commit", commit)
    try:
        attempt = shop.begin()
        shop.provider.says[attempt] = "succeeded"
        shop.one.attempts.hint(attempt)
        assert shop.one.worker.ask_due() == 1
    finally:
        event.remove(engine, "before_cursor_execute", statement)
        event.remove(engine, "commit", commit)
    assert shop.one.invoices.find(shop.session, shop.invoice.id).paid_by == attempt
    assert 0 < tally["statements"] <= 14, tally
    assert 0 < tally["commits"] <= 6, tally
