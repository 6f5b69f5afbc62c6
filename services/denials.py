"""Every refusal and every dead end that may be raised, declared once.

Raising an undeclared one is a KeyError. The tests want the words of each in every language, from this list.
"""

from dataclasses import dataclass
from enum import Enum, auto


class Audience(Enum):
    """Who reads of it."""

    CUSTOMER = auto()
    STAFF = auto()
    API = auto()
    """Programs: they read ``api.problem.…`` instead."""
    COMMAND_LINE = auto()
    """Operators: a command says it in English."""
    IMPORT = auto()
    """The insurer's data owners: the report of an import names the field and the reason."""
    NOBODY = auto()
    """The service that catches it: it only tries whether a text is a number."""


@dataclass(frozen=True)
class Reason:
    """One reason for which a field or a form may be refused."""

    facts: frozenset[str] = frozenset()
    """What it brings besides, to fill the text's placeholders or to decide what follows."""
    audience: Audience = Audience.CUSTOMER
    text: str = ""
    """The key of its text, where that is not ``error.<field>.<reason>``."""
    beside: str = ""
    """The control that it stands beside in a form that does not ask for its field: by default the form's first."""
    is_wait: bool = False
    """Whether it has to wait, however well it is mended."""


def _because(
    *facts: str,
    audience: Audience = Audience.CUSTOMER,
    text: str = "",
    beside: str = "",
    is_wait: bool = False,
) -> Reason:
    return Reason(frozenset(facts), audience, text, beside, is_wait)


_PLAIN = _because()
_OF_LENGTH = _because("length")
_BY_STAFF = _because(audience=Audience.STAFF)
_BY_API = _because(audience=Audience.API)
_BY_COMMAND = _because(audience=Audience.COMMAND_LINE)
_BY_IMPORT = _because(audience=Audience.IMPORT)
_CAUGHT = _because(audience=Audience.NOBODY)
_OF_PARTS = _because("parts")

_OF_CODE = {"empty": _PLAIN, "malformed": _because("length", "typed"), "malformed.tail": _because("length", "typed")}
_OF_STAFFS_WORDS = {
    "empty": _BY_STAFF,
    "too_long": _because("length", audience=Audience.STAFF),
    "personal": _BY_STAFF,
}

_FIELDS = {
    # Who it is
    "identifier_kind": {"empty": _PLAIN},
    "identifier": {"empty": _PLAIN},
    "policy_number": {"empty": _OF_LENGTH, "empty.with_id": _OF_LENGTH, "malformed": _OF_LENGTH},
    "account_number": {"empty": _OF_LENGTH, "malformed": _OF_LENGTH, "old": _PLAIN, "managed": _because("adviser")},
    "customer_number": {"empty": _OF_LENGTH, "malformed": _OF_LENGTH},
    # The field is the policy number's as long as nothing in it looks like an id.
    "communication_id": {"empty": _because(text="error.policy_number.empty.with_id"), "malformed": _OF_LENGTH},
    "communication_password": {"empty": _PLAIN},
    "holder_type": {"empty": _PLAIN, "empty.with_id": _PLAIN},
    "birth_date": dict.fromkeys(
        ("empty", "year", "month", "day", "malformed", "impossible", "future", "too_old"), _OF_PARTS
    ),
    "birth_number": {"empty": _PLAIN, "malformed": _PLAIN, "check": _PLAIN},
    "tax_number": {"empty": _PLAIN, "malformed": _PLAIN, "check": _PLAIN},
    "postal_code": {"empty": _PLAIN, "malformed": _PLAIN},
    # How they are reached
    "email": {
        "empty": _PLAIN,
        "malformed": _PLAIN,
        "domain": _PLAIN,
        "same": _PLAIN,
        "taken": _PLAIN,
        "too_many": _because("at", is_wait=True, beside="resend"),
        "resend_too_early": _because("seconds", beside="resend"),
        "first_sign": _BY_STAFF,
        "unanswered": _because("at", audience=Audience.STAFF),
    },
    "email_confirm": {"empty": _PLAIN, "mismatch": _PLAIN},
    "mobile": {
        "empty": _PLAIN,
        "malformed": _PLAIN,
        "landline": _PLAIN,
        "foreign": _PLAIN,
        "same": _PLAIN,
        "not_on_record": _PLAIN,
        "wait": _because("at", is_wait=True),
        "too_many": _because("at", is_wait=True, beside="resend"),
    },
    # What they were sent
    "sms_code": {
        **_OF_CODE,
        "wrong": _because("tries"),
        "expired": _because("at"),
        "used": _PLAIN,
        "none_sent": _PLAIN,
    },
    "activation_code": {**_OF_CODE, "wrong": _PLAIN, "too_many": _because("at", is_wait=True)},
    # What they agree to and choose
    "terms": {"not_opened": _PLAIN, "not_ticked": _PLAIN, "replaced": _PLAIN},
    "password": {
        **dict.fromkeys(
            ("too_short", "too_long", "upper", "lower", "digit", "special", "common", "like_email", "like_record"),
            _OF_LENGTH,
        ),
        "empty": _PLAIN,
        "same": _PLAIN,
        "opens_letters": _PLAIN,
        "too_soon": _because("moment"),
    },
    "password_confirm": {"empty": _PLAIN, "mismatch": _PLAIN},
    "letter_password": {
        **dict.fromkeys(("empty", "malformed", "birth_number", "sign_in", "common", "same"), _PLAIN),
        **dict.fromkeys(("too_short", "too_long"), _OF_LENGTH),
        "too_many": _because("at", is_wait=True),
    },
    "letter_password_confirm": {"empty": _PLAIN, "mismatch": _PLAIN},
    "try_password": {
        "empty": _PLAIN,
        "wrong": _PLAIN,
        "wait": _because("at", text="letter_password.try.wait", is_wait=True),
    },
    # Whom they let see what
    "scope": {"empty": _PLAIN},
    "until": {"empty": _PLAIN, "malformed": _PLAIN, "past": _PLAIN, "too_far": _PLAIN},
    "letter_consent": {"manager": _because(text="consent.revoke.manager")},
    "nudge": {"no_address": _BY_STAFF},
    "current_password": {"empty": _PLAIN, "wrong": _PLAIN, "wait": _because("at", is_wait=True)},
    "confirm": {"not_ticked": _PLAIN},
    # What staff type
    "phone_checked": {"not_ticked": _BY_STAFF},
    "identified_by": {"empty": _BY_STAFF},
    "reason": {
        **_OF_STAFFS_WORDS,
        "not_supervisor": _BY_STAFF,
        "too_often": _because("at", audience=Audience.STAFF),
    },
    "note": _OF_STAFFS_WORDS,
    "due_on": dict.fromkeys(("empty", "malformed", "past", "too_far"), _BY_STAFF),
    "customers": {
        "empty": _BY_STAFF,
        "supervisor": _BY_STAFF,
        "too_many": _because("count", audience=Audience.STAFF),
    },
    "more": {"malformed": _because("count", audience=Audience.STAFF)},
    # An invoice, as the insurer's system sends it
    "invoice": dict.fromkeys(("policy", "letter", "paid"), _BY_API),
    # A file that is added to a request
    "file": {
        "empty": _PLAIN,
        "unchecked": _because(text="upload.checking.text"),
        "away": _because(text="upload.storage_away"),
        "too_many": _because("limit"),
        "of_day": _because("limit", "moment"),
        **{
            reason: _because(text=f"upload.refused.{text}")
            for reason, text in (("empty_file", "empty"), ("too_big", "too_big"), ("kind", "kind"))
        },
    },
    "file_password": {"empty": _PLAIN, "wrong": _PLAIN, "damaged": _because(text="upload.refused.damaged")},
    # The invoice for which a transfer is meant
    "invoice_number": dict.fromkeys(("unknown", "currency"), _BY_STAFF),
    # How an invoice is paid
    "way": {
        "unavailable": _because(text="pay.card.unavailable"),
        "too_late": _because(text="pay.live.cancel.too_late"),
    },
    # An answer in a request, by the type of its question
    **{field: {"empty": _PLAIN} for field in ("town", "street", "name", "yes_no", "statement", "files", "answer")},
    "choice": {"empty": _PLAIN, "unknown": _PLAIN},
    "contract": {"empty": _PLAIN, "unsuitable": _PLAIN, "ended": _PLAIN},
    "date": dict.fromkeys(
        ("empty", "year", "month", "day", "malformed", "impossible", "past", "future", "before"),
        _because("parts"),
    ),
    "time": {"empty": _PLAIN, "malformed": _PLAIN, "future": _PLAIN},
    "money": {"empty": _PLAIN, "malformed": _PLAIN, "zero": _PLAIN},
    "plate": {"empty": _PLAIN, "malformed": _PLAIN},
    "account": {"empty": _PLAIN, "malformed": _PLAIN, "check": _PLAIN},
    "phone": {"empty": _PLAIN, "malformed": _PLAIN},
    "long_text": {"too_long": _because("count")},
    # What the insurer's system and its staff do with a request
    "request": dict.fromkeys(("text", "letter"), _BY_STAFF),
    # A claim without an account
    "claim": {"too_many": _because("at", text="dead_end.too_many.text", is_wait=True)},
    "to": {"unknown": _BY_STAFF},
    # A number of whatever kind, in a search
    "code": {"empty": _CAUGHT, "malformed": _CAUGHT},
    "currency": {"malformed": _CAUGHT},
    "premium": {"malformed": _CAUGHT},
    # What stands in files alone
    **{field: {"empty": _BY_IMPORT, "malformed": _BY_IMPORT} for field in ("kutid", "old_number")},
}
"""About one field, which bears the name."""

_FORMS = {
    # Whatever field it is in
    "text": {"empty": _PLAIN, "characters": _PLAIN, "too_long": _OF_LENGTH},
    "identify": {
        "mismatch": _PLAIN,
        "slowed": _because("at", "with_id", is_wait=True),
        "wait": _because("at", is_wait=True),
        "no_mobile": _because("kutid", text="dead_end.no_mobile.text"),
    },
    "sms": {
        "paused": _because(beside="resend"),
        "share_used": _because("at", audience=Audience.STAFF, beside="resend"),
    },
    "sms_resend": {
        "too_early": _because("seconds", beside="resend"),
        "used_up": _because("at", beside="resend"),
    },
    "consents": {
        "marketing.empty": _PLAIN,
        "data.empty": _PLAIN,
        "notice": _because(beside="notice"),
        "contract": _PLAIN,
    },
    "login": {
        "email": _because(text="login.email.empty"),
        "password": _because(text="login.password.empty"),
        "failed": _because(text="login.failed"),
        "passkey": _because(text="login.passkey.stopped"),
        "wait": _because("at", text="login.wait.text"),
    },
    "passkey": {
        "no_name": _PLAIN,
        "stopped": _because(text="account.passkeys.stopped"),
        "too_many": _because("count"),
    },
    # Staff's
    "staff_login": {
        "failed": _because(audience=Audience.STAFF, text="staff.login.failed"),
        "wait": _because("at", audience=Audience.STAFF, text="login.wait.text"),
        "unknown": _BY_STAFF,
        "unverified": _BY_STAFF,
    },
    "search": dict.fromkeys(("empty", "none", "name_alone", "too_many"), _BY_STAFF),
    "sms_budget": {"stopped": _BY_STAFF},
    "period": {"malformed": _because("count", audience=Audience.STAFF)},
    # No form at all
    "customer": {"unknown": _BY_API},
    # Of a letter that the insurer's systems publish or take back
    "document": dict.fromkeys(
        (
            "empty",
            "too_large",
            "no_pdf",
            "damaged",
            "encrypted",
            "type",
            "title",
            "language",
            "latest",
            "policy",
            "replaces",
            "replaced",
            "reason",
        ),
        _BY_API,
    ),
    # A mail about a letter that staff have sent again
    "notification": {
        "no_address": _BY_STAFF,
        "wait": _because("at", audience=Audience.STAFF),
    },
    "api_key": {
        "missing": _BY_API,
        "unknown": _BY_API,
        "wait": _because("at", audience=Audience.API),
        "scope": _BY_COMMAND,
        "adviser": _BY_COMMAND,
    },
    "webhook": {"url": _BY_COMMAND, "events": _BY_COMMAND, "too_many": _BY_COMMAND, "after": _BY_COMMAND},
    "idempotency_key": {"reused": _BY_API, "under_way": _BY_API},
    "staff": {"role": _BY_COMMAND, "weak": _BY_COMMAND, "taken": _BY_COMMAND},
}
"""Refusals of the form as a whole, its buttons or its sender, not of one field."""

REFUSALS = {
    (field, reason): declared
    for fields in (_FIELDS, _FORMS)
    for field, reasons in fields.items()
    for reason, declared in reasons.items()
}

DEAD_ENDS = {
    "already_registered": frozenset({"kutid"}),
    "codes_used_up": frozenset({"kutid", "again_at"}),
    "ended_by_staff": frozenset[str](),
    "link_completed": frozenset[str](),
    "link_expired": frozenset({"at"}),
    "link_unknown": frozenset[str](),
}
"""The facts of each kind of dead end."""
