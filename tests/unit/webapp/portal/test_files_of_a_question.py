"""The part of a page that takes files, on a page of its own; and the file itself (P38–P41)."""

from collections.abc import Callable
from io import BytesIO

import pytest
from flask import Blueprint, Response
from jinja2 import ChoiceLoader, DictLoader
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from services.accounts import Session
from tests.world.files import EICAR, image_of, paper, photo
from tests.world.pages import Page
from tests.world.site import Site, Visitor
from webapp.account import sessions
from webapp.portal import uploads
from webapp.ui.form_errors import SentForm
from webapp.ui.respond import go_on, page

HERE = "/ugyintezes/proba/fajlok"
_PAGE = """{% extends layout %}
{% from "components/title.html" import document_title %}
{% from "components/notes.html" import moment_heading, note %}
{% from "components/journey.html" import error_summary with context %}
{% from "components/uploads.html" import upload_panel with context %}
{% block title %}{{ document_title(t.plain('upload.heading'), problems) }}{% endblock %}
{% block main_class %}account portal{% endblock %}
{% block main %}
{{ moment_heading(t('upload.heading'), layout if not problems else '') }}
{% if problems %}{{ error_summary() }}{% endif %}
{% if notice %}{{ note(notice, 'ok', say=notice|striptags) }}{% endif %}
{{ upload_panel(uploads) }}
{% endblock %}
"""


def _blueprint() -> Blueprint:
    """Return a page with one question for files, as a request's pages have it."""
    made = Blueprint("trial", __name__)

    @made.get(HERE)
    @sessions.needed
    def show(session: Session) -> Response:
        return shown(session)

    @made.post(HERE)
    @sessions.needed
    def act(session: Session) -> Response:
        asked = uploads.act(place(session))
        return go_on(HERE, lambda: shown(session)) if asked is None else shown(session, asked)

    def place(session: Session) -> uploads.Place:
        return uploads.Place(f"draft of {session.account.kutid}", session.account.kutid, "photos", HERE)

    def shown(session: Session, asked: SentForm | None = None) -> Response:
        form = asked or SentForm()
        return page(
            "trial.html", form.status, form=form, problems=form.problems, notice=sessions.flash.take(),
            uploads=uploads.shown(place(session)),
        )  # fmt: skip

    return made


@pytest.fixture
def site(make_site: Callable[..., Site]) -> Site:
    """The site with a page that has a question for files."""
    made = make_site()
    made.app.register_blueprint(_blueprint())
    made.app.jinja_loader = ChoiceLoader([made.app.jinja_loader, DictLoader({"trial.html": _PAGE})])  # type: ignore[list-item]
    return made


def add(visitor: Visitor, content: bytes, name: str = "kár.jpg") -> Page:
    """Add a file by the page's form."""
    return visitor.follow(post(visitor, content, name))


def post(visitor: Visitor, content: bytes, name: str = "kár.jpg", token: str | None = None) -> TestResponse:
    return send(visitor, HERE, content, name, token)


def send(
    visitor: Visitor, address: str, content: bytes, name: str = "kár.jpg", token: str | None = None
) -> TestResponse:
    """Post a file to an address. The test client itself would leave a temporary file open."""
    fields = {"csrf_token": token or visitor.csrf_token, "file": FileStorage(BytesIO(content), name)}
    boundary, body = encode_multipart(fields)
    return visitor.client.post(
        address,
        data=body,
        headers={"Accept-Language": "hu"},
        content_type=f"multipart/form-data; boundary={boundary}",
    )


def check(site: Site) -> None:
    while site.parts.portal.uploads.checking.check_due():
        pass


def files(page_: Page) -> list[tuple[str, str]]:
    """Return the name and the state of each file of the page."""
    lines = (one for one in page_.root.all("li") if "data-upload" in one)
    return [(next(line.all("a")).text, line["data-state"]) for line in lines]


def link(page_: Page, number: int = 0) -> str:
    return [str(next(one.all("a"))["href"]) for one in page_.root.all("li") if "data-upload" in one][number]


def test_a_file_is_added_checked_opened_and_taken_away(site: Site, anna: Visitor) -> None:
    anna.open(HERE)
    assert anna.seen.form("upload")["enctype"] == "multipart/form-data"
    added = add(anna, photo("HEIC"), "сим ❤.heic")
    assert files(added) == [("сим ❤.heic", "received")]
    assert site.say("upload.added") in added.text
    assert anna.client.get(link(added)).status_code == 409
    check(site)
    ready = anna.open(HERE)
    assert files(ready) == [("сим ❤.heic", "ready")]
    answer = anna.client.get(link(ready))
    assert image_of(answer.data).format == "JPEG"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Content-Disposition"].isascii()
    assert answer.headers["Content-Disposition"].startswith("inline; filename=")
    assert answer.headers["Cache-Control"] == "no-store"
    (button,) = (one for one in ready.root.all("button") if one["name"] == "remove")
    gone = anna.follow(anna.post(HERE, {"remove": str(button["value"])}))
    assert files(gone) == []
    assert site.say("upload.removed") in gone.text
    assert anna.client.get(link(ready)).status_code == 404


@pytest.mark.parametrize(
    ("content", "name", "status", "key"),
    [
        (b"", "", 422, "error.file.empty"),
        (b"", "photo.jpg", 422, "upload.refused.empty"),
        (b"GIF89a" + b"\0" * 40, "photo.jpg", 422, "upload.refused.kind"),
        (photo().ljust(20 * 1024 * 1024 + 1, b"\0"), "photo.jpg", 413, "upload.refused.too_big"),
    ],
    ids=["none", "empty", "gif", "large"],
)
def test_what_is_not_taken_is_said_beside_the_field(
    site: Site, anna: Visitor, content: bytes, name: str, *, status: int, key: str
) -> None:
    anna.open(HERE)
    refused = add(anna, content, name)
    assert refused.status == status
    assert refused.fields_in_error == ["file"]
    assert site.say(key) in refused.error_of("file")
    assert files(refused) == []


def test_a_file_of_twenty_megabytes_is_taken(anna: Visitor) -> None:
    anna.open(HERE)
    assert files(add(anna, photo().ljust(20 * 1024 * 1024, b"\0"))) == [("kár.jpg", "received")]


def test_after_twenty_files_the_page_takes_no_more(site: Site, anna: Visitor) -> None:
    anna.open(HERE)
    for number in range(20):
        add(anna, photo(), f"{number}.jpg")
    refused = add(anna, photo())
    assert (refused.status, refused.fields_in_error) == (422, ["file"])
    assert site.say("error.file.too_many", limit=20) in refused.error_of("file")


def test_a_pdf_asks_for_its_password(site: Site, anna: Visitor) -> None:
    anna.open(HERE)
    add(anna, paper(user="titok-1"), "zárt.pdf")
    check(site)
    site.secrets.add("titok-1", "titok-2")
    asked = anna.open(HERE)
    assert asked.form("upload-password")
    anna.fill(file_password="titok-2")
    wrong = anna.submit("upload-password")
    assert (wrong.status, wrong.fields_in_error) == (422, ["file_password"])
    anna.fill(file_password="titok-1")
    assert files(anna.submit("upload-password")) == [("zárt.pdf", "received")]
    check(site)
    assert files(anna.open(HERE)) == [("zárt.pdf", "ready")]


def test_a_refused_file_says_why_and_what_to_do(site: Site, anna: Visitor) -> None:
    anna.open(HERE)
    add(anna, photo() + EICAR)
    add(anna, b"%PDF-1.7 and nothing of one", "papír.pdf")
    check(site)
    shown = anna.open(HERE)
    assert [state for _, state in files(shown)] == ["refused", "refused"]
    assert site.say("upload.refused.virus") in shown.text
    assert site.say("upload.refused.damaged") in shown.text
    assert anna.client.get(link(shown)).status_code == 409
    assert site.told("upload_refused") == 2


def test_what_a_file_shows_is_said_and_escaped(site: Site, anna: Visitor) -> None:
    anna.open(HERE)
    add(anna, photo(), '<b>"kép"</b>.jpg')
    upload_id = anna.seen.value("describe")
    described = anna.follow(anna.post(HERE, {"describe": upload_id, "description": '"<i>bal ajtó'}))
    assert '<b>"kép"' not in described.html
    assert described.value("description") == '"<i>bal ajtó'


def test_another_customers_file_is_as_one_that_never_was(anna: Visitor, minta: Visitor, site: Site) -> None:
    anna.open(HERE)
    address = link(add(anna, photo()))
    check(site)
    assert minta.client.get(address).status_code == 404
    assert minta.client.head(address).status_code == 404
    assert site.visitor().client.get(address).status_code == 303
    assert anna.client.get(address).status_code == 200


def test_no_file_comes_in_without_a_session_or_its_form(anna: Visitor, site: Site) -> None:
    anna.open(HERE)
    assert post(anna, photo(), token="another").status_code == 400
    stranger = site.visitor()
    stranger.open("/")
    answer = post(stranger, photo().ljust(15 * 1024 * 1024, b"\0"))
    assert (answer.status_code, answer.location.partition("?")[0]) == (303, "/belepes")
    assert files(anna.open(HERE)) == []


def test_other_addresses_take_no_large_form(anna: Visitor) -> None:
    anna.open(HERE)
    assert send(anna, "/fiok/jelszo", photo().ljust(100_000, b"\0")).status_code == 413


def test_operators_see_the_queue(anna: Visitor, site: Site) -> None:
    site.ask("/dev/faults", **{"name": "scanner", "for": "3600"})
    anna.open(HERE)
    add(anna, photo())
    check(site)
    site.advance(minutes=10)
    waiting = anna.open(HERE)
    assert files(waiting) == [("kár.jpg", "checking")]
    assert site.say("upload.checking.long") in waiting.text
    figures = site.visitor().client.get("/metrics").text
    assert "belepo_uploads_waiting 1.0\n" in figures
    assert "belepo_uploads_oldest_seconds 6" in figures
