"""Claims without an account: from the start page to what staff see of them (P45)."""

from webapp.console.staff_sessions import SERVICE
from webapp.demo.states import console
from webapp.demo.states.catalogue import state
from webapp.demo.states.requests import day_in_parts
from webapp.demo.states.walker import Walker

_GROUP = "requests"
_KIND = "claim-motor"
_EMAIL = "anna@example.hu"


@state(_GROUP)
def claims(walker: Walker) -> None:
    """Whom to call, and what can be reported without an account."""
    walker.visit("claims.show_all")


@state(_GROUP)
def claim_first(walker: Walker) -> None:
    """A claim without an account begins with what to do and whom to call."""
    walker.visit("claims.show", kind=_KIND)


@state(_GROUP)
def claim_who(walker: Walker) -> None:
    """The policy number, and an address to answer to."""
    claim_first(walker)
    walker.send("request-form")


@state(_GROUP, status=422)
def claim_who_wrong(walker: Walker) -> None:
    """Both are to be mended."""
    claim_who(walker)
    walker.send("request-form", policy_number="", email="anna")


@state(_GROUP)
def claim_review(walker: Walker) -> None:
    """The answers are checked before sending."""
    claim_who(walker)
    _fill_in(walker)


@state(_GROUP)
def claim_done(walker: Walker) -> None:
    """It is sent."""
    claim_review(walker)
    walker.act("send")


@state("customer service and advisers")
def staff_claim(walker: Walker) -> None:
    """A claim whose sender is not identified."""
    reporter = walker.another()
    claim_done(reporter)
    request_id = reporter.path.rpartition("/")[2].partition("?")[0]
    console.come_in(walker)
    walker.visit(f"{SERVICE}.show_request", request_id=request_id)


def _fill_in(walker: Walker) -> None:
    walker.send("request-form", policy_number="940000001", email=_EMAIL)
    walker.send("request-form", **day_in_parts(walker, -1, "happened_on"), happened_at="14:30")
    walker.send("request-form", place="Budapest, Váci út 45.")
    walker.send("request-form", description="Felverődött egy kavics. Megrepedt a szélvédő.")
    walker.send("request-form", police="no")
    walker.send("request-form")  # photos may be left out
    walker.send("request-form", account="HU42 1177 3016 1111 1018 0000 0000")
    walker.send("request-form", statement="1")
