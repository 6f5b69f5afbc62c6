"""An intermediary acts for the customer accounts that they manage (P55)."""

from collections.abc import Iterator

import pytest
from sqlalchemy import delete, insert, update

from services.store.tables.register import customer_accounts, policies
from tests.unit.webapp.portal.test_request_pages import IBAN, answer, on
from tests.world.colleague import ADVISER, CLERK, PARTNER, Colleague, colleague
from tests.world.letters import kutid_of, publish
from tests.world.pages import Page
from tests.world.site import Site

ACCOUNT = "U-MANAGED"
MANAGED, OWN = "940000001", "940000002"


@pytest.fixture(autouse=True)
def managed(site: Site) -> Iterator[None]:
    """Have the first of Anna's policies managed by her adviser; the other one is her own."""
    kutid, account = kutid_of(site), policies.c.account_number
    before = {row.policy_number: row.account_number for row in site.rows("policies")}
    row = {"account_number": ACCOUNT, "kutid": kutid, "manager": "intermediary", "intermediary": "Példa Alkusz Kft."}
    with site.parts.store.write() as connection:
        connection.execute(insert(customer_accounts).values(row))
        connection.execute(update(policies).where(policies.c.policy_number == MANAGED).values({account: ACCOUNT}))
    yield
    with site.parts.store.write() as connection:
        connection.execute(
            update(policies).where(policies.c.policy_number == MANAGED).values({account: before[MANAGED]})
        )
        connection.execute(delete(customer_accounts).where(customer_accounts.c.account_number == ACCOUNT))


def case_of(one: Colleague, policy_number: str = MANAGED) -> Page:
    """Open a customer's case."""
    one.open(PARTNER)
    return one.search(policy_number)


def account_of(one: Colleague) -> Page:
    """Open what the intermediary manages of the customer's."""
    return one.open(f"{case_of(one).path}/kezelt")


def claim(site: Site, one: Colleague, page: Page) -> Page:
    """Report a claim in the customer's place."""
    one.open(f"{page.path}/uj/claim-motor")
    one.act("next")
    (contract,) = (field for field in one.seen.root.all("input") if field["name"] == "contract")
    answer(one, {"contract": contract["value"]})
    answer(one, {"happened_on": on(site, -1), "happened_at": "14:30"})
    answer(one, {"place": "M1, 45 km"})
    answer(one, {"description": "Felverődött egy kavics."})
    answer(one, {"police": "no"})
    answer(one, {})
    answer(one, {"account": IBAN})
    answer(one, {"statement": "1"})
    return one.act("send")


def test_the_case_leads_to_the_account_that_they_manage(site: Site) -> None:
    one = colleague(site, ADVISER)
    page = account_of(one)
    assert (page.status, page.step) == (200, "requests")
    assert MANAGED in page.text
    assert OWN not in page.text
    assert site.say("request.kind.claim-motor.title") in page.text
    assert site.say("request.kind.address-change.title") not in page.text
    looks = [row for row in site.rows("audit") if row.action == "adviser_looked"]
    assert [row.kutid for row in looks] == [kutid_of(site)]


def test_they_ask_for_the_customer_who_sees_who_did(site: Site) -> None:
    site.open_account()
    one = colleague(site, ADVISER)
    claim(site, one, account_of(one))
    (row,) = site.rows("requests")
    assert (row.kutid, row.policy_number, row.state) == (kutid_of(site), MANAGED, "sent")
    assert site.told("request_by_other") == 1
    name = next(row.name for row in site.rows("staff") if row.email == ADVISER)
    anna = site.visitor()
    anna.sign_in()
    page = anna.open(f"/ugyintezes/{row.id}")
    assert name in page.text
    site.parts.portal.requests.handling.take(row.id, actor="core")
    site.parts.portal.requests.handling.ask(row.id, "Melyik üveg tört be?", actor="core")
    one.open(f"{account_of(one).path}/ugy/{row.id}")
    one.fill(answer="A szélvédő.")
    one.submit("request-answer")
    assert [row.type for row in site.rows("request_events")][-1] == "replied"
    assert site.rows("requests")[0].state == "taken"


def test_the_customers_own_draft_is_no_business_of_theirs(site: Site) -> None:
    site.open_account()
    anna = site.visitor()
    anna.sign_in()
    anna.open("/ugyintezes/uj/address-change")
    answer(anna, {"postal_code": "1137", "town": "Budapest", "street": "Fő utca 1."})
    one = colleague(site, ADVISER)
    page = account_of(one)
    assert site.say("request.state.draft") not in page.text
    assert one.open(f"{page.path}/uj/address-change").status == 404


def test_they_read_letters_of_the_account_alone(site: Site) -> None:
    of_account, other = publish(site, policy_number=MANAGED), publish(site, policy_number=OWN)
    one = colleague(site, ADVISER)
    page = account_of(one)
    assert of_account in page.html
    assert other not in page.html
    assert one.open(f"{PARTNER}/levelezes/{of_account}").status == 200
    assert one.open(f"{PARTNER}/levelezes/{other}").status == 404


def test_others_reach_nothing_of_it(site: Site) -> None:
    letter_id = publish(site, policy_number=MANAGED)
    one = colleague(site, ADVISER)
    path = account_of(one).path
    clerk = colleague(site, CLERK)
    assert clerk.client.get(path.replace(PARTNER, "/ugyfelszolgalat")).status_code == 404
    case = clerk.search(MANAGED).path
    assert clerk.client.get(f"{case}/kezelt").status_code == 404
    with site.parts.store.write() as connection:
        mine = customer_accounts.c.account_number == ACCOUNT
        connection.execute(update(customer_accounts).where(mine).values(manager="customer"))
    assert one.client.get(path).status_code == 404
    assert one.client.get(f"{path}/uj/claim-motor").status_code == 404
    assert one.open(f"{PARTNER}/levelezes/{letter_id}").status == 404
    assert one.client.get(f"{path.replace('/kezelt', '')}/kezelt/ugy/{'A' * 22}").status_code == 404


def test_who_advises_and_does_not_manage_does_not_act(site: Site) -> None:
    with site.parts.store.write() as connection:
        connection.execute(delete(customer_accounts).where(customer_accounts.c.account_number == ACCOUNT))
    one = colleague(site, ADVISER)
    case = case_of(one)
    assert site.say("adviser.desk.managed") not in case.text
    assert one.client.get(f"{case.path}/kezelt").status_code == 404
