"""Judges a profile's own words: every text can be filled in, and a text message stays what text messages promise."""

from collections.abc import Iterator
from difflib import get_close_matches

from services.profiles.problems import Mistake
from services.profiles.profile import Profile
from services.profiles.request_kinds import needed_texts
from services.texts import Texts, Unfillable, placeholders
from services.values.segments import outside_gsm7, parts

_VOICE = frozenset(
    {
        "insurer",
        "portal",
        "az_insurer",
        "Az_insurer",
        "insurer_sms",
        "hours",
        "contact_url",
        "site",
        "legal_name",
        "postal_address",
    }
)
"""The placeholders of the catalogues that a profile fills, in each of its languages."""
_ENDING = "phone_ending"
_DERIVED = frozenset({"phone", "phone_as"})
_HANDED_OVER = frozenset({"code", "host"})
"""A text that the catalogues give one of these is of no use without it."""

_LONGEST_HOST = 32
_LONGEST_FACT = 20


def mistakes_in_words(profile: Profile) -> Iterator[Mistake]:
    """Yield what cannot be said in the profile's words: unknown texts, placeholders nobody fills, long SMS texts."""
    for language in profile.wording:
        if language not in profile.languages:
            yield Mistake(("wording", language), f"the profile does not speak “{language}”", "Take it out.")
    for language in profile.languages:
        yield from _in_facts(profile, language)
        in_wording = [*_in_wording(profile, language), *_in_catalogue(profile, language)]
        yield from in_wording
        yield from _in_requests(profile, language)
        if not in_wording:  # what cannot be filled in has no length
            yield from _in_text_messages(profile, language)


def _in_facts(profile: Profile, language: str) -> Iterator[Mistake]:
    facts = profile.facts[language]
    used = set().union(*map(_named, profile.texts.spoken(language).values()))
    if missing := sorted((used & _VOICE) - set(facts)):
        yield Mistake(("facts", language), f"the texts need {', '.join(missing)}", "Add what is missing.")
    for name, fact in facts.items():
        if name not in _VOICE | used | {_ENDING}:
            mend = _meant(name, _VOICE | {_ENDING}) or "Take it out."
            yield Mistake(("facts", language, name), "no text uses this", mend)
        if not fact.isprintable():
            yield Mistake(("facts", language, name), "is not one line of visible letters", "Write it on one line.")


def _in_requests(profile: Profile, language: str) -> Iterator[Mistake]:
    """Yield the texts of the kinds of requests that neither the catalogues nor the profile's wording have."""
    for name, kind in profile.requests.items():
        for path, keys in needed_texts(name, kind):
            if not any(profile.texts.has(key, language) for key in keys):
                mend = f'Add "{keys[0]}" = "…" to [wording.{language}].'
                yield Mistake(path, f"there is no text {keys[0]} in “{language}”", mend)


def _of_kinds(profile: Profile) -> set[str]:
    """Return the keys of texts that the profile's own kinds of requests may have besides those of the catalogues."""
    keys: set[str] = set()
    for name, kind in profile.requests.items():
        own = f"request.kind.{name}"
        keys |= {f"{own}.{end}" for end in ("title", "text", "needs")}
        for question in kind.questions.values():
            keys |= {f"{own}.{question.name}.{end}" for end in ("label", "hint", *question.options)}
    return keys


def _in_wording(profile: Profile, language: str) -> Iterator[Mistake]:
    known = profile.texts.known_keys | _of_kinds(profile)
    for key, text in profile.wording.get(language, {}).items():
        path = ("wording", language, key)
        if key in known:
            yield from _in_text(profile, language, path, text)
        else:
            yield Mistake(path, "there is no text with this key", _meant(key, known) or "Take it out.")


def _in_catalogue(profile: Profile, language: str) -> Iterator[Mistake]:
    for key, text in profile.own_texts.get(language, {}).items():
        yield from _in_text(profile, language, ("texts", f"{language}.po", key), text)


def _in_text(profile: Profile, language: str, path: tuple[str, ...], text: str) -> Iterator[Mistake]:
    key, facts = path[-1], {*profile.facts[language], *_DERIVED}
    try:
        named = placeholders(text)
    except Unfillable as error:
        yield Mistake(path, str(error), "Write a placeholder as its name in braces, such as {phone}.")
        return
    offered = _offered(profile.texts, key)
    for name in sorted(named - offered - facts):
        mend = _meant(name, offered | facts, "{{{}}}") or f"It can hold {_listed(offered | facts)}."
        yield Mistake(path, f"nothing fills the placeholder {{{name}}} in this text", mend)
    for name in sorted((profile.texts.offered(key) & _HANDED_OVER) - named):
        yield Mistake(path, f"the text lacks {{{name}}}, for which it is sent", f"Write {{{name}}} into it.")
    if not text.strip():
        yield Mistake(path, "is empty", "Write the text, or take it out.")
    elif key.startswith("mail.") and key.endswith((".subject", ".preheader")) and not text.isprintable():
        yield Mistake(path, "is not one line of visible letters", "Write it on one line.")


def _in_text_messages(profile: Profile, language: str) -> Iterator[Mistake]:
    """Yield why a text message is not one of 160 GSM-7 letters whose last line lets phones offer the code."""
    wording, own = profile.wording.get(language, {}), profile.own_texts.get(language, {})
    name = ("facts", language, "insurer_sms")
    if others := outside_gsm7(profile.facts[language].get("insurer_sms", "")):
        yield Mistake(
            name,
            f"makes each text message several parts: GSM-7, the letters that fit 160 to one, lacks {others}",
            "Write it without them.",
        )
        return
    for key in sorted(key for key in profile.texts.known_keys if key.startswith("sms.")):
        text = profile.texts.template(key, language, {})
        path = (
            ("wording", language, key) if key in wording else ("texts", f"{language}.po", key) if key in own else name
        )
        yield from _several_parts(profile, language, key, text, path)
        if key in {*wording, *own} and "host" in placeholders(text) and text.splitlines()[-1] != "@{host} #{code}":
            mend = "End it with a line “@{host} #{code}”."
            yield Mistake(path, "its last line is not the one by which phones offer the code", mend)


def _several_parts(profile: Profile, language: str, key: str, text: str, path: tuple[str, ...]) -> Iterator[Mistake]:
    if others := outside_gsm7(text):
        yield Mistake(path, f"is sent in several parts: GSM-7 lacks {others}", "Write it without them.")
    elif (count := parts(_longest(profile, key, language))) > 1:
        yield Mistake(
            path,
            f"the text message {key} is sent in {count} parts with it",
            f"Write it shorter: one part is 160 letters, with a host of {_LONGEST_HOST} in the last line.",
        )


def _offered(texts: Texts, key: str) -> set[str]:
    """Return what is filled in a text; all parts of one mail are filled alike."""
    message = ".".join(key.split(".")[:2])
    alike = [one for one in texts.known_keys if one.startswith(f"{message}.")] if key.startswith("mail.") else [key]
    return set().union(*map(texts.offered, alike))


def _longest(profile: Profile, key: str, language: str) -> str:
    given = dict.fromkeys(profile.texts.offered(key) - set(profile.texts.facts(language)), "0" * _LONGEST_FACT)
    longest = {"code": "0" * profile.one_time_code.length, "time": "23:59", "host": "h" * _LONGEST_HOST}
    return profile.texts.say(key, language, **given | longest)


def _named(text: str) -> set[str]:
    try:
        return placeholders(text)
    except Unfillable:
        return set()


def _meant(name: str, known: "set[str] | frozenset[str]", form: str = "“{}”") -> str:
    close = get_close_matches(name, known, 1)
    return f"Write {form.format(close[0])} if that is meant, or take it out." if close else ""


def _listed(names: set[str]) -> str:
    return ", ".join(f"{{{name}}}" for name in sorted(names))
