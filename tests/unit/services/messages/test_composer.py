"""What customers read: the same words and links in both parts, nothing personal, and SMS that every phone shows."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from importlib.resources import files
from xml.etree import ElementTree

import pytest
from babel.messages.pofile import read_po

from services import profiles
from services.links import Links
from services.messages.composer import Composed, Composer
from services.messages.outbox import Message
from services.messages.specimens import specimens
from webapp.worker.mailed_pages import mailed_pages

GSM_7 = set(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""GSM 03.38, the basic set: each letter counts once."""

NOW = datetime(2026, 11, 20, 9, 2, tzinfo=UTC)


def message(name: str, language: str = "hu", *, lives: float = 60, at: datetime = NOW, **facts: str) -> Message:
    return Message(
        id="AAAAAAAAAAAAAAAAAAAAAA",
        kind="sms" if name in ("code", "code.tail", "read_back", "document_password") else "email",
        recipient="kovacs.anna@example.hu",
        message=name,
        language=language,
        facts=facts,
        topic="t",
        created_at=at,
        expires_at=at + timedelta(minutes=lives),
        state="sending",
        attempts=1,
    )


def confirm(composer: Composer, language: str = "hu", **options: object) -> Composed:
    return composer.compose(message("confirm", language, link_id="Zx4tq9LmV2kR8wYb3NcE6h", **options))


def changed(profile: profiles.Profile, **changes: object) -> profiles.Profile:
    return profiles.Profile.model_validate({**profile.model_dump(), **changes})


class Anchors(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.addresses.append(dict(attrs)["href"] or "")


@pytest.mark.parametrize("language", ["hu", "en"])
def test_both_parts_carry_the_same_link_and_it_opens_the_right_id(composer: Composer, language: str) -> None:
    mail = confirm(composer, language)
    (link,) = mail.links
    assert link.startswith("https://ugyfel.example.hu:8443/regisztracioveglegesites?token=")
    assert re.findall(r"https://\S+", mail.text) == [link]
    assert [a for a in Anchors(mail.html).addresses if a.startswith("https://ugyfel")] == [link, link]
    token = link.partition("token=")[2]
    assert Links(("k" * 40,), "https://x").read("confirm", token) == "Zx4tq9LmV2kR8wYb3NcE6h"


def test_the_confirmation_says_what_how_until_when_and_what_if_it_was_not_you(composer: Composer) -> None:
    mail = confirm(composer)
    assert mail.subject == "Erősítse meg email-címét"
    order = [
        "Tisztelt Ügyfelünk!",
        "A Generali online szerződéskezelő rendszer",
        "EMAIL CÍM MEGERŐSÍTÉSE:\nhttps://",
        "A teljes regisztrációt 11:02-ig fejezheti be.",
        "Ha nem Ön kezdte a regisztrációt",
        "KÉRDÉSE VAN?",
        "Kérjük, hogy erre az emailre ne válaszoljon!",
        "Tisztelettel,",
        "Ez az elektronikus levél",
    ]
    places = [mail.text.index(part) for part in order]
    assert places == sorted(places)


def test_the_parts_without_texts_leave_nothing_behind(composer: Composer) -> None:
    mail = composer.compose(message("registered", "en", lives=24 * 60))
    assert mail.links == ("https://ugyfel.example.hu:8443/belepes",)
    assert "valid" not in mail.text
    assert 'class="box' not in mail.html
    assert "\n\n\n" not in mail.text


def test_a_time_of_another_day_is_written_with_its_date(composer: Composer) -> None:
    late = datetime(2026, 11, 20, 22, 12, tzinfo=UTC)  # 23:12 in Budapest
    assert "2026.\xa0november\xa021.\xa00:12-ig" in confirm(composer, at=late).text
    assert "21\xa0November\xa02026\xa00:12" in confirm(composer, "en", at=late).text


@pytest.mark.parametrize("name", ["invitation", "reminder"])
@pytest.mark.parametrize(
    ("language", "day"), [("hu", "2026.\u00a0december\u00a015."), ("en", "15\u00a0December\u00a02026")]
)
def test_an_invitation_names_its_deadline_and_has_a_link_of_its_own_purpose(
    composer: Composer, name: str, language: str, day: str
) -> None:
    deadline = "2026-12-15T22:59:59.999+00:00"
    mail = composer.compose(message(name, language, link_id="opaque", deadline=deadline))
    assert day in mail.text
    assert "/regisztracio?meghivo=" in mail.links[0]
    decline = mail.links[1]
    assert mail.headers["List-Unsubscribe"] == f"<{decline}>"
    assert mail.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert composer.compose(message("registered", language)).headers == {}
    manager = composer.compose(message(name, language, link_id="opaque", deadline=deadline, is_manager="yes"))
    words = profiles.load("mygenerali").texts.say(f"mail.{name}.manager", language)
    for text, other in ((mail.text, manager.text), (mail.html, manager.html)):
        assert words not in text
        assert words in other


@pytest.mark.parametrize("language", ["hu", "en"])
@pytest.mark.parametrize("name", ["confirm", "registered"])
def test_a_mail_is_well_formed_works_bare_and_fetches_nothing(composer: Composer, name: str, language: str) -> None:
    html = composer.compose(message(name, language, link_id="x")).html
    root = ElementTree.fromstring(html.partition("?>")[2] or html.replace("<!DOCTYPE html>", ""))
    assert root.get("lang") == language
    tags = {element.tag.partition("}")[2] for element in root.iter()}
    assert not tags & {"img", "script", "link", "iframe", "object", "form"}
    assert "url(" not in html
    assert "prefers-color-scheme: dark" in html
    styled = {part for element in root.iter() for part in (element.get("class") or "").split()}
    assert {"page", "card", "ink", "mute", "link", "button"} <= styled
    assert max(len(line.encode()) for line in html.split("\n")) < 998  # RFC 5322, section 2.1.1


@pytest.mark.parametrize("name", ["confirm", "registered"])
def test_a_mail_holds_nothing_personal(composer: Composer, name: str) -> None:
    mail = composer.compose(message(name, link_id="x"))
    for text in (mail.subject, mail.text, mail.html, mail.from_name):
        assert "kovacs" not in text.lower()
        assert not re.search(r"\d{9}", text.partition("token=")[0].replace("tel:+3614523333", ""))


def test_what_a_profile_says_is_escaped() -> None:
    profile = profiles.load("mygenerali")
    facts = {**profile.facts, "hu": {**profile.facts["hu"], "legal_name": 'A & B <b>"Kft."</b>'}}
    mail = confirm(Composer(changed(profile, facts=facts), Links(("k" * 40,), "https://x"), mailed_pages()))
    assert "A &amp; B &lt;b&gt;&#34;Kft.&#34;&lt;/b&gt;" in mail.html
    assert 'A & B <b>"Kft."</b>' in mail.text


def test_the_phone_number_can_be_dialled_and_does_not_break(composer: Composer) -> None:
    mail = confirm(composer)
    assert '<a class="link" href="tel:+3614523333"' in mail.html
    assert "+36 1 452 3333</a>-as" in mail.html
    assert "+36\xa01\xa0452\xa03333-as" in mail.text


def test_nothing_of_a_message_is_shown_when_it_is_printed(composer: Composer) -> None:
    assert "token" not in repr(confirm(composer))
    assert "4827" not in repr(composer.compose(message("code", code="4827")))


def test_the_code_comes_with_the_host_of_the_page_that_asks_for_it(composer: Composer) -> None:
    sms = composer.compose(message("code", lives=30, code="4827"))
    assert sms.text == (
        "Generali: 4827. Ezt kell megadnia az oldalon. 10:32-ig érvényes. Senkinek ne mondja meg, telefonon se.\n"
        "@ugyfel.example.hu #4827"
    )
    assert (sms.subject, sms.html, sms.links) == ("", "", ())


def _sms_texts() -> list[tuple[str, str]]:
    found = []
    for language in ("hu", "en", "sk"):
        with (files("services.texts") / "catalogues" / f"{language}.po").open("rb") as file:
            found += [(language, str(e.id)) for e in read_po(file) if str(e.id).startswith("sms.") and e.string]
    return found


@pytest.mark.parametrize(("language", "key"), _sms_texts())
def test_every_sms_is_one_sms_of_gsm_letters_even_with_long_names(language: str, key: str) -> None:
    profile = profiles.load("mygenerali")
    facts = {tongue: {**profile.facts["hu"], "insurer_sms": "N" * 16} for tongue in ("hu", "en", "sk")}
    long = changed(profile, languages=("hu", "en", "sk"), facts=facts)
    host = f"{'h' * 24}.example"
    composer = Composer(long, Links(("k" * 40,), f"https://{host}"), mailed_pages())
    name = key.removeprefix("sms.")
    late = datetime(2026, 11, 20, 22, 59, tzinfo=UTC)
    sms = replace(
        message(name, language, at=late, code="123456", password="P" * 20, date_short="2026.11.20"), kind="sms"
    )
    text = composer.compose(sms).text
    assert set(text) <= GSM_7
    assert len(text) <= 160
    if "@" in text:
        assert text.split("\n")[-1] == f"@{host} #123456"


@pytest.mark.parametrize("name", ["mygenerali", "allianz", "genertel", "generali-sk"])
def test_there_is_a_specimen_of_every_message_in_every_language(name: str) -> None:
    profile = profiles.load(name)
    composer = Composer(profile, Links(("k" * 40,), "https://portal.example"), mailed_pages())
    composed = {(one.kind, one.message, one.language): composer.compose(one) for one in specimens(profile)}
    assert {language for _, _, language in composed} == set(profile.languages)
    assert {("email", "confirm", "en"), ("email", "reminder", "en"), ("sms", "read_back", "en")} <= set(composed)
    for letter in composed.values():
        assert letter.text
        assert "{" not in letter.subject + letter.text
