"""Links: an opaque id and a signature, for one purpose, at the configured address."""

import base64

import pytest

from services.links import Links

OLD, NEW = "the older key of these tests, 32+ signs", "the newer key of these tests, 32+ signs"
LINKS = Links((NEW, OLD), "https://belepo.example/")


def test_a_token_gives_its_id_back() -> None:
    assert LINKS.read("confirm", LINKS.token("confirm", "registration.link")) == "registration.link"


def test_a_token_is_good_for_one_purpose() -> None:
    assert LINKS.read("reset", LINKS.token("confirm", "id")) is None


def test_an_older_key_still_verifies_and_the_newest_signs() -> None:
    assert LINKS.read("confirm", Links((OLD,), "").token("confirm", "id")) == "id"
    assert Links((NEW,), "").read("confirm", LINKS.token("confirm", "id")) == "id"
    assert Links((OLD,), "").read("confirm", LINKS.token("confirm", "id")) is None


@pytest.mark.parametrize("token", ["", ".", "a.b", "é", "\x00", "x" * 100_000, "ImlkIg", "ImlkIg."])
def test_what_was_not_signed_here_opens_nothing(token: str) -> None:
    assert LINKS.read("confirm", token) is None


def test_each_altered_sign_breaks_the_token() -> None:
    token = LINKS.token("confirm", "registration.link")
    for place, sign in enumerate(token[:-1]):  # the last one holds bits that base64 does not use
        altered = token[:place] + ("A" if sign != "A" else "B") + token[place + 1 :]
        assert LINKS.read("confirm", altered) is None, place


def test_something_else_than_an_id_is_not_read() -> None:
    assert LINKS.read("confirm", LINKS.token("confirm", ["id"])) is None  # type: ignore[arg-type]


def test_a_link_stands_at_the_public_address_and_holds_the_id_alone() -> None:
    assert LINKS.url("/belepes") == "https://belepo.example/belepes"
    address, _, token = LINKS.url("/regisztracioveglegesites", "confirm", "opaque").partition("?token=")
    assert address == "https://belepo.example/regisztracioveglegesites"
    payload = token.partition(".")[0]
    assert base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)) == b'"opaque"'


@pytest.mark.parametrize(
    "stuck", [".", ",", ")", ">", "/", "%20", " ", "\u00a0", "\u200b", "…", "”", "'", "&gt;", ">.", "). ", "\r\n", "?"]
)
def test_what_stuck_to_the_end_of_a_link_is_forgiven(stuck: str) -> None:
    assert LINKS.read("confirm", LINKS.token("confirm", "registration.link") + stuck) == "registration.link"
