"""Requests at the console: the queue, and one request in each of its states there (P43)."""

from services.requests.handling import Handling
from webapp.console.staff_sessions import SERVICE as SERVICE_DOOR
from webapp.demo.states import console, portal, requests
from webapp.demo.states.catalogue import state
from webapp.demo.states.walker import Walker

_CONSOLE = "customer service and advisers"
_ACTOR = "insurer"


@state(_CONSOLE)
def staff_requests(walker: Walker) -> None:
    """The requests that nobody has taken yet."""
    _sent(walker)
    walker.visit(f"{SERVICE_DOOR}.show_requests")


@state(_CONSOLE)
def staff_requests_of_others(walker: Walker) -> None:
    """The requests that wait for their customers."""
    request_id = _sent(walker)
    _handling(walker).take(request_id, actor=_ACTOR)
    _handling(walker).ask(request_id, "Melyik emeleten lakik?", actor=_ACTOR)
    walker.visit(f"{SERVICE_DOOR}.show_requests", lista="ugyfelre-var")


@state(_CONSOLE)
def staff_request_sent(walker: Walker) -> None:
    """A request that can be taken."""
    _open(walker)


@state(_CONSOLE)
def staff_request_taken(walker: Walker) -> None:
    """It is taken: ask, answer, close or pass on."""
    _taken(walker)


@state(_CONSOLE, status=422)
def staff_request_no_words(walker: Walker) -> None:
    """A question without words."""
    _taken(walker)
    walker.act("ask", question="")


@state(_CONSOLE)
def staff_request_asked(walker: Walker) -> None:
    """The customer is asked."""
    _taken(walker)
    walker.act("ask", question="Melyik emeleten lakik?")


@state(_CONSOLE)
def staff_request_answered(walker: Walker) -> None:
    """It is answered."""
    _taken(walker)
    walker.act("answer", answer="Új címét minden szerződésénél átvezettük.")


@state(_CONSOLE)
def staff_request_closed(walker: Walker) -> None:
    """It is over."""
    staff_request_answered(walker)
    walker.act("close")


@state(_CONSOLE)
def staff_request_withdrawn(walker: Walker) -> None:
    """The customer has withdrawn it meanwhile."""
    customer = walker.another()
    requests.request_sent(customer)
    request_id = _id(customer)
    console.come_in(walker)
    walker.visit(f"{SERVICE_DOOR}.show_request", request_id=request_id)
    customer.act("withdraw")
    walker.act("take")


def _sent(walker: Walker) -> str:
    """Let a customer send a request; come in as customer service, and return its id."""
    customer = walker.another()
    requests.request_sent(customer)
    portal.publish(customer, "certificate", "Díjigazolás")
    console.come_in(walker)
    return _id(customer)


def _id(customer: Walker) -> str:
    return customer.path.rpartition("/")[2].partition("?")[0]


def _open(walker: Walker) -> None:
    walker.visit(f"{SERVICE_DOOR}.show_request", request_id=_sent(walker))


def _taken(walker: Walker) -> None:
    _open(walker)
    walker.act("take", number="KB-2026-4512")


def _handling(walker: Walker) -> Handling:
    return walker.parts.portal.requests.handling
