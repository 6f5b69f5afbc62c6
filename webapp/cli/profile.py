"""`belepo profile`: an insurer's rules shown, its file judged, its journey drawn. Needs no database and no keys."""

import html
import re
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path

import click
from rich import box
from rich.console import Console
from rich.table import Table

from services.links import Links
from services.messages.composer import Composer
from services.messages.specimens import specimens
from services.profiles import Profile, ProfileError, copy, default, find, load
from services.profiles.problems import Problem, line_of
from services.profiles.standards import departures, guessing_chance
from webapp.cli.drawing import draw_svg, draw_text, stations
from webapp.journey.registry import journey_of
from webapp.settings import chosen_profile
from webapp.worker.mailed_pages import mailed_pages

_TEMPLATES = Path(__file__).parents[1] / "templates"
_hardened = click.option(
    "--hardened/--as-written", default=None, help="With the hardened values over it (BELEPO_HARDENED)."
)


@click.group()
def profile() -> None:
    """Show, check and draw insurers' profiles."""


@profile.command()
@click.argument("name", required=False)
@_hardened
def show(name: str | None, hardened: bool | None) -> None:
    """Print the rules in force, the chance of guessing a code, and where they depart from the standards."""
    chosen = _load(name, hardened)
    console = Console(highlight=False)
    console.print(draw_text(chosen), "", sep="\n")
    console.print(_rules(chosen))
    code = chosen.one_time_code
    chance = guessing_chance(code)
    console.print(
        f"Chance of guessing a code with all {code.guesses} guesses of {code.budget_hours} hours: "
        f"1 in {1 / chance:,.0f} ({chance:.4%}).\n"
    )
    if chosen.letters == "encrypted_mail":
        console.print(f"{_worth_of_digits(chosen)}\n")
    if chosen.requests:
        rules = chosen.request_rules
        console.print(
            f"Requests: {len(chosen.requests)} kinds. A draft is kept {rules.draft_days} days, a question waits "
            f"{rules.answer_days} days for its answer, a request is kept {rules.kept_days} days after its end.\n"
        )
    table = Table(title="Departures from OWASP ASVS 5.0 and NIST SP 800-63B-4", title_justify="left", box=box.SIMPLE)
    for heading in ("paragraph", "it asks for", "here"):
        table.add_column(heading)
    for departure in departures(chosen):
        table.add_row(departure.paragraphs, departure.asks, departure.has)
    console.print(table)


@profile.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--like", default=default(), show_default=True, help="The profile that ships and is copied.")
def new(folder: Path, like: str) -> None:
    """Copy a profile that ships to FOLDER, as the beginning of an insurer's own."""
    copy(like, folder)
    click.echo(f"{folder}: change what is not the insurer's, then run `belepo profile check {folder}`.")


@profile.command()
@click.argument("file")
@click.option("--pages", is_flag=True, help="Show every page in every language too, with its demo customers: a minute.")
def check(file: str, pages: bool) -> None:
    """Judge an insurer's own FILE or folder: line, what is wrong, how to mend it. Exit code 1 when something is."""
    problems = judge(file)
    if pages and not problems:
        problems = list(import_module("webapp.cli.rehearsal").rehearse(file))
    for problem in problems:
        place = f"{file}:{problem.line}" if problem.line else file
        click.echo(f"{place}: {problem}" + (f"\n    {problem.mend}" if problem.mend else ""))
    if problems:
        sys.exit(1)
    click.echo(f"{file}: nothing is wrong with it.")


@profile.command()
@click.argument("names", nargs=-1)
@click.option("--svg", type=click.Path(dir_okay=False, path_type=Path), help="Write an SVG picture to this file.")
@_hardened
def draw(names: Sequence[str], svg: Path | None, hardened: bool | None) -> None:
    """Draw the journeys and the requests of profiles from their declaration as text, or the journeys as SVG."""
    chosen = [_load(name, hardened) for name in names] or [_load(None, hardened)]
    if svg is not None:
        svg.write_text(draw_svg(chosen), "utf-8")
    else:
        click.echo("\n\n".join(map(draw_text, chosen)))


def judge(file: str) -> list[Problem]:
    """Return everything that is wrong with a profile's file, its journey included."""
    try:
        own = load(file)
        stations(own)
    except ProfileError as error:
        if error.problems:
            return list(error.problems)
        # What the journey says names its setting first.
        message = str(error)
        setting = re.match(r"(\w+): ", message)
        what, _, mend = message.partition(". ") if setting else (message, "", "")
        line = line_of(find(file).read_text("utf-8"), (setting[1],)) if setting else None
        return [Problem("", what.rstrip("."), mend, line)]
    return [*_of_others(own), *_not_composed(own), *_not_shown(own)]


def _not_shown(profile: Profile) -> Iterator[Problem]:
    """Yield the steps of the journey that have no template or no name."""
    for step in journey_of(profile).steps:
        if not any((folder / step.template).is_file() for folder in (profile.folder / "templates", _TEMPLATES)):
            yield Problem("", f"the step “{step.name}” has no template", f"Write templates/{step.template}.")
        for language in profile.languages:
            if not profile.texts.has(step.title_key, language):
                mend = f"Add it to texts/{language}.po."
                yield Problem("", f"the step “{step.name}” has no text {step.title_key} in “{language}”", mend)


def _of_others(profile: Profile) -> Iterator[Problem]:
    """Yield the terms that do not name the insurer: they were copied with a profile, and bind to somebody else."""
    for terms in profile.terms:
        for language in profile.languages:
            file = profile.folder / "terms" / f"{terms.version}.{language}.html"
            legal_name = profile.facts[language]["legal_name"]
            if file.is_file() and legal_name not in html.unescape(file.read_text("utf-8")):
                yield Problem(f"terms/{file.name}", f"does not name “{legal_name}”", "Write the insurer's own terms.")


def _not_composed(profile: Profile) -> Iterator[Problem]:
    """Yield the mails and text messages that cannot be written in the profile's words."""
    composer = Composer(profile, Links(("of no use" * 8,), "https://portal.example"), mailed_pages())
    for message in specimens(profile):
        try:
            composer.compose(message)
        except (KeyError, ValueError) as error:
            name = f"{message.kind} {message.message} in {message.language}"
            yield Problem(
                "wording", f"the {name} cannot be composed: {error}", "Compare its texts with those that ship."
            )


def _load(name: str | None, hardened: bool | None) -> Profile:
    chosen = chosen_profile()
    return load(name or chosen.profile, hardened=chosen.hardened if hardened is None else hardened)


def _worth_of_digits(chosen: Profile) -> str:
    """Return what the digits of the birth number are worth as a password of mailed letters (P32)."""
    held = ", ".join(chosen.letter_password.sensitive) or "none"
    return (
        "Mailed letters open with 4 digits of the birth number (3 of a nine-digit one) until the customer sets a "
        "password. One core tries all 10,000 in about a minute, 1,000 in seconds. "
        f"Types that wait for a password: {held}."
    )


def _rules(chosen: Profile) -> Table:
    code, password, registration = chosen.one_time_code, chosen.password, chosen.registration
    composition = [
        word
        for word, is_on in (("upper", password.upper), ("lower", password.lower), ("digit", password.digit))
        if is_on
    ]
    rows = {
        "wrong tries at the identification": f"{chosen.identification.wrong_tries} a number, then "
        f"{chosen.identification.wrong_tries_minutes} minutes",
        "registration": f"{registration.minutes} minutes, {registration.hours_in_all} hours with mails sent again",
        "code": f"{code.length} digits" + (f", the last {code.typed} are enough" if code.takes_tail else ""),
        "code is valid": f"{code.minutes} minutes",
        "codes and tries": f"{code.codes} codes of {code.tries} tries, "
        f"{code.guesses} guesses in {code.budget_hours} hours",
        "password": f"{password.min_length} to {password.max_length} characters",
        "composition": (", ".join(composition) or "none") + ("" if password.special else "; letters and digits only"),
        "passwords refused": "common ones; those like the email address, the name or the number",
        "SMS budget": "none"
        if chosen.messages.sms_budget is None
        else f"{chosen.messages.sms_budget} parts a month, an alarm at {chosen.messages.warn_at_percent} %",
    }
    table = Table(title="Rules in force", title_justify="left", box=box.SIMPLE, show_header=False)
    for rule, value in rows.items():
        table.add_row(rule, value)
    return table
