"""A server in demo mode, by what it opens to testers: its messages, its clock, its terms."""

import json
import re
from abc import ABC, abstractmethod
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode


class Demonstration(ABC):
    """A server in demo mode, however it is reached."""

    @abstractmethod
    def ask(self, address: str, **form: str) -> bytes:
        """Send a form, or get an address without one; return the answer's body, and fail unless it is a success."""

    # --- Messages --------------------------------------------------------------------------------------------

    def messages(self, to: str = "", kind: str = "") -> list[dict[str, Any]]:
        """Return what was sent to an address or a number (E.164), oldest first; without one, all."""
        query = urlencode({name: value for name, value in (("to", to), ("kind", kind)) if value})
        found: list[dict[str, Any]] = json.loads(self.ask(f"/dev/messages.json?{query}"))
        return found

    def mails(self, to: str = "") -> list[dict[str, Any]]:
        """Return the mails to an address, oldest first."""
        return self.messages(to, "email")

    def subjects(self, to: str) -> list[str]:
        """Return the subjects of the mails to an address, oldest first."""
        return [mail["subject"] for mail in self.mails(to)]

    def link(self, to: str) -> str:
        """Return the newest link for somebody alone that was mailed to an address."""
        return [link for mail in self.mails(to) for link in mail["links"] if "token=" in link][-1]

    def codes(self, to: str) -> list[str]:
        """Return the codes sent to a number, oldest first."""
        return [code_in(message) for message in self.messages(to, "sms")]

    def code(self, to: str) -> str:
        """Return the newest code sent to a number."""
        return self.codes(to)[-1]

    # --- Time and terms --------------------------------------------------------------------------------------

    @property
    def now(self) -> datetime:
        """The server's time."""
        return datetime.fromisoformat(json.loads(self.ask("/dev/clock"))["now"])

    def advance(self, **span: float) -> None:
        """Move the server's clock forward, by what `timedelta` knows."""
        self.ask("/dev/clock", advance=str(timedelta(**span).total_seconds()))

    def publish_terms(self, version: str) -> None:
        """Put a new version of the terms into force."""
        self.ask("/dev/terms", version=version)


def code_in(message: dict[str, Any]) -> str:
    """Return the code that a text message brings."""
    return str(re.findall(r": (\d+)\.", message["text"])[0])
