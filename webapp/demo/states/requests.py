"""Requests: what can be asked for, the questions, and what becomes of a request."""

from datetime import timedelta

from services.requests.handling import Handling
from services.store.tables.register import policies
from webapp.demo.states.catalogue import state
from webapp.demo.states.walker import Walker

_GROUP = "requests"
_HOME = {"postal_code": "1137", "town": "Budapest", "street": "Pozsonyi út 5. II. 3."}
_ACTOR = "insurer"


@state(_GROUP)
def requests_none(walker: Walker) -> None:
    """Nothing was asked for yet."""
    _open(walker)
    walker.visit("requests.show_all")


@state(_GROUP)
def requests_some(walker: Walker) -> None:
    """One waits for an answer, one is begun, one is sent, one is closed."""
    _open(walker)
    closed, asked = _send(walker), _send(walker)
    _handling(walker).take(closed, actor=_ACTOR)
    _handling(walker).close(closed, actor=_ACTOR)
    _handling(walker).take(asked, actor=_ACTOR)
    _handling(walker).ask(asked, _QUESTION, actor=_ACTOR)
    _send(walker)
    _begin(walker, "address-change")
    walker.send("request-form", **_home(walker))
    walker.visit("requests.show_all")


@state(_GROUP)
def request_claim_first(walker: Walker) -> None:
    """A claim begins with what to do and whom to call."""
    _open(walker)
    _begin(walker, "claim-motor")


@state(_GROUP)
def request_contract(walker: Walker) -> None:
    """Which contract is it about?"""
    _open(walker)
    _begin(walker, "green-card")


@state(_GROUP, status=422)
def request_contract_empty(walker: Walker) -> None:
    """No contract is chosen."""
    request_contract(walker)
    walker.send("request-form", contract="")


@state(_GROUP)
def request_address(walker: Walker) -> None:
    """Questions that belong together."""
    _open(walker)
    _begin(walker, "address-change")


@state(_GROUP, status=422)
def request_address_wrong(walker: Walker) -> None:
    """Two answers are to be mended."""
    request_address(walker)
    walker.send("request-form", **{**_HOME, "postal_code": "11", "street": ""})


@state(_GROUP)
def request_date(walker: Walker) -> None:
    """A day, with the code that opens the request on a telephone."""
    request_address(walker)
    walker.send("request-form", **_home(walker))


@state(_GROUP, status=422)
def request_date_past(walker: Walker) -> None:
    """The day is over."""
    request_date(walker)
    walker.send("request-form", **day_in_parts(walker, -2))


@state(_GROUP)
def request_again(walker: Walker) -> None:
    """What was begun before is gone on with."""
    request_date(walker)
    walker.visit("request_new.show", kind="address-change")


@state(_GROUP)
def request_claim_when(walker: Walker) -> None:
    """When it happened."""
    _claim(walker)


@state(_GROUP, status=422)
def request_claim_when_wrong(walker: Walker) -> None:
    """A day to come, and no time of day."""
    _claim(walker)
    walker.send("request-form", **day_in_parts(walker, 1, "happened_on"), happened_at="25:00")


@state(_GROUP)
def request_claim_what(walker: Walker) -> None:
    """What happened, in the customer's words."""
    _claim(walker)
    walker.send("request-form", **day_in_parts(walker, -1, "happened_on"), happened_at="14:30")
    walker.send("request-form", place="Budapest, Váci út 45.")


@state(_GROUP, status=422)
def request_claim_what_empty(walker: Walker) -> None:
    """Nothing is written."""
    request_claim_what(walker)
    walker.send("request-form", description=" ")


@state(_GROUP)
def request_claim_police(walker: Walker) -> None:
    """A question with yes or no."""
    request_claim_what(walker)
    walker.send("request-form", description="Felverődött egy kavics. Megrepedt a szélvédő.")


@state(_GROUP, status=422)
def request_claim_police_empty(walker: Walker) -> None:
    """Neither yes nor no is chosen."""
    request_claim_police(walker)
    walker.send("request-form")


@state(_GROUP)
def request_claim_home(walker: Walker) -> None:
    """A claim of another product begins with other advice."""
    _open(walker, "home")
    _begin(walker, "claim-home")


@state(_GROUP, status=422)
def request_claim_home_cause(walker: Walker) -> None:
    """A choice from several, and none is made."""
    request_claim_home(walker)
    walker.send("request-form")
    walker.send("request-form")  # the only contract is chosen already
    walker.send("request-form")


@state(_GROUP, status=422)
def request_claim_account_wrong(walker: Walker) -> None:
    """A bank account with a typing error."""
    request_claim_police(walker)
    walker.send("request-form", police="no")
    walker.send("request-form")  # photos may be left out
    walker.send("request-form", account="HU43 1177 3016 1111 1018 0000 0000")


@state(_GROUP, status=422)
def request_claim_statement(walker: Walker) -> None:
    """The statement is not accepted yet."""
    request_claim_account_wrong(walker)
    walker.send("request-form", account="HU42 1177 3016 1111 1018 0000 0000")
    walker.send("request-form")


@state(_GROUP)
def request_review(walker: Walker) -> None:
    """The answers are checked before sending."""
    request_claim_statement(walker)
    walker.send("request-form", statement="1")


@state(_GROUP)
def request_saved(walker: Walker) -> None:
    """It is left, to be gone on with later."""
    request_date(walker)
    walker.act("save")


@state(_GROUP)
def request_done(walker: Walker) -> None:
    """It is sent."""
    _open(walker)
    _send(walker)


@state(_GROUP)
def request_done_twice(walker: Walker) -> None:
    """It was sent before."""
    _open(walker)
    walker.visit("requests.show", request_id=_send(walker), elkuldve="2")


@state(_GROUP)
def request_sent(walker: Walker) -> None:
    """Nobody works on it yet, so it can be withdrawn."""
    _open(walker)
    walker.visit("requests.show", request_id=_send(walker))


@state(_GROUP)
def request_question(walker: Walker) -> None:
    """The insurer asks something."""
    _ask(walker)


@state(_GROUP, status=422)
def request_question_empty(walker: Walker) -> None:
    """The answer is missing."""
    _ask(walker)
    walker.send("request-answer", answer="")


@state(_GROUP)
def request_replied(walker: Walker) -> None:
    """The customer has answered."""
    _ask(walker)
    walker.send("request-answer", answer="A második emeleten.")


@state(_GROUP)
def request_answered(walker: Walker) -> None:
    """The insurer has answered."""
    request_id = _ask(walker)
    _handling(walker).answer(request_id, "Új címét minden szerződésénél átvezettük.", actor=_ACTOR)
    walker.visit("requests.show", request_id=request_id)


@state(_GROUP)
def request_closed(walker: Walker) -> None:
    """It is closed."""
    request_id = _ask(walker)
    _handling(walker).close(request_id, "A bejelentést visszavonásnak tekintjük.", actor=_ACTOR)
    walker.visit("requests.show", request_id=request_id)


@state(_GROUP)
def request_withdrawn(walker: Walker) -> None:
    """The customer has withdrawn it."""
    request_sent(walker)
    walker.act("withdraw")


@state(_GROUP, status=404)
def request_of_nobody(walker: Walker) -> None:
    """There is no such request."""
    _open(walker)
    walker.visit("requests.show", request_id="A" * 22)


_QUESTION = "Kérjük, írja meg, melyik emeleten lakik."


def _open(walker: Walker, product: str = "motor") -> None:
    """Open the account of somebody with a car, or another product."""
    walker.be(walker.cast.somebody("", policies.c.product == product))
    walker.open_active_account()


def _begin(walker: Walker, kind: str) -> None:
    walker.visit("request_new.show", kind=kind)


def _claim(walker: Walker) -> None:
    _open(walker)
    _begin(walker, "claim-motor")
    walker.send("request-form")
    walker.send("request-form")  # the only contract is chosen already


def _home(walker: Walker) -> dict[str, str]:
    return {**_HOME, "postal_code": "81101" if walker.parts.profile.country == "SK" else _HOME["postal_code"]}


def day_in_parts(walker: Walker, days: int, name: str = "from") -> dict[str, str]:
    """Return a day in the three fields of its question."""
    day = walker.parts.portal.requests.drafts.reader.today + timedelta(days=days)
    return {f"{name}-year": f"{day.year}", f"{name}-month": f"{day.month}", f"{name}-day": f"{day.day}"}


def _send(walker: Walker) -> str:
    """Send a change of address, and return its id."""
    _begin(walker, "address-change")
    walker.send("request-form", **_home(walker))
    walker.send("request-form", **day_in_parts(walker, 3))
    walker.act("send")
    return walker.path.rpartition("/")[2].partition("?")[0]


def _ask(walker: Walker) -> str:
    _open(walker)
    request_id = _send(walker)
    _handling(walker).take(request_id, actor=_ACTOR)
    _handling(walker).ask(request_id, _QUESTION, actor=_ACTOR)
    walker.visit("requests.show", request_id=request_id)
    return request_id


def _handling(walker: Walker) -> Handling:
    return walker.parts.portal.requests.handling
