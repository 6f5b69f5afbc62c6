"""Reads mails that came back: delivery status notifications (RFC 3464), by which a bounced mail is known."""

import re
from dataclasses import dataclass
from email import message_from_bytes, message_from_string, policy
from email.message import Message

_ID = re.compile(r"<([A-Za-z0-9_-]{22})@[^<>\s]+>")
"""Our Message-ID: the outbox's own id, which nobody else but the recipient's side has seen."""


@dataclass(frozen=True)
class Returned:
    """A mail that did not arrive: its id in the outbox, and the status code (RFC 3463)."""

    message_id: str
    status: str


def read(raw: bytes) -> Returned | None:
    """Return which of our mails came back for good; None for anything else, such as an answer or a delay.

    A server that gives up says ``Action: failed`` (RFC 3464, 2.3.3), and encloses the mail or its header.
    """
    report = message_from_bytes(raw, policy=policy.default)
    try:
        if report.get_content_type() != "multipart/report" or report.get_param("report-type") != "delivery-status":
            return None
        fields = [block for part in report.walk() for block in _blocks(part)]
        failed = [one for one in fields if str(one.get("Action", "")).strip().lower() == "failed"]
        found = next((one for part in report.walk() if (one := _id_in(part))), None)
    except (ValueError, LookupError, TypeError, AttributeError):  # a header or a part that nobody could read
        return None
    if not failed or found is None:
        return None
    status = re.match(r"[245]\.\d{1,3}\.\d{1,3}", str(failed[0].get("Status", "")).strip())
    return Returned(found, status[0] if status else "5.0.0")


def _blocks(part: Message) -> list[Message]:
    """Return the groups of fields of a delivery status: one about the mail, then one for each recipient."""
    if part.get_content_type() != "message/delivery-status":
        return []
    content = part.get_payload()
    return [block for block in content if isinstance(block, Message)] if isinstance(content, list) else []


def _id_in(part: Message) -> str | None:
    """Return the id of the enclosed mail, where this part holds it or its header."""
    kind, content = part.get_content_type(), part.get_payload()
    if kind == "message/rfc822" and isinstance(content, list) and content:
        header = content[0]
    elif kind == "text/rfc822-headers":
        header = message_from_string(str(content), policy=policy.compat32)
    else:
        return None
    found = _ID.fullmatch(str(header.get("Message-ID", "")).strip()) if isinstance(header, Message) else None
    return found[1] if found else None
