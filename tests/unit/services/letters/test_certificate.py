"""The certificate of delivery says what happened to a letter, what that proves, and nothing more (P18)."""

from datetime import date

import pytest
from sqlalchemy import delete

from services.accounts import Session
from services.letters.certificate import Certificate
from services.letters.publishing import NewLetter
from services.refusal import OutOfTurn
from services.store.tables.messages import outbox
from services.values import masking
from tests.world.cast import ANNA, ESZTER
from tests.world.papers import faults_of, language_of, text_of
from tests.world.pdfs import pdf
from tests.world.world import PROFILE, World


@pytest.fixture
def anna(world: World) -> Session:
    """Anna, signed in."""
    world.registered(ANNA)
    return world.signed_in(ANNA)


def _published(world: World, confirm_by: date | None = None) -> str:
    letter = NewLetter(ANNA.kutid, "policy", "Kötvény", date(2026, 11, 20), "hu", ANNA.policy_number, None, confirm_by)
    return world.portal.letters.publishing.publish(letter, pdf("the policy"), actor="insurer")


def _told(world: World, confirm_by: date | None = None) -> str:
    letter_id = _published(world, confirm_by)
    world.clock.advance(minutes=2)
    world.deliver()
    return letter_id


def _certificate(world: World, session: Session, letter_id: str) -> Certificate:
    return world.portal.letters.certificates.of(session, letter_id, "hu")


def _proves(certificate: Certificate, key: str) -> bool:
    words, fact, rest = PROFILE.texts.template(f"certificate.{key}", "hu", {}).partition("{")
    rest = rest.rpartition("}")[2] if fact else ""
    return any(line.startswith(words) and line.endswith(rest) for line in certificate.proves)


def test_a_letter_of_which_no_mail_has_told_is_not_provided(world: World, anna: Session) -> None:
    certificate = _certificate(world, anna, _published(world))
    assert certificate.provided == PROFILE.texts.say("certificate.provided.not_yet", "hu")
    assert [what for _, what in certificate.events] == [PROFILE.texts.say("letter.state.published", "hu")]
    for key in ("proves.published", "not_yet.notified", "not_yet.opened", "proves.unchanged"):
        assert _proves(certificate, key)
    assert not _proves(certificate, "proves.opened")


def test_it_is_provided_when_the_mail_was_taken_over(world: World, anna: Session) -> None:
    letter_id = _told(world)
    certificate = _certificate(world, anna, letter_id)
    notified = world.portal.letters.publishing.find(letter_id)[1][-1]
    assert notified.type == "notified"
    local = notified.at.astimezone(PROFILE.zone)
    assert f"{local.hour}:{local.minute:02}:{local.second:02}" in certificate.provided
    assert any(masking.email(ANNA.email) in line for line in certificate.proves)
    assert not any(ANNA.email in line for line in certificate.proves)


def test_the_address_falls_away_when_it_is_no_longer_kept(world: World, anna: Session) -> None:
    letter_id = _told(world)
    with world.store.write() as connection:
        connection.execute(delete(outbox))
    assert _proves(_certificate(world, anna, letter_id), "proves.notified.plain")


def test_a_bounced_notice_is_not_provision(world: World, anna: Session) -> None:
    world.postman.is_refusing = True
    certificate = _certificate(world, anna, _told(world))
    assert _proves(certificate, "bounced")
    assert certificate.provided == PROFILE.texts.say("certificate.provided.not_yet", "hu")


def test_opening_and_confirming_are_proved(world: World, anna: Session) -> None:
    letter_id = _told(world, confirm_by=date(2030, 1, 1))
    world.portal.letters.mailbox.open(anna, letter_id)
    world.portal.letters.mailbox.confirm(anna, letter_id)
    certificate = _certificate(world, anna, letter_id)
    assert _proves(certificate, "proves.opened")
    assert _proves(certificate, "proves.confirmed")


def test_a_withdrawn_letter_says_so(world: World, anna: Session) -> None:
    letter_id = _told(world)
    world.portal.letters.publishing.withdraw(letter_id, "sent by mistake", actor="insurer")
    assert _proves(_certificate(world, anna, letter_id), "withdrawn")


def test_what_is_not_the_published_file_is_not_called_unchanged(world: World, anna: Session) -> None:
    letter_id = _told(world)
    sha256 = world.portal.letters.mailbox.find(anna, letter_id).sha256
    world.portal.storage.put(f"letters/{sha256}", pdf("another"))
    assert not _proves(_certificate(world, anna, letter_id), "proves.unchanged")


def test_it_names_what_it_does_not_prove(world: World, anna: Session) -> None:
    certificate = _certificate(world, anna, _published(world))
    assert certificate.proves_not[0] == PROFILE.texts.say("certificate.not.person", "hu")
    assert len(certificate.proves_not) == 5


def test_nobody_gets_it_of_anothers_letter(world: World, anna: Session) -> None:
    world.registered(ESZTER)
    letter_id = _published(world)
    for other, asked in ((world.signed_in(ESZTER), letter_id), (anna, "A" * 22)):
        with pytest.raises(OutOfTurn):
            _certificate(world, other, asked)


def test_issuing_it_opens_nothing(world: World, anna: Session) -> None:
    letter_id = _told(world)
    world.portal.letters.certificates.pdf(_certificate(world, anna, letter_id))
    assert [event.type for event in world.portal.letters.publishing.find(letter_id)[1]] == ["published", "notified"]


@pytest.mark.parametrize("language", ["hu", "en"])
def test_the_paper_says_it_all_and_is_pdf_ua(world: World, anna: Session, language: str) -> None:
    letter_id = _told(world)
    certificates = world.portal.letters.certificates
    certificate = certificates.for_insurer(letter_id, language)
    made = certificates.pdf(certificate)
    words = text_of(made)
    assert faults_of(made) == []
    assert language_of(made) == language
    said = [*certificate.facts, *certificate.proves, certificate.provided, *certificate.proves_not, *certificate.notes]
    for line in (certificate.title, certificate.issued, *said):
        assert " ".join(line.split()) in words
    letter = world.portal.letters.mailbox.find(anna, letter_id)
    assert letter.sha256 in words.replace(" ", "")
    assert letter_id in words
