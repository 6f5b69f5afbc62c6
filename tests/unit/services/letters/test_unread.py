"""Nobody stays unread: reminders by mail and text message, and the print list before the latest day (P20)."""

import csv
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from services.letters import print_list
from services.letters.publishing import NewLetter
from services.profiles.profile import Reminders
from services.store.engine import Store
from services.store.tables.letters import letters
from services.store.tables.register import policies
from tests.world.cast import ANNA, ILONA
from tests.world.pdfs import pdf
from tests.world.world import PROFILE, World, move_in


def today(world: World) -> date:
    return world.clock.now().astimezone(PROFILE.zone).date()


def publish(world: World, *, days: int | None = 40, kutid: str = ANNA.kutid, **values: object) -> str:
    """Publish a letter whose latest day is in `days`, and deliver its notification."""
    given: dict[str, object] = {
        "kutid": kutid, "type": "premium_notice", "title": "Díj", "issued_on": date(2026, 11, 2), "language": "hu",
        "latest_on": None if days is None else today(world) + timedelta(days=days), **values,
    }  # fmt: skip
    letter_id = world.portal.letters.publishing.publish(NewLetter(**given), pdf(), actor="insurer")  # type: ignore[arg-type]
    world.clock.advance(minutes=2)
    world.deliver()
    return letter_id


def happened(world: World, letter_id: str) -> list[str]:
    return [event.type for event in world.portal.letters.publishing.find(letter_id)[1]]


def pass_days(world: World, days: int, folder: Path | None = None) -> None:
    """Let days pass, on each of which the worker works."""
    for _ in range(days):
        world.clock.advance(days=1)
        world.portal.letters.worker.go_on(folder)
        world.deliver()


def test_an_unopened_letter_is_reminded_of_once_by_mail_and_once_by_text_message(world: World) -> None:
    world.registered(ANNA)
    letter_id = publish(world)
    pass_days(world, 2)
    assert "reminded" not in happened(world, letter_id)
    pass_days(world, 3)
    mail = world.letters("email", ANNA.email)[-1]
    assert mail.subject == "Emlékeztető: Értesítés a következő évi díjról"
    assert f"/levelezes/{letter_id}" in mail.text
    assert "reminded_sms" not in happened(world, letter_id)
    pass_days(world, 30)
    assert happened(world, letter_id) == ["published", "notified", "reminded", "reminded_sms"]
    latest = world.portal.letters.publishing.find(letter_id)[0].latest_on
    assert f"{latest:%Y.%m.%d}" in world.letters("sms", ANNA.mobile)[-1].text
    assert len([one for one in world.letters("email", ANNA.email) if one.subject == mail.subject]) == 1


def test_an_opened_letter_is_not_reminded_of_and_not_printed(world: World, tmp_path: Path) -> None:
    world.registered(ANNA)
    letter_id = publish(world)
    world.portal.letters.mailbox.open(world.signed_in(ANNA), letter_id)
    pass_days(world, 41, tmp_path)
    assert happened(world, letter_id) == ["published", "notified", "opened"]
    assert not list(tmp_path.iterdir())


def test_a_letter_without_a_day_is_left_alone(world: World, tmp_path: Path) -> None:
    world.registered(ANNA)
    letter_id = publish(world, days=None)
    pass_days(world, 60, tmp_path)
    assert happened(world, letter_id) == ["published", "notified"]


def test_a_letter_that_was_taken_back_is_neither_reminded_of_nor_printed(world: World, tmp_path: Path) -> None:
    world.registered(ANNA)
    letter_id = publish(world)
    world.portal.letters.publishing.withdraw(letter_id, "Tévedés", actor="insurer")
    pass_days(world, 41, tmp_path)
    assert set(happened(world, letter_id)) == {"published", "notified", "withdrawn"}


def test_without_an_account_reminders_go_to_what_is_on_record(world: World) -> None:
    letter_id = publish(world)  # no address on record: the notification had nowhere to go
    pass_days(world, 35)
    assert happened(world, letter_id) == ["published", "bounced", "reminded_sms"]
    assert world.letters("sms", ANNA.mobile)


def test_a_worker_that_was_away_reminds_of_no_letter_whose_day_is_over(world: World) -> None:
    world.registered(ANNA)
    letter_id = publish(world)
    world.clock.advance(days=50)
    world.portal.letters.worker.go_on()
    assert happened(world, letter_id) == ["published", "notified"]


def test_an_unopened_letter_is_printed_before_its_day_and_on_one_list_alone(world: World, tmp_path: Path) -> None:
    world.registered(ANNA)
    letter_id = publish(world)
    other = publish(world, kutid=ILONA.kutid)
    pass_days(world, 34, tmp_path)
    assert not list(tmp_path.iterdir())
    pass_days(world, 3, tmp_path)
    (folder,) = tmp_path.iterdir()
    with (folder / "list.csv").open(encoding="utf-8-sig") as file:
        lines = list(csv.DictReader(file, delimiter=";"))
    assert {line["letter"]: line["name"] for line in lines} == {letter_id: ANNA.name, other: ILONA.name}
    assert {line["file"] for line in lines} | {"list.csv"} == {path.name for path in folder.iterdir()}
    assert (folder / f"{letter_id}.pdf").read_bytes() == pdf()
    letter, events = world.portal.letters.publishing.find(letter_id)
    assert letter.latest_on is not None
    assert [event.at.date() < letter.latest_on for event in events if event.type == "printed"] == [True]
    assert any("postán is" in mail.subject for mail in world.letters("email", ANNA.email))


def test_a_letter_is_left_a_day_to_be_opened_but_is_printed_before_its_day(world: World, tmp_path: Path) -> None:
    world.registered(ANNA)
    soon, at_once = publish(world, days=3), publish(world, days=1)
    world.portal.letters.worker.go_on(tmp_path)
    assert "printed" not in happened(world, soon)
    assert "printed" in happened(world, at_once)
    pass_days(world, 1, tmp_path)
    assert "printed" in happened(world, soon)


def test_a_damaged_letter_is_left_out_and_stays_due(world: World, tmp_path: Path) -> None:
    good, bad = publish(world, days=1), publish(world, days=1)
    with world.store.write() as connection:
        connection.execute(update(letters).where(letters.c.id == bad).values(sha256="0" * 64))
    report = world.portal.letters.print_list.write(tmp_path)
    assert (report.printed, report.damaged) == (1, 1)
    assert "printed" in happened(world, good)
    assert not world.portal.letters.print_list.is_due()  # the worker does not try it each second
    assert world.portal.letters.print_list.write(tmp_path).damaged == 1
    assert "printed" not in happened(world, bad)


def test_a_list_of_a_killed_process_is_finished_and_one_that_was_not_noted_is_removed(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    letter_id = publish(world, days=1)
    points: list[str] = ["letters.printed"]

    def die(point: str) -> None:
        if point in points:
            raise KeyboardInterrupt

    monkeypatch.setattr(print_list, "reach", die)
    with pytest.raises(KeyboardInterrupt):
        world.portal.letters.print_list.write(tmp_path)
    assert [path.suffix for path in tmp_path.iterdir()] == [".part"]
    points[:] = []
    (folder,) = world.portal.letters.print_list.write(tmp_path).folders
    assert [path.name for path in folder.glob("*.pdf")] == [f"{letter_id}.pdf"]
    points[:] = ["letters.printing"]
    again = publish(world, days=1)
    with pytest.raises(KeyboardInterrupt):
        world.portal.letters.print_list.write(tmp_path)
    assert "printed" not in happened(world, again)
    points[:] = []
    world.clock.advance(days=2)
    assert world.portal.letters.print_list.write(tmp_path).printed == 1
    assert not list(tmp_path.glob("*.part"))


def test_the_profile_says_when_by_type_of_letter(sqlite_store: Store) -> None:
    move_in(sqlite_store)
    rules = {"policy": Reminders(mail_days=1, sms_days=0), "other": Reminders(mail_days=0, sms_days=0)}
    world = World(sqlite_store, profile=PROFILE.model_copy(update={"reminders": rules}))
    world.registered(ANNA)
    policy, notice = publish(world, type="policy"), publish(world)
    pass_days(world, 34)
    assert happened(world, policy) == ["published", "notified", "reminded"]
    assert happened(world, notice) == ["published", "notified"]


def test_a_premium_notice_has_its_latest_day_by_the_anniversary(world: World) -> None:
    anniversary = today(world) + timedelta(days=120)
    with world.store.write() as connection:
        connection.execute(
            update(policies)
            .where(policies.c.policy_number == ANNA.policy_number)
            .values(anniversary=f"{anniversary:%m-%d}")
        )
    letter_id = publish(world, days=None, policy_number=ANNA.policy_number)
    assert world.portal.letters.publishing.find(letter_id)[0].latest_on == anniversary - timedelta(days=50)
    other = publish(world, days=None, policy_number=ANNA.policy_number, type="certificate")
    assert world.portal.letters.publishing.find(other)[0].latest_on is None


def test_the_figure_counts_what_was_opened_or_printed_until_its_day(world: World, tmp_path: Path) -> None:
    world.registered(ANNA)
    opened, late, printed = (publish(world, days=10) for _ in range(3))
    not_yet = publish(world, days=20)
    figures, first = world.portal.letters.figures, today(world)
    assert figures.lately().percent is None
    world.portal.letters.mailbox.open(world.signed_in(ANNA), opened)
    with world.store.write() as connection:
        connection.execute(update(letters).where(letters.c.id == printed).values(printed_at=world.clock.now()))
    world.clock.advance(days=11)
    session = world.signed_in(ANNA)
    for letter_id in (late, not_yet):
        world.portal.letters.mailbox.open(session, letter_id)
    lately = figures.lately()
    assert (lately.due, lately.provided, lately.percent) == (3, 2, 66)
    assert figures.in_time(first, first + timedelta(days=9)).due == 0
