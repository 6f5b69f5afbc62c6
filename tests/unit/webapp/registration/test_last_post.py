"""Requests that arrive at the same moment: one account, one mail, one code (ASVS 15.4.2)."""

from tests.world.cast import ANNA, PASSWORD, one_of_many
from tests.world.outcomes import at_once, only_answers
from tests.world.pages import Page
from tests.world.site import Site, Visitor
from tests.world.walk import SECOND

_LAST = {"step": "password", "password": PASSWORD, "password_confirm": PASSWORD}


def _copies(site: Site, visitor: Visitor, count: int) -> list[Visitor]:
    """Return browsers that all hold the same cookie."""
    held = visitor.client.get_cookie("session")
    assert held
    copies = [site.visitor() for _ in range(count)]
    for copy in copies:
        copy.client.set_cookie("session", held.value)
        copy.csrf_token = visitor.csrf_token
    return copies


def test_the_last_post_ten_times_at_once_opens_one_account(site: Site, visitor: Visitor) -> None:
    visitor.walk_to("password")
    copies = _copies(site, visitor, 10)
    answers = at_once([lambda copy=copy: copy.post(SECOND, _LAST) for copy in copies])  # type: ignore[misc]
    assert {answer.status_code for answer in answers} == {303}
    assert all(copy.open(SECOND).step == "done" for copy in copies)
    assert len(site.rows("accounts")) == 1
    assert len([mail for mail in site.messages(ANNA.email) if "token=" not in mail["links"][0]]) == 1


def test_of_guesses_at_once_three_are_looked_at(site: Site, visitor: Visitor) -> None:
    visitor.walk_to("sms-code")
    code = site.code(ANNA.mobile)
    wrong = [f"{(int(code) + shift) % 10**4:04}" for shift in range(1, 13)]
    copies = _copies(site, visitor, len(wrong))
    posts = zip(copies, wrong, strict=True)
    only_answers(at_once([lambda c=c, w=w: c.post(SECOND, {"step": "sms-code", "sms_code": w}) for c, w in posts]))  # type: ignore[misc]
    assert site.rows("one_time_codes")[0].guesses_used == 3
    assert visitor.follow(visitor.post(SECOND, {"step": "sms-code", "sms_code": code})).status == 422


def test_sends_at_once_make_one_message(site: Site, visitor: Visitor) -> None:
    visitor.walk_to("sms-code")
    assert len(site.messages(kind="sms")) == 1
    site.advance(seconds=61)
    copies = _copies(site, visitor, 8)
    only_answers(at_once([lambda copy=copy: copy.post(SECOND, {"step": "sms-resend"}) for copy in copies]))  # type: ignore[misc]
    assert len(site.messages(kind="sms")) == 2
    assert site.rows("one_time_codes")[0].codes_used == 2


def test_two_who_want_one_address_and_one_wins(site: Site) -> None:
    shared = "kozos@example.hu"
    couple = [one_of_many(number) for number in (111, 112)]
    visitors = []
    for customer in couple:
        visitor = site.visitor()
        visitor.walk_to("email", customer)
        visitor.give_email(shared)
        visitor.open_link(shared)
        visitor.walk_to("password", customer)
        visitors.append(visitor)
    answers = at_once([lambda visitor=visitor: visitor.post(SECOND, _LAST) for visitor in visitors])  # type: ignore[misc]
    (account,) = site.rows("accounts")
    winner = visitors[0] if account.kutid.endswith("111") else visitors[1]
    loser = visitors[1 - visitors.index(winner)]
    assert winner.open(SECOND).step == "done"
    page = loser.follow(answers[visitors.index(loser)])
    _is_asked_for_another_address(site, page)
    loser.give_email("sajat@example.hu")
    loser.open_link("sajat@example.hu")
    site.advance(seconds=61)
    loser.walk_to("done", couple[visitors.index(loser)])
    assert {account.email for account in site.rows("accounts")} == {shared, "sajat@example.hu"}


def test_who_comes_second_with_an_address_is_told_to_give_another(site: Site, htmx: bool) -> None:
    shared = "kozos@example.hu"
    second = site.visitor(htmx=htmx)
    second.walk_to("email", one_of_many(113))
    second.give_email(shared)
    second.open_link(shared)
    second.walk_to("password", one_of_many(113))
    first = site.visitor()
    first.walk_to("email", one_of_many(114))
    first.give_email(shared)
    first.open_link(shared)
    first.walk_to("done", one_of_many(114))
    _is_asked_for_another_address(site, second.give_password())
    assert second.give_email("sajat@example.hu").step == "email-sent"


def _is_asked_for_another_address(site: Site, page: Page) -> None:
    assert (page.status, page.step, page.fields_in_error) == (422, "email", ["email"])
    assert site.say("error.email.taken") in page.error_of("email")
