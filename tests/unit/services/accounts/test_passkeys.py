"""Passkeys: made once, answered once, and worth nothing to anybody else (WebAuthn 3, 7.1 and 7.2)."""

import json
from typing import Any

import pytest

from services.accounts import Session, SignedOut
from services.accounts.group import build_accounts
from services.passwords import Hasher
from services.sessions import Device
from services.store.tables.accounts import passkeys
from services.store.tables.accounts import sessions as sessions_table
from services.store.tables.audit import audit
from tests.world.authenticator import ATTESTED, PRESENT, VERIFIED, Authenticator, handle
from tests.world.cast import ANNA, ESZTER, OTHER_PASSWORD, PASSWORD, Customer
from tests.world.outcomes import at_once, outcome_of
from tests.world.world import World

ORIGIN, HOST = "https://ugyfel.example.hu", "ugyfel.example.hu"
BROWSER = "the secret of a browser's session"
PHONE = Device("the-mark-of-annas-phone", "Chrome, Android", "198.51.100.21")
TABLET = Device("the-mark-of-a-tablet", "Safari, iPad", "198.51.100.22")


class Keyring:
    """A world with passkeys, and what customers do with them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.clock = world.clock
        self.sign_ins, self.details = world.sign_ins, world.account_details
        self.passkeys_at = lambda origin: build_accounts(
            world.base, limits=world.limits, messages=world.message_services, codes=world.code_services,
            documents=world.documents, hasher=Hasher(4, threads=2), links=world.links, passkey_origin=origin,
            has_activation=False,
        ).passkeys  # fmt: skip
        self.passkeys = self.passkeys_at(ORIGIN)

    def session(self, token: str) -> Session:
        session = self.sign_ins.resume(token)
        assert session is not None
        return session

    def signed_in(self, person: Customer) -> Session:
        return self.session(self.sign_ins.sign_in(person.address.key, PASSWORD, PHONE))

    def options_to_add(self, session: Session) -> tuple[str, str]:
        challenge = self.passkeys.ask_to_add(session, PASSWORD)
        options = self.passkeys.options_to_add(session, challenge)
        assert options is not None
        return challenge, options

    def add(self, session: Session, device: Authenticator, name: str = "Anna telefonja") -> Session:
        challenge, options = self.options_to_add(session)
        return self.session(self.passkeys.add(session, challenge, device.make(options), name))

    def enter(self, answer: str, browser: str = BROWSER, device: Device = PHONE) -> str:
        return outcome_of(self.passkeys.sign_in, answer, browser, device)

    def rows(self, table: Any = passkeys) -> list[Any]:
        return self.world.rows(table)


@pytest.fixture
def keyring(world: World) -> Keyring:
    world.registered(ANNA)
    return Keyring(world)


@pytest.fixture
def phone(keyring: Keyring) -> Authenticator:
    """A device with a passkey of Anna's."""
    device = Authenticator(ORIGIN)
    keyring.add(keyring.signed_in(ANNA), device)
    return device


@pytest.mark.parametrize("counts", [True, False])
def test_a_passkey_signs_in_as_often_as_it_is_asked(keyring: Keyring, counts: bool) -> None:
    device = Authenticator(ORIGIN, counts=counts)
    keyring.add(keyring.signed_in(ANNA), device)
    for _ in range(3):
        keyring.clock.advance(minutes=1)
        token = keyring.passkeys.sign_in(device.prove(keyring.passkeys.options(BROWSER)), BROWSER, PHONE)
        session = keyring.session(token)
        assert (session.account.email, session.device) == (ANNA.email, PHONE.name)
    (passkey,) = keyring.passkeys.all(session)
    assert (passkey.name, passkey.used_at) == ("Anna telefonja", keyring.clock.now())
    assert keyring.details.export(session)["passkeys"][0]["name"] == "Anna telefonja"


def test_what_the_browser_is_asked(keyring: Keyring, phone: Authenticator) -> None:
    session = keyring.signed_in(ANNA)
    asked = json.loads(keyring.options_to_add(session)[1])
    assert asked["rp"] == {"id": HOST, "name": "Generali"}
    assert asked["user"] == {"id": handle(session.account.id), "name": ANNA.email, "displayName": ANNA.name}
    assert asked["authenticatorSelection"]["residentKey"] == "required"
    assert asked["authenticatorSelection"]["userVerification"] == "required"
    assert asked["attestation"] == "none"
    assert [known["id"] for known in asked["excludeCredentials"]] == [row.id for row in keyring.rows()]
    one, other = (json.loads(keyring.passkeys.options(BROWSER)) for _ in range(2))
    assert (one["rpId"], one["userVerification"], one["allowCredentials"]) == (HOST, "required", [])
    assert one["challenge"] != other["challenge"]


def test_adding_asks_for_the_password_tells_by_mail_and_gives_a_new_id(keyring: Keyring) -> None:
    token = keyring.sign_ins.sign_in(ANNA.address.key, PASSWORD, PHONE)
    session = keyring.session(token)
    assert outcome_of(keyring.passkeys.ask_to_add, session, "not this one") == "current_password.wrong"
    renewed = keyring.add(session, Authenticator(ORIGIN))
    assert renewed.id == session.id
    assert keyring.sign_ins.resume(token) is None
    subject = keyring.world.profile.texts.say("mail.passkey_added.subject", "hu")
    (mail,) = (mail for mail in keyring.world.letters("email", ANNA.email) if mail.subject == subject)
    assert PHONE.name in mail.text
    gone = keyring.passkeys.remove(renewed, keyring.rows()[0].id)
    assert gone is not None
    assert keyring.rows() == []
    subject = keyring.world.profile.texts.say("mail.passkey_removed.subject", "hu")
    (mail,) = (mail for mail in keyring.world.letters("email", ANNA.email) if mail.subject == subject)
    assert PHONE.name in mail.text
    actions = [(row.action, row.kutid) for row in keyring.rows(audit)]
    assert actions == [("passkey_added", ANNA.kutid), ("passkey_removed", ANNA.kutid)]


def password_mail(keyring: Keyring) -> str:
    """Return the newest mail that tells of a new password."""
    subject = keyring.world.profile.texts.say("mail.password_changed.subject", "hu")
    return [mail.text for mail in keyring.world.letters("email", ANNA.email) if mail.subject == subject][-1]


def test_a_reset_removes_the_passkeys_that_the_old_password_could_have_made(
    keyring: Keyring, phone: Authenticator
) -> None:
    world = keyring.world
    waiting = phone.prove(keyring.passkeys.options(BROWSER))
    world.password_changes.reset(world.reset_link(ANNA), OTHER_PASSWORD)
    assert keyring.rows() == []
    assert keyring.enter(waiting) == "login.passkey"
    assert world.profile.texts.say("mail.password_changed.passkeys_removed", "hu") in password_mail(keyring)
    actions = [row.action for row in keyring.rows(audit)]
    assert actions == ["passkey_added", "passkey_removed", "password_reset"]


def test_the_mail_of_a_changed_password_lists_what_still_opens_the_account(
    keyring: Keyring, phone: Authenticator
) -> None:
    """Without the passkeys' names: a thief may have chosen them."""
    world = keyring.world
    keyring.clock.advance(days=1)
    session = keyring.add(keyring.signed_in(ANNA), Authenticator(ORIGIN), "Hívja a +36 1 999 9999 számot")
    world.password_changes.change(session, PASSWORD, OTHER_PASSWORD)
    assert len(keyring.rows()) == 2
    mail = password_mail(keyring).replace("\N{NO-BREAK SPACE}", " ")
    assert "2026. november 20.; 2026. november 21. Ha" in mail
    assert "999 9999" not in mail
    for passkey in keyring.rows():
        assert keyring.passkeys.remove(session, passkey.id)
    keyring.clock.advance(days=1)
    session = world.signed_in(ANNA, password=OTHER_PASSWORD)
    world.password_changes.change(session, OTHER_PASSWORD, PASSWORD)
    assert world.profile.texts.say("mail.password_changed.password_alone", "hu") in password_mail(keyring)


def test_of_eight_who_bring_the_same_answer_one_comes_in(keyring: Keyring) -> None:
    device = Authenticator(ORIGIN, counts=False)
    keyring.add(keyring.signed_in(ANNA), device)
    before = len(keyring.rows(sessions_table))
    answer = device.prove(keyring.passkeys.options(BROWSER))
    came = at_once([lambda: keyring.enter(answer)] * 8)
    assert sorted(came) == ["login.passkey"] * 7 + ["ok"]
    assert len(keyring.rows(sessions_table)) == before + 1
    keyring.clock.advance(minutes=4)
    assert keyring.enter(answer) == "login.passkey"


def test_a_challenge_makes_one_passkey(keyring: Keyring) -> None:
    session = keyring.signed_in(ANNA)
    challenge, options = keyring.options_to_add(session)
    answers = [Authenticator(ORIGIN).make(options) for _ in range(8)]
    came = at_once([lambda it=it: outcome_of(keyring.passkeys.add, session, challenge, it, "x") for it in answers])
    assert [answer for answer in came if answer == "ok"] == ["ok"]
    assert len(keyring.rows()) == 1


def test_a_challenge_lives_five_minutes_in_its_own_browser(keyring: Keyring, phone: Authenticator) -> None:
    assert keyring.enter(phone.prove(keyring.passkeys.options("another browser"))) == "login.passkey"
    late = phone.prove(keyring.passkeys.options(BROWSER))
    keyring.clock.advance(minutes=5)
    in_time = phone.prove(keyring.passkeys.options(BROWSER))
    keyring.clock.advance(seconds=1)
    assert keyring.enter(late) == "login.passkey"
    assert keyring.enter(in_time) == "ok"
    session = keyring.signed_in(ANNA)
    challenge, options = keyring.options_to_add(session)
    keyring.clock.advance(minutes=5, seconds=1)
    assert keyring.passkeys.options_to_add(session, challenge) is None
    answer = Authenticator(ORIGIN).make(options)
    assert outcome_of(keyring.passkeys.add, session, challenge, answer, "x") == "passkey.stopped"


@pytest.mark.parametrize(
    "fault",
    [
        {"origin": "https://ugyfel.example.hu.evil.example"},
        {"origin": "http://ugyfel.example.hu"},
        {"flags": PRESENT},
        {"flags": VERIFIED},
        {"host": "evil.example"},
        {"told": {"type": "webauthn.create"}},
        {"told": {"crossOrigin": True}},
        {"told": {"challenge": "AAAA"}},
        {"told": {"challenge": 7}},
        {"count": 0},
        {"user": handle("somebody else")},
        {"id": b"another"},
        {"id": b"\0"},
    ],
    ids=str,
)
def test_an_answer_with_one_fault_opens_nothing(keyring: Keyring, phone: Authenticator, fault: dict[str, Any]) -> None:
    assert keyring.enter(phone.prove(keyring.passkeys.options(BROWSER))) == "ok"
    before = keyring.rows()
    right = {name: getattr(phone, name) for name in fault}
    vars(phone).update(fault)
    assert keyring.enter(phone.prove(keyring.passkeys.options(BROWSER))) == "login.passkey"
    assert keyring.rows() == before
    vars(phone).update(right, count=9)
    assert keyring.enter(phone.prove(keyring.passkeys.options(BROWSER))) == "ok"


def test_somebody_elses_key_signs_nothing(keyring: Keyring, phone: Authenticator) -> None:
    thief = Authenticator(ORIGIN, id=phone.id, host=HOST, user=phone.user, count=50)
    assert keyring.enter(thief.prove(keyring.passkeys.options(BROWSER))) == "login.passkey"
    own = json.loads(phone.prove(keyring.passkeys.options(BROWSER)))["response"]
    assert keyring.enter(phone.prove(keyring.passkeys.options(BROWSER), signature=own["signature"])) == "login.passkey"
    assert keyring.enter(phone.prove(keyring.passkeys.options(BROWSER), userHandle=None)) == "login.passkey"


@pytest.mark.parametrize(
    "rubbish",
    ["", "{", "null", "[]", "7", '"x"', "{}", '{"id":1}', "\0", '{"id":"\\ud800","rawId":"\\ud800"}', "[" * 5000,
     '{"id":"AA","rawId":"AA","type":"public-key","response":{"clientDataJSON":"/w","authenticatorData":"","signature":""}}'],
    ids=lambda it: it[:12],
)  # fmt: skip
def test_rubbish_is_refused_like_anything_else(keyring: Keyring, rubbish: str) -> None:
    assert keyring.enter(rubbish) == "login.passkey"
    session = keyring.signed_in(ANNA)
    challenge, _ = keyring.options_to_add(session)
    assert outcome_of(keyring.passkeys.add, session, challenge, rubbish, "x") == "passkey.stopped"
    assert keyring.rows() == []


@pytest.mark.parametrize(
    "fault",
    [
        {"origin": "https://evil.example"},
        {"flags": PRESENT},
        {"told": {"type": "webauthn.get"}},
        {"told": {"crossOrigin": True}},
        {"id": b"x" * 1024},
        {"flags": PRESENT | VERIFIED | ATTESTED | 0x10},
    ],
    ids=lambda it: str(it)[:40],
)
def test_a_passkey_made_wrongly_is_not_kept(keyring: Keyring, fault: dict[str, Any]) -> None:
    session = keyring.signed_in(ANNA)
    challenge, options = keyring.options_to_add(session)
    answer = Authenticator(**{"origin": ORIGIN, **fault}).make(options)
    assert outcome_of(keyring.passkeys.add, session, challenge, answer, "x") == "passkey.stopped"
    assert keyring.rows() == []
    keyring.add(session, Authenticator(ORIGIN))


def test_a_challenge_to_sign_in_adds_nothing_and_the_other_way_round(keyring: Keyring, phone: Authenticator) -> None:
    session = keyring.signed_in(ANNA)
    challenge, options = keyring.options_to_add(session)
    assert keyring.enter(phone.prove(json.dumps({"challenge": json.loads(options)["challenge"]}))) == "login.passkey"
    elsewhere = keyring.signed_in(ANNA)
    assert keyring.passkeys.options_to_add(elsewhere, challenge) is None
    answer = Authenticator(ORIGIN).make(options)
    assert outcome_of(keyring.passkeys.add, elsewhere, challenge, answer, "x") == "passkey.stopped"


def test_nobody_elses_passkey_can_be_seen_taken_or_removed(keyring: Keyring, phone: Authenticator) -> None:
    keyring.world.registered(ESZTER)
    stranger = keyring.signed_in(ESZTER)
    own = keyring.rows()[0].id
    assert keyring.passkeys.all(stranger) == []
    assert keyring.passkeys.remove(stranger, own) is None
    challenge, options = keyring.options_to_add(stranger)
    copy = Authenticator(ORIGIN, id=phone.id)
    assert outcome_of(keyring.passkeys.add, stranger, challenge, copy.make(options), "x") == "passkey.stopped"
    assert [row.account_id for row in keyring.rows()] == [keyring.signed_in(ANNA).account.id]
    assert keyring.enter(phone.prove(keyring.passkeys.options(BROWSER))) == "ok"


def test_a_passkey_removed_or_of_a_closed_account_opens_nothing(keyring: Keyring, phone: Authenticator) -> None:
    session = keyring.signed_in(ANNA)
    other = Authenticator(ORIGIN)
    session = keyring.add(session, other, "Másik")
    removed = next(passkey for passkey in keyring.passkeys.all(session) if passkey.name != "Másik")
    token = keyring.passkeys.remove(session, removed.id)
    assert token is not None
    assert keyring.enter(phone.prove(keyring.passkeys.options(BROWSER))) == "login.passkey"
    assert keyring.enter(other.prove(keyring.passkeys.options(BROWSER))) == "ok"
    waiting = other.prove(keyring.passkeys.options(BROWSER))
    keyring.details.close(keyring.session(token), PASSWORD)
    assert keyring.rows() == []
    assert keyring.enter(waiting) == "login.passkey"


def test_a_session_that_has_ended_changes_nothing(keyring: Keyring, phone: Authenticator) -> None:
    session = keyring.signed_in(ANNA)
    challenge, options = keyring.options_to_add(session)
    keyring.sign_ins.sign_out(session)
    with pytest.raises(SignedOut):
        keyring.passkeys.add(session, challenge, Authenticator(ORIGIN).make(options), "x")
    with pytest.raises(SignedOut):
        keyring.passkeys.remove(session, keyring.rows()[0].id)
    assert len(keyring.rows()) == 1


def test_a_new_device_is_told_of_and_a_known_one_is_not(keyring: Keyring, phone: Authenticator) -> None:
    subject = keyring.world.profile.texts.say("mail.new_device.subject", "hu")

    def told() -> int:
        return sum(mail.subject == subject for mail in keyring.world.letters("email", ANNA.email))

    before = told()
    for device, mails in ((PHONE, 0), (TABLET, 1), (TABLET, 1)):
        assert keyring.enter(phone.prove(keyring.passkeys.options(BROWSER)), device=device) == "ok"
        assert told() == before + mails


def test_failures_count_for_their_network_and_a_passkey_never_waits(keyring: Keyring, phone: Authenticator) -> None:
    for _ in range(keyring.world.profile.sign_in.source_tries):
        assert keyring.enter("{}") == "login.passkey"
    new = Device("the-mark-of-a-new-phone", PHONE.name, PHONE.source)
    assert keyring.world.comes_in(ANNA, PASSWORD, new) == "login.wait"
    assert keyring.enter(phone.prove(keyring.passkeys.options(BROWSER))) == "ok"


def test_an_account_has_only_so_many(keyring: Keyring) -> None:
    session = keyring.signed_in(ANNA)
    for _ in range(20):
        session = keyring.add(session, Authenticator(ORIGIN))
    assert outcome_of(keyring.passkeys.ask_to_add, session, PASSWORD) == "passkey.too_many"


@pytest.mark.parametrize(
    ("origin", "are_possible"),
    [("http://localhost:8000", True), (ORIGIN, True), ("http://10.0.0.7", False), ("http://[fe80::1]:80", False)],
)
def test_addresses_in_numbers_have_no_passkeys(keyring: Keyring, origin: str, are_possible: bool) -> None:
    assert keyring.passkeys_at(origin).are_possible == are_possible


def test_whoever_closes_the_account_and_whoever_signs_in_wait_for_each_other(
    keyring: Keyring, phone: Authenticator
) -> None:
    session = keyring.signed_in(ANNA)
    phone.count = 9
    answers = [phone.prove(keyring.passkeys.options(BROWSER)) for _ in range(5)]
    came = at_once([
        lambda: outcome_of(keyring.details.close, session, PASSWORD),
        *(lambda it=it: keyring.enter(it) for it in answers),
    ])  # fmt: skip
    assert came[0] == "ok"
    assert set(came[1:]) <= {"ok", "login.passkey"}
    assert keyring.rows(sessions_table) == []
