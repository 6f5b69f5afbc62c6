"""Passkeys, with the virtual authenticator of Chromium: added, used by the button and by autofill, removed."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.conftest import Meet
from tests.e2e.driver import PlaywrightDriver
from tests.e2e.server import OwnServer
from tests.e2e.visitor import Visitor
from tests.e2e.words import pattern, words
from tests.world.cast import PASSWORD

pytestmark = pytest.mark.once

_ACCOUNT, _PASSKEYS, _NEW, _SIGN_IN = "/fiok", "/fiok/azonositokulcsok", "/fiok/azonositokulcsok/uj", "/belepes"
_SETTINGS = "/fiok/beallitasok"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnServer]:
    """A server with a name: browsers make no passkeys for an address in numbers."""
    server = OwnServer(tmp_path_factory.mktemp("named"), host="localhost")
    server.start()
    yield server
    server.stop()


class Device:
    """The visitor's device: it keeps passkeys, and knows its owner by the finger."""

    def __init__(self, visitor: Visitor) -> None:
        assert isinstance(visitor.browser, PlaywrightDriver)
        self._page = visitor.browser.page
        self._line = self._page.context.new_cdp_session(self._page)
        self._line.send("WebAuthn.enable", {"enableUI": False})
        told = {
            "protocol": "ctap2", "ctap2Version": "ctap2_1", "transport": "internal", "hasResidentKey": True,
            "hasUserVerification": True, "isUserVerified": True, "automaticPresenceSimulation": False,
        }  # fmt: skip
        self._id = self._line.send("WebAuthn.addVirtualAuthenticator", {"options": told})["authenticatorId"]

    def touched(self) -> None:
        """From now on the owner's finger lies on it."""
        self._tell("WebAuthn.setAutomaticPresenceSimulation", enabled=True)

    def left_alone(self) -> None:
        """From now on nobody touches it."""
        self._tell("WebAuthn.setAutomaticPresenceSimulation", enabled=False)

    def held_by_a_stranger(self, is_stranger: bool = True) -> None:
        """Somebody touches it whom it does not know."""
        self._tell("WebAuthn.setUserVerified", isUserVerified=not is_stranger)

    @property
    def passkeys(self) -> list[dict[str, Any]]:
        """What it keeps."""
        kept: list[dict[str, Any]] = self._tell("WebAuthn.getCredentials")["credentials"]
        return kept

    def _tell(self, verb: str, **what: Any) -> Any:
        return self._line.send(verb, {"authenticatorId": self._id, **what})


@pytest.fixture
def visitor(meet: Meet, home: OwnServer) -> Visitor:
    """Somebody who has just registered and signed in."""
    home.reset()
    visitor = meet(at=home)
    visitor.be_at("account")
    return visitor


@pytest.fixture
def device(visitor: Visitor) -> Device:
    """Their device."""
    return Device(visitor)


def sign_in(visitor: Visitor) -> None:
    visitor.open(_SIGN_IN)
    visitor.sign_in()
    visitor.wait_until(lambda: visitor.path == _ACCOUNT, "the account")


def sign_out(visitor: Visitor) -> None:
    visitor.open(_ACCOUNT)
    visitor.sign_out()
    visitor.wait_until(lambda: visitor.path == _SIGN_IN, "the sign-in")


def forgo_offers(visitor: Visitor) -> None:
    """From now on the browser is one that offers nothing beside the field, so that the button alone is at work."""
    assert isinstance(visitor.browser, PlaywrightDriver)
    visitor.browser.page.add_init_script("delete PublicKeyCredential.isConditionalMediationAvailable")


def see_alert(visitor: Visitor, words_beside_the_button: str) -> None:
    visitor.wait_until(
        lambda: visitor.text("[data-passkey] [aria-live]") == words_beside_the_button, words_beside_the_button
    )


def begin_to_add(visitor: Visitor) -> None:
    visitor.open(_SETTINGS)
    visitor.follow(words("account.passkeys.add"))
    visitor.fill(current_password=PASSWORD)
    visitor.submit("passkey")
    assert visitor.path == _NEW


def add(visitor: Visitor, device: Device, name: str) -> None:
    device.touched()
    begin_to_add(visitor)
    visitor.fill(name=name)
    visitor.settle(lambda: visitor.browser.click("form[data-passkey] button"))
    visitor.wait_until(lambda: visitor.path == _SETTINGS, "the settings")
    device.left_alone()


def test_a_passkey_from_its_adding_to_its_removal(visitor: Visitor, device: Device, home: OwnServer) -> None:
    visitor.open(_SETTINGS)
    assert words("account.passkeys.none") in visitor.text()
    add(visitor, device, "Anna telefonja")
    assert words("account.passkeys.added") in visitor.text()
    assert "Anna telefonja" in visitor.text()
    assert len(device.passkeys) == 1
    assert words("mail.passkey_added.subject") in [mail["subject"] for mail in home.mails(visitor.email)]

    forgo_offers(visitor)
    sign_out(visitor)
    device.touched()
    visitor.press(words("login.passkey"))
    visitor.wait_until(lambda: visitor.path == _ACCOUNT, "the account")
    visitor.open(_SETTINGS)
    assert pattern("account.passkeys.row").search(visitor.text())

    visitor.press(f"{words('account.passkeys.remove')}: Anna telefonja")
    assert words("account.passkeys.removed") in visitor.text()
    assert words("account.passkeys.none") in visitor.text()
    sign_out(visitor)
    visitor.browser.click("form[data-passkey] button")
    see_alert(visitor, words("login.passkey.stopped"))
    assert visitor.path == _SIGN_IN


def test_the_browser_offers_the_passkey_beside_the_field(visitor: Visitor, device: Device) -> None:
    add(visitor, device, "Anna telefonja")
    sign_out(visitor)
    assert visitor.attribute("#email", "autocomplete") == "username webauthn"
    # Nobody presses anything: the virtual device answers for the owner who picks it from the list.
    device.touched()
    visitor.browser.reload()
    visitor.wait_until(lambda: visitor.step == "home", "the account")
    assert visitor.path == _ACCOUNT


def test_the_way_on_is_kept(visitor: Visitor, device: Device) -> None:
    add(visitor, device, "Anna telefonja")
    sign_out(visitor)
    forgo_offers(visitor)
    visitor.open("/fiok/jelszo")
    assert visitor.path.startswith(_SIGN_IN)
    device.touched()
    visitor.press(words("login.passkey"))
    visitor.wait_until(lambda: visitor.path == "/fiok/jelszo", "the page that was asked for")


def test_changed_terms_come_first(visitor: Visitor, device: Device, home: OwnServer) -> None:
    add(visitor, device, "Anna telefonja")
    forgo_offers(visitor)
    sign_out(visitor)
    home.publish_terms("2027-1")
    device.touched()
    visitor.press(words("login.passkey"))
    visitor.wait_until(lambda: visitor.path == "/fiok/feltetelek", "the terms")


def test_what_goes_wrong_is_said_beside_the_button_and_can_be_tried_again(visitor: Visitor, device: Device) -> None:
    add(visitor, device, "Anna telefonja")
    forgo_offers(visitor)
    sign_out(visitor)
    device.held_by_a_stranger()
    device.touched()
    visitor.browser.click("form[data-passkey] button")
    see_alert(visitor, words("login.passkey.stopped"))
    assert visitor.focus == "button"
    device.held_by_a_stranger(False)
    visitor.settle(lambda: visitor.browser.press_key("Enter"))
    visitor.wait_until(lambda: visitor.path == _ACCOUNT, "the account")


def test_a_page_that_has_stood_for_long_signs_in_at_the_second_try(
    visitor: Visitor, device: Device, home: OwnServer
) -> None:
    add(visitor, device, "Anna telefonja")
    forgo_offers(visitor)
    sign_out(visitor)
    home.advance(minutes=6)
    device.touched()
    visitor.browser.click("form[data-passkey] button")
    see_alert(visitor, words("login.passkey.stopped"))
    visitor.press(words("login.passkey"))
    visitor.wait_until(lambda: visitor.path == _ACCOUNT, "the account")


def test_the_same_device_makes_no_second_one(visitor: Visitor, device: Device) -> None:
    add(visitor, device, "Anna telefonja")
    begin_to_add(visitor)
    device.touched()
    visitor.browser.click("form[data-passkey] button")
    see_alert(visitor, words("account.passkeys.present"))
    assert len(device.passkeys) == 1


def test_a_challenge_that_is_over_begins_anew(visitor: Visitor, device: Device, home: OwnServer) -> None:
    begin_to_add(visitor)
    home.advance(minutes=6)
    device.touched()
    visitor.settle(lambda: visitor.browser.click("form[data-passkey] button"))
    visitor.wait_until(lambda: visitor.path == _PASSKEYS, "the password again")
    assert words("account.passkeys.stopped") in visitor.text()


def test_the_pages_please_axe(visitor: Visitor, device: Device) -> None:
    add(visitor, device, "Anna telefonja")
    found = visitor.axe()
    begin_to_add(visitor)
    found += visitor.axe()
    visitor.open(_PASSKEYS)
    found += visitor.axe()
    sign_out(visitor)
    found += visitor.axe()
    assert found == []


def test_an_address_in_numbers_leads_to_the_one_with_a_name(meet: Meet) -> None:
    visitor = meet()
    visitor.be_at("account")
    visitor.open(_PASSKEYS)
    home = visitor.server.url.replace("127.0.0.1", "localhost")
    assert words("account.passkeys.elsewhere", url=home) in visitor.text()
    assert not visitor.sees("form[data-step=passkey]")


def test_without_a_script_the_pages_say_so(meet: Meet) -> None:
    visitor = meet(java_script_enabled=False)
    visitor.be_at("done")
    visitor.open(_SIGN_IN)
    assert words("login.passkey.no_script") in visitor.text()
    assert words("login.passkey.unavailable") not in visitor.text()
    assert not visitor.sees("form[data-passkey]")
    sign_in(visitor)
    visitor.open(_PASSKEYS)
    assert words("account.passkeys.no_script") in visitor.text()
    assert not visitor.sees("form[data-step=passkey]")
