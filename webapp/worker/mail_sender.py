"""Sends mails by Flask-Mail over SMTP.

Its settings, message and connection are Flask-Mail's. Flask-Mail 0.10 sets no timeout, does not check a server's
certificate, cannot send to an international address, takes a connection lost after the mail was accepted for a failure,
and sends 8-bit text to any server; no setting changes that, so those methods are our own.
"""

import re
import smtplib
from collections.abc import Callable
from email import policy
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from typing import Any

import idna
from flask_mail import Connection, Mail, Message

from services.clock import Clock
from services.messages.composer import Composed
from services.messages.senders import PermanentFailure, TemporaryFailure, unwatched
from services.messages.senders.smtp import Limit, LimitedSmtp
from webapp.service_urls import MailServer

_STEP_SECONDS = 8.0
"""For the connection and for every answer of the server."""
_MAIL_SECONDS = 20.0
"""For one mail in all: a server that answers a byte every few seconds never meets the limit above."""


class SmtpSender:
    """Sends mails through one SMTP server. Every mail has a connection of its own, so threads do not meet."""

    def __init__(
        self,
        server: MailServer,
        mail_from: str,
        clock: Clock,
        *,
        step_seconds: float = _STEP_SECONDS,
        mail_seconds: float = _MAIL_SECONDS,
    ) -> None:
        """`mail_from` is the address of all mails' sender. Raises ValueError when it is not an address."""
        self._settings = Mail().init_mail(_settings(server))
        self._sender = _sender_address(mail_from)
        self._clock = clock
        self._step_seconds = step_seconds
        self._mail_seconds = mail_seconds

    def send(
        self,
        recipient: str,
        composed: Composed,
        message_id: str,
        leaving: Callable[[], None] = unwatched,
    ) -> None:
        """Hand one mail to the server, before the link in it dies.

        Raises PermanentFailure when the server refuses the recipient or the mail for good, otherwise
        TemporaryFailure.
        """
        letter = self._letter(recipient, composed, message_id)
        left = (composed.expires_at - self._clock.now()).total_seconds()
        limit = Limit(min(self._mail_seconds, left), leaving)
        try:
            with limit, _Connection(self._settings, self._step_seconds, limit) as connection:
                connection.send(letter)
        except smtplib.SMTPRecipientsRefused as error:
            raise _failure("the recipient", *next(iter(error.recipients.values()))) from None
        except smtplib.SMTPDataError as error:
            if limit.has_handed_over and not 400 <= error.smtp_code < 600:
                raise TemporaryFailure("the mail server's answer broke off", may_have_arrived=True) from None
            raise _failure("the mail", error.smtp_code, error.smtp_error) from None
        except smtplib.SMTPResponseException as error:
            # Greeting, sign-in or sender: the operator's to mend, perhaps in time.
            answer = _reply(error.smtp_code, error.smtp_error)
            raise TemporaryFailure(f"the mail server answered {answer}") from None
        except (OSError, smtplib.SMTPException) as error:
            raise TemporaryFailure(
                f"the connection to the mail server failed: {type(error).__name__}",
                may_have_arrived=limit.has_handed_over,
            ) from None

    def probe(self) -> None:
        """Connect, encrypt, sign in and name the sender, as for a mail; none is sent.

        Raises TemporaryFailure, with the numbers of the server's answer or with what failed.
        """
        limit = Limit(self._mail_seconds, unwatched)
        try:
            with limit, _Connection(self._settings, self._step_seconds, limit) as connection:
                connection.ask_for(self._sender.addr_spec)
        except smtplib.SMTPResponseException as error:
            answer = _reply(error.smtp_code, error.smtp_error)
            raise TemporaryFailure(f"the mail server answered {answer}") from None
        except (OSError, smtplib.SMTPException) as error:
            raise TemporaryFailure(f"the connection to the mail server failed: {type(error).__name__}") from None

    def _letter(self, recipient: str, composed: Composed, message_id: str) -> "_Letter":
        if not recipient or parseaddr(recipient) != (
            "",
            recipient,
        ):  # smtplib would send to the part that it understands
            raise PermanentFailure("the address cannot stand in a mail")
        try:
            return _Letter(
                composed,
                sender=Address(composed.from_name, self._sender.username, self._sender.domain),
                recipient=_ascii_domain(recipient),
                message_id=f"<{message_id}@{self._sender.domain}>",
                date=format_datetime(self._clock.now()),
            )
        except (ValueError, IndexError, UnicodeError):  # a line break in the address is one of the reasons
            raise PermanentFailure("the address cannot stand in a mail") from None


class _Letter(Message):
    """Flask-Mail's message, written out by the standard library's newer and stricter `EmailMessage`."""

    def __init__(self, composed: Composed, *, sender: Address, recipient: str, message_id: str, date: str) -> None:
        super().__init__(
            subject=composed.subject,
            recipients=[recipient],
            body=composed.text,
            html=composed.html,
            sender=sender.addr_spec,
            mail_options=[] if recipient.isascii() else ["SMTPUTF8", "BODY=8BITMIME"],
        )
        mail = EmailMessage(policy.SMTP if recipient.isascii() else policy.SMTPUTF8)
        mail["From"] = sender
        local, _, domain = recipient.rpartition("@")
        mail["To"] = Address(username=local, domain=domain)
        mail["Subject"] = composed.subject
        mail["Date"] = date
        mail["Message-ID"] = message_id
        mail["Auto-Submitted"] = "auto-generated"
        for name, value in composed.headers.items():
            mail[name] = value
        mail.set_content(composed.text, cte="quoted-printable")
        mail.add_alternative(composed.html, subtype="html", cte="quoted-printable")
        for one in composed.attachments:
            kind, _, subtype = one.type.partition("/")
            mail.add_attachment(one.content, maintype=kind, subtype=subtype, filename=one.name)
        mail["Content-Language"] = composed.language  # earlier it would be moved into the first part
        self._written = mail.as_bytes()

    def as_bytes(self) -> bytes:
        """Return the whole mail as it goes over the wire."""
        return self._written


class _Connection(Connection):
    """Flask-Mail's connection, made with a limit of time; no setting of Flask-Mail does what is done here."""

    def __init__(self, settings: Any, step_seconds: float, limit: Limit) -> None:
        super().__init__(settings)
        self._step_seconds = step_seconds
        self._limit = limit

    def configure_host(self) -> smtplib.SMTP:
        """Connect, encrypt and sign in."""
        host = LimitedSmtp(
            self.mail.server,
            self.mail.port,
            is_encrypted=self.mail.use_ssl,
            step_seconds=self._step_seconds,
            limit=self._limit,
        )
        try:
            if self.mail.use_tls:
                host.encrypt()
            if self.mail.username:
                host.login(self.mail.username, self.mail.password or "")
        except BaseException:
            host.close()
            raise
        return host

    def ask_for(self, sender: str) -> None:
        """Ask whether the server takes mails of this sender, and send none. Raises SMTPResponseException."""
        assert self.host is not None, "asked within the connection"
        self.host.ehlo_or_helo_if_needed()
        code, answer = self.host.mail(sender)
        if code >= 400:
            raise smtplib.SMTPSenderRefused(code, answer, sender)
        self.host.rset()

    def send(self, message: Message, envelope_from: str | tuple[str, str] | None = None) -> None:
        """Send one letter; the envelope names sender and recipients exactly as the message has them."""
        assert self.host is not None, "a letter is sent within the connection"
        recipients = [str(recipient) for recipient in message.recipients]
        try:
            self.host.sendmail(str(message.sender), recipients, message.as_bytes(), message.mail_options)
        except smtplib.SMTPNotSupportedError:
            raise PermanentFailure("the mail server does not take addresses like this one") from None


def _settings(server: MailServer) -> dict[str, Any]:
    return {
        "MAIL_SERVER": server.host,
        "MAIL_PORT": server.port,
        "MAIL_USE_SSL": server.is_encrypted,
        "MAIL_USE_TLS": server.starts_tls,
        "MAIL_USERNAME": server.user,
        "MAIL_PASSWORD": server.password,
    }


def _sender_address(text: str) -> Address:
    try:
        address = Address(addr_spec=text)
    except (ValueError, IndexError, HeaderParseError):
        address = Address()
    if not address.username or not address.domain or not text.isascii():
        raise ValueError("the sender of mails (contact.mail_from) is not an email address")
    return address


def _ascii_domain(address: str) -> str:
    """Return the address with its domain as the wire has it; the local part stays as it is stored."""
    local, _, domain = address.rpartition("@")
    return address if domain.isascii() else f"{local}@{idna.encode(domain, uts46=True).decode('ascii')}"


def _failure(what: str, code: int, answer: bytes | str) -> TemporaryFailure | PermanentFailure:
    text = f"the mail server refused {what}: {_reply(code, answer)}"
    return PermanentFailure(text) if code >= 500 else TemporaryFailure(text)


def _reply(code: int, answer: bytes | str) -> str:
    """Return the numbers of an answer; its words often repeat the address."""
    text = answer.decode("ascii", "replace") if isinstance(answer, bytes) else answer
    status = re.match(r"\d\.\d{1,3}\.\d{1,3}", text)
    return f"{code} {status[0]}" if status else str(code)
