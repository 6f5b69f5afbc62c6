"""The address that becomes the user name, and the mail to it (M14–M17)."""

import unicodedata
from dataclasses import replace

import pytest

from services.messages.composer import Composer
from services.messages.delivery import Delivery
from services.messages.senders import PermanentFailure
from tests.world.cast import ANNA, MINTA, one_of_many
from tests.world.pages import Page
from tests.world.site import Site, Visitor
from tests.world.walk import FIRST
from webapp.worker.mailed_pages import mailed_pages


def test_that_it_was_mailed_again_is_said_where_the_customer_registers_and_nowhere_else(site: Site) -> None:
    visitor = site.visitor()
    visitor.walk_to("email-sent")
    site.advance(seconds=61)
    assert visitor.post(FIRST, {"action": "resend-email"}).status_code == 303
    page = visitor.open("/belepes")
    assert (page.status, page.step) == (200, "login")
    said = site.say("email_sent.resent", time="x").partition("x")[0]
    assert said in visitor.open(FIRST).text
    assert said not in visitor.open(FIRST).text, "once"


def _give(visitor: Visitor, address: str, confirm: str | None = None) -> Page:
    return visitor.send(email=address, email_confirm=address if confirm is None else confirm)


@pytest.mark.parametrize(
    "address",
    ["", "anna", "anna@", "@example.hu", "anna@example", "anna@@example.hu", "anna@exa mple.hu", "an\x00na@example.hu",
     "anna@example.hu\r\nBcc: x@example.hu", "anna@example..hu", "a" * 10_000 + "@example.hu", "anna@-example.hu",
     "anna@example.hu, bela@example.hu", "Anna <anna@example.hu>", "anna@[127.0.0.1]"],
    ids=lambda address: ascii(address[:20]),
)  # fmt: skip
def test_what_is_no_address_is_told_and_mails_nothing(site: Site, visitor: Visitor, address: str) -> None:
    visitor.walk_to("email")
    page = _give(visitor, address)
    assert page.status == 422
    assert "email" in page.fields_in_error
    assert not site.messages()


@pytest.mark.parametrize(
    ("confirm", "is_same"),
    [("anna@example.hu", True), (" ANNA@Example.HU ", True), ("anna@example.com", False), ("", False)],
)
def test_the_address_is_typed_twice(visitor: Visitor, confirm: str, is_same: bool) -> None:
    visitor.walk_to("email")
    page = _give(visitor, "anna@example.hu", confirm)
    assert page.step == ("email-sent" if is_same else "email")
    assert page.fields_in_error == ([] if is_same else ["email_confirm"])


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("anna@example.hu", "ANNA@EXAMPLE.HU"),
        ("anna@example.hu", "  Anna@Example.hu "),
        ("árvíz@példa.hu", unicodedata.normalize("NFD", "ÁRVÍZ@PÉLDA.HU")),
        ("anna@példa.hu", "anna@xn--plda-bpa.hu"),
        ("anna@example.hu", "anna@ｅｘａｍｐｌｅ.hu"),
    ],
)
def test_an_address_that_another_customer_has_is_taken_however_it_is_written(
    site: Site, first: str, second: str
) -> None:
    site.visitor().walk_to("done", replace(one_of_many(101), email=first))
    visitor = site.visitor()
    visitor.walk_to("email", MINTA)
    mails = len(site.messages(kind="email"))
    page = _give(visitor, second)
    assert (page.status, page.fields_in_error) == (422, ["email"])
    assert site.say("error.email.taken") in page.error_of("email")
    assert len(site.messages(kind="email")) == mails


@pytest.mark.parametrize("address", ["anna@examp1e.hu", "ıstvan@example.hu", "аnna@example.hu"], ids=ascii)
def test_a_look_alike_is_another_address_and_gets_its_own_mail(site: Site, address: str) -> None:
    site.visitor().walk_to("done")
    visitor = site.visitor()
    visitor.walk_to("email", MINTA)
    assert _give(visitor, address).step == "email-sent"
    assert len(site.messages(address)) == 1


def test_an_unconfirmed_registration_blocks_nobody(site: Site) -> None:
    site.visitor().walk_to("email-sent", ANNA)
    squatter = site.visitor()
    squatter.walk_to("email", MINTA)
    assert _give(squatter, ANNA.email).step == "email-sent"


def test_that_an_address_is_taken_is_said_a_few_times_only(site: Site, visitor: Visitor) -> None:
    site.visitor().walk_to("done")
    visitor.walk_to("email", MINTA)
    told = [site.say("error.email.taken") in _give(visitor, ANNA.email).text for _ in range(8)]
    assert told == [True] * 6 + [False] * 2
    site.advance(minutes=61)
    assert visitor.open(FIRST).status == 410


def test_a_likely_typing_error_is_asked_about(site: Site, visitor: Visitor, htmx: bool) -> None:
    visitor = site.visitor(htmx=htmx)
    visitor.walk_to("email")
    page = _give(visitor, "anna@gmial.com")
    assert "anna @gmail.com" in page.text
    page = visitor.act("use-suggestion")
    assert page.step == "email-sent"
    assert not page.has_button("use-suggestion")
    assert len(site.messages("anna@gmail.com")) == 1
    assert visitor.follow(visitor.post(FIRST, {"action": "use-suggestion"})).step == "email-sent"
    assert len(site.messages("anna@gmail.com")) == 1


def test_the_page_names_the_address_and_the_end(site: Site, visitor: Visitor) -> None:
    page = visitor.walk_to("email-sent")
    assert "anna @example.hu" in page.text
    assert site.clock_time(site.now + site.parts.profile.registration.lifetime) in page.text


def test_the_mail_can_be_sent_again_after_a_minute(site: Site, htmx: bool) -> None:
    visitor = site.visitor(htmx=htmx)
    visitor.walk_to("email-sent")
    first = site.link(ANNA.email)
    page = visitor.act("resend-email")
    assert (page.status, page.fields_in_error) == (422, ["resend"])
    assert site.say("email_sent.resend") in (page.by_id("error-summary") or page.root).text
    site.advance(seconds=60)
    assert visitor.act("resend-email").step == "email-sent"
    assert len(site.messages(ANNA.email)) == 2
    assert site.visitor().open(first).status == 404
    assert visitor.open_link(ANNA.email).step == "mobile"


@pytest.mark.parametrize("language", ["hu", "en"])
def test_a_mail_that_was_refused_for_good_is_told_and_leads_to_another_address(
    site: Site, htmx: bool, language: str
) -> None:
    visitor = site.visitor(language, htmx=htmx)
    visitor.walk_to("email-sent")
    told = site.say("email_sent.undelivered", language, phone="|").partition("|")[0].strip()
    _refuse_mails(site)
    # What the page asks for by itself, when the mail may be sent again, tells it too.
    for page in (visitor.open(FIRST), visitor.open(FIRST, whole=False)):
        (part,) = [part for part in page.root.all("div") if part["id"] == "resend"]
        assert told in part.text
        assert site.say("email_sent.missing.spam", language) not in page.text
    assert told in visitor.act("resend-email").text, "it was too early"
    assert visitor.act("change-email").step == "email"
    page = _give(visitor, "jo@example.hu")
    assert (page.step, told in page.text) == ("email-sent", False)
    _refuse_mails(site)
    site.advance(seconds=61)
    assert told in visitor.open(FIRST).text
    page = visitor.act("resend-email")
    assert told not in page.text, "the new mail is on its way"
    assert visitor.open_link("jo@example.hu").step == "mobile"


def _refuse_mails(site: Site) -> None:
    """Have the mails that wait be refused, as by an SMTP server that answers 550."""

    class Refusing:
        def send(self, *_: object) -> None:
            raise PermanentFailure("550 no such user")

    parts = site.parts
    composer = Composer(parts.profile, parts.links, mailed_pages())
    delivery = Delivery(
        parts.store, parts.clock, composer, {"email": Refusing()}, lambda *_: None, sms_budget=parts.messages.sms_budget
    )
    assert delivery.deliver_due(64)


def test_six_mails_an_hour_go_to_one_address(site: Site, visitor: Visitor) -> None:
    visitor.walk_to("email-sent")
    for _ in range(5):
        site.messages()  # looked for, and so delivered, before the next one replaces it
        site.advance(seconds=61)
        assert visitor.act("resend-email").status < 400
    site.advance(seconds=61)
    page = visitor.act("resend-email")
    assert page.status == 429
    assert len(site.messages(ANNA.email)) == 6
    other = site.visitor()
    other.walk_to("email", MINTA)
    assert _give(other, ANNA.email.upper()).status == 429
    assert len(site.messages(kind="email")) == 6
    site.advance(minutes=61)
    again = site.visitor()
    again.walk_to("email", MINTA)
    assert _give(again, ANNA.email).step == "email-sent"


def test_a_post_that_the_browser_repeats_sends_one_mail(site: Site, visitor: Visitor) -> None:
    page = visitor.walk_to("email")
    fields = {"step": "email", "email": ANNA.email, "email_confirm": ANNA.email}
    assert page.step == "email"
    for _ in range(3):
        assert visitor.follow(visitor.post(FIRST, fields)).step == "email-sent"
    assert len(site.messages(ANNA.email)) == 1


def test_the_address_can_be_changed_and_the_older_link_dies(site: Site, htmx: bool) -> None:
    visitor = site.visitor(htmx=htmx)
    visitor.walk_to("email-sent")
    first = site.link(ANNA.email)
    page = visitor.act("change-email")
    assert page.step == "email"
    assert page.value("email") == ANNA.email
    assert _give(visitor, "masik@example.hu").step == "email-sent"
    assert site.visitor().open(first).status == 404
    assert site.visitor().open_link("masik@example.hu").step == "mobile"


def test_whoever_began_to_change_the_address_and_then_opens_the_link_goes_on(site: Site, visitor: Visitor) -> None:
    visitor.walk_to("email-sent")
    assert visitor.act("change-email").step == "email"
    assert visitor.open_link(ANNA.email).step == "mobile"
    assert visitor.give_mobile(ANNA.mobile).step == "sms-code"


def test_a_mail_holds_no_personal_data(site: Site, visitor: Visitor) -> None:
    visitor.walk_to("done")
    for mail in site.messages(ANNA.email):
        for known in ("Kovács", "Anna", ANNA.born, ANNA.policy_number, "10000001", ANNA.mobile[3:], "1234567"):
            assert known not in mail["text"] + mail["subject"]
            assert known not in mail["html"]


def test_a_mail_is_in_the_language_of_the_registration(site: Site) -> None:
    site.visitor("en").walk_to("email-sent")
    (mail,) = site.messages(ANNA.email)
    assert mail["subject"] == site.say("mail.confirm.subject", "en")
