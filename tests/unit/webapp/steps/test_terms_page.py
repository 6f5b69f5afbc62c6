"""The terms: opened, ticked, and replaced meanwhile (M23)."""

from tests.world.cast import ANNA
from tests.world.site import Site, Visitor
from tests.world.walk import SECOND


def test_terms_that_were_not_opened_cannot_be_accepted(site: Site, htmx: bool) -> None:
    visitor = site.visitor(htmx=htmx)
    visitor.walk_to("terms")
    page = visitor.send(terms="1")
    assert (page.status, page.fields_in_error) == (422, ["terms"])
    assert site.say("error.terms.not_opened") in page.error_of("terms")
    assert not site.rows("registrations")[0].terms_accepted_at


def test_opening_them_in_another_browser_does_not_count(site: Site, visitor: Visitor) -> None:
    visitor.walk_to("terms")
    site.visitor().open("/aszf")
    assert visitor.send(terms="1").status == 422


def test_a_browser_that_came_by_the_mailed_link_can_open_and_accept_them(site: Site, visitor: Visitor) -> None:
    visitor.walk_to("terms")
    site.advance(minutes=1)
    computer = site.visitor()
    computer.open_link(ANNA.email)
    computer.send("sms-resend")
    page = computer.send(sms_code=site.code(ANNA.mobile))
    assert page.step == "terms"
    (link,) = (one["href"] for one in page.root.all("a") if one["data-opens"] and ".pdf" not in one["href"])
    computer.open(link)
    computer.page = page
    assert computer.send(terms="1").step == "password"


def test_the_box_must_be_ticked(site: Site, visitor: Visitor) -> None:
    visitor.walk_to("terms")
    visitor.open_document("terms")
    page = visitor.send()
    assert site.say("error.terms.not_ticked") in page.error_of("terms")


def test_what_was_accepted_is_kept_with_its_text(site: Site, visitor: Visitor) -> None:
    visitor.walk_to("done")
    (account,) = site.rows("accounts")
    terms = site.parts.documents.terms.in_force(site.now)
    assert (account.terms_version, account.terms_hash) == (terms.version, terms.hash)


def test_terms_replaced_meanwhile_are_opened_anew(site: Site, visitor: Visitor) -> None:
    visitor.walk_to("terms")
    visitor.open_document("terms")
    assert visitor.client.post("/dev/terms", data={"version": "2027-1"}).status_code == 200
    page = visitor.send(terms="1")
    assert site.say("error.terms.replaced") in page.error_of("terms")
    assert "2027-1" in page.text
    assert visitor.accept_terms().step == "password"
    assert site.rows("registrations")[0].terms_version == "2027-1"


def test_an_older_version_opened_does_not_count(site: Site, visitor: Visitor) -> None:
    older = site.parts.documents.terms.in_force(site.now).version
    visitor.client.post("/dev/terms", data={"version": "2027-1"})
    visitor.walk_to("terms")
    kept = visitor.page
    assert site.say("terms.page.older").split("[")[0].strip() in visitor.open(f"/aszf/{older}").text
    visitor.page = kept
    assert visitor.send(terms="1").status == 422


def test_reading_the_terms_leaves_everybody_elses_registration_alone(site: Site, visitor: Visitor) -> None:
    visitor.walk_to("terms")
    before = site.database()
    site.visitor("en").open("/aszf")
    assert site.database() == before


def test_unknown_versions_are_not_found(site: Site, visitor: Visitor) -> None:
    for version in ("1999-1", "..%2f..%2fprofile", "x.pdf", "%00"):
        assert visitor.open(f"/aszf/{version}").status == 404


def test_a_version_cannot_be_published_under_a_name_that_breaks_pages(site: Site, visitor: Visitor) -> None:
    for name in ("", "<b>", "a b", "a/b", "x" * 41, "\0"):
        assert visitor.client.post("/dev/terms", data={"version": name}).status_code == 400


def test_terms_are_accepted_once(site: Site, visitor: Visitor) -> None:
    visitor.walk_to("password")
    (accepted,) = site.rows("registrations")
    site.advance(seconds=5)
    visitor.open("/aszf")
    assert visitor.follow(visitor.post(SECOND, {"step": "terms", "terms": "1"})).step == "password"
    assert site.rows("registrations")[0].terms_accepted_at == accepted.terms_accepted_at
    assert accepted.email == ANNA.email
