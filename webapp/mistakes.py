"""What is to be mended in a form: beside which field it stands, and in which words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from services.refusal import Refusal
from webapp.parts import wired
from webapp.rendering import clock_time, say
from webapp.steps import Step


@dataclass(frozen=True)
class Problem:
    """One line of the summary; its link leads to the field."""

    field_id: str
    label: str
    text: Markup


@dataclass(frozen=True)
class SentForm:
    """What the templates show of a form: what was typed, and what is to be mended."""

    values: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, Markup] = field(default_factory=dict)
    wrong_parts: frozenset[str] = frozenset()
    problems: Sequence[Problem] = ()
    help: Markup | None = None
    status: int = 200


def explain(refusals: Sequence[tuple[str, Refusal]], step: Step, values: Mapping[str, str]) -> SentForm:
    """Return the form as it was sent, with each refusal beside the fields of `step` that it is about.

    A refusal comes with the field that the form found it in, or with an empty name when a service refused.
    """
    errors: dict[str, Markup] = {}
    problems: list[Problem] = []
    for name, refusal in refusals:
        text = _sentence(refusal)
        places = [name] if name else step.places(refusal, values)
        errors.update(dict.fromkeys(places, text))
        # Of two data that do not match together it is not told which one is wrong (M13).
        label = say().plain(step.labels[places[0]]).rstrip(" *?") if len(places) == 1 else ""
        problems.append(Problem(places[0], label, text))
    kinds = {(refusal.field, refusal.reason) for _, refusal in refusals}
    return SentForm(
        values,
        errors,
        frozenset().union(*(refusal.facts.get("parts", ()) for _, refusal in refusals)),
        problems,
        say()("error.identify.mismatch.help") if ("identify", "mismatch") in kinds else None,
        429 if ("identify", "slowed") in kinds else 422,
    )


def is_about(refusals: Sequence[tuple[str, Refusal]], step: Step) -> bool:
    """Tell whether a service has refused something that `step` asks for."""
    asked = {entry.name for entry in step.form(None)}
    return all(not name and refusal.field in asked for name, refusal in refusals)


def _sentence(refusal: Refusal) -> Markup:
    t = say()
    if (refusal.field, refusal.reason) == ("identify", "no_mobile"):
        reference = wired().references.issue("no_mobile", kutid=refusal.facts["kutid"])
        return t("dead_end.no_mobile.text") + " " + t("shell.reference", reference=reference)
    facts = {**refusal.facts, "time": clock_time(refusal.facts["at"])} if "at" in refusal.facts else refusal.facts
    return t(f"error.{refusal.field}.{refusal.reason}", **facts)
