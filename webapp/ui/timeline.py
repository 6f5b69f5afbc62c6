"""A customer's timeline in words, at the console and for the API's clients."""

from typing import Any

from services.staff.timeline import Event
from webapp.parts import current_parts
from webapp.ui.language import say


def words(event: Event) -> tuple[str, dict[str, Any]]:
    """Return the key of an event's text, and what fills it."""
    t, facts = say(), dict(event.facts)
    key = f"staff.event.{event.what}"
    if event.what == "started":
        facts = {"method": t.plain("funnel.channel.web") if facts["by"] == "customer" else facts["by"]}
    elif event.what == "identified_by":
        facts["method"] = t.plain(f"staff.identify.method.{facts['method']}")
    elif event.what == "refused":
        texts, language = current_parts().profile.texts, current_parts().profile.languages[0]
        what = facts.get("what", "")
        if texts.has(f"{key}.{what}", language):
            key = f"{key}.{what}"
        else:
            known = f"funnel.error.{what}"
            facts["what"] = t.plain(known) if texts.has(known, language) else what
            key = f"{key}.other"
    return key, facts
