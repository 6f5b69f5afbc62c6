"""The only way in which a service says no: it raises one of these."""

from typing import Any, Self

from services.denials import DEAD_ENDS, REFUSALS, Reason


class Denial(Exception):
    """A service says no. Its transaction is rolled back, unless the denial was `counted`.

    As text it is what the audit trail keeps: ``<field>.<reason>``, a dead end's kind, or ``out_of_turn``.
    """

    is_counted = False

    def counted(self) -> Self:
        """Have `Store.write` commit what it counted or recorded before this was raised in it."""
        self.is_counted = True
        return self


_OF_AN_OWN_STEP = Reason()


class Refusal(Denial):
    """A rule was not met.

    `field` names the form's field that the customer can mend, `reason` the fact; together they are the
    key of the text, ``error.<field>.<reason>``. `facts` fill the text's placeholders.
    `services.denials` declares each; those of an insurer's own steps are said to customers, with no facts.
    """

    def __init__(self, field: str, reason: str, **facts: Any) -> None:
        super().__init__(f"{field}.{reason}")
        self.field = field
        self.reason = reason
        self.facts = facts
        self.declared = self._declared()

    @property
    def key(self) -> str:
        """The key of the text that says it to a customer."""
        return self.declared.text or f"error.{self.field}.{self.reason}"

    def _declared(self) -> Reason:
        return REFUSALS.get((self.field, self.reason), _OF_AN_OWN_STEP)


class DeadEnd(Denial):
    """The registration cannot go on here: the customer is told why and who helps.

    `kind` is the key of the text, ``dead_end.<kind>``; `facts` fill its placeholders.
    `services.denials` declares each: raises KeyError for another.
    """

    def __init__(self, kind: str, **facts: Any) -> None:
        if kind not in DEAD_ENDS:
            raise KeyError(kind)
        super().__init__(kind)
        self.kind = kind
        self.facts = facts


class OutOfTurn(Denial):
    """The step was done already, elsewhere or by a second click, or is not yet due: show where things stand."""

    def __init__(self) -> None:
        super().__init__("out_of_turn")
