"""One customer's page at the console: identify them, record contact data, help with the account."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from flask import Response, request
from markupsafe import Markup

from services.refusal import DeadEnd, OutOfTurn, Refusal
from services.staff import Case, CustomerFile, StaffSession
from services.staff.cases import METHODS
from services.staff.customers import Policy
from services.staff.timeline import Event
from services.values import identifiers, masking
from webapp.console import staff_sessions
from webapp.console.staff_sessions import blueprint, desk_page, flash, needed
from webapp.parts import current_parts
from webapp.steps.email import EmailForm
from webapp.steps.sms_code import SmsCodeForm
from webapp.ui import timeline
from webapp.ui.codes import code_shown
from webapp.ui.fields import mobile_field
from webapp.ui.form_errors import Fields, SentForm, explain
from webapp.ui.formats import clock_time, date_in_words, day, first_minute
from webapp.ui.language import language, say
from webapp.ui.respond import go_on

_CASE = "/ugyfel/<case_id>"
_RECORD = Fields({
    "email": "staff.record.email",
    "email_confirm": "staff.record.email_confirm",
    "mobile": "staff.record.mobile",
})  # fmt: skip
_CODE = Fields({"sms_code": "staff.code.label"})
_RESEND = Fields({"resend": "sms_code.resend"})
_IDENTIFY = Fields({"identified_by": "staff.identify.method"})
_REASON = Fields({"reason": "staff.takeover.reason"})
_ACTIONS = Fields({"actions": "staff.actions.heading"})
_PICTURES = {"call": "phone", "branch": "user", "telecode": "key", "callback": "handset"}


class RecordForm(EmailForm):
    """The address twice, and the mobile."""

    mobile = mobile_field()


@blueprint.get(_CASE)
@needed
def show(seen: StaffSession, case_id: str) -> Response:
    """Show the customer, masked until their identification is recorded."""
    return show_case(seen, case_id)


@blueprint.get(f"{_CASE}/idovonal")
@needed
def follow(seen: StaffSession, case_id: str) -> Response:
    """Show the same for a page that refreshes its timeline; this does not count as activity."""
    return show_case(seen, case_id)


@blueprint.post(_CASE)
@needed
def submit(seen: StaffSession, case_id: str) -> Response:
    """Do what the form asks for."""
    try:
        _do(seen, case_id)
    except _Refused as refused:
        shown = show_case(seen, case_id, form=refused.form)
        if shown.status_code >= 400:
            return shown
        # The form is outdated: the page shows the present state.
    except OutOfTurn:
        # Done by a second click or in another window: the page shows the present state, or that there is no case.
        pass
    except DeadEnd as dead_end:
        # The page says in place of the form that all codes are used up, or that there is an account now.
        flash.leave(f"dead_end.{dead_end.kind}.heading")
    return go_on(f"{address(case_id)}#due", lambda: show_case(seen, case_id), push=False)


def address(case_id: str) -> str:
    """Return the address of a case."""
    return staff_sessions.address("show", case_id=case_id)


class _Refused(Exception):
    def __init__(self, form: SentForm) -> None:
        super().__init__()
        self.form = form


def _do(seen: StaffSession, case_id: str) -> None:
    """Do it. Raises _Refused, OutOfTurn or DeadEnd."""
    form = request.form
    named = form.get("action") or form.get("step", "")
    by_field = "sms_code" if "sms_code" in form else "email" if "email" in form else "identified_by"
    fields, deed = _DEEDS.get(named) or _DEEDS[by_field]
    try:
        deed(seen, case_id)
    except Refusal as refusal:
        # An error about a code that has not left is shown beside its number.
        place = "mobile" if fields is _RECORD and refusal.field in ("sms_resend", "sms") else ""
        if (refusal.field, refusal.reason) == ("sms", "paused"):
            place, refusal = place or "resend", Refusal("sms_budget", "stopped")  # as staff are told
        typed = {name: value.replace("\0", "") for name, value in form.items()}
        raise _Refused(explain([(place, refusal)], fields, typed, for_staff=True)) from None


def _identify(seen: StaffSession, case_id: str) -> None:
    current_parts().staff.cases.identify(seen, case_id, request.form.get("identified_by", ""))


def _record(seen: StaffSession, case_id: str) -> None:
    form = RecordForm(request.form)
    if not form.validate():
        raise _Refused(explain(list(form.refusals()), _RECORD, request.form, for_staff=True))
    known, language = current_parts().profile.languages, request.form.get("language", "")
    current_parts().staff.contacts.record(
        seen, case_id, form.email.value, form.mobile.value, language if language in known else known[0]
    )


def _check_code(seen: StaffSession, case_id: str) -> None:
    form = SmsCodeForm(request.form)
    if not form.validate():
        typed = {"sms_code": str(form.sms_code.data)}
        raise _Refused(explain(list(form.refusals()), _CODE, typed, for_staff=True))
    current_parts().staff.contacts.check_code(seen, case_id, form.sms_code.value)


def _resend_code(seen: StaffSession, case_id: str) -> None:
    current_parts().staff.contacts.resend_code(seen, case_id)
    flash.leave("staff.code.resent")


def _change_record(seen: StaffSession, case_id: str) -> None:
    current_parts().staff.contacts.change_record(seen, case_id)


def _mail_again(seen: StaffSession, case_id: str) -> None:
    flash.leave(
        "staff.takeover.resent", time=clock_time(current_parts().staff.stuck_registrations.mail_again(seen, case_id))
    )


def _end(seen: StaffSession, case_id: str) -> None:
    current_parts().staff.stuck_registrations.end(seen, case_id, _reason())
    flash.leave("staff.takeover.ended")


def _end_account(seen: StaffSession, case_id: str) -> None:
    current_parts().staff.account_help.end_account(seen, case_id, _reason())
    flash.leave("staff.takeover.account_ended")


def _end_active_account(seen: StaffSession, case_id: str) -> None:
    current_parts().staff.account_help.end_active_account(seen, case_id, _reason())
    flash.leave("staff.takeover.account_ended")


def _give_new_budget(seen: StaffSession, case_id: str) -> None:
    current_parts().staff.stuck_registrations.give_new_budget(seen, case_id, _reason())
    flash.leave("staff.takeover.budget_given")


def _ask_for_reset(seen: StaffSession, case_id: str) -> None:
    current_parts().staff.account_help.ask_for_reset(seen, case_id)
    flash.leave("staff.forgot.done", minutes=current_parts().profile.password.reset_minutes)


def _reason() -> str:
    return " ".join(request.form.get("reason", "").split())


_DEEDS: Mapping[str, tuple[Fields, Callable[[StaffSession, str], None]]] = {
    "identified_by": (_IDENTIFY, _identify),
    "email": (_RECORD, _record),
    "sms_code": (_CODE, _check_code),
    "sms-resend": (_RESEND, _resend_code),
    "change-record": (_ACTIONS, _change_record),
    "resend-email": (_ACTIONS, _mail_again),
    "forgot": (_ACTIONS, _ask_for_reset),
    "end": (_REASON, _end),
    "end-account": (_REASON, _end_account),
    "end-active-account": (_REASON, _end_active_account),
    "new-budget": (_REASON, _give_new_budget),
}
"""What a form asks for, by its field or by the name of its button."""


# --- What the page shows -----------------------------------------------------------------------------------------


def show_case(seen: StaffSession, case_id: str, *, form: SentForm | None = None) -> Response:
    """Show the customer and what is due with them."""
    parts = current_parts()
    case = parts.staff.cases.case(seen, case_id)
    file = parts.staff.customer_files.of(case)
    form = form or SentForm()
    stage, customer = _stage(case, file), _customer(file) if case.is_identified else _masked(file)
    if not _is_about(form, stage, customer, seen):
        form = SentForm()  # the form is outdated
    if stage == "record" and not form.values:
        form = SentForm({"mobile": _known_mobile(file), "email": case.email or _known_email(file)})
    # Without a code: a colleague or the customer has asked for another one since, and this one is dead.
    code = parts.staff.contacts.code_of(case) if stage == "code" else None
    return desk_page(
        seen,
        "console/case.html",
        form.status,
        form=form,
        problems=form.problems,
        notice=flash.take(),
        case_id=case_id,
        action=staff_sessions.address("submit", case_id=case_id),
        follow_url=staff_sessions.address("follow", case_id=case_id),
        stage=stage,
        customer=customer,
        events=[_event(event) for event in file.events] if case.is_identified else None,
        code=code_shown(code) if stage == "code" else None,
        letters_url=staff_sessions.address("show_letters", case_id=case_id),
        password_url=_password_url(case_id),
        contracts_url=_contracts_url(seen, case),
        managed_url=_managed_url(seen, case),
        mobile=_phone((code.mobile if code else case.mobile) or "") if stage == "code" else None,
        codes_again=clock_time(first_minute(file.code.budget_ends_at)) if file.code else None,
        methods=[(method, say()(f"staff.identify.method.{method}"), _PICTURES[method]) for method in METHODS],
        message_languages=parts.profile.languages,
        done_until=clock_time(file.registration.expires_at) if file.registration else None,
    )


def _stage(case: Case, file: CustomerFile) -> str:
    """Return the first thing that is due with this customer."""
    now = current_parts().clock.now()
    begun = next((one for one in file.registrations if one.id == case.registration_id and one.is_open(now)), None)
    stages = (
        ("identify", not case.is_identified),
        ("account", file.account_since is not None),
        ("done", begun is not None and begun is file.registration),
        ("none", begun is not None or not current_parts().staff.contacts.can_register),
        ("no_policy", not file.is_live),
        ("used_up", file.code is not None and file.code.is_dead_end(now)),
        ("code", case.mobile is not None and case.confirmed_at is None),
        ("record", True),
    )
    return next(stage for stage, is_so in stages if is_so)


def _is_about(form: SentForm, stage: str, customer: Mapping[str, Any], seen: StaffSession) -> bool:
    """Tell whether the field in error is on the page."""
    asked = {"identify": _IDENTIFY, "record": _RECORD, "code": Fields({**_CODE.labels, **_RESEND.labels})}.get(stage)
    there = {*(asked.labels if asked else ()), *([] if stage == "identify" else ["actions"])}
    can_end = customer.get("can_end") or customer.get("can_end_account")
    for_supervisors = customer.get("has_budget") or customer.get("can_end_active")
    if can_end or (for_supervisors and seen.member.is_supervisor):
        there.add("reason")
    return all(problem.field_id in there for problem in form.problems)


def _masked(file: CustomerFile) -> dict[str, Any]:
    live = next((policy for policy in file.policies if policy.status == "live"), None)
    return {
        "name": masking.name(file.name),
        "kutid": masking.identifier(file.kutid),
        "policy_number": masking.identifier(live.number) if live else None,
    }


def _customer(file: CustomerFile) -> dict[str, Any]:
    now = current_parts().clock.now()
    one = file.registration
    is_open = one is not None and one.is_open(now) and file.account_since is None
    is_active = file.account_since is not None and not file.awaits_activation
    return {
        "name": file.name,
        "kutid": file.kutid,
        "holder_type": file.holder_type,
        "phones": [_phone(number) for number in file.phones],
        "policies": [_policy(policy) for policy in file.policies],
        "account": _account(file),
        "account_email": file.account_email,
        "email": file.email if file.account_since is None else None,
        "invitation": _invitation(file),
        "registration": {"is_open": is_open, "email": one.email, "time": clock_time(one.expires_at)}
        if one and file.account_since is None
        else None,
        "codes": _budget(file, now),
        "can_reset": is_active,
        "can_end": is_open,
        "can_end_account": file.awaits_activation,
        "can_end_active": is_active,
        "can_mail_again": is_open and one is not None and one.email is not None,
        "has_budget": file.code is not None and file.code.budget_ends_at > now,
    }


def _policy(policy: Policy) -> dict[str, Any]:
    return {
        "number": policy.number,
        "id": current_parts().portal.contracts.ids.of(policy.number),
        "product": _product(policy.product),
        "is_live": policy.status == "live",
        "ended": date_in_words(policy.ended_on) if policy.ended_on else None,
        "phones": [_phone(number) for number in policy.phones],
    }


def _contracts_url(seen: StaffSession, case: Case) -> str | None:
    """Return where an adviser sees the contracts' data; None without the customer's grant."""
    is_granted = "contracts" in current_parts().staff.granted.scopes(seen, case.kutid)
    return staff_sessions.address("show_granted_contracts", case_id=case.id) if is_granted else None


def _managed_url(seen: StaffSession, case: Case) -> str | None:
    """Return where an intermediary acts for the customer; None where they manage no account of theirs."""
    is_manager = current_parts().staff.managed.is_manager(seen, case.id)
    return staff_sessions.address("show_managed", case_id=case.id) if is_manager else None


def _password_url(case_id: str) -> str | None:
    """Return where staff help with the letter password; None where the insurer mails no encrypted letters."""
    is_offered = current_parts().staff.letter_passwords.is_offered
    return staff_sessions.address("show_letter_password", case_id=case_id) if is_offered else None


def _invitation(file: CustomerFile) -> str | None:
    if not file.invited_at or not file.deadline_at or file.account_since is not None:
        return None
    invited = say()("worklist.invited", date=day(file.invited_at))
    return Markup("{} · {}").format(invited, say()("worklist.deadline.at", date=day(file.deadline_at)))


def _account(file: CustomerFile) -> str | None:
    if file.account_since is None:
        return None
    state = "waiting" if file.awaits_activation else "open"
    return say()(f"staff.customer.account.{state}", date=day(file.account_since))


def _budget(file: CustomerFile, now: datetime) -> str | None:
    state = file.code
    if state is None or state.budget_ends_at <= now:
        return None
    if state.is_dead_end(now):
        return say()("staff.customer.codes.used_up", time=clock_time(first_minute(state.budget_ends_at)))
    left = say()("staff.customer.codes.left", codes=state.codes_left(now))
    tries = say()("staff.customer.codes.tries", tries=state.tries_left) if state.is_usable(now) else ""
    return Markup("{} {}").format(left, tries) if tries else left


def _event(event: Event) -> dict[str, Any]:
    key, facts = timeline.words(event)
    return {"at": clock_time(event.at), "text": say()(key, **facts), "tone": event.tone}


def _known_mobile(file: CustomerFile) -> str:
    region = current_parts().profile.country
    return next((_phone(number) for number in file.phones if identifiers.is_mobile(number, region)), "")


def _known_email(file: CustomerFile) -> str:
    return (file.registration.email if file.registration else None) or file.email or ""


def _product(name: str | None) -> str | None:
    """Return a product in words; the register may hold products with names of its own."""
    key = f"staff.product.{name}"
    return say().plain(key) if name and current_parts().profile.texts.has(key, language()) else name


def _phone(number: str) -> str:
    return identifiers.written(number)
