"""The password of electronic correspondence: setting it, having it sent, trying it (P27, P28, P31)."""

from collections.abc import Mapping

from flask import Blueprint, Response, request, url_for
from wtforms import ValidationError

from services.accounts import Session
from services.letters.openers import Opener
from services.refusal import DeadEnd, OutOfTurn, Refusal
from services.values import masking, spoken_dates
from webapp.account import sessions
from webapp.account.forms import CurrentPasswordForm
from webapp.parts import current_parts
from webapp.ui.form_errors import Fields, SentForm, explain
from webapp.ui.formats import clock_time, date_and_time, first_minute
from webapp.ui.forms import StepForm, Text
from webapp.ui.language import language, say
from webapp.ui.passwords import FAR_TOO_LONG
from webapp.ui.references import lasting_reference
from webapp.ui.respond import go_on, page

blueprint = Blueprint("letter_password", __name__, url_prefix="/fiok/levelezesi-jelszo")

_FIELDS = Fields({
    "letter_password": "letter_password.new.label",
    "letter_password_confirm": "letter_password.confirm.label",
    "current_password": "letter_password.current.label",
})  # fmt: skip
_TRY = Fields({"try_password": "letter_password.try.label"})
_SEND = Fields({"resend": "letter_password.send.submit"})


class OwnPasswordForm(CurrentPasswordForm):
    """The new password twice, and the account's."""

    letter_password = Text(FAR_TOO_LONG)
    letter_password_confirm = Text(FAR_TOO_LONG)

    def validate_letter_password(self, field: Text) -> None:
        """It must be there; the other rules need to know whose it is."""
        if not field.data:
            raise ValidationError(Refusal("letter_password", "empty"))

    def validate_letter_password_confirm(self, field: Text) -> None:
        """It must be the same once more."""
        if not field.data:
            raise ValidationError(Refusal("letter_password_confirm", "empty"))
        if field.data != self.letter_password.data:
            raise ValidationError(Refusal("letter_password_confirm", "mismatch"))


class TryForm(StepForm):
    """What the customer remembers."""

    try_password = Text(FAR_TOO_LONG)

    def validate_try_password(self, field: Text) -> None:
        """It must be there."""
        if not field.data:
            raise ValidationError(Refusal("try_password", "empty"))


@blueprint.get("")
@sessions.needed
def show(session: Session) -> Response:
    """Show what opens the customer's letters, and what can be done about it."""
    if request.args.get("sent") is not None:
        return _sent(session)
    return _show(session)


@blueprint.post("")
@sessions.needed
def act(session: Session) -> Response:
    """Set a password, have it sent, or try one: the fields say which."""
    current_parts().portal.letters.passwords.state(session)  # there is no such page where letters are not mailed
    if "try_password" in request.form:
        return _try(session)
    if "letter_password" in request.form:
        return _set(session)
    return _send(session)


def _set(session: Session) -> Response:
    form = OwnPasswordForm(request.form)
    if not form.validate():
        return _show(session, explain(list(form.refusals()), _FIELDS, {}))
    try:
        current_parts().portal.letters.passwords.set(session, form.current_password.data, form.letter_password.data)
    except Refusal as refusal:
        return _show(session, explain([("", refusal)], _FIELDS, {}))
    sessions.flash.leave("letter_password.done")
    return go_on(url_for("letter_password.show"), lambda: _show(session))


def _try(session: Session) -> Response:
    form = TryForm(request.form)
    if not form.validate():
        return _show(session, explain(list(form.refusals()), _TRY, {}))
    try:
        current_parts().portal.letters.passwords.try_out(session, form.try_password.data)
    except Refusal as refusal:
        return _show(session, explain([("", refusal)], _TRY, {}))
    return _show(session, is_right=True)


def _send(session: Session) -> Response:
    try:
        current_parts().portal.letters.passwords.send(session)
    except OutOfTurn:
        return go_on(url_for("letter_password.show"), lambda: _show(session))
    except DeadEnd as dead_end:
        return page(
            "account/no_codes.html",
            403,
            again_at=date_and_time(first_minute(dead_end.facts["again_at"])),
            reference=lasting_reference("codes_used_up", kutid=session.account.kutid),
            href=url_for("letter_password.show"),
        )
    except Refusal as refusal:
        if (refusal.field, refusal.reason) == ("sms", "paused"):
            return _show(session, SentForm(status=409), is_paused=True)
        return _show(session, explain([("", refusal)], _SEND, {}))
    return go_on(f"{url_for('letter_password.show')}?sent", lambda: _sent(session))


def _show(
    session: Session, form: SentForm | None = None, *, is_right: bool = False, is_paused: bool = False
) -> Response:
    parts, account = current_parts(), session.account
    opener, sent = parts.portal.letters.passwords.state(session), form or SentForm()
    return page(
        "portal/letter_password.html",
        sent.status,
        form=sent,
        problems=sent.problems,
        action=url_for("letter_password.show"),
        notice=sessions.flash.take(time=clock_time(session.over_at)),
        state=_state(opener),
        length=parts.profile.letter_password.min_length,
        mobile=masking.mobile(account.mobile) if account.mobile else None,
        is_right=is_right,
        is_paused=is_paused,
        email=account.email,
    )


def _sent(session: Session) -> Response:
    parts, account = current_parts(), session.account
    parts.portal.letters.passwords.state(session)
    again = first_minute(parts.clock.now() + parts.profile.one_time_code.again)
    return page(
        "portal/letter_password_sent.html",
        mobile=masking.mobile(account.mobile) if account.mobile else "",
        again_at=clock_time(again),
        action=url_for("letter_password.show"),
    )


def _state(opener: Opener) -> Mapping[str, object]:
    """Return what opens the letters now, in words; never a part of it."""
    parts, t = current_parts(), say()

    def on(moment: object) -> str:
        local = moment.astimezone(parts.profile.zone)  # type: ignore[attr-defined]
        return spoken_dates.day_on(local.date(), language())

    words = t(f"letter_password.state.{opener.kind}", **({"date_on": on(opener.set_at)} if opener.set_at else {}))
    return {
        "words": words,
        "is_own": opener.kind == "own",
        "is_weak": opener.kind in ("default4", "default3"),
        "has_held": bool(parts.profile.letter_password.sensitive),
        "reset_on": on(opener.reset_at) if opener.reset_at and opener.kind != "own" else None,
    }
