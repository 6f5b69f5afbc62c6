"""The whole journey of every other insurer, in each browser, with and without scripts."""

import re
from collections.abc import Callable

import pytest

from services.profiles import load
from tests.e2e.conftest import Meet
from tests.e2e.server import Server
from tests.e2e.visitor import Visitor
from tests.e2e.words import LOCALES, plain
from tests.world import cast
from tests.world.walk import FIRST

ServerOf = Callable[[str], Server]


def meet_customer(meet: Meet, server: Server, customer: cast.Customer, **looks: str) -> Visitor:
    """Meet a customer of another insurer at the first step."""
    visitor = meet(at=server, **looks)
    visitor.customer = customer
    visitor.open(FIRST)
    return visitor


def path_of(visitor: Visitor) -> list[str]:
    """Walk to the end; return the steps that were met; axe, which is a script, finds nothing wrong with any."""
    met = []
    while visitor.step != "done":
        assert not visitor.is_scripted or not visitor.axe(), visitor.step
        met.append(visitor.step)
        visitor.take_step()
        assert visitor.step != met[-1], visitor.text()[:400]
    return met


@pytest.mark.in_webkit
@pytest.mark.parametrize(
    ("profile", "customer"),
    [("genertel", cast.GENERTEL), ("generali-sk", cast.SLOVAK_BORN_BEFORE_1954)],
    ids=["genertel", "generali-sk"],
)
def test_a_customer_registers_and_signs_in(
    meet: Meet, server_of: ServerOf, profile: str, customer: cast.Customer
) -> None:
    declared = load(profile)
    language = declared.languages[0]
    visitor = meet_customer(meet, server_of(profile), customer, locale=LOCALES[language])
    visitor.language = language
    assert path_of(visitor) == list(declared.journey)
    assert plain(declared.texts.say("done.heading", language)) in visitor.text()
    visitor.sign_in()
    assert visitor.path == "/fiok"


@pytest.mark.in_webkit
def test_a_customer_account_is_activated_at_the_first_sign_in(meet: Meet, server_of: ServerOf) -> None:
    declared, server = load("allianz"), server_of("allianz")
    visitor = meet_customer(meet, server, cast.ALLIANZ_BY_ACCOUNT)
    assert path_of(visitor) == list(declared.journey[:-1])
    assert plain(declared.texts.say("done.activation_needed", "hu")) in visitor.text()
    visitor.sign_in()
    assert visitor.path == "/fiok/aktivalas"
    assert not visitor.is_scripted or not visitor.axe()
    code = re.findall(r"\b\d{6}\b", server.mails(visitor.email)[-1]["text"])[0]
    visitor.fill(activation_code=code[1:])
    visitor.submit("activation")
    assert plain(declared.texts.say("activation.done", "hu")) in visitor.text()
