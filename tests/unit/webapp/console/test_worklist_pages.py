"""The worklists' pages: who sees whom, what is sent to whom, and where the link of an invitation leads."""

import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select

from services.store.tables.register import contact_changes, customers
from services.store.tables.worklists import invitations, quality_sweep
from tests.world.cast import ANNA, MINTA
from tests.world.colleague import ADVISER, BOSS, CLERK, PARTNER, SERVICE, Colleague, colleague
from tests.world.pages import Page
from tests.world.site import Site

LISTS = "/munkalistak"
FIRST, SECOND = "940100101", "940100102"


@pytest.fixture
def boss(site: Site, htmx: bool) -> Colleague:
    """A supervisor, with and without scripts."""
    one = Colleague(site, htmx=htmx)
    one.sign_in(BOSS)
    return one


def day(site: Site, days: int) -> str:
    return (site.now + timedelta(days=days)).date().isoformat()


def marks(page: Page) -> list[str]:
    return [field["value"] for field in page.root.all("input") if field["name"] == "customers"]


def held(page: Page, action: str) -> dict[str, Any]:
    """Return what the form with the button for an action holds, nothing chosen."""
    fields = page.form(action=action).all("input")
    return {field["name"]: field["value"] for field in fields if field["type"] != "checkbox"}


def act(one: Colleague, action: str, **fields: Any) -> Page:
    """Press a button of the form."""
    assert one.page is not None
    form = one.page.form(action=action)
    body = {**held(one.page, action), "action": action, **fields}
    return one.follow(one.client.post(form["action"], data=body, headers=one.headers))


def invite(one: Colleague, site: Site, count: int = 1, *, listed: str = "meghivhato", days: int = 20) -> Page:
    page = one.open(f"{SERVICE}{LISTS}?lista={listed}")
    chosen = marks(page)[:count]
    page = act(one, "invite", customers=chosen, due_on=day(site, days))
    site.parts.worklists.worker.finish()
    return page


def addresses(site: Site) -> list[str]:
    with site.parts.store.read() as connection:
        query = select(customers.c.email).where(customers.c.email.is_not(None)).order_by(customers.c.kutid)
        return list(connection.execute(query).scalars())


def sweep(site: Site) -> None:
    """Have the register looked through, as after an import."""
    with site.parts.store.write() as connection:
        connection.execute(insert(quality_sweep).values(id=1, wanted=1, done=0, position=""))
    site.parts.worklists.worker.finish()


# --- The list --------------------------------------------------------------------------------------------------------


def test_the_list_is_masked_paged_and_leads_to_the_customer(boss: Colleague, site: Site) -> None:
    page = boss.open(f"{SERVICE}{LISTS}")
    people = next(item for item in page.root.all("ul") if item["class"] == "people")
    assert len(list(people.all("li"))) == 50
    for hidden in ("Kovács", "10000001", "940000001"):
        assert hidden not in page.html
    assert "K••• A•••" in page.text
    more = next(link["href"] for link in page.root.all("a") if link["rel"] == "next")
    assert not re.search(r"100\d{5}|example|%40|@", more)
    again = boss.open(more)
    assert not set(marks(page)) & set(marks(again))
    mark = next(button["value"] for button in page.root.all("button") if button["name"] == "customer")
    page = boss.follow(boss.post(f"{SERVICE}{LISTS}", {"customer": mark}))
    assert "/ugyfel/" in page.path
    assert site.say("staff.identify.heading") in page.text


def test_who_has_no_address_cannot_be_chosen_and_is_to_be_called(boss: Colleague, site: Site) -> None:
    page = boss.open(f"{SERVICE}{LISTS}?lista=hivando")
    assert site.say("worklist.no_address") in page.text
    assert not marks(page)
    assert not page.has_button("invite")
    chosen = boss.open(f"{SERVICE}{LISTS}?lista=meghivhato&kijelolve=mind")
    boxes = [field for field in chosen.root.all("input") if field["name"] == "customers"]
    assert boxes
    assert all("checked" in box for box in boxes)


def test_an_empty_list_says_so(boss: Colleague, site: Site) -> None:
    assert site.say("worklist.empty") in boss.open(f"{SERVICE}{LISTS}?lista=lejart").text
    assert site.say("worklist.empty") in boss.open(f"{SERVICE}{LISTS}/adatok").text


@pytest.mark.parametrize("query", ["?utan=x", "?tanacsado=x", "?lista=x", "?utan=%00", "?lista=meghivott&utan=é"])
def test_an_address_that_means_nothing_shows_the_list_from_its_start(boss: Colleague, query: str) -> None:
    assert boss.open(f"{SERVICE}{LISTS}{query}").status == 200


def test_an_adviser_has_their_own_customers_and_no_choice(site: Site) -> None:
    adviser = colleague(site, ADVISER)
    page = adviser.open(f"{PARTNER}{LISTS}")
    assert "K••• A•••" in page.text
    assert "M••• K••• K•••" in page.text
    assert site.say("worklist.count", count=2) in page.text
    assert page.by_id("tanacsado") is None
    # A mark of another's session, or another's customer, is nobody.
    foreign = marks(colleague(site, BOSS).open(f"{SERVICE}{LISTS}?lista=meghivhato"))[0]
    assert adviser.follow(adviser.post(f"{PARTNER}{LISTS}", {"customer": foreign})).status == 404


def test_the_list_of_one_adviser_can_be_chosen(boss: Colleague, site: Site) -> None:
    page = boss.open(f"{SERVICE}{LISTS}")
    (mark,) = [one["value"] for one in page.root.all("option") if one["value"]]
    assert "example" not in mark
    page = boss.follow(boss.post(f"{SERVICE}{LISTS}", {"tanacsado": mark, "lista": "mind"}))
    assert site.say("worklist.count", count=2) in page.text
    assert "Molnár Gergely" in page.text


@pytest.mark.parametrize("path", ["", "/adatok", "/mindenki?mit=invite-all", "/kuldes/x"])
def test_nobody_sees_the_lists_without_signing_in(site: Site, htmx: bool, path: str) -> None:
    stranger = Colleague(site, htmx=htmx)
    assert stranger.open(f"{SERVICE}{LISTS}{path}").step == "staff-login"
    for address in (f"{SERVICE}{LISTS}", f"{SERVICE}{LISTS}/adatok/x", f"{SERVICE}{LISTS}/kuldes/x"):
        page = stranger.follow(stranger.post(address, {"action": "invite-all", "sure": "1"}))
        assert (page.status, page.step) == (403, "staff-login")


# --- Invitations -----------------------------------------------------------------------------------------------------


def test_those_who_were_chosen_are_invited_and_the_page_shows_how_far_it_is(boss: Colleague, site: Site) -> None:
    page = invite(boss, site, 2)
    assert "/kuldes/" in page.path
    assert site.say("worklist.batch.invitation") in page.text
    page = boss.open(page.path)
    assert site.say("worklist.invite.progress", current=2, total=2) in page.text
    assert site.say("worklist.batch.done") in page.text
    assert sorted(mail["to"] for mail in site.messages(kind="email")) == sorted(addresses(site)[:2])
    page = boss.open(f"{SERVICE}{LISTS}?lista=meghivott")
    assert len(marks(page)) == 2
    assert site.say("worklist.batches") in page.text


def test_the_same_form_sent_twice_invites_once(boss: Colleague, site: Site) -> None:
    page = boss.open(f"{SERVICE}{LISTS}?lista=meghivhato")
    body = {**held(page, "invite"), "action": "invite", "customers": marks(page)[:2], "due_on": day(site, 9)}
    places = set()
    for _ in range(2):
        answer = boss.client.post(f"{SERVICE}{LISTS}", data=body, headers=boss.headers)
        places.add(answer.headers.get("HX-Push-Url") or answer.location)
    site.parts.worklists.worker.finish()
    assert len(places) == 1
    assert len(site.messages(kind="email")) == 2


def test_everybody_in_the_list_is_invited_after_being_asked_again(boss: Colleague, site: Site) -> None:
    boss.open(f"{SERVICE}{LISTS}?lista=meghivhato")
    page = act(boss, "invite-all", due_on=day(site, 20))
    assert site.messages() == []
    assert site.say("worklist.count", count=len(addresses(site))) in page.text
    page = act(boss, "invite-all")
    assert site.say("worklist.batch.counting") in page.text
    site.parts.worklists.worker.dispatch.go_on()
    page = boss.open(page.path)
    assert page.has_button("") or "progress" in page.html
    while site.parts.worklists.worker.dispatch.go_on() or site.parts.messages.outbox.is_busy():
        site.messages()
    assert {mail["to"] for mail in site.messages(kind="email")} == set(addresses(site))
    assert site.say("worklist.batch.done") in boss.open(page.path).text


@pytest.mark.parametrize(("due_on", "reason"), [("", "empty"), ("x", "malformed"), ("2020-01-01", "past")])
def test_a_deadline_that_cannot_be_is_asked_for_again(boss: Colleague, site: Site, due_on: str, reason: str) -> None:
    page = boss.open(f"{SERVICE}{LISTS}?lista=meghivhato")
    chosen = marks(page)[:2]
    for action in ("invite", "invite-all"):
        page = act(boss, action, customers=chosen, due_on=due_on)
        assert (page.status, page.errors()) == (422, {"due_on": site.say(f"error.due_on.{reason}")})
        assert page.value("due_on") == due_on
        boxes = [box["value"] for box in page.root.all("input") if box["name"] == "customers" and "checked" in box]
        assert boxes == chosen


def test_somebody_must_be_chosen(boss: Colleague, site: Site) -> None:
    boss.open(f"{SERVICE}{LISTS}?lista=meghivhato")
    page = act(boss, "invite", due_on=day(site, 9))
    assert (page.status, page.fields_in_error) == (422, ["customers"])


def test_only_a_supervisor_writes_to_everybody(site: Site) -> None:
    clerk = colleague(site, CLERK)
    page = clerk.open(f"{SERVICE}{LISTS}?lista=meghivhato")
    assert not page.has_button("invite-all")
    body = {**held(page, "invite"), "action": "invite-all", "due_on": day(site, 9), "sure": "1"}
    page = clerk.follow(clerk.post(f"{SERVICE}{LISTS}", body))
    assert (page.status, page.errors()) == (422, {"customers": site.say("error.customers.supervisor")})
    assert invite(clerk, site).status == 200


def test_a_batch_is_asked_for_without_prolonging_the_session_and_can_be_stopped(site: Site) -> None:
    boss, clerk = colleague(site, BOSS), colleague(site, CLERK)
    boss.open(f"{SERVICE}{LISTS}?lista=meghivhato")
    address = act(boss, "invite", customers=marks(boss.page), due_on=day(site, 9)).path  # type: ignore[arg-type]
    assert clerk.open(address).status == 404
    assert clerk.follow(clerk.post(address, {})).status == 404
    page = boss.follow(boss.post(address, {}))
    assert site.say("worklist.batch.stopped") in page.text
    assert boss.follow(boss.post(address, {})).status == 200
    site.parts.worklists.worker.finish()
    assert site.messages() == []
    polling = {"HX-Request": "true"}
    assert "data-hx-get" not in boss.client.get(address, headers=polling).text
    site.advance(minutes=14)
    boss.client.get(address, headers=polling)
    site.advance(minutes=2)
    assert boss.open(f"{SERVICE}{LISTS}").step == "staff-login"


def test_forms_without_their_token_send_nothing(boss: Colleague, site: Site) -> None:
    page = boss.open(f"{SERVICE}{LISTS}?lista=meghivhato")
    body = {**held(page, "invite"), "action": "invite", "customers": marks(page)[:1], "due_on": day(site, 9)}
    del body["csrf_token"]
    assert boss.follow(boss.post(f"{SERVICE}{LISTS}", body, token="x")).status == 400
    assert site.rows("invitation_batches") == []


def test_reminders_are_sent_by_hand(site: Site) -> None:
    boss = colleague(site, BOSS)
    invite(boss, site, 2)
    site.advance(days=2)
    boss = colleague(site, BOSS)
    page = boss.open(f"{SERVICE}{LISTS}?lista=meghivott")
    act(boss, "remind", customers=marks(page)[:1])
    site.parts.worklists.worker.finish()
    subject = site.texts.say("mail.reminder.subject", "hu")
    assert [mail["to"] for mail in site.messages(kind="email") if mail["subject"] == subject] == addresses(site)[:1]
    boss.open(f"{SERVICE}{LISTS}?lista=meghivott")
    act(boss, "remind-all")
    act(boss, "remind-all")
    site.parts.worklists.worker.finish()
    assert sum(mail["subject"] == subject for mail in site.messages(kind="email")) == 2


# --- The link --------------------------------------------------------------------------------------------------------


def test_the_link_fills_in_the_policy_number_and_nothing_else(site: Site) -> None:
    boss = colleague(site, BOSS)
    invite(boss, site)
    (mail,) = site.messages(kind="email")
    link = mail["links"][0].removeprefix(site.parts.settings.public_url)
    assert FIRST not in link
    before = site.database()
    customer = site.visitor()
    page = customer.open(link)
    assert (page.status, page.step, page.value("policy_number")) == (200, "identify", FIRST)
    assert site.say("identify.invitation.filled") in page.text
    filled = {field["name"]: field["value"] for field in page.root.all("input") if field["value"]}
    typed = {name for name, value in filled.items() if name not in ("csrf_token", "step", "holder_type", "next")}
    assert typed == {"policy_number"}
    assert site.database() == before
    customer.send(holder_type="person", birth_date="1990-01-01")
    assert customer.page is not None
    assert customer.page.step == "email"


def _decline_link(site: Site) -> str:
    (mail,) = site.messages(kind="email")
    link = next(link for link in mail["links"] if "/meghivo/lemondas?token=" in link)
    assert link in mail["text"]
    assert link.replace("&", "&amp;") in mail["html"]
    return str(link.removeprefix(site.parts.settings.public_url))


def test_an_invitation_is_declined_with_one_press_and_staff_see_it(site: Site, htmx: bool) -> None:
    invite(colleague(site, BOSS), site)
    link, customer = _decline_link(site), site.visitor(htmx=htmx)
    before = site.database()
    page = customer.open(link)
    assert (page.status, page.step) == (200, "invitation-decline")
    assert site.database() == before, "a scanner that opens the link declines nothing"
    fields = {one["name"]: one["value"] for one in page.form("invitation-decline").all("input") if one["name"]}
    answer = customer.follow(customer.post("/meghivo/lemondas", fields))
    assert (answer.status, answer.step) == (200, "invitation-declined")
    assert customer.follow(customer.post("/meghivo/lemondas", fields)).step == "invitation-declined"
    assert site.visitor().open(link).step == "invitation-declined"
    page = colleague(site, BOSS).open(f"{SERVICE}{LISTS}?lista=meghivott")
    assert site.say("worklist.declined", date="").strip(" :") in page.text


def test_a_mail_program_declines_by_itself(site: Site) -> None:
    """RFC 8058: a POST without cookies or a form's token, which follows no redirection."""
    invite(colleague(site, BOSS), site)
    link = _decline_link(site)
    body = {"List-Unsubscribe": "One-Click"}
    answer = site.app.test_client().post(link, data=body)
    assert answer.status_code == 200
    assert site.rows("invitations")[0].declined_at is not None
    assert site.app.test_client().post(link, data=body).status_code == 200
    assert site.app.test_client().post(f"{link}x", data=body).status_code == 410
    assert site.app.test_client().get(f"{link}x").status_code == 410


def test_a_link_that_is_outdated_wrong_or_used_leads_to_the_empty_first_page_with_a_kind_line(site: Site) -> None:
    boss = colleague(site, BOSS)
    invite(boss, site, days=3)
    link = site.messages(kind="email")[0]["links"][0].removeprefix(site.parts.settings.public_url)
    links = site.parts.links
    for address in (link + "x", "/regisztracio?meghivo=x", f"/regisztracio?meghivo={links.token('confirm', 'x')}"):
        page = site.visitor().open(address)
        assert (page.status, page.step, page.value("policy_number")) == (200, "identify", "")
        assert site.say("identify.invitation.over") in page.text
    site.advance(days=4)
    page = site.visitor().open(link)
    assert (page.status, page.value("policy_number")) == (200, "")
    assert site.say("identify.invitation.over") in page.text
    assert "meghivo" not in site.visitor().open("/regisztracio").html


def test_the_link_is_followed_in_a_browser_that_had_begun_something_else(site: Site) -> None:
    boss = colleague(site, BOSS)
    invite(boss, site)
    link = site.messages(kind="email")[0]["links"][0].removeprefix(site.parts.settings.public_url)
    shared = site.visitor()
    shared.identify(ANNA)
    # The one that is under way is not lost by looking at a link.
    page = shared.open(link)
    assert page.step == "email"
    assert site.say("identify.invitation.other") in page.text
    assert shared.open("/regisztracio").step == "email"
    begun = shared.post(link, {"action": "restart"})
    assert begun.status_code == 303
    page = shared.open(begun.location)
    assert (page.step, page.value("policy_number")) == ("identify", FIRST)
    shared.send(holder_type="person", birth_date="1990-01-01")
    assert shared.open(link).step == "email"  # one's own is gone on with
    site.advance(hours=2)
    page = shared.open(link)
    assert (page.status, page.step) == (200, "identify")


def test_who_has_registered_leaves_the_list(site: Site) -> None:
    boss = colleague(site, BOSS)
    with site.parts.store.write() as connection:
        learnt = {"kind": "email", "before": "", "after": "anna@example.hu", "actor": "staff:x", "at": site.now}
        connection.execute(insert(contact_changes).values(kutid="10000001", **learnt))
    page = boss.open(f"{SERVICE}{LISTS}?lista=meghivhato")
    assert "K••• A•••" in page.text
    invite(boss, site)
    assert "K••• A•••" in boss.open(f"{SERVICE}{LISTS}?lista=meghivott").text
    site.open_account()
    for listed in ("mind", "meghivott", "meghivhato"):
        assert "K••• A•••" not in boss.open(f"{SERVICE}{LISTS}?lista={listed}").text
    assert len(site.rows(invitations.name)) == 1


# --- Data to be put right --------------------------------------------------------------------------------------------


def test_a_case_is_closed_with_a_note(boss: Colleague, site: Site) -> None:
    sweep(site)
    page = boss.open(f"{SERVICE}{LISTS}/adatok")
    for kind in ("landline", "no_phone", "tax_cut"):
        assert site.say(f"worklist.quality.{kind}") in page.text
    assert "Nagy Ilona" not in page.html
    page = boss.open(f"{SERVICE}{LISTS}/adatok?adat=landline")
    (field,) = [one for one in page.root.all("input") if one["name"] == "note"]
    address = f"{SERVICE}{LISTS}/adatok/{field['id'].removeprefix('note-')}"
    page = boss.follow(boss.post(address, {"note": "", "adat": "landline"}))
    assert (page.status, page.errors()) == (422, {field["id"]: site.say("error.note.empty")})
    page = boss.follow(boss.post(address, {"note": "Felhívtam, nem kér mobilszámot", "adat": "landline"}))
    assert site.say("worklist.quality.was_closed") in page.text
    assert site.say("worklist.empty") in page.text
    page = boss.open(f"{SERVICE}{LISTS}/adatok?lezart=1")
    assert "Felhívtam, nem kér mobilszámot" in page.text
    assert "Fehér Judit" in page.text
    # Once more, by a second click: it is closed already.
    page = boss.follow(boss.post(address, {"note": "Még egyszer", "adat": ""}))
    assert page.status == 200
    assert site.say("worklist.quality.was_closed") not in page.text


def test_an_adviser_closes_nothing_of_others_customers(site: Site) -> None:
    sweep(site)
    adviser = colleague(site, ADVISER)
    assert site.say("worklist.empty") in adviser.open(f"{PARTNER}{LISTS}/adatok").text
    for row in site.rows("quality_cases"):
        page = adviser.follow(adviser.post(f"{PARTNER}{LISTS}/adatok/{row.id}", {"note": "Lezárva"}))
        assert page.status == 404
    assert not [row for row in site.rows("quality_cases") if row.closed_at]


def test_failed_identifications_reach_the_list_and_tell_outsiders_nothing(site: Site) -> None:
    answers = []
    for number in (MINTA.policy_number, "940999999"):
        stranger = site.visitor()
        for _ in range(3):
            stranger.open("/regisztracio")
            page = stranger.send(policy_number=number, holder_type="company", tax_number="20000019-2-41")
        answers.append(page.errors())
    assert answers[0] == answers[1]
    site.parts.worklists.worker.finish()
    page = colleague(site, CLERK).open(f"{SERVICE}{LISTS}/adatok?adat=failed")
    assert "M••• K••• K•••" in page.text


def test_english(site: Site) -> None:
    one = Colleague(site, "en")
    one.sign_in(BOSS)
    for path in ("", "/adatok"):
        page = one.open(f"{SERVICE}{LISTS}{path}")
        assert site.say("worklist.quality.heading", "en") in page.text
        assert site.say("staff.nav.worklists", "en") in page.root.text
