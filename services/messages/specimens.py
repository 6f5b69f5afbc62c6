"""One of each message, so that all of them can be composed before a customer waits for one."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Literal

from services.messages.outbox import Message
from services.profiles import Profile

_MOMENT = datetime(2026, 12, 31, 22, 30, tzinfo=UTC)


def specimens(profile: Profile) -> Iterator[Message]:
    """Yield every mail and text message of the catalogues in each language of the profile, with invented facts."""
    keys = sorted(profile.texts.known_keys)
    subjects = (".subject", ".subject.other")
    mails = [key.split(".")[1] for key in keys if key.startswith("mail.") and key.endswith(subjects)]
    text_messages = [key.removeprefix("sms.") for key in keys if key.startswith("sms.")]
    for language in profile.languages:
        yield from (_specimen(profile, "email", name, language) for name in mails)
        yield from (_specimen(profile, "sms", name, language) for name in text_messages)


def _specimen(profile: Profile, kind: Literal["email", "sms"], name: str, language: str) -> Message:
    prefix = f"mail.{name}." if kind == "email" else f"sms.{name}"
    keys = [key for key in profile.texts.known_keys if key.startswith(prefix)]
    told = set().union(*map(profile.texts.offered, keys)) - set(profile.texts.facts(language))
    moment = _MOMENT.isoformat()
    # The composer gives the times, and the host, itself.
    facts = dict.fromkeys(told - {"time", "datetime", "host"}, "482713")
    return Message(
        id="A" * 22,
        kind=kind,
        recipient="minta.anna@example.hu" if kind == "email" else "+36201234567",
        message=name,
        language=language,
        facts=facts
        | {"password_own": "yes", "is_default": "yes", "is_encrypted": "yes"}
        | {"letter_id": "A" * 22, "is_unregistered": "yes", "count": "2"}
        | {"link_id": "A" * 22, "at": moment, "deadline": moment, "passkeys_added": moment, "is_manager": "yes"},
        topic="specimen",
        created_at=_MOMENT,
        expires_at=_MOMENT + timedelta(hours=1),
        state="waiting",
        attempts=0,
    )
