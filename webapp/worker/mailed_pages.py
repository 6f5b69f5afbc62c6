"""Where the buttons of mails lead: the addresses of pages, for a process that serves none."""

from functools import cache

from services.messages.composer import Pages
from webapp import console
from webapp.account import email, forgotten_password, overview, sign_in
from webapp.http.addresses import Application
from webapp.portal import invoices, letter, letter_password, payments, requests
from webapp.registration import page
from webapp.site import declining


@cache
def mailed_pages() -> Pages:
    """Return the paths of the pages that mails lead to, as their routes declare them."""
    site = Application(__name__)
    for module in (
        declining, email, forgotten_password, invoices, letter, letter_password, overview, page, payments, requests,
        sign_in,
    ):  # fmt: skip
        site.register_blueprint(module.blueprint)
    console.open_doors(site)

    def pattern(endpoint: str, **facts: str) -> str:
        """Return an address in which facts stand in braces."""
        named = {name: fact.upper() for name, fact in facts.items()}
        address = site.url_map.bind("").build(endpoint, named)
        for fact in facts.values():
            address = address.replace(fact.upper(), f"{{{fact}}}")
        return address

    return Pages(
        registration=site.url_for("registration.first_half"),
        confirmation=site.url_for("registration.second_half"),
        sign_in=site.url_for("sign_in.show"),
        forgotten_password=site.url_for("forgotten_password.forgot"),
        new_password=site.url_for("forgotten_password.show"),
        new_address=site.url_for("email.show_new"),
        declining=site.url_for("declining.show"),
        settings=site.url_for("account.overview"),
        desk=site.url_for("partner.home"),
        letter_password=site.url_for("letter_password.show"),
        invoice=pattern("invoices.show", invoice_id="link_id"),
        request=pattern("requests.show", request_id="link_id"),
        receipt=pattern("payments.receipt", invoice_id="link_id"),
        letter=pattern("letter.show", letter_id="letter_id"),
    )
