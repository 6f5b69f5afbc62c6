"""What the API takes and gives; the OpenAPI document is made of these."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

CustomerNumber = Annotated[
    str, StringConstraints(min_length=1, max_length=40, pattern=r"^[0-9A-Za-z]([0-9A-Za-z ./-]*[0-9A-Za-z])?$")
]
Mobile = Annotated[str, StringConstraints(min_length=7, max_length=40, pattern=r"^[+0-9(][0-9 ()/.-]*[0-9]$")]
TypedCode = Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=r"^[0-9]([0-9 -]*[0-9])?$")]
_ONE_LINE = r"^[^\u0000-\u001f]+$"
Email = Annotated[str, StringConstraints(min_length=3, max_length=320), Field(json_schema_extra={"format": "email"})]
Method = Literal["call", "branch", "telecode", "callback"]
State = Literal[
    "code_sent",
    "code_over",
    "codes_used_up",
    "mailed",
    "under_way",
    "completed",
    "ended",
    "expired",
    "account_elsewhere",
]


class _Asked(BaseModel):
    """What a client sends. Unknown fields and values of other types are refused."""

    model_config = ConfigDict(extra="forbid", strict=True)


class _Output(BaseModel):
    """What a client gets."""

    model_config = ConfigDict(extra="forbid")


class Customer(_Asked):
    """A customer, by one of their numbers or by the reference code that they read out."""

    by: Literal["policy_number", "kutid", "customer_number", "account_number", "reference"] = Field(
        description="What kind of number it is.", examples=["policy_number"]
    )
    number: CustomerNumber = Field(
        description="The number or the code; spaces, dots and hyphens are forgiven.", examples=["940000005"]
    )


class FoundBy(_Asked):
    """Whom to find."""

    customer: Customer


class NewRegistration(_Asked):
    """A registration that is begun together with a customer."""

    customer: Customer
    identified_by: Method = Field(
        description="How the client has identified the customer: by a call, in a branch, by the telephone code, by "
        "calling back. The audit trail records it.",
        examples=["call"],
    )
    email: Email = Field(
        description="The customer's address, which becomes the user name.", examples=["ilona@example.hu"]
    )
    mobile: Mobile = Field(
        description="The customer's mobile, on record or not; a code is sent to it.", examples=["+36209998877"]
    )
    language: Literal["hu", "en", "sk"] | None = Field(
        default=None,
        description="The language of the messages, until the customer goes on in another. By default, or where the "
        "insurer does not have it, the insurer's first language.",
        examples=["hu"],
    )


class NewPasswordReset(_Asked):
    """A mail with a link for a new password, which the customer asked for."""

    customer: Customer
    identified_by: Method = Field(description="How the client has identified the customer.", examples=["call"])


class ReadBack(_Asked):
    """The code that the customer reads back."""

    code: TypedCode = Field(description="As it was read; spaces and hyphens are forgiven.", examples=["1234"])


class DocumentOf(_Asked):
    """A customer, by one of their numbers."""

    by: Literal["policy_number", "kutid", "customer_number", "account_number"] = Field(
        description="What kind of number it is.", examples=["kutid"]
    )
    number: CustomerNumber = Field(
        description="The number; spaces, dots and hyphens are forgiven.", examples=["10000001"]
    )


class NewDocument(_Asked):
    """A letter to a customer: the part `document` of the request. The PDF is the part `file`."""

    customer: DocumentOf
    type: Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=r"^[a-z][a-z0-9_]*$")] = Field(
        description="What kind of letter: `policy`, `payment_request`, `certificate`, `invoice` … The mail's subject "
        "says it in words.",
        examples=["payment_request"],
    )
    title: Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_ONE_LINE)] = Field(
        description="What the customer's list shows.", examples=["Díjbekérő 2027"]
    )
    issued_on: date = Field(description="The letter's own date.", examples=["2026-11-20"])
    policy_number: CustomerNumber | None = Field(
        default=None, description="The customer's policy that the letter is about."
    )
    language: Literal["hu", "en", "sk"] | None = Field(
        default=None,
        description="The letter's language. By default, or where the insurer lacks it, the insurer's first one.",
    )
    latest_on: date | None = Field(
        default=None,
        description="The legal day before which an unopened letter is printed and posted. A day that has passed is "
        "refused.",
    )
    confirm_by: date | None = Field(
        default=None, description="The day by which the customer should confirm reading it."
    )
    replaces: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{22}$")] | None = Field(
        default=None, description="The id of the customer's letter that this one corrects."
    )
    data: dict[str, Any] | None = Field(
        default=None, description="The letter's content for its page; the PDF is binding."
    )


class Withdrawal(_Asked):
    """The withdrawal of a letter."""

    reason: Annotated[str, StringConstraints(min_length=1, max_length=300, pattern=_ONE_LINE)] = Field(
        description="The reason, in words that the customer reads.", examples=["Téves összeg szerepelt benne."]
    )


class DocumentEvent(_Output):
    """Something that happened to a letter."""

    type: Literal[
        "published", "notified", "bounced", "opened", "downloaded", "confirmed", "withdrawn", "replaced", "printed"
    ] = Field(
        description="`notified`: the mail server has taken over the mail that tells of it. `bounced`: it refused that "
        "for good, or the customer has no address."
    )
    at: datetime


class Document(_Output):
    """A letter and its events."""

    id: str
    type: str
    title: str
    sha256: str = Field(description="Of the PDF's bytes, in hexadecimal digits.")
    events: list[DocumentEvent] = Field(description="What happened to it, oldest first.")
    replaced_by: str | None = Field(description="The id of the letter that took its place.")
    withdrawal_code: str | None = Field(
        description="The code by which staff find a withdrawn letter.", examples=["7KX-2MD"]
    )


class FoundCustomer(_Output):
    """A customer, masked. The client identifies the customer itself."""

    name: str = Field(examples=["N••• I•••"])
    policy_number: str | None = Field(description="Of a live policy if there is one.", examples=["9400•••05"])
    has_live_policy: bool = Field(description="Without one nobody registers.")
    has_account: bool
    has_mobile: bool = Field(description="Whether a mobile is on record, so that they can register by themselves.")


class Code(_Output):
    """What may be known of the code that was sent; never the code."""

    sent_at: datetime
    expires_at: datetime
    again_at: datetime = Field(description="The time from which another one can be sent.")
    tries_left: int
    codes_left: int
    is_undelivered: bool = Field(description="Whether it could not be delivered: another one can be sent at once.")


class Event(_Output):
    """A line of the customer's timeline."""

    at: datetime
    what: str = Field(description="The kind of event, a name that stays.", examples=["mail_sent"])
    tone: str = Field(description="`ok`, `bad`, `wait` or `told`.", examples=["ok"])
    text: str = Field(description="The same in words, in the language of `Accept-Language`.")


class Registration(_Output):
    """An assisted registration."""

    id: str
    state: State = Field(
        description="`code_sent`: the code waits to be read back. `code_over`: it is over, another can be sent. "
        "`codes_used_up`: the customer's allowance of codes is used up for today. `mailed`: it was read back, and the "
        "mail with the link leaves. `under_way`: the customer has opened the link. `completed`: there is an account. "
        "`ended`: by staff. `expired`: begin a new one. `account_elsewhere`: the account has another origin."
    )
    email: str = Field(description="Masked.", examples=["i•••a@example.hu"])
    mobile: str = Field(description="Masked.", examples=["+36 20 ••• ••77"])
    code: Code | None = Field(description="Until it is read back.")
    expires_at: datetime | None = Field(description="The customer can go on from the mail until this time.")


class RegistrationInFull(Registration):
    """An assisted registration and the customer's timeline."""

    events: list[Event] | None = Field(
        description="The newest first; `null` once the customer's identification is longer ago than an hour."
    )


class PasswordReset(_Output):
    """A mail with a link for a new password is leaving."""

    email: str = Field(description="Masked: the account's address.", examples=["i•••a@example.hu"])
    minutes: int = Field(description="How many minutes the link is good.")


class Reference(_Output):
    """The dead end behind a reference code."""

    code: str
    kind: str = Field(description="What the customer met, a name that stays.", examples=["no_mobile"])
    text: str = Field(description="The same in words, in the language of `Accept-Language`.")
    met_at: datetime
    customer: FoundCustomer


class FieldError(_Output):
    """What is wrong with one field."""

    pointer: str = Field(
        description="A JSON pointer into the request's body, or into its query (RFC 6901).", examples=["/mobile"]
    )
    detail: str


class ProblemDocument(BaseModel):
    """Why the request was not done (RFC 9457)."""

    type: str = Field(
        description="What kind of problem: the address of a page that explains it.", json_schema_extra={"format": "uri"}
    )
    title: str
    status: int
    detail: str
    errors: list[FieldError] | None = Field(default=None, description="With 422: field by field.")
    tries_left: int | None = Field(default=None, description="With a wrong code: the tries that are left.")
    again_at: datetime | None = Field(default=None, description="The time from which it can be tried again.")
    reference: str | None = Field(default=None, description="With 500: the code by which the operator finds it.")
