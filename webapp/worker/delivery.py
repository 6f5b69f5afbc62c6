"""Puts the delivery of messages together: the only place that names the senders.

Apart from the pages' parts, so that a process that only serves pages loads none of it.
"""

from sqlalchemy import Connection

from services.codes import one_time_codes
from services.messages.composer import Composer
from services.messages.delivery import Delivery
from services.messages.senders import Sender
from services.messages.senders.folder import FolderSender
from services.messages.senders.sms import AppriseSender
from webapp.parts import Parts
from webapp.settings import SettingsError
from webapp.worker.mail_sender import SmtpSender
from webapp.worker.mailed_pages import mailed_pages


def delivery(parts: Parts) -> Delivery:
    """Return what takes messages from the outbox to the outside. Raises SettingsError for a URL that cannot be used."""

    def undelivered(connection: Connection, topic: str, may_have_arrived: bool) -> None:
        kutid = one_time_codes.whose(topic)
        if kutid is not None:
            parts.codes.one_time_codes.give_back(connection, kutid, may_have_arrived=may_have_arrived)
        notifications.undelivered(connection, topic)
        parts.portal.letters.reminding.undelivered(connection, topic)

    settings, notifications = parts.settings, parts.portal.letters.notifications
    try:
        senders = {"email": _sender(settings.mail_url, parts), "sms": _sender(settings.sms_url, parts)}
    except ValueError as error:
        raise SettingsError(str(error)) from error
    composer = Composer(parts.profile, parts.links, mailed_pages(), parts.portal.letters.enclosing)
    sms_budget = parts.messages.sms_budget
    made = Delivery(parts.store, parts.clock, composer, senders, undelivered, sms_budget=sms_budget)
    made.delivered = notifications.delivered
    return made


def _sender(url: str, parts: Parts) -> Sender:
    if not parts.demo:
        return _way_out(url, parts)
    return parts.demo.sender(parts, None if url == "demo:" else _way_out(url, parts))


def _way_out(url: str, parts: Parts) -> Sender:
    if url.startswith("folder:"):
        return FolderSender(url.removeprefix("folder:"), parts.clock)
    if (server := parts.settings.mail_server) and url == parts.settings.mail_url:
        return SmtpSender(server, parts.profile.contact.mail_from, parts.clock)
    return AppriseSender(url)
