"""What customers of the other insurers type, step by step."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.world.browsing import FIRST, Site, Visitor
from tests.world.pages import Page

PASSWORD = "Kek7Hold8Fenyes"


@dataclass(frozen=True)
class Insured:
    """A customer of one of the profiles, and the fields of the first step."""

    profile: str
    identity: Mapping[str, str]
    mobile: str
    email: str = "valaki@example.hu"


def _by_customer_number(number: str, **second: str) -> dict[str, str]:
    return {"customer_number": number, **second}


ALLIANZ_BY_POLICY = Insured(
    "allianz",
    {"identifier_kind": "policy_number", "identifier": "940000001", "mobile": "06 20 123 4567"},
    "+36201234567",
)
ALLIANZ_BY_ACCOUNT = Insured(
    "allianz",
    {"identifier_kind": "account_number", "identifier": "7000101", "mobile": "06 20 100 0101"},
    "+36201000101",
)
GENERTEL = Insured(
    "genertel",
    _by_customer_number("G10000001", holder_type="person", birth_date="1985-03-14", postal_code="1066"),
    "+36201234567",
)
GENERTEL_COMPANY = Insured(
    "genertel",
    _by_customer_number("g1000 0002", holder_type="company", tax_number="12345676-2-42", postal_code="6720"),
    "+36309876543",
)
SLOVAK = Insured(
    "generali-sk",
    {"policy_number": "940000001", "holder_type": "person", "birth_number": "855314/0013"},
    "+421905000001",
    "anna@example.sk",
)
SLOVAK_BORN_BEFORE_1954 = Insured(
    "generali-sk",
    {"policy_number": "940000012", "holder_type": "person", "birth_number": "510409/007"},
    "+421905000009",
    "jan@example.sk",
)
SLOVAK_COMPANY = Insured(
    "generali-sk",
    {"policy_number": "940000003", "holder_type": "company", "tax_number": "2020000026"},
    "+421905000003",
    "obchod@example.sk",
)
EVERYBODY = (
    ALLIANZ_BY_POLICY, ALLIANZ_BY_ACCOUNT, GENERTEL, GENERTEL_COMPANY, SLOVAK, SLOVAK_BORN_BEFORE_1954, SLOVAK_COMPANY,
)  # fmt: skip


def take_step(visitor: Visitor, who: Insured) -> Page:
    """Fill in the step that is shown with what is right, and send it."""
    assert visitor.page is not None
    site = visitor.site
    taken: dict[str, Callable[[], Page]] = {
        "identify": lambda: visitor.send(who.identity),
        "email": lambda: visitor.give_email(who.email),
        "email-sent": lambda: visitor.open_link(who.email),
        "mobile": lambda: visitor.give_mobile(who.mobile),
        "sms-code": lambda: visitor.give_code(site.code(who.mobile)[-site.parts.profile.one_time_code.typed :]),
        "terms": visitor.accept_terms,
        "consents": lambda: answer_consents(visitor),
        "password": lambda: visitor.give_password(PASSWORD),
    }
    return taken[visitor.page.step]()


def answer_consents(visitor: Visitor) -> Page:
    """Read the notice and answer everything."""
    open_notice(visitor)
    return visitor.send({"marketing": "decline", "data": "accept", "notice": "1", "contract": "1"})


def open_notice(visitor: Visitor) -> None:
    """Open the notice in a window of its own."""
    before = visitor.page
    visitor.get("/tajekoztato")
    visitor.page = before


def walk_to(visitor: Visitor, step: str, who: Insured) -> Page:
    """Take every step up to one; return its page."""
    page = visitor.page if visitor.page and visitor.page.step else visitor.get(FIRST)
    for _ in range(9):
        if page.step == step:
            return page
        before = page.step
        page = take_step(visitor, who)
        assert page.step != before, f"{before} did not lead on: {page.text}"
    raise AssertionError(f"there is no step {step}")


def language_of(site: Site) -> str:
    """Return the insurer's first language."""
    return site.parts.profile.languages[0]


def activation_code(site: Site, who: Insured) -> str:
    """Return the newest activation code mailed to a customer."""
    mails = [mail for mail in site.messages(who.email, "email") if "token" not in "".join(mail["links"])]
    code = re.findall(r"\b\d{6}\b", mails[-1]["text"])[0]
    site.secrets.add(code)
    return str(code)


def sign_in(visitor: Visitor, who: Insured) -> Page:
    """Sign in and go where that leads in the end."""
    visitor.get("/belepes")
    answer = visitor.post("/belepes", {"email": who.email, "password": PASSWORD})
    while answer.status_code == 303:
        address, answer = answer.location, visitor.client.get(answer.location)
    return visitor.get(address)
