"""Requests on one account that arrive at the same moment (ASVS 15.4.2)."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from werkzeug.test import TestResponse

from tests.world.browsing import SECOND, Site, Visitor
from tests.world.demo_cast import ANNA, ESZTER_BORN_ON_A_LEAP_DAY, PASSWORD

OTHER_PASSWORD = "Kerek tó partján 8 jegenye"
RESET, CHANGE, SIGN_IN = "/sso/ResetPassword", "/fiok/jelszo", "/belepes"


@pytest.fixture
def anna(site: Site) -> Site:
    """The site with Anna's account of yesterday."""
    site.open_account()
    site.advance(hours=24)
    return site


def _at_once(posts: list[Callable[[], TestResponse]]) -> list[TestResponse]:
    start = Barrier(len(posts))

    def run(post: Callable[[], TestResponse]) -> TestResponse:
        start.wait()
        return post()

    with ThreadPoolExecutor(len(posts)) as pool:
        return list(pool.map(run, posts))


def _posting(visitor: Visitor, address: str, fields: dict[str, str]) -> Callable[[], TestResponse]:
    visitor.get("/belepes")
    return lambda: visitor.post(address, fields)


def _twice(password: str) -> dict[str, str]:
    return {"password": password, "password_confirm": password}


def test_one_link_used_eight_times_at_once_works_once(anna: Site) -> None:
    anna.visitor().ask_for_reset()
    token = anna.link(ANNA.email).partition("token=")[2]
    passwords = [f"{OTHER_PASSWORD} {number}" for number in range(8)]
    posts = [_posting(anna.visitor(), RESET, {"token": token, **_twice(password)}) for password in passwords]
    answers = [answer.status_code for answer in _at_once(posts)]
    assert Counter(answers) == {303: 1, 410: 7}
    works = [anna.visitor().sign_in(password=password).address == "/fiok" for password in passwords[:3]]
    winner = answers.index(303)
    assert works == [number == winner for number in range(3)]
    assert anna.visitor().sign_in(password=passwords[winner]).address == "/fiok"
    assert anna.told("password_changed") == 1


def test_of_two_changes_at_once_one_has_its_way(anna: Site) -> None:
    couple = [anna.visitor(), anna.visitor()]
    posts = []
    for number, visitor in enumerate(couple):
        visitor.sign_in()
        fields = {"current_password": PASSWORD, **_twice(f"{OTHER_PASSWORD} {number}")}
        posts.append(_posting(visitor, CHANGE, fields))
    answers = [answer.status_code for answer in _at_once(posts)]
    assert sorted(answers) == [303, 403]
    winner = answers.index(303)
    assert couple[winner].get("/fiok").address == "/fiok"
    assert couple[1 - winner].get("/fiok").step == "login"
    assert anna.visitor().sign_in(password=f"{OTHER_PASSWORD} {winner}").address == "/fiok"
    assert anna.told("password_changed") == 1


def test_no_sign_in_with_the_old_password_survives_a_reset(anna: Site) -> None:
    anna.visitor().ask_for_reset()
    token = anna.link(ANNA.email).partition("token=")[2]
    crowd = [anna.visitor() for _ in range(4)]
    posts = [_posting(visitor, SIGN_IN, {"email": ANNA.email, "password": PASSWORD}) for visitor in crowd]
    reset = _posting(anna.visitor(), RESET, {"token": token, **_twice(OTHER_PASSWORD)})
    answers = _at_once([*posts[:2], reset, *posts[2:]])
    assert answers[2].status_code == 303
    assert {answer.status_code for answer in answers} <= {303, 422}
    assert [visitor.get("/fiok").step for visitor in crowd] == ["login"] * 4
    assert all(row.ended_by for row in anna.rows("sessions"))


@pytest.mark.parametrize("address", ["/fiok/email", "/fiok/mobil", "/fiok/megszuntetes"])
def test_a_session_that_is_ended_while_it_posts_changes_all_or_nothing(anna: Site, address: str) -> None:
    fields = {"email": "uj@example.hu", "mobile": "20 999 8877", "confirm": "1", "current_password": PASSWORD}
    visitor, other = anna.visitor(), anna.visitor()
    visitor.sign_in()
    other.sign_in()
    visitor.get(address)
    other.get("/fiok")
    change, end = _at_once([
        lambda: visitor.post(address, fields),
        lambda: other.post("/fiok", {"action": "end-others"}),
    ])  # fmt: skip
    assert change.status_code in (303, 403)
    assert end.status_code in (303, 403)
    if change.status_code == 403:
        assert anna.rows("account_changes") == []
        assert len(anna.rows("accounts")) == 1
        assert PASSWORD not in change.text
    assert visitor.get("/fiok").step == "login" or end.status_code == 403


def test_of_fifty_wrong_passwords_at_once_the_free_ones_are_looked_at(anna: Site) -> None:
    posts = [
        _posting(anna.visitor(), SIGN_IN, {"email": ANNA.email, "password": f"not the password {number}"})
        for number in range(50)
    ]
    answers = _at_once(posts)
    free = anna.parts.profile.sign_in.tries
    assert Counter(answer.status_code for answer in answers) == {422: free, 429: 50 - free}
    assert all("Retry-After" in answer.headers for answer in answers if answer.status_code == 429)


def test_a_confirmed_address_and_a_registration_of_it_at_once_have_one_owner(anna: Site) -> None:
    visitor, registering = anna.visitor(), anna.visitor()
    shared = ESZTER_BORN_ON_A_LEAP_DAY.email
    registering.reach("password", ESZTER_BORN_ON_A_LEAP_DAY)
    visitor.sign_in()
    visitor.get("/fiok/email")
    visitor.send({"email": shared, "current_password": PASSWORD})
    token = anna.link(shared).partition("token=")[2]
    confirm = _posting(anna.visitor(), "/fiok/email/uj", {"token": token})
    last = {"step": "password", **_twice(OTHER_PASSWORD)}
    confirmed, completed = _at_once([confirm, lambda: registering.post(SECOND, last)])
    assert [row.email for row in anna.rows("accounts")].count(shared) == 1
    if confirmed.status_code == 303:
        page = registering.follow(completed)
        assert (page.status, page.step, page.fields_in_error) == (422, "email", ["email"])
    else:
        assert (confirmed.status_code, completed.status_code) == (422, 303)
        assert registering.get(SECOND).step == "done"
