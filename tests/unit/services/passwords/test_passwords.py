"""Passwords: nothing is cut, one normal form, the profile's rules, and those that hold everywhere."""

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

import bcrypt
import pytest

from services.passwords import Hasher, hash_secret, hashing, is_secret, judge, normal_form
from services.passwords.hashing import Overloaded
from services.profiles import PasswordRules
from tests.world.cast import PASSWORD
from tests.world.world import PROFILE

RULES = PROFILE.password
ALLIANZ = PasswordRules(min_length=6, max_length=64, upper=True, lower=True, digit=True, special=False)
LONG = PasswordRules(min_length=15, max_length=1000, upper=False, lower=False, digit=False, special=True)


@dataclass(frozen=True)
class Customer:
    email: str
    name: str
    identifier: str = "940000001"


ANNA = Customer("kovacs.anna@example.hu", "Kovács Anna")
KFT = Customer("iroda@minta-kft.example.hu", "Minta Kereskedelmi Kft.")
MARTA = Customer("marta@fekete.example.hu", 'Fekete <b>Márta</b> & "Fiai"')
OTTO = Customer("o@example.hu", "Ős Ottó")


def unmet(password: str, rules: PasswordRules = RULES, customer: Customer = ANNA) -> list[str]:
    found = judge(password, rules, email=customer.email, name=customer.name, identifiers=[customer.identifier])
    return [rule.reason for rule in found if not rule.is_met]


# --- Hashes ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [1, 71, 72, 73, 128, 129, 400, 1000])
@pytest.mark.parametrize("sign", ["a", "ő", "𝔸"])
def test_every_byte_counts(length: int, sign: str) -> None:
    start = sign * (length - 1)
    hashed = hash_secret(f"{start}x", 4)
    assert is_secret(f"{start}x", hashed)
    assert not is_secret(f"{start}y", hashed)
    assert not is_secret(start, hashed)
    assert not is_secret(f"{start}xx", hashed)


def test_a_nul_cuts_nothing() -> None:
    assert not is_secret("anna\x00y", hash_secret("anna\x00x", 4))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Tőzeg-Árvíz-1", "To\u030bzeg-A\u0301rvi\u0301z-1"),
        ("Åre-2031-Ski", "A\u030are-2031-Ski"),
        ("két szó 1 X", "két\u00a0szó\u20031\u3000X"),
    ],
)
def test_one_normal_form(one: str, other: str) -> None:
    assert normal_form(one) == normal_form(other)
    assert is_secret(other, hash_secret(one, 4))


@pytest.mark.parametrize(("one", "other"), [("Jelszavam-ﬁ-1", "Jelszavam-fi-1"), ("Anna-1", "anna-1"), ("a b", "ab")])
def test_what_is_another_password_stays_one(one: str, other: str) -> None:
    assert not is_secret(other, hash_secret(one, 4))


def test_each_hash_is_salted_and_costs_what_was_asked() -> None:
    one, other = hash_secret(PASSWORD, 4), hash_secret(PASSWORD, 5)
    assert one != hash_secret(PASSWORD, 4)
    assert ("$2b$04$" in one, "$2b$05$" in other) == (True, True)


def test_a_hash_of_another_system_is_of_the_password_itself_and_never_of_its_beginning() -> None:
    theirs = bcrypt.hashpw(b"x" * 72, bcrypt.gensalt(4)).decode("ascii")
    assert is_secret("x" * 72, theirs)
    assert not is_secret("x" * 73, theirs)
    assert not is_secret("x" * 71, theirs)


# --- The hasher -----------------------------------------------------------------------------------------------


def test_a_hasher_knows_its_own_hashes_and_says_no_without_one() -> None:
    hasher = Hasher(4, threads=1)
    assert hasher.is_password(PASSWORD, hasher.hash(PASSWORD))
    assert not hasher.is_password(PASSWORD, hasher.hash("another"))
    assert not hasher.is_password(PASSWORD, None)
    assert not hasher.is_password("nobody", None)


@pytest.mark.parametrize("password", [PASSWORD, "x" * 100])
def test_without_a_hash_a_comparison_is_made_all_the_same(monkeypatch: pytest.MonkeyPatch, password: str) -> None:
    compared: list[bytes] = []
    really = bcrypt.checkpw
    monkeypatch.setattr(bcrypt, "checkpw", lambda *given: compared.append(given[1]) or really(*given))
    Hasher(4, threads=1).is_password(password, None)
    assert [hashed[:7] for hashed in compared] == [b"$2b$04$"]


@pytest.mark.parametrize("is_of_belepo", [True, False])
@pytest.mark.parametrize("password", [PASSWORD, "another"])
@pytest.mark.parametrize(("cost", "costs"), [(4, [4, 4, 5, 6]), (6, [6, 6]), (7, [7]), (8, [8])])
def test_a_cheaper_hash_costs_what_none_does(
    monkeypatch: pytest.MonkeyPatch, password: str, cost: int, costs: list[int], is_of_belepo: bool
) -> None:
    """Hashes of cost c, c, c + 1 … r - 1 take together as long as one of cost r: who exists is not told by the time."""
    salted = bcrypt.gensalt(cost)
    known = hash_secret(PASSWORD, cost) if is_of_belepo else bcrypt.hashpw(PASSWORD.encode(), salted).decode("ascii")
    hasher = Hasher(7, threads=1)
    compared: list[bytes] = []
    really = bcrypt.checkpw
    monkeypatch.setattr(bcrypt, "checkpw", lambda *given: compared.append(given[1]) or really(*given))
    assert hasher.is_password(password, known) == (password == PASSWORD)
    assert [int(hashed[4:6]) for hashed in compared] == costs
    assert sum(2**one for one in costs) == 2 ** max(cost, 7)


def test_more_than_there_are_places_for_are_refused_and_then_it_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    hasher = Hasher(4, threads=2, places=2)
    hashing_now, go_on = threading.Semaphore(0), threading.Event()
    really = bcrypt.hashpw

    def held(*given: bytes) -> bytes:
        hashing_now.release()
        assert go_on.wait(30)
        return really(*given)

    monkeypatch.setattr(bcrypt, "hashpw", held)
    with ThreadPoolExecutor(2) as people:
        first = people.submit(hasher.hash, PASSWORD)
        assert hashing_now.acquire(timeout=30)
        for _ in range(3):
            hasher.refuse_overload()  # takes no place itself
        second = people.submit(hasher.hash, PASSWORD)
        assert hashing_now.acquire(timeout=30)
        with pytest.raises(Overloaded):
            hasher.hash(PASSWORD)
        with pytest.raises(Overloaded):
            hasher.is_password(PASSWORD, None)
        with pytest.raises(Overloaded):
            hasher.refuse_overload()
        go_on.set()
        assert is_secret(PASSWORD, first.result(30))
        assert is_secret(PASSWORD, second.result(30))
    assert is_secret(PASSWORD, hasher.hash(PASSWORD))


def test_who_waited_too_long_is_told_so_and_not_hashed_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    hasher = Hasher(4, threads=1)
    hashed: list[bytes] = []
    begun, go_on, really = threading.Event(), threading.Event(), bcrypt.hashpw

    def held(*given: bytes) -> bytes:
        begun.set()
        assert go_on.wait(30)
        hashed.append(given[0])
        return really(*given)

    def hash_or_be_told() -> None:
        with suppress(Overloaded):
            hasher.hash(PASSWORD)

    def wait_in_vain() -> None:
        with pytest.raises(Overloaded):
            hasher.hash(PASSWORD)

    monkeypatch.setattr(bcrypt, "hashpw", held)
    monkeypatch.setattr(hashing, "_SECONDS_AT_MOST", 30)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(hash_or_be_told)
        assert begun.wait(30)
        monkeypatch.setattr(hashing, "_SECONDS_AT_MOST", 0.01)
        wait_in_vain()
        wait_in_vain()
        go_on.set()
        first.result(30)
    monkeypatch.setattr(hashing, "_SECONDS_AT_MOST", 30)
    hasher.hash("another")
    assert len(hashed) == 2


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a thread has no priority of its own")
def test_a_process_that_was_put_behind_others_hashes_behind_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may not step forward, unless it is root's."""
    asked: list[int] = []
    monkeypatch.setattr(os, "getpriority", lambda *_: 15)
    monkeypatch.setattr(os, "setpriority", lambda *given: asked.append(given[-1]))
    Hasher(4, threads=1).hash(PASSWORD)
    assert asked == [15]


# --- The profile's rules --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("password", "reasons"),
    [
        ("Aa1-Aa1-Aa", []),
        ("Aa1-Xw9-Q", ["too_short"]),
        ("aa1-xw9-qq", ["upper"]),
        ("AA1-XW9-QQ", ["lower"]),
        ("Aaa-Xww-Qq", ["digit"]),
        ("", ["too_short", "upper", "lower", "digit"]),
        ("Ő" * 5 + "ű" * 4 + "٣", []),
        ("To\u030b1-xyzab", ["too_short"]),  # nine characters, written with ten
    ],
)
def test_the_profiles_rules(password: str, reasons: list[str]) -> None:
    assert unmet(password) == reasons


@pytest.mark.parametrize(("password", "is_fine"), [("Örvény7", True), ("Örvény-7", False), ("Örvény 7", False)])
def test_where_special_characters_are_forbidden_accents_are_none(password: str, is_fine: bool) -> None:
    assert unmet(password, ALLIANZ) == ([] if is_fine else ["special"])


def test_rules_that_a_profile_does_not_have_are_not_told() -> None:
    rules = judge("hosszú de sima szavak", LONG, email="", name="", identifiers=[])
    assert [rule.key for rule in rules] == ["length", "not_common", "not_alike"]
    assert all(rule.is_met for rule in rules)


def test_every_rule_and_reason_has_its_texts() -> None:
    found = judge("", ALLIANZ, email="", name="", identifiers=[])
    for language in PROFILE.languages:
        for rule in found:
            assert PROFILE.texts.has(f"password.rule.{rule.key}", language), rule.key
        for reason in {rule.reason for rule in found} | {"like_email", "like_record", "too_long", "empty"}:
            assert PROFILE.texts.has(f"error.password.{reason}", language), reason


# --- Common and alike -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "password",
    [
        "Password123",
        "Password1234!",
        "Qwertzuiop1",
        "Jelszo12345",
        "JELSZÓ1234!",
        "Szeretlek1!",
        "Sunshine123.",
        "123456",
        "Geekboy",
        "Pic's",
    ],
)
def test_much_used_passwords_are_refused(password: str) -> None:
    assert "common" in unmet(password)


@pytest.mark.parametrize(
    ("customer", "password"),
    [
        (ANNA, "Kovacs.Anna@example.hu1"),
        (ANNA, "Kovács.Anna1"),
        (ANNA, "ANNAkovacs99"),
        (ANNA, "KovacsKovacs1"),
        (ANNA, "Anna1AnnaAnna"),
        (ANNA, "Kova\u0301csAnna1"),
        (ANNA, "Xy-940000001"),
        (KFT, "Kereskedelmi1"),
        (MARTA, "FeketeMarta1"),
        (OTTO, "Otto-Otto-7x"),
    ],
)
def test_what_is_mostly_the_customers_own_data_is_refused(customer: Customer, password: str) -> None:
    assert {"like_email", "like_record"} & set(unmet(password, customer=customer))


@pytest.mark.parametrize("customer", [ANNA, KFT, MARTA, OTTO])
@pytest.mark.parametrize(
    "password",
    [
        PASSWORD,
        "Vannak-Hegyek-7",
        "Annapurna-8848-m",
        "Kovász-és-Kenyér-3",
        "Fekete-Tenger-Habja-4",
        "Otthon-Edes-Otthon-9",
        "Mintás Terítő 12 db",
        "Kereszt-Utca 17/b",
        "correct Horse 4 battery",
        "xK7#qLm2&vRt",
        "Három alma meg egy fél: 3,5",
        "940000002-Xy-Zw",
        "Password a la Kovász 7",
        "Пароль-Вечер-7",
        "紫陽花Hortenzia-5",
    ],
)
def test_fair_passwords_are_taken(customer: Customer, password: str) -> None:
    assert unmet(password, customer=customer) == []


def test_without_a_record_nothing_is_like_it() -> None:
    assert unmet(PASSWORD, customer=Customer("", "", "")) == []


def test_a_thousand_signs_are_judged() -> None:
    assert unmet("Aa1-" + "ő" * 996) == []


@pytest.mark.parametrize(
    ("identifier", "password", "is_like"),
    [
        ("7", "Tőzeg-7-Árvíz", False),
        ("42", "Tőzeg-42-Árvíz", False),
        ("1985", "Tőzeg-1985-Árvíz", False),
        ("", "Tőzeg-1985-Árvíz", False),
        ("19850", "Tőzeg-19850-Árvíz", True),
        ("OLD0001", "Tőzeg-old0001-Árvíz", True),
    ],
)
def test_only_a_number_long_enough_to_be_telling_may_not_stand_in_a_password(
    identifier: str, password: str, is_like: bool
) -> None:
    assert ("like_record" in unmet(password, customer=Customer(ANNA.email, ANNA.name, identifier))) is is_like
