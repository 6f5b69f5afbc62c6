"""Steps out of turn, replayed, forged or too late do nothing (ASVS 2.3.1)."""

import pytest

from tests.world.cast import ANNA, MINTA, PASSWORD
from tests.world.site import Site, Visitor
from tests.world.walk import FIRST, SECOND, WAY

_FORMS = {
    "identify": MINTA.identification,
    "email": {"email": "masik@example.hu", "email_confirm": "masik@example.hu"},
    "email-sent": {},
    "mobile": {"mobile": ANNA.mobile},
    "sms-code": {"sms_code": "0000"},
    "sms-resend": {},
    "terms": {"terms": "1"},
    "password": {"password": PASSWORD, "password_confirm": PASSWORD},
    "done": {},
    "activation": {"activation_code": "1"},
    "is_complete": {},
    "../password": {"password": PASSWORD, "password_confirm": PASSWORD},
}
_DONE_BEFORE = {"identify", "email", "mobile"}
"""Steps that a customer may take anew, so that posting them later is no mistake."""


@pytest.mark.parametrize("due", WAY[:-1])
def test_a_step_posted_out_of_turn_changes_nothing(site: Site, due: str, htmx: bool) -> None:
    visitor = site.visitor(htmx=htmx)
    visitor.walk_to(due)
    before = site.database()
    for step, fields in _FORMS.items():
        if step == due or (step in _DONE_BEFORE and (WAY.index(step) < WAY.index(due) or step == "identify")):
            continue
        if (due, step) == ("sms-code", "sms-resend"):
            continue
        for address in (FIRST, SECOND):
            page = visitor.follow(visitor.post(address, {"step": step, **fields}))
            assert page.step == due, f"{step} posted at {due}"
            assert page.status == 200
    assert site.database() == before


@pytest.mark.parametrize("due", WAY[:-1])
def test_a_step_out_of_turn_is_not_even_judged(site: Site, due: str) -> None:
    visitor = site.visitor()
    visitor.walk_to(due)
    for step in WAY[:-1]:
        if WAY.index(step) > WAY.index(due):
            answer = visitor.post(SECOND, {"step": step, "mobile": "x", "sms_code": "x", "password": "x"})
            assert answer.status_code == 303


def test_fields_of_other_steps_do_nothing(site: Site, visitor: Visitor) -> None:
    visitor.open()
    everything = {name: value for fields in _FORMS.values() for name, value in fields.items()}
    assert visitor.send(**{**everything, **ANNA.identification, "holder_type": "person"}).step == "email"
    (registration,) = site.rows("registrations")
    assert registration.email is None
    assert (
        visitor.send(**{**everything, "mobile_confirmed_at": "1", "kutid": "10000002", "link_id": "x"}).step
        == "email-sent"
    )
    (registration,) = site.rows("registrations")
    assert (registration.kutid, registration.mobile, registration.terms_version) == ("10000001", None, None)


def test_done_steps_that_are_replayed_change_nothing(site: Site, visitor: Visitor) -> None:
    sent = {}
    for step in WAY[:-1]:
        visitor.walk_to(step)
        sent[step] = {
            "identify": ANNA.identification,
            "email": {"email": ANNA.email, "email_confirm": ANNA.email},
            "mobile": {"mobile": ANNA.mobile},
            "sms-code": {"sms_code": site.code(ANNA.mobile) if step == "sms-code" else ""},
            "terms": {"terms": "1"},
            "password": {"password": "Egészen Más 4321 szó", "password_confirm": "Egészen Más 4321 szó"},
        }.get(step, {})
    visitor.walk_to("done")
    before = site.database("reference_codes")
    for step, fields in sent.items():
        visitor.follow(visitor.post(SECOND, {"step": step, **fields}))
    assert site.database("reference_codes") == before
    assert len(site.messages(kind="sms")) == 1


@pytest.mark.parametrize("due", ["email", "email-sent", "mobile", "sms-code", "terms", "password"])
def test_after_the_hour_nothing_works(site: Site, due: str, htmx: bool) -> None:
    visitor = site.visitor(htmx=htmx)
    visitor.walk_to(due)
    token = {"token": site.link(ANNA.email).partition("token=")[2]} if due not in ("email",) else {}
    code = site.code(ANNA.mobile) if due in ("sms-code",) else "0000"
    page = visitor.page
    site.advance(minutes=60, seconds=1)
    before = site.database("reference_codes")
    for step, fields in {**_FORMS, "sms-code": {"sms_code": code}}.items():
        if step != "identify":
            for address, held in ((FIRST, {}), (SECOND, token)):
                answer = visitor.follow(visitor.post(address, {"step": step, **fields, **held}))
                assert answer.status == 410, step
    for action in ("change-email", "change-mobile", "resend-email", "use-suggestion"):
        assert visitor.follow(visitor.post(SECOND, {"action": action})).status == 410
    assert site.database("reference_codes") == before
    assert page
    visitor.open(FIRST)
    assert visitor.page
    assert visitor.page.status == 410
    site.advance(hours=25)
    assert visitor.open(SECOND).status == 410


def test_mails_sent_again_do_not_keep_a_registration_alive_for_ever(site: Site, visitor: Visitor) -> None:
    visitor.walk_to("email-sent")
    for _ in range(24):
        site.advance(minutes=59)
        visitor.post(FIRST, {"action": "resend-email"})
    assert visitor.open_link(ANNA.email).step == "mobile"
    site.advance(minutes=25)
    assert visitor.open_link(ANNA.email).status == 410, "24 hours after it began"


def test_a_password_of_one_does_not_open_an_account_for_another(site: Site) -> None:
    anna, minta = site.visitor(), site.visitor()
    anna.walk_to("password")
    minta.walk_to("email", MINTA)
    fields = {"step": "password", "password": PASSWORD, "password_confirm": PASSWORD}
    held = anna.client.get_cookie("session")
    assert held
    assert minta.follow(minta.post(SECOND, fields)).step == "email"
    assert not site.rows("accounts")


def test_going_on_without_a_cookie_begins_anew(site: Site, visitor: Visitor) -> None:
    visitor.walk_to("sms-code")
    stranger = site.visitor()
    for step, fields in _FORMS.items():
        if step != "identify":
            assert stranger.follow(stranger.post(SECOND, {"step": step, **fields})).step == "identify"
    assert len(site.rows("registrations")) == 1


def test_a_cookie_that_was_not_signed_here_holds_nothing(site: Site, visitor: Visitor) -> None:
    visitor.walk_to("sms-code")
    held = visitor.client.get_cookie("session")
    assert held
    payload, _, rest = held.value.partition(".")
    for forged in (f"{payload}.AAAA.{rest[-20:]}", "x", payload, f"{payload[:-1]}A.{rest}", ""):
        thief = site.visitor()
        thief.client.set_cookie("session", forged)
        assert thief.open(SECOND).step == "identify"


@pytest.mark.parametrize("step", ["email", "sms-code", "password"])
def test_a_window_of_an_earlier_registration_does_nothing_to_a_later_one(site: Site, step: str, htmx: bool) -> None:
    """Two customers register in one browser, each in a window: what one sends is not the other's."""
    visitor = site.visitor(htmx=htmx)
    older = visitor.walk_to(step)
    visitor.post(FIRST, {"action": "restart"})
    visitor.open()
    visitor.walk_to(step, MINTA)
    before = site.database()
    visitor.page = older
    page = visitor.send(
        email="a@example.hu",
        email_confirm="a@example.hu",
        sms_code="0000",
        password=PASSWORD,
        password_confirm=PASSWORD,
    )
    assert page.step == step
    assert site.database() == before
