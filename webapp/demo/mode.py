"""What demo mode adds to the product. `wire` imports this module in demo mode alone, and it the rest of the package."""

from datetime import timedelta

from flask import Flask

from services.gateways.group import Gateways
from services.messages.senders import Sender
from services.profiles import Profile
from webapp import console
from webapp.demo import doors, payment_doors, seed
from webapp.demo.clock import DemoClock
from webapp.demo.faults import DemoFaults, FailingCaller, FailingSender, FailingStorage
from webapp.demo.letters import add_letters
from webapp.demo.payments import DemoProvider
from webapp.demo.requests import add_requests
from webapp.demo.scanner import DemoScanner
from webapp.demo.sender import CopyingSender, DemoSender
from webapp.demo.terms import PublishedTerms
from webapp.gateways import open_gateways
from webapp.http.addresses import Application
from webapp.parts import Parts
from webapp.registration import page
from webapp.settings import Settings
from webapp.ui.formats import date_and_time


class DemoMode:
    """The clock, terms, inbox, customers and doors of a demonstration."""

    blueprints = (doors.blueprint, payment_doors.blueprint)

    def __init__(self, settings: Settings) -> None:
        self.clock = DemoClock(settings.demo_file("clock"))
        self._terms_file = settings.demo_file("terms")
        self.faults = DemoFaults(settings.demo_file("faults"), self.clock)
        self.payments = DemoProvider(settings, self.faults)

    @property
    def moved_by(self) -> timedelta:
        """How far testers have moved the clock."""
        return self.clock.offset

    def terms(self, profile: Profile) -> PublishedTerms:
        """Return the terms, to which testers add versions."""
        return PublishedTerms(profile, self._terms_file)

    def set_up(self, app: Flask, parts: Parts) -> None:
        """Add the testers' doors to the application, and the moved clock to its pages."""
        self.payments.insurer = app
        app.jinja_env.globals["demo_clock"] = lambda: date_and_time(parts.clock.now()) if self.moved_by else None
        for blueprint in self.blueprints:
            app.register_blueprint(blueprint)
            # A tester who has met the limit moves the clock on, or resets everything.
            app.extensions["belepo.limits"].exempt(blueprint)

    def gateways(self, settings: Settings) -> Gateways:
        """Return the ways to the world outside, which testers let fail; a provider and a scanner are there."""
        chosen = open_gateways(settings)
        return Gateways(
            FailingStorage(chosen.storage, self.faults),
            FailingCaller(chosen.caller, self.faults),
            chosen.provider or self.payments,
            chosen.scanner or DemoScanner(self.faults),
        )

    def sender(self, parts: Parts, way_out: Sender | None) -> Sender:
        """Return what puts messages into the inbox, after it has sent them by `way_out` if there is one."""
        inbox = DemoSender(parts.store, parts.clock)
        return FailingSender(CopyingSender(way_out, inbox) if way_out else inbox, self.faults)

    def seed(self, parts: Parts) -> None:
        """Fill an empty database with the demo customers, their letters and requests, and the staff."""
        if seed.load(parts.store, parts.profile, parts.clock, parts.settings.bcrypt_rounds):
            add_letters(parts.base, parts.portal.storage)
            add_requests(parts.base)

    def greeting(self, parts: Parts) -> str:
        """Return what a tester needs to begin: addresses, customers who can register, staff and their password."""
        (service, *_), (adviser, *_), (supervisor, *_) = seed.STAFF
        site = Application(__name__)  # the process that says this serves no pages
        site.register_blueprint(page.blueprint)
        site.register_blueprint(doors.blueprint)
        console.open_doors(site)

        def url(endpoint: str) -> str:
            return parts.settings.public_url + site.url_for(endpoint)

        tries = "".join(f"    {example}\n" for example in seed.examples(parts.store, parts.profile))
        return (
            f"\n  belepo is running in demo mode: {parts.settings.public_url}\n\n"
            f"  Register:            {url('registration.first_half')}\n{tries}"
            f"  Customer service:    {url('console.home')}, {service}\n"
            f"    its supervisor:    {supervisor}\n"
            f"    an adviser:        {url('partner.home')}, {adviser}\n"
            f"    their password:    {seed.STAFF_PASSWORD}\n"
            f"  Mails and messages:  {url('demo.inbox')}\n\n"
            "  Stop with Ctrl+C. Nothing leaves this machine.\n"
        )
