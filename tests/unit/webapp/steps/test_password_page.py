"""The password: each rule, one normal form, and no byte cut off (M25, ASVS 6.2.8)."""

import unicodedata

import pytest

from services.passwords import is_secret
from tests.world.cast import ANNA, MARTA
from tests.world.pages import Page
from tests.world.site import Site, Visitor
from tests.world.walk import SECOND

SPACED = "Kerek erdő közepén 7 tulipán"


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("Kerek7erd", "too_short"),
        ("kerek erdő 7", "upper"),
        ("KEREK ERDŐ 7", "lower"),
        ("Kerek erdő közepén", "digit"),
        ("Password123", "common"),
        ("Szeretlek123", "common"),
        ("Qwertzuiop1", "common"),
        ("Anna@example.hu1", "like_email"),
        ("Kovács Anna 12", "like_record"),
        ("KovacsAnna1985", "like_record"),
        ("940000001 Abc", "like_record"),
        ("  \t\u00a0  ", "too_short"),
    ],
)
def test_each_rule_is_told(site: Site, visitor: Visitor, password: str, reason: str) -> None:
    visitor.walk_to("password")
    page = visitor.send(password=password, password_confirm=password)
    length = site.parts.profile.password.min_length
    assert (page.status, page.fields_in_error) == (422, ["password"])
    assert site.say(f"error.password.{reason}", length=length) in page.error_of("password")
    assert not site.rows("accounts")


@pytest.mark.parametrize(
    ("fields", "name", "reason"),
    [
        ({"password": "", "password_confirm": ""}, "password", "empty"),
        ({"password": SPACED, "password_confirm": ""}, "password_confirm", "empty"),
        ({"password": SPACED, "password_confirm": SPACED + " "}, "password_confirm", "mismatch"),
        ({"password": SPACED, "password_confirm": SPACED.lower()}, "password_confirm", "mismatch"),
        ({"password": "Aa1" + "x" * 998, "password_confirm": "Aa1" + "x" * 998}, "password", "too_long"),
        ({"password": "Aa1" + "x" * 20_000, "password_confirm": "Aa1" + "x" * 20_000}, "password", "too_long"),
    ],
    ids=["empty", "once", "space", "case", "1001", "20003"],
)
def test_it_is_typed_twice_and_not_endless(
    site: Site, visitor: Visitor, fields: dict[str, str], name: str, reason: str
) -> None:
    visitor.walk_to("password")
    page = visitor.send(**fields)
    assert page.fields_in_error[0] == name
    assert site.say(f"error.{name}.{reason}", length=1000) in page.error_of(name)


def test_what_no_keyboard_types_is_refused(visitor: Visitor) -> None:
    visitor.walk_to("password")
    for sign in ("\0", "\x07", "\x7f", "\n"):
        assert visitor.give_password(SPACED + sign).status == 422


def test_a_megabyte_is_refused_before_anything_looks_at_it(site: Site, visitor: Visitor) -> None:
    visitor.walk_to("password")
    assert visitor.give_password("Aa1" + "x" * 1_000_000).status == 413
    assert visitor.open(SECOND).step == "password"


@pytest.mark.parametrize(
    ("typed", "same"),
    [
        (unicodedata.normalize("NFD", SPACED), True),
        (SPACED.replace(" ", "\u00a0"), True),
        (SPACED.replace(" ", "\u3000"), True),
        (SPACED.replace(" ", ""), False),
        (SPACED + " ", False),
        (SPACED.upper(), False),
        (SPACED.replace("ő", "o"), False),
    ],
    ids=["NFD", "no-break space", "ideographic space", "without spaces", "one more space", "capitals", "accents"],
)
def test_passwords_are_compared_in_one_normal_form(site: Site, visitor: Visitor, typed: str, same: bool) -> None:
    visitor.walk_to("password")
    page = visitor.send(password=SPACED, password_confirm=typed)
    assert page.step == ("done" if same else "password")
    if same:
        (account,) = site.rows("accounts")
        assert is_secret(typed, account.password_hash)
        assert not is_secret(SPACED + " ", account.password_hash)


@pytest.mark.parametrize("length", [72, 73, 129, 400, 1000])
def test_every_byte_counts(site: Site, visitor: Visitor, length: int) -> None:
    long = ("Kerek erdő 7 " + "abcdefghij" * 100)[: length - 1]
    visitor.walk_to("password")
    assert visitor.give_password(f"{long}x").step == "done"
    (account,) = site.rows("accounts")
    assert is_secret(f"{long}x", account.password_hash)
    assert not is_secret(f"{long}y", account.password_hash)
    assert not is_secret(long, account.password_hash)


def test_spaces_at_both_ends_are_kept(site: Site, visitor: Visitor) -> None:
    visitor.walk_to("password")
    assert visitor.give_password(f"  {SPACED} ").step == "done"
    (account,) = site.rows("accounts")
    assert is_secret(f"  {SPACED} ", account.password_hash)
    assert not is_secret(SPACED, account.password_hash)


def test_markup_in_a_record_reaches_no_page(site: Site, visitor: Visitor) -> None:
    customer = MARTA
    visitor.walk_to("password", customer)
    page = visitor.give_password("Fekete Márta Fiai 1")
    assert site.say("error.password.like_record") in page.error_of("password")
    assert "<b>" not in page.html


def test_the_form_offers_the_address_to_password_managers_only_where_it_is_known(visitor: Visitor) -> None:
    page = visitor.walk_to("password")
    names = [field for field in page.root.all("input") if field["autocomplete"] == "username"]
    assert [field["value"] for field in names] == [ANNA.email]


@pytest.mark.parametrize("confirm", ["jelszo", "jelszo2", ""], ids=["twice", "differs", "once"])
def test_every_mistake_is_told_at_once_each_at_its_field(site: Site, htmx: bool, confirm: str) -> None:
    visitor = site.visitor(htmx=htmx)
    visitor.walk_to("password")
    page = visitor.send(password="jelszo", password_confirm=confirm)
    reasons = {"jelszo2": ["mismatch"], "": ["empty"]}.get(confirm, [])
    assert (page.status, page.fields_in_error) == (422, ["password", *["password_confirm" for _ in reasons]])
    for reason in ("too_short", "upper", "digit", "common"):
        assert site.say(f"error.password.{reason}", length=10) in page.error_of("password")
    assert site.say("error.password.lower") not in page.text, "this one was kept"
    for reason in reasons:
        assert site.say(f"error.password_confirm.{reason}") in page.error_of("password_confirm")
    assert site.say("error.summary", count=1 + len(reasons)) in page.text


@pytest.mark.parametrize(("typed", "reason"), [("", "empty"), ("x" * 1001, "too_long")], ids=["empty", "endless"])
def test_of_a_password_that_is_missing_or_endless_no_other_rule_is_told(
    site: Site, visitor: Visitor, typed: str, reason: str
) -> None:
    visitor.walk_to("password")
    page = visitor.send(password=typed, password_confirm="y")
    assert page.fields_in_error == ["password", "password_confirm"]
    assert page.error_of("password").endswith(site.say(f"error.password.{reason}", length=1000))


def test_a_refused_password_can_be_corrected(site: Site, htmx: bool) -> None:
    visitor = site.visitor(htmx=htmx)

    def rules(page: Page) -> list[tuple[str, str, str]]:
        found = [item for item in page.root.all("li") if item["data-rule"]]
        return [(item["data-rule"], item["class"], item.text) for item in found]

    before = rules(visitor.walk_to("password"))
    page = visitor.give_password("rövid")
    assert page.status == 422
    assert before
    assert rules(page) == before, "the fields are empty again: of no rule it is said that it is met"
    assert visitor.give_password().step == "done"
