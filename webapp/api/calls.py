"""The operations on customers, registrations and accounts: each calls the services that the console calls."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from flask import url_for

from services.clients import ApiKey, AssistedRegistration
from services.refusal import DeadEnd, OutOfTurn, Refusal
from services.staff.search import REFERENCE
from services.staff.timeline import Event
from services.values import email_addresses, identifiers, masking
from webapp.api import models
from webapp.api.operation import operation
from webapp.api.problems import Problem, wait
from webapp.parts import current_parts
from webapp.ui import timeline
from webapp.ui.form_errors import key_for_staff, times
from webapp.ui.formats import time_left
from webapp.ui.forms import read_code
from webapp.ui.language import say

Given = tuple[Any, Mapping[str, str]]

_PLACES = {"email": "/email", "mobile": "/mobile", "sms_code": "/code", "identified_by": "/identified_by"}
_ID = {
    "registration_id": {
        "description": "The id that the registration got when it was begun.",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{22}$"},
    }
}
_CODE = {
    "code": {
        "description": "The code, as the customer reads it out from a page.",
        "schema": {"type": "string", "pattern": "^[2-9A-HJKMNP-Z]{3}-[2-9A-HJKMNP-Z]{3}$"},
        "example": "7KX-2MD",
    }
}
_FINDING = ("customer_unknown",)
_AFTER_START = {"read_registration": "registration_id", "send_code": "registration_id", "check_code": "registration_id"}


@operation(
    "POST", "/customers/find", scope="registrations", takes=models.FoundBy, gives=models.FoundCustomer,
    problems=_FINDING,
)  # fmt: skip
def find_customer(client: ApiKey, body: models.FoundBy) -> Given:
    """Find a customer. By a policy number, a KÜTID, another number of the register, or the reference code that the
    customer reads out; masked. The audit trail records each look.
    """
    case_id = _look_up(client, body.customer.by, body.customer.number)
    return _customer(client, case_id), {}


@operation(
    "POST", "/registrations", scope="registrations", takes=models.NewRegistration, gives=models.Registration,
    status=201, links=_AFTER_START,
    problems=(*_FINDING, "already_registered", "no_policy", "not_possible", "codes_used_up", "too_early", "sms_paused"),
)  # fmt: skip
def start_registration(client: ApiKey, body: models.NewRegistration) -> Given:
    """Begin a registration with a customer. Stores the email address and the mobile, and sends a code to the mobile,
    from the customer's one allowance of codes. The mobile need not be on record: it is valid once the customer has
    read the code back. The same mobile again within a minute gets no second code; other data replace the earlier ones.
    """
    parts = current_parts()
    with _refusals():
        address = email_addresses.parse(body.email)
        mobile = identifiers.mobile(body.mobile, parts.profile.country)
        case_id = _look_up(client, body.customer.by, body.customer.number)
        known = parts.profile.languages
        language = body.language if body.language in known else known[0]
        try:
            parts.staff.contacts.record(
                client, case_id, address, mobile, str(language), identified_by=body.identified_by
            )
        except OutOfTurn:
            raise Problem(parts.clients.registrations.why_not(client, case_id)) from None
    registration = _found(client, case_id)
    return _registration(registration), {"Location": url_for("api.read_registration", registration_id=case_id)}


@operation(
    "GET", "/registrations/{registration_id}", scope="registrations", gives=models.RegistrationInFull, parameters=_ID
)
def read_registration(client: ApiKey, registration_id: str) -> Given:
    """Get a registration's state. With the customer's timeline: what was sent, opened and refused, by the customer and
    by this client; never a code or a link. A client sees the registrations that it began itself.
    """
    registration = _found(client, registration_id, current_parts().clients.registrations.read)
    events = None if registration.events is None else [_event(event) for event in registration.events]
    return models.RegistrationInFull(**_registration(registration).model_dump(), events=events), {}


@operation(
    "POST", "/registrations/{registration_id}/code", scope="registrations", gives=models.Registration, parameters=_ID,
    problems=("not_identified", "out_of_turn", "codes_used_up", "too_early", "sms_paused"),
)  # fmt: skip
def send_code(client: ApiKey, registration_id: str) -> Given:
    """Send another code. It goes to the mobile that was given; the older code dies. Two codes are a minute apart."""
    with _refusals(lambda: _stands(client, registration_id)):
        current_parts().staff.contacts.resend_code(client, registration_id)
    return _registration(_found(client, registration_id)), {}


@operation(
    "POST", "/registrations/{registration_id}/code/check", scope="registrations", takes=models.ReadBack,
    gives=models.Registration, parameters=_ID,
    problems=("not_identified", "out_of_turn", "already_registered", "codes_used_up", "too_early"),
)  # fmt: skip
def check_code(client: ApiKey, registration_id: str, body: models.ReadBack) -> Given:
    """Check the code that the customer reads back. If it is right, email and mobile are valid at once, and the mail
    with the link leaves: the customer goes on from there alone. Every wrong code uses one of the customer's few tries.
    """
    with _refusals(lambda: _stands(client, registration_id)):
        current_parts().staff.contacts.check_code(
            client, registration_id, read_code("sms_code", body.code, current_parts().profile.one_time_code)
        )
    return _registration(_found(client, registration_id)), {}


@operation(
    "POST", "/password-resets", scope="password-resets", takes=models.NewPasswordReset, gives=models.PasswordReset,
    status=202, problems=(*_FINDING, "no_account", "too_early"),
)  # fmt: skip
def start_password_reset(client: ApiKey, body: models.NewPasswordReset) -> Given:
    """Mail a link for a new password. The mail goes to the account's own address; only the customer chooses the new
    password.
    """
    parts = current_parts()
    with _refusals():
        case_id = _look_up(client, body.customer.by, body.customer.number)
        try:
            parts.staff.account_help.ask_for_reset(client, case_id, identified_by=body.identified_by)
        except OutOfTurn:
            raise Problem("no_account") from None
    file = parts.staff.customer_files.of(parts.staff.cases.case(client, case_id))
    masked = masking.email(file.account_email or "")
    return models.PasswordReset(email=masked, minutes=parts.profile.password.reset_minutes), {}


@operation("GET", "/references/{code}", scope="references", gives=models.Reference, parameters=_CODE, problems=_FINDING)
def read_reference(client: ApiKey, code: str) -> Given:
    """Look up a reference code. It tells which dead end a customer met, when, and who the customer is, masked."""
    case_id = _look_up(client, REFERENCE, code)  # first: the audit trail records unknown codes too
    found = current_parts().references.find(code)
    if found is None:
        raise Problem("customer_unknown")
    text = say().plain("staff.event.no_mobile" if found.kind == "no_mobile" else f"dead_end.{found.kind}.heading")
    customer = _customer(client, case_id)
    return models.Reference(code=found.code, kind=found.kind, text=text, met_at=found.created_at, customer=customer), {}


# --- Refusals --------------------------------------------------------------------------------------------------------


@contextmanager
def _refusals(out_of_turn: Callable[[], Problem] | None = None) -> Iterator[None]:
    """Turn a service's refusal into a problem."""
    try:
        yield
    except Refusal as refusal:
        raise _problem(refusal) from None
    except DeadEnd as dead_end:
        again = dead_end.facts.get("again_at")
        raise Problem(dead_end.kind, members={"again_at": _moment(again)} if again else None) from None
    except OutOfTurn:
        raise (out_of_turn() if out_of_turn else Problem("not_found")) from None


def _problem(refusal: Refusal) -> Problem:
    facts = refusal.facts
    detail = say().plain(key_for_staff(refusal), **{**facts, **times(refusal)})
    if refusal.reason in ("too_early", "too_many", "resend_too_early", "share_used", "unanswered"):
        problem = wait("too_early", facts["seconds"] if "seconds" in facts else time_left(facts["at"]))
        problem.detail = detail
        return problem
    if refusal.field == "sms":
        return Problem("sms_paused")
    if refusal.field == "sms_resend":
        return Problem("codes_used_up", detail=detail, members={"again_at": _moment(facts["at"])})
    members = {"tries_left": facts["tries"]} if "tries" in facts else {}
    return Problem("invalid", errors=[(_PLACES[refusal.field], detail)], members=members)


def _stands(client: ApiKey, case_id: str) -> Problem:
    """Return why nothing can be done with a registration now. Raises Problem when it is not there."""
    parts = current_parts()
    _found(client, case_id)
    if not parts.staff.cases.case(client, case_id).is_identified:
        return Problem("not_identified")
    return Problem("out_of_turn")


# --- Answers ---------------------------------------------------------------------------------------------------------


def _look_up(client: ApiKey, kind: str, number: str) -> str:
    try:
        return current_parts().staff.search.look_up(client, kind, number)
    except Refusal:
        raise Problem("customer_unknown") from None


def _found(
    client: ApiKey, case_id: str, find: Callable[[ApiKey, str], AssistedRegistration] | None = None
) -> AssistedRegistration:
    try:
        return (find or current_parts().clients.registrations.find)(client, case_id)
    except OutOfTurn:
        raise Problem("not_found") from None


def _customer(client: ApiKey, case_id: str) -> models.FoundCustomer:
    hit = current_parts().staff.search.hit(client, case_id)
    return models.FoundCustomer(
        name=hit.name,
        policy_number=hit.policy_number or None,
        has_live_policy=hit.is_live,
        has_account=hit.has_account,
        has_mobile=hit.has_mobile,
    )


def _registration(one: AssistedRegistration) -> models.Registration:
    code = one.code
    return models.Registration(
        id=one.id,
        state=one.state,
        email=masking.email(one.email),
        mobile=masking.mobile(one.mobile),
        code=None
        if code is None
        else models.Code(
            sent_at=code.issued_at,
            expires_at=code.expires_at,
            again_at=code.again_at,
            tries_left=code.tries_left,
            codes_left=code.codes_left(current_parts().clock.now()),
            is_undelivered=code.is_undelivered,
        ),
        expires_at=one.expires_at,
    )


def _event(event: Event) -> models.Event:
    key, facts = timeline.words(event)
    return models.Event(at=event.at, what=event.what, tone=event.tone, text=say().plain(key, **facts))


def _moment(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
