"""What ends and what must be waited for: the hour, the codes, the mails. The clock is moved, nobody waits."""

import pytest

from tests.e2e.server import Server
from tests.e2e.visitor import Visitor
from tests.e2e.words import PHONE, pattern, words
from tests.world.walk import FIRST, SECOND

pytestmark = pytest.mark.moves_time

_REFERENCE = words("shell.reference", reference="").strip()


def _wrong(server: Server, visitor: Visitor) -> str:
    return str((int(server.codes(visitor.customer.mobile)[-1]) + 1) % 10000).zfill(4)


@pytest.mark.crosswise
def test_wrong_codes_end_at_the_telephone(visitor: Visitor, server: Server) -> None:
    """M21, M22: three codes of three tries; then customer service, and nothing gives new tries that day."""
    visitor.be_at("sms-code")
    for code in (1, 2, 3):
        for tries_left in (2, 1, 0):
            visitor.fill(sms_code=_wrong(server, visitor))
            visitor.submit()
            if tries_left:
                assert pattern("error.sms_code.wrong", tries=tries_left).search(visitor.errors()["sms_code"])
            elif code < 3:
                assert words("error.sms_code.wrong", tries=0) in visitor.errors()["resend"]
                assert not visitor.sees("#sms_code")
        if code < 3:
            server.advance(seconds=60)
            visitor.open(SECOND)
            visitor.submit("sms-resend")
            assert words("sms_code.resent") in visitor.text()
    assert len(server.codes(visitor.customer.mobile)) == 3
    assert visitor.browser.status == 403
    assert words("dead_end.codes_used_up.heading") in visitor.alert
    assert PHONE in visitor.alert
    assert _REFERENCE in visitor.alert
    visitor.open(SECOND)
    assert visitor.browser.status == 403

    server.advance(minutes=24 * 60 + 1)
    visitor.open(SECOND)
    assert visitor.browser.status == 410
    visitor.act("restart")
    visitor.walk_to("done")


@pytest.mark.in_webkit
def test_a_new_code_can_be_asked_for_after_a_minute(visitor: Visitor, server: Server) -> None:
    """M21: not before; the new one alone is good; the page tells how many are left."""
    visitor.be_at("sms-code")
    old = server.codes(visitor.customer.mobile)[-1]
    if visitor.has("countdown"):
        assert not visitor.sees("form[data-step=sms-resend] button")
        assert visitor.sees("#resend .count")
    else:
        visitor.submit("sms-resend")
        assert pattern("error.sms_resend.too_early").search(visitor.errors()["resend"])
    server.advance(seconds=60)
    visitor.open(SECOND)
    visitor.submit("sms-resend")
    assert words("sms_code.resent") in visitor.text()
    assert words("sms_code.codes", codes=1) in visitor.text()
    new = server.codes(visitor.customer.mobile)[-1]
    if old != new:
        visitor.fill(sms_code=old)
        visitor.submit()
        assert visitor.step == "sms-code"
    visitor.fill(sms_code=new)
    visitor.submit()
    assert visitor.step == "terms"


@pytest.mark.scripted("countdown")
def test_the_countdown_ends_with_the_button(visitor: Visitor, server: Server) -> None:
    """M21: the seconds are counted by the script, said aloud three times, and then the button is there."""
    visitor.be_at("mobile")
    visitor.browser.take_over_time()
    visitor.take_step()
    assert visitor.step == "sms-code"
    assert not visitor.sees("form[data-step=sms-resend] button")
    visitor.browser.run_for(31)
    assert words("a11y.countdown.start", seconds=30) in visitor.said()
    visitor.browser.run_for(20)
    assert words("a11y.countdown.start", seconds=10) in visitor.said()
    server.advance(seconds=60)
    # The phone lay in a pocket meanwhile: what is left is a matter of the clock, not of ticks.
    visitor.browser.jump(12)
    visitor.browser.run_for(1)
    assert visitor.said()[-1] == words("a11y.countdown.done")
    assert visitor.sees("form[data-step=sms-resend] button")
    visitor.submit("sms-resend")
    assert len(server.codes(visitor.customer.mobile)) == 2
    visitor.browser.run_for(1)
    assert visitor.said()[-1] == words("sms_code.resent")


@pytest.mark.crosswise
def test_a_code_dies_after_half_an_hour(visitor: Visitor, server: Server) -> None:
    """M21."""
    visitor.be_at("sms-code")
    visitor.fill(sms_code=server.codes(visitor.customer.mobile)[-1])
    server.advance(minutes=31)
    visitor.submit()
    assert visitor.step == "sms-resend"
    assert pattern("error.sms_code.expired").search(visitor.errors()["resend"])
    visitor.submit("sms-resend")
    visitor.walk_to("password")


@pytest.mark.in_webkit
def test_the_mail_can_be_asked_for_again(visitor: Visitor, server: Server) -> None:
    """M19: after a minute; the older link dies, the newer one leads on."""
    visitor.be_at("email-sent")
    older = server.link(visitor.email)
    if visitor.has("countdown"):
        assert not visitor.sees("button[value=resend-email]")
    else:
        visitor.act("resend-email")
        assert pattern("error.email.resend_too_early").search(visitor.errors()["resend"])
    server.advance(seconds=60)
    visitor.open(FIRST)
    visitor.act("resend-email")
    assert visitor.step == "email-sent"
    assert len(server.mails(visitor.email)) == 2
    visitor.open(older)
    assert visitor.browser.status == 404
    assert words("dead_end.link_unknown.heading") in visitor.alert
    visitor.open(server.link(visitor.email))
    visitor.walk_to("done")


@pytest.mark.crosswise
def test_at_most_six_mails_an_hour_go_to_one_address(visitor: Visitor, server: Server) -> None:
    """The seventh is refused and says when."""
    visitor.be_at("email-sent")
    for number in range(2, 8):
        server.advance(seconds=61)
        visitor.open(FIRST)
        visitor.act("resend-email")
        if number <= 6:
            assert len(server.mails(visitor.email)) == number
    assert pattern("error.email.too_many").search(visitor.errors()["resend"])
    assert len(server.mails(visitor.email)) == 6


@pytest.mark.crosswise
@pytest.mark.parametrize("step", ["email-sent", "mobile", "sms-code", "terms", "password"])
def test_after_the_hour_a_kind_page_leads_to_a_new_start(visitor: Visitor, server: Server, step: str) -> None:
    """M19: wherever the visitor stood, by a form or by looking again."""
    visitor.be_at(step)
    link = server.link(visitor.email)
    if step not in ("email-sent", "terms"):
        visitor.fill_step()
    server.advance(minutes=61)
    if step == "email-sent":
        visitor.open(link)
    else:
        visitor.submit()
    assert visitor.browser.status == 410
    assert words("dead_end.link_expired.heading") in visitor.alert
    assert pattern("dead_end.link_expired.text").search(visitor.alert)
    assert _REFERENCE in visitor.alert
    visitor.open(link)
    assert visitor.browser.status == 410
    visitor.act("restart")
    assert visitor.step == "identify"
    assert visitor.path == FIRST
    server.advance(minutes=1)
    visitor.walk_to("sms-code" if step == "mobile" else "mobile")


def test_before_the_hour_ends_the_page_warns(visitor: Visitor, server: Server) -> None:
    """M19: five minutes before, on whatever page is opened then."""
    visitor.be_at("mobile")
    assert words("finalise.warning.heading") not in visitor.text()
    server.advance(minutes=56)
    visitor.open(SECOND)
    assert words("finalise.warning.heading") in visitor.text()


@pytest.mark.scripted("warning")
def test_the_warning_comes_by_itself_and_is_said_once(visitor: Visitor, server: Server) -> None:
    """M19: also to a visitor who does nothing; then the end comes by itself too, and what is shown is told."""
    visitor.be_at("email-sent")
    visitor.browser.take_over_time()
    visitor.take_step()
    visitor.fill(mobile="20 1")
    visitor.submit()
    visitor.browser.run_for(2)
    server.advance(minutes=56)
    visitor.browser.jump(56 * 60)
    visitor.wait_until(lambda: words("finalise.warning.heading") in visitor.text(), "the warning")
    visitor.browser.run_for(1)
    warnings = [said for said in visitor.said() if pattern("a11y.time").fullmatch(said)]
    assert len(warnings) == 1
    assert visitor.value("mobile") == "20 1", "what was typed stays"
    assert set(visitor.errors()) == {"mobile"}, "and that it is wrong, in the title too"

    server.advance(minutes=5)
    visitor.browser.jump(5 * 60)
    visitor.wait_until(lambda: words("dead_end.link_expired.heading") in visitor.text(), "the end")
    assert len([said for said in visitor.said() if pattern("a11y.time").fullmatch(said)]) == 1


@pytest.mark.crosswise
def test_guessing_dates_is_slowed(visitor: Visitor, server: Server) -> None:
    """After six wrong dates the policy rests for a while, and the page says until when."""
    visitor.open(FIRST)
    visitor.fill_step()
    for day in range(2, 9):
        visitor.fill(birth_date__day=str(day))
        visitor.submit()
    assert visitor.browser.status == 429
    assert pattern("error.identify.slowed").search(" ".join(visitor.errors().values()))
    server.advance(minutes=31)
    visitor.fill(birth_date__day="1")
    visitor.submit()
    assert visitor.step == "email"
