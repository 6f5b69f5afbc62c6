"""Requests on one account that arrive at the same moment (ASVS 15.4.2)."""

from collections import Counter
from collections.abc import Callable

import pytest
from werkzeug.test import TestResponse

from tests.world.cast import ANNA, ESZTER, OTHER_PASSWORD, PASSWORD
from tests.world.outcomes import at_once
from tests.world.site import Site, Visitor
from tests.world.walk import SECOND

RESET, CHANGE, SIGN_IN = "/sso/ResetPassword", "/fiok/jelszo", "/belepes"


def _posting(visitor: Visitor, address: str, fields: dict[str, str]) -> Callable[[], TestResponse]:
    visitor.open("/belepes")
    return lambda: visitor.post(address, fields)


def _twice(password: str) -> dict[str, str]:
    return {"password": password, "password_confirm": password}


def test_one_link_used_eight_times_at_once_works_once(anna: Site) -> None:
    anna.visitor().ask_for_reset()
    token = anna.link(ANNA.email).partition("token=")[2]
    passwords = [f"{OTHER_PASSWORD} {number}" for number in range(8)]
    posts = [_posting(anna.visitor(), RESET, {"token": token, **_twice(password)}) for password in passwords]
    answers = [answer.status_code for answer in at_once(posts)]
    assert Counter(answers) == {303: 1, 410: 7}
    works = [anna.visitor().sign_in(password=password).path == "/fiok" for password in passwords[:3]]
    winner = answers.index(303)
    assert works == [number == winner for number in range(3)]
    assert anna.visitor().sign_in(password=passwords[winner]).path == "/fiok"
    assert anna.told("password_changed") == 1


def test_of_two_changes_at_once_one_has_its_way(anna: Site) -> None:
    couple = [anna.visitor(), anna.visitor()]
    posts = []
    for number, visitor in enumerate(couple):
        visitor.sign_in()
        fields = {"current_password": PASSWORD, **_twice(f"{OTHER_PASSWORD} {number}")}
        posts.append(_posting(visitor, CHANGE, fields))
    answers = [answer.status_code for answer in at_once(posts)]
    assert sorted(answers) == [303, 403]
    winner = answers.index(303)
    assert couple[winner].open("/fiok").path == "/fiok"
    assert couple[1 - winner].open("/fiok").step == "login"
    assert anna.visitor().sign_in(password=f"{OTHER_PASSWORD} {winner}").path == "/fiok"
    assert anna.told("password_changed") == 1


def test_no_sign_in_with_the_old_password_survives_a_reset(anna: Site) -> None:
    anna.visitor().ask_for_reset()
    token = anna.link(ANNA.email).partition("token=")[2]
    crowd = [anna.visitor() for _ in range(4)]
    posts = [_posting(visitor, SIGN_IN, {"email": ANNA.email, "password": PASSWORD}) for visitor in crowd]
    reset = _posting(anna.visitor(), RESET, {"token": token, **_twice(OTHER_PASSWORD)})
    answers = at_once([*posts[:2], reset, *posts[2:]])
    assert answers[2].status_code == 303
    assert {answer.status_code for answer in answers} <= {303, 422}
    assert [visitor.open("/fiok").step for visitor in crowd] == ["login"] * 4
    assert all(row.ended_by for row in anna.rows("sessions"))


@pytest.mark.parametrize("address", ["/fiok/email", "/fiok/mobil", "/fiok/megszuntetes"])
def test_a_session_that_is_ended_while_it_posts_changes_all_or_nothing(anna: Site, address: str) -> None:
    fields = {"email": "uj@example.hu", "mobile": "20 999 8877", "confirm": "1", "current_password": PASSWORD}
    visitor, other = anna.visitor(), anna.visitor()
    visitor.sign_in()
    other.sign_in()
    visitor.open(address)
    other.open("/fiok/beallitasok")
    change, end = at_once([
        lambda: visitor.post(address, fields),
        lambda: other.post("/fiok/beallitasok", {"action": "end-others"}),
    ])  # fmt: skip
    assert change.status_code in (303, 403)
    assert end.status_code in (303, 403)
    if change.status_code == 403:
        assert anna.rows("account_changes") == []
        assert len(anna.rows("accounts")) == 1
        assert PASSWORD not in change.text
    assert visitor.open("/fiok").step == "login" or end.status_code == 403


def test_of_fifty_wrong_passwords_at_once_the_free_ones_are_looked_at(anna: Site) -> None:
    posts = [
        _posting(anna.visitor(), SIGN_IN, {"email": ANNA.email, "password": f"not the password {number}"})
        for number in range(50)
    ]
    answers = at_once(posts)
    free = anna.parts.profile.sign_in.tries
    assert Counter(answer.status_code for answer in answers) == {422: free, 429: 50 - free}
    assert all("Retry-After" in answer.headers for answer in answers if answer.status_code == 429)


def test_a_confirmed_address_and_a_registration_of_it_at_once_have_one_owner(anna: Site) -> None:
    visitor, registering = anna.visitor(), anna.visitor()
    shared = ESZTER.email
    registering.walk_to("password", ESZTER)
    visitor.sign_in()
    visitor.open("/fiok/email")
    visitor.send(email=shared, current_password=PASSWORD)
    token = anna.link(shared).partition("token=")[2]
    confirm = _posting(anna.visitor(), "/fiok/email/uj", {"token": token})
    last = {"step": "password", **_twice(OTHER_PASSWORD)}
    confirmed, completed = at_once([confirm, lambda: registering.post(SECOND, last)])
    assert [row.email for row in anna.rows("accounts")].count(shared) == 1
    if confirmed.status_code == 303:
        page = registering.follow(completed)
        assert (page.status, page.step, page.fields_in_error) == (422, "email", ["email"])
    else:
        assert (confirmed.status_code, completed.status_code) == (422, 303)
        assert registering.open(SECOND).step == "done"
