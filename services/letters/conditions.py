"""What other packages ask about letters, so that none of them reads the tables."""

from sqlalchemy import Select, func, select

from services.store.tables.letters import letters


def withdrawn_as(code: str) -> Select[str]:
    """Return the query for the customer whose letter was withdrawn with this code, which customers read out (P12)."""
    return select(letters.c.kutid).where(letters.c.withdrawn_code == code)


def count_damaged() -> Select[int]:
    """Return the query for the number of letters whose stored bytes did not fit their hash when last read (P12)."""
    return select(func.count()).select_from(letters).where(letters.c.damaged_at.is_not(None))
