"""Alembic's entrance: runs on the connection that `services.store.migrate` hands over."""

from typing import Any, Literal

from alembic import context

from services.store.tables import Moment, metadata


def _render(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    # A migration stands by itself, whatever becomes of our own types.
    return "sa.BigInteger()" if kind == "type" and isinstance(item, Moment) else False


context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_item=_render)
context.run_migrations()
