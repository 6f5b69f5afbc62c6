"""What is put into the outbox stands or falls with the caller's transaction."""

from collections.abc import Callable

import pytest
from sqlalchemy import event, select

from services.messages.outbox import Outbox
from services.store.engine import Store
from services.store.tables.messages import outbox as table


def test_a_message_is_one_insert(store: Store, put_code: Callable[..., str]) -> None:
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement.split(maxsplit=1)[0])

    event.listen(store.engine, "before_cursor_execute", note)
    try:
        put_code()
    finally:
        event.remove(store.engine, "before_cursor_execute", note)
    assert [word for word in statements if word != "BEGIN"] == ["INSERT"]


def test_a_message_vanishes_with_the_transaction_that_caused_it(store: Store, outbox: Outbox, clock) -> None:
    def fail_after_a_message() -> None:
        with store.write() as connection:
            outbox.put(
                connection,
                kind="sms",
                recipient="+36201234567",
                message="code",
                language="hu",
                topic="code:1",
                expires_at=clock.now(),
                facts={"code": "4827"},
            )
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_after_a_message()
    assert outbox.counts()["waiting"] == 0


def test_replacing_a_topic_forgets_what_was_in_its_messages_and_touches_no_other(
    store: Store, outbox: Outbox, put_code: Callable[..., str]
) -> None:
    put_code("code:1")
    put_code("code:2")
    with store.write() as connection:
        outbox.replace(connection, "code:1")
    with store.read() as connection:
        rows = connection.execute(select(table.c.topic, table.c.state, table.c.facts).order_by(table.c.topic)).all()
    assert [tuple(row) for row in rows] == [("code:1", "replaced", {}), ("code:2", "waiting", {"code": "4827"})]
    assert outbox.counts() == {"waiting": 1, "sent": 0, "replaced": 1, "expired": 0, "given_up": 0}
