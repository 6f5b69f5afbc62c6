"""What is to be mended in a form: beside which field it stands, and in which words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Protocol

from markupsafe import Markup

from services.refusal import Refusal
from webapp.http.watching import note_refused
from webapp.parts import current_parts
from webapp.ui.formats import clock_time, date_and_time, first_minute
from webapp.ui.language import language, say
from webapp.ui.references import lasting_reference, passing_reference


class Asking(Protocol):
    """What asks for fields: a step of the registration, or a form of the account."""

    @property
    def labels(self) -> Mapping[str, str]:
        """The keys of the fields' names."""

    def places(self, refusal: Refusal, values: Mapping[str, str]) -> list[str]:
        """Return the fields that a service's refusal stands beside."""


@dataclass(frozen=True)
class Fields:
    """The fields of a form that stands alone; a refusal that is about none of them stands beside the first."""

    labels: Mapping[str, str]

    def places(self, refusal: Refusal, values: Mapping[str, str]) -> list[str]:
        """Return the field that is refused."""
        return [place_of(refusal, self.labels)]


def place_of(refusal: Refusal, labels: Mapping[str, str]) -> str:
    """Return the field that a service's refusal stands beside: its own, the one that is declared, or the first."""
    named = (refusal.field, refusal.declared.beside)
    return next((name for name in named if name in labels), next(iter(labels)))


@dataclass(frozen=True)
class Problem:
    """One line of the summary; its links lead to the fields that it is about, most often one.

    `label` names the field. Of several that do not match together it is not told which one is wrong (M13): then it is
    empty, and `places` has each with its name.
    """

    field_id: str
    label: str
    text: Markup
    places: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class SentForm:
    """What the templates show of a form: what was typed, and what is to be mended."""

    values: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, Markup] = field(default_factory=dict)
    wrong_parts: frozenset[str] = frozenset()
    problems: Sequence[Problem] = ()
    help: Markup | None = None
    status: int = 200
    heading: Markup | None = None
    """What heads the summary where nothing typed is to be mended, and `who_helps` stands with it."""
    who_helps: Markup | None = None


def explain(
    refusals: Sequence[tuple[str, Refusal]], step: Asking, values: Mapping[str, str], *, for_staff: bool = False
) -> SentForm:
    """Return the form as it was sent, with each refusal beside the fields of `step` that it is about.

    A refusal comes with the field that the form found it in, or with an empty name when a service refused. Several of
    one field stand beside it one below the other, and are one link of the summary. Members of staff read of the
    customer where customers read of themselves.
    """
    for _, refusal in refusals:
        note_refused(str(refusal))
    values = {name: value.replace("\0", "") for name, value in values.items()}
    errors: dict[str, Markup] = {}
    problems: list[Problem] = []
    order = list(step.labels)
    in_order = sorted(refusals, key=lambda one: order.index(one[0]) if one[0] in order else -1)
    for name, of_one in groupby(in_order, key=lambda one: one[0]):
        found = [refusal for _, refusal in of_one]
        text = Markup(" <br>").join(sentence(refusal, for_staff=for_staff) for refusal in found)
        places = [name] if name else step.places(found[0], values)
        errors.update(dict.fromkeys(places, text))
        problems.append(_problem(text, {place: step.labels[place] for place in places}))
    kinds = {(refusal.field, refusal.reason) for _, refusal in refusals}
    has_to_wait = next((refusal.reason for _, refusal in refusals if refusal.declared.is_wait), None)
    return SentForm(
        values,
        errors,
        frozenset().union(*(refusal.facts.get("parts", ()) for _, refusal in refusals)),
        problems,
        say()("error.identify.mismatch.help") if ("identify", "mismatch") in kinds else None,
        429 if has_to_wait else 422,
        _heading(has_to_wait) if has_to_wait or ("identify", "no_mobile") in kinds else None,
        _who_helps(has_to_wait) if has_to_wait and not for_staff else None,
    )


def about_all(form: SentForm, labels: Mapping[str, str]) -> SentForm:
    """Return the form with its problem about all of these fields; its sentence stands beside the first alone."""
    return replace(form, problems=[_problem(form.problems[0].text, labels)])


def _problem(text: Markup, places: Mapping[str, str]) -> Problem:
    named = [(place, say().plain(key).rstrip(" *?.")) for place, key in places.items()]
    first, label = named[0]
    return Problem(first, label, text) if len(named) == 1 else Problem(first, "", text, named)


def key_for_staff(refusal: Refusal) -> str:
    """Return the key of the sentence that says to a member of staff, or to a partner's, what was refused."""
    own = f"staff.{refusal.key}"
    return own if current_parts().profile.texts.has(own, language()) else refusal.key


def times(refusal: Refusal) -> dict[str, str]:
    """Return the times that a refusal's sentence names: when what is refused is possible again, or a code ends."""
    facts, is_an_end = refusal.facts, refusal.reason in ("expired", "used_up")
    named = {}
    if "at" in facts:
        named["time"] = clock_time(facts["at"] if is_an_end else first_minute(facts["at"]))
    if "moment" in facts:
        named["datetime"] = date_and_time(first_minute(facts["moment"]))
    return named


def sentence(refusal: Refusal, *, for_staff: bool) -> Markup:
    """Return what was refused, in words; members of staff read of the customer."""
    t = say()
    if (refusal.field, refusal.reason) == ("identify", "no_mobile"):
        reference = lasting_reference("no_mobile", kutid=refusal.facts["kutid"])
        return t(refusal.key) + " " + t("shell.reference", reference=reference)
    facts = {**refusal.facts, **times(refusal)}
    if for_staff:
        return t(key_for_staff(refusal), **facts)
    # The same thing happened whichever number it was, and is counted as one; the customer reads of what was typed.
    return t(f"{refusal.key}.with_id" if facts.pop("with_id", False) else refusal.key, **facts)


def _heading(has_to_wait: str | None) -> Markup:
    return say()("login.wait.heading" if has_to_wait else "dead_end.no_mobile.heading")


def _who_helps(reason: str) -> Markup:
    """Return whom to call, and the code to read out to them."""
    t = say()
    reference = t("shell.reference", reference=passing_reference(reason))
    return Markup(" ").join((t("shell.help.text"), reference))
