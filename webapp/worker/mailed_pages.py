"""Where the buttons of mails lead: the addresses of pages, for a process that serves none."""

from functools import cache

from services.messages.composer import Pages
from webapp.account import email, forgotten_password, sign_in
from webapp.http.addresses import Application
from webapp.portal import letter, letter_password
from webapp.registration import page
from webapp.site import declining


@cache
def mailed_pages() -> Pages:
    """Return the paths of the pages that mails lead to, as their routes declare them."""
    site = Application(__name__)
    for module in (declining, email, forgotten_password, letter, letter_password, page, sign_in):
        site.register_blueprint(module.blueprint)
    return Pages(
        registration=site.url_for("registration.first_half"),
        confirmation=site.url_for("registration.second_half"),
        sign_in=site.url_for("sign_in.show"),
        forgotten_password=site.url_for("forgotten_password.forgot"),
        new_password=site.url_for("forgotten_password.show"),
        new_address=site.url_for("email.show_new"),
        declining=site.url_for("declining.show"),
        letter_password=site.url_for("letter_password.show"),
        letter=site.url_map.bind("").build("letter.show", {"letter_id": "ID"}).replace("ID", "{letter_id}"),
    )
