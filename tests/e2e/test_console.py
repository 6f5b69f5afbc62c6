"""Registering with customer service: what a member of staff sees and does, and how the customer goes on from there."""

import pytest

from tests.e2e.conftest import Meet
from tests.e2e.server import Server
from tests.e2e.visitor import Visitor
from tests.e2e.words import words
from tests.world import cast
from tests.world.outcomes import wrong_code

SERVICE, PARTNER = "/ugyfelszolgalat", "/partner"
CLERK, ADVISER, BOSS = "ugyintezo@example.hu", "tanacsado@example.hu", "vezeto@example.hu"
STAFF_PASSWORD = "Demo-Jelszo-2026"
NEW_MOBILE = "+36209998877"


def _come_in(colleague: Visitor, email: str = CLERK, door: str = SERVICE) -> None:
    colleague.open(door)
    assert colleague.step == "staff-login"
    colleague.fill(email=email, password=STAFF_PASSWORD)
    colleague.submit("staff-login")
    assert colleague.step == "staff-search"


def _find(colleague: Visitor, what: str) -> None:
    colleague.fill(policy_number=what)
    colleague.submit("staff-search")


def _identify(colleague: Visitor) -> None:
    colleague.choose("identified_by", "call")
    colleague.press(words("staff.identify.submit"))


@pytest.mark.in_webkit
def test_nagy_ilona_registers_with_customer_service(meet: Meet, server: Server) -> None:
    """She has no mobile on record: one is recorded, she reads the code back and goes on from the mail by herself."""
    colleague, ilona = meet(), meet(email="ilona.nagy@example.hu")
    ilona.customer = cast.ILONA
    _come_in(colleague)
    _find(colleague, "940999999")
    assert words("staff.search.none") in colleague.text()
    _find(colleague, cast.ILONA.policy_number)
    assert "Nagy" not in colleague.text()
    colleague.press(words("staff.identify.submit"))
    assert "identified_by" in colleague.errors()
    _identify(colleague)
    assert colleague.step == "staff-record"
    assert colleague.text("h1") == "Nagy Ilona"
    colleague.fill(email=ilona.email, email_confirm="mas@example.hu", mobile="06 1 234 5678")
    colleague.submit("staff-record")
    assert set(colleague.errors()) == {"email_confirm", "mobile"}
    known = {*colleague.text().split(), NEW_MOBILE[-4:]}  # the code may be these digits by chance
    colleague.fill(email_confirm=ilona.email, mobile="06 20 999 8877")
    colleague.submit("staff-record")
    assert colleague.step == "staff-code"
    (code,) = server.codes(NEW_MOBILE)
    assert code not in {word for word in colleague.text().split() if word not in known}
    colleague.fill(sms_code=wrong_code(code))
    colleague.submit("staff-code")
    assert "sms_code" in colleague.errors()
    colleague.fill(sms_code=code)
    colleague.submit("staff-code", twice=True)
    assert colleague.step == "staff-done"
    assert words("staff.done.heading") in colleague.text()
    assert server.subjects(ilona.email) == [words("mail.assisted.subject")]

    ilona.open(server.link(ilona.email))
    assert ilona.step == "mobile"
    assert words("finalise.assisted") in ilona.text()
    ilona.fill(mobile=NEW_MOBILE)
    ilona.submit()
    ilona.fill(sms_code=server.codes(NEW_MOBILE)[-1])
    ilona.submit()
    ilona.walk_to("done")
    ilona.sign_in()
    assert ilona.path == "/fiok"

    colleague.browser.reload()
    assert words("staff.event.completed") in colleague.text()
    assert colleague.sees("button[value=forgot]")


def test_an_adviser_starts_a_forgotten_password_for_a_customer_of_their_own(meet: Meet, server: Server) -> None:
    """Others' customers are not there; the customer's part is the same as of their own start."""
    anna, adviser = meet(), meet()
    anna.customer = cast.ANNA
    anna.be_at("done")
    _come_in(adviser, ADVISER, PARTNER)
    assert words("staff.nav.my_customers") in adviser.text()
    _find(adviser, cast.ILONA.policy_number)
    assert words("staff.not_yours") in adviser.text()
    _find(adviser, cast.ANNA.policy_number)
    _identify(adviser)
    adviser.act("forgot")
    assert words("staff.forgot.done", minutes=15) in adviser.text()
    anna.open(server.link(anna.email))
    assert anna.step == "reset"
    anna.fill(password="Uj-Tavasz-2027-Kapu", password_confirm="Uj-Tavasz-2027-Kapu")
    anna.submit()
    anna.sign_in(password="Uj-Tavasz-2027-Kapu")
    assert anna.path == "/fiok"


@pytest.mark.in_webkit
@pytest.mark.scripted("live")
def test_the_timeline_follows_the_customer(meet: Meet) -> None:
    """While the two of them speak on the phone, nobody has to reload the page."""
    customer, colleague = meet(), meet()
    customer.be_at("sms-code")
    _come_in(colleague)
    _find(colleague, customer.customer.policy_number)
    _identify(colleague)
    assert words("staff.event.code_confirmed") not in colleague.text("#events")
    customer.take_step()
    colleague.wait_until(lambda: words("staff.event.code_confirmed") in colleague.text("#events"), "the event")


@pytest.mark.crosswise
def test_a_registration_that_got_stuck_is_ended(meet: Meet) -> None:
    """The customer is told so, and can begin anew."""
    stuck, boss = meet(), meet()
    stuck.be_at("mobile")
    _come_in(boss, BOSS)
    _find(boss, stuck.customer.policy_number)
    _identify(boss)
    assert words("staff.event.identified") in boss.text()
    boss.browser.click("summary")
    boss.act("end")
    assert "reason" in boss.errors()
    boss.fill(reason="Más címet szeretne")
    boss.act("end")
    assert words("staff.takeover.ended") in boss.text()
    stuck.browser.reload()
    assert words("dead_end.ended_by_staff.heading") in stuck.alert
    stuck.act("restart")
    assert stuck.step == "identify"


def test_a_supervisor_invites_and_the_customer_registers_from_the_mail(meet: Meet, server: Server) -> None:
    """The link fills in the policy number and nothing else; who has registered is in no list any more."""
    boss, invited = meet(), meet()
    _come_in(boss, BOSS)
    boss.follow(words("staff.nav.worklists"))
    boss.follow(words("worklist.list.not_invited"))
    boss.press(words("worklist.invite.selected"))
    assert set(boss.errors()) == {"customers"}
    boss.browser.click(".people li:first-child .check")
    whom = boss.text(".people li:first-child .who-is")
    boss.press(words("worklist.invite.selected"))
    boss.wait_until(lambda: "/munkalistak/kuldes/" in boss.path, "the address of the batch")

    def is_done() -> bool:
        if not boss.has("live") and boss.sees(".no-js a"):
            boss.follow(words("worklist.batch.refresh"))
        return words("worklist.batch.done") in boss.text()

    boss.wait_until(is_done, "the end of the batch")
    if boss.has("live"):
        boss.hear(words("worklist.batch.done"))
    assert words("worklist.invite.progress", current=1, total=1) in boss.text()
    boss.follow(words("worklist.back"))
    boss.follow(words("worklist.list.invited"))
    assert boss.text(".people li:first-child .who-is") == whom

    mail = server.newest_mail()
    assert mail["subject"] == words("mail.invitation.subject")
    invited.open(mail["links"][0])
    assert invited.step == "identify"
    assert words("identify.invitation.filled") in invited.text()
    number = invited.value("policy_number")
    assert number not in mail["links"][0]
    assert invited.value("birth_date-year") == ""
    invited.customer, invited.email = cast.one_of_many(int(number) - 940100000), mail["to"]
    invited.walk_to("done")

    boss.browser.reload()
    assert words("worklist.empty") in boss.text()
    # The link has done its work: it leads to the first page, and fills in nothing.
    another = meet()
    another.open(mail["links"][0])
    assert another.value("policy_number") == ""
    assert words("identify.invitation.over") in another.text()


@pytest.mark.crosswise
def test_data_to_be_put_right_are_closed_with_a_note(meet: Meet) -> None:
    """Found after the import of the demonstration's register."""
    colleague = meet()
    _come_in(colleague)
    colleague.follow(words("staff.nav.worklists"))

    def is_found() -> bool:
        colleague.follow(words("worklist.quality.heading"))
        return words("worklist.quality.landline") in colleague.text(".people")

    colleague.wait_until(is_found, "what the register lacks")
    colleague.follow(words("worklist.quality.landline"))
    colleague.browser.click("summary")
    colleague.press(words("worklist.close.submit"))
    assert next(iter(colleague.errors())).startswith("note-")
    colleague.browser.fill("[name=note]", "Felhívtuk, nem kér mobilszámot")
    colleague.press(words("worklist.close.submit"))
    assert words("worklist.quality.was_closed") in colleague.text()
    assert words("worklist.empty") in colleague.text()
    colleague.follow(words("worklist.quality.closed"))
    assert "Felhívtuk, nem kér mobilszámot" in colleague.text()


@pytest.mark.in_webkit
@pytest.mark.looked_at
def test_axe_finds_nothing_and_nothing_is_wider_than_a_narrow_window(visitor: Visitor, server: Server) -> None:
    """WCAG 2.2 AA and good practice, and 1.4.10, in every state of the console."""
    found: list[str] = []

    def look(sight: str) -> None:
        found.extend(f"{sight}: {violation}" for violation in visitor.axe())
        width = visitor.browser.evaluate(
            "() => document.scrollingElement.scrollWidth - document.documentElement.clientWidth"
        )
        if width > 0:
            found.append(f"{sight}: {width} too wide")

    visitor.open(SERVICE)
    look("login")
    _come_in(visitor)
    look("home")
    _find(visitor, "940999999")
    look("nobody")
    _find(visitor, cast.ILONA.policy_number)
    look("masked")
    _identify(visitor)
    look("record")
    visitor.submit("staff-record")
    look("errors")
    visitor.fill(email="ilona@example.hu", email_confirm="ilona@example.hu", mobile=NEW_MOBILE)
    visitor.submit("staff-record")
    look("code")
    visitor.browser.resize(320, 640)
    look("code, narrow")
    visitor.fill(sms_code=server.codes(NEW_MOBILE)[-1])
    visitor.submit("staff-code")
    look("done")
    visitor.follow(words("staff.nav.worklists"))
    look("worklist")
    visitor.follow(words("worklist.list.not_invited"))
    look("to be invited")
    visitor.press(words("worklist.invite.selected"))
    look("nobody chosen")
    visitor.browser.click(".people li:first-child .check")
    visitor.press(words("worklist.invite.selected"))
    look("batch")
    visitor.wait_until(lambda: words("worklist.batch.done") in visitor.text(), "the end of the batch")
    look("batch, done")
    visitor.follow(words("worklist.back"))
    visitor.follow(words("worklist.quality.heading"))
    look("data")
    visitor.open(f"{SERVICE}/regisztraciok?days=30")
    look("figures, narrow")
    visitor.browser.resize(1280, 800)
    look("figures")
    assert found == []


@pytest.mark.in_webkit
@pytest.mark.scripted("keyboard")
def test_the_focus_is_where_the_work_is(visitor: Visitor) -> None:
    """The whole way by the keyboard: the field for searching first, then the heading of what is due."""
    _come_in(visitor)
    visitor.browser.reload()
    visitor.see_focus("input#policy_number")
    visitor.browser.type_keys(cast.ILONA.policy_number)
    visitor.settle(lambda: visitor.browser.press_key("Enter"))
    visitor.see_focus("h2#due")
    assert "/ugyfel/" in visitor.path
    visitor.browser.press_key("Tab")
    visitor.browser.press_key("Space")
    visitor.settle(lambda: visitor.browser.press_key("Enter"))
    assert visitor.step == "staff-record"
    visitor.browser.press_key("Tab")
    assert visitor.focus == "input#email"
    visitor.settle(lambda: visitor.browser.press_key("Enter"))
    visitor.see_focus("div#error-summary")
    # Back leads to where the search was made.
    visitor.browser.back()
    visitor.browser.wait_for("form[data-step=staff-search]")


@pytest.mark.scripted("swaps")
@pytest.mark.moves_time
def test_several_are_listed_and_the_end_of_the_session_is_told(visitor: Visitor, server: Server) -> None:
    """In place, each with the focus on its heading."""
    _come_in(visitor)
    _find(visitor, "Oláh 1990-01-01")
    visitor.see_focus("h2#found")
    assert len(visitor.texts("[aria-labelledby=found] li")) > 1
    server.advance(minutes=24 * 60)
    _find(visitor, "Oláh 1990-01-01")
    visitor.see_focus("h1")
    assert visitor.step == "staff-login"
    assert words("login.ended.idle") in visitor.alert


@pytest.mark.crosswise
def test_registrations_stand_in_the_figures(meet: Meet, server: Server) -> None:
    """One on the web and one with customer service, each step of theirs."""
    anna, ilona, colleague = meet(), meet(email="ilona.nagy@example.hu"), meet()
    anna.customer, ilona.customer = cast.ANNA, cast.ILONA
    anna.be_at("done")
    _come_in(colleague)
    _find(colleague, cast.ILONA.policy_number)
    _identify(colleague)
    colleague.fill(email=ilona.email, email_confirm=ilona.email, mobile=NEW_MOBILE)
    colleague.submit("staff-record")
    colleague.fill(sms_code=server.codes(NEW_MOBILE)[-1])
    colleague.submit("staff-code")
    ilona.open(server.link(ilona.email))
    assert ilona.step == "mobile"

    colleague.open(f"{SERVICE}/regisztraciok?days=1")
    told = colleague.text()
    for words_of in ("funnel.by_step", "funnel.channel.web", "funnel.channel.service", "funnel.messages"):
        assert words(words_of) in told
    # The server has served others too: there are these at least.
    came, ended, *_ = map(int, _row(colleague, words("funnel.channel.web"))[:2])
    assert came >= ended >= 1
    assert int(_row(colleague, words("funnel.channel.service"))[0]) >= 1
    came, ended = map(int, _row(colleague, words("step.mobile"))[:2])
    assert came > ended >= 1
    colleague.fill(first="2026-01-01", last="2026-01-02")
    colleague.submit("figures")
    assert words("funnel.none") in colleague.text()


def _row(colleague: Visitor, head: str) -> list[str]:
    """Return the figures beside a word at the head of a table's row."""
    found: list[str] = colleague.browser.evaluate(
        """head => [...document.querySelectorAll('tbody tr')].filter(row => row.cells[0].textContent === head)
           .map(row => [...row.cells].slice(1).map(cell => cell.textContent))[0]""",
        head,
    )
    return found
