"""The token of a mailed link leads on in no address: not to other pages, and not to its own page again (F21).

`tests.world.site.Visitor` looks for it in every page of every test; here each kind of link is followed.
"""

from collections.abc import Callable
from datetime import timedelta
from secrets import token_urlsafe

import pytest

from tests.world.cast import ANNA, ESZTER, PASSWORD
from tests.world.colleague import BOSS, SERVICE, colleague
from tests.world.pages import Page
from tests.world.site import Site, Visitor
from tests.world.walk import FIRST, SECOND
from webapp.demo.states.reading import read

RESET, DECLINE = "/sso/ResetPassword", "/meghivo/lemondas"


def confirmation(site: Site) -> str:
    site.visitor().walk_to("email-sent")
    return site.link(ANNA.email)


def reset(site: Site) -> str:
    site.open_account()
    site.visitor().ask_for_reset()
    return site.link(ANNA.email)


def new_address(site: Site) -> str:
    site.open_account()
    owner = site.visitor()
    owner.sign_in()
    owner.open("/fiok/email")
    owner.send(email="uj@example.hu", current_password=PASSWORD)
    return site.link("uj@example.hu")


def invitation(site: Site) -> str:
    return _invited(site)[0]


def declining(site: Site) -> str:
    return _invited(site)[1]


def _invited(site: Site) -> list[str]:
    boss = colleague(site, BOSS)
    page = boss.open(f"{SERVICE}/munkalistak?lista=meghivhato")
    first = next(field["value"] for field in page.root.all("input") if field["name"] == "customers")
    boss.act("invite", customers=first, due_on=(site.now + timedelta(days=20)).date().isoformat())
    site.parts.worklists.worker.finish()
    mail = site.messages(kind="email")[-1]
    return [link.removeprefix(site.parts.settings.public_url) for link in mail["links"]]


def in_language(page: Page, language: str) -> str:
    """Return where the page leads in another language."""
    (other,) = [link["href"] for link in page.root.all("a") if f"lang={language}" in link["href"]]
    return other


def token_of(link: str) -> str:
    return link.partition("=")[2]


@pytest.mark.parametrize(
    ("mail", "step"),
    [(confirmation, "mobile"), (reset, "reset"), (new_address, "email-confirm"), (invitation, "identify"),
     (declining, "invitation-decline")],
)  # fmt: skip
def test_a_link_is_gone_on_with_by_its_mark(site: Site, mail: Callable[[Site], str], step: str) -> None:
    link, reader = mail(site), site.visitor()
    assert token_of(link) in site.secrets.tokens
    page = reader.open(link)
    number = [field["value"] for field in page.root.all("input") if field["name"] == "policy_number"]
    for language in ("en", "hu"):
        assert not [address for address in page.addresses if token_of(link) in address]
        page = reader.open(in_language(page, language))
        assert (page.language, page.step) == (language, step)
        assert [field["value"] for field in page.root.all("input") if field["name"] == "policy_number"] == number
    page = reader.follow(reader.post("/megjelenes", {"theme": "dark", "next": page.value("next")}))
    assert page.step == step


def test_each_window_goes_on_with_its_own_link(site: Site) -> None:
    """M18: the page of one link is not shown for another."""
    link, reader = reset(site), site.visitor()
    first = in_language(reader.open(link), "en")
    site.visitor().walk_to("email-sent", ESZTER)
    second = in_language(reader.open_link(ESZTER.email), "en")
    assert reader.open(f"{RESET}?token=another").status == 410
    assert [reader.open(address).step for address in (first, second, first)] == ["reset", "mobile", "reset"]
    for number in range(4):
        reader.open(f"{RESET}?token=another-{number}")
    assert reader.open(first).status == 410, "a cookie holds a few"


def test_a_browser_that_remembers_no_link_says_so(site: Site) -> None:
    links = [confirmation(site), invitation(site)]
    over, filled = site.say("identify.invitation.over"), site.say("identify.invitation.filled")
    marked = [in_language(site.visitor().open(link), "en") for link in links]
    stranger = site.visitor()
    assert stranger.open(marked[0]).status == 404
    page = stranger.open(marked[1].replace("lang=en", "lang=hu"))
    assert (page.step, over in page.text, filled in page.text) == ("identify", True, False)


def test_a_browser_without_cookies_is_led_back_by_the_token_itself(site: Site) -> None:
    """It remembers nothing; once cookies are allowed, this link goes on."""
    link = confirmation(site)
    answer = site.app.test_client(use_cookies=False).post(SECOND, data={"token": token_of(link), "step": "mobile"})
    assert answer.status_code == 400
    back = next(one["href"] for one in read(answer.text).all("a") if one["class"] == "btn primary")
    assert site.visitor().open(back).step == "mobile"


def test_an_endless_token_does_not_fill_the_cookie(visitor: Visitor) -> None:
    endless = token_urlsafe(2000)  # by chance, or it would be packed into a few signs
    for name in ("token", "meghivo"):
        page = visitor.open(f"{SECOND}?{name}={endless}")
        assert endless not in in_language(page, "en")
        cookie = visitor.client.get_cookie("session")
        assert cookie is not None
        assert len(cookie.value) < 1000


def test_terms_opened_in_one_window_are_those_of_its_registration(site: Site, visitor: Visitor) -> None:
    """M23, though another customer's link was opened last in this browser."""
    visitor.walk_to("terms")
    annas = visitor.open(site.link(ANNA.email))
    assert annas.step == "terms"
    site.visitor().walk_to("email-sent", ESZTER)
    visitor.open_link(ESZTER.email)
    visitor.page = annas
    visitor.open_document("terms")
    opened = {row.email: row.terms_opened is not None for row in site.rows("registrations")}
    assert opened == {ANNA.email: True, ESZTER.email: False}
    assert visitor.send(terms="1").step == "password"


def test_a_page_that_asks_for_itself_later_asks_by_the_mark(site: Site) -> None:
    link, reader = confirmation(site), site.visitor()
    later = [element["data-hx-get"] for element in reader.open(link).root.all("span", "div") if element["data-hx-get"]]
    assert later
    site.visitor().walk_to("email-sent", ESZTER)
    reader.open_link(ESZTER.email)
    for address in later:
        reader.open(address)
        assert ANNA.email[:1] + "•••" in reader.seen.text


def test_an_invitations_token_leaves_the_address_bar_with_the_first_step(site: Site) -> None:
    link, customer = invitation(site), site.visitor(htmx=True)
    customer.open(link)
    page = customer.send(holder_type="person", birth_date="1990-01-01")
    assert (page.step, page.headers["HX-Replace-Url"]) == ("email", FIRST)


def test_another_customers_invitation_is_begun_by_its_mark(site: Site, htmx: bool) -> None:
    link, shared = invitation(site), site.visitor(htmx=htmx)
    shared.identify(ANNA)
    shared.open(link)
    form = next(form for form in shared.seen.root.all("form") if "meghivo=" in form["action"])
    assert token_of(link) not in form["action"]
    page = shared.follow(shared.post(form["action"], {"action": "restart"}))
    assert (page.step, page.value("policy_number")) == ("identify", "940100101")


def test_declining_leaves_the_token_behind(site: Site) -> None:
    customer = site.visitor()
    page = customer.open(declining(site))
    answer = customer.post(DECLINE, {"token": page.value("token")})
    assert answer.location == f"{DECLINE}?done"
    page = customer.follow(answer)
    assert page.step == "invitation-declined"
    assert customer.open(in_language(page, "en")).step == "invitation-declined"


def test_who_has_to_sign_in_on_a_links_page_comes_back_to_it(site: Site) -> None:
    site.open_account()
    owner = site.visitor()
    owner.sign_in()
    owner.open("/fiok/email")
    owner.send(email="uj@example.hu", current_password=PASSWORD)
    link = site.link("uj@example.hu")
    owner.open(link)
    site.advance(minutes=20)
    asked = {**owner.headers, "HX-Request": "true", "HX-Current-URL": f"http://localhost{link}"}
    note = owner.client.get("/belepes/meddig", headers=asked).text
    assert token_of(link) not in note
    (sign_in,) = [element["href"] for element in read(note).all("a")]
    page = owner.open(sign_in)
    assert page.step == "login"
    assert owner.sign_in().step == "email-confirm"
