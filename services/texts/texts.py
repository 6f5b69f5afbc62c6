"""Every word that a customer reads, by key and language."""

from collections import ChainMap
from collections.abc import Mapping
from functools import cached_property, lru_cache
from importlib.resources import files
from pathlib import Path
from string import Formatter
from types import MappingProxyType
from typing import Any

from babel import Locale
from babel.messages.pofile import PoFileError, read_po

_FALLBACK = ("en", "hu")
_NOTHING: Mapping[str, Mapping[str, str]] = MappingProxyType({})
_FORMS = ("none", "one", "two", "few", "many", "other")


@lru_cache
def _catalogue(language: str) -> Mapping[str, str]:
    with (files("services.texts") / "catalogues" / f"{language}.po").open("rb") as file:
        return {str(entry.id): str(entry.string) for entry in read_po(file) if entry.id and entry.string}


def has_catalogue(language: str) -> bool:
    """Tell whether there are texts in `language`."""
    return (files("services.texts") / "catalogues" / f"{language}.po").is_file()


def read_catalogue(file: Path) -> Mapping[str, str]:
    """Return the texts of an insurer's own catalogue by their keys. Raises ValueError where it cannot be read."""
    try:
        with file.open("rb") as opened:
            entries = read_po(opened, abort_invalid=True)
    except (OSError, UnicodeDecodeError, PoFileError) as error:
        raise ValueError(f"cannot be read: {error}") from error
    return {str(entry.id): str(entry.string) for entry in entries if entry.id and entry.string}


class MissingText(KeyError):
    """There is no text with this key in any language."""


class Unfillable(ValueError):
    """The braces of a text are not those of placeholders; the message says which."""


def placeholders(text: str) -> set[str]:
    """Return the names of the placeholders in a text. Raises Unfillable where the braces are something else."""
    names = set()
    try:
        for _, name, form, conversion in Formatter().parse(text):
            if name is not None and (form or conversion or not name.isidentifier()):
                raise Unfillable(f"“{{{name}}}” is no placeholder")
            names.add(name or "")
    except Unfillable:
        raise
    except ValueError:
        raise Unfillable("a brace stands alone; a brace that is to be read is written twice") from None
    return names - {""}


class Texts:
    """The catalogues in one profile's voice.

    `facts` are the profile's own placeholders ({insurer}, {phone} …) by language, `wording` the texts that
    the profile words differently, and `own` the insurer's catalogues, which come between those and ours.
    """

    def __init__(
        self,
        languages: tuple[str, ...],
        facts: Mapping[str, Mapping[str, Any]],
        wording: Mapping[str, Mapping[str, str]],
        own: Mapping[str, Mapping[str, str]] = _NOTHING,
    ) -> None:
        self.languages = languages
        self._facts = facts
        self._own = own
        self._layers = {code: [wording.get(code, {}), *self._catalogues_for(code)] for code in languages}
        self._plural = {language: Locale.parse(language).plural_form for language in languages}

    def has(self, key: str, language: str) -> bool:
        """Tell whether there is a text, or a plural family of texts, with this key."""
        return any(key in texts or f"{key}.other" in texts for texts in self._layers[language])

    @cached_property
    def known_keys(self) -> frozenset[str]:
        """The keys of all texts of the catalogues."""
        return self._keys_of_ours | {key for texts in self._own.values() for key in texts}

    @cached_property
    def _keys_of_ours(self) -> frozenset[str]:
        return frozenset(key for language in self._catalogues for key in _catalogue(language))

    def _catalogues_for(self, code: str) -> list[Mapping[str, str]]:
        return [
            texts
            for language in dict.fromkeys((code, *_FALLBACK))
            for texts in (self._own.get(language, {}), _catalogue(language))
            if texts
        ]

    def is_known(self, key: str) -> bool:
        """Tell whether the catalogues have a text with exactly this key."""
        return key in self.known_keys

    @property
    def _catalogues(self) -> tuple[str, ...]:
        return (*self.languages, *_FALLBACK)

    def spoken(self, language: str) -> Mapping[str, str]:
        """Return all texts that may be said in `language`, by key, with their placeholders unfilled."""
        return ChainMap(*map(dict, self._layers[language]))

    def offered(self, key: str) -> set[str]:
        """Return the placeholders that whoever asks for this text fills: those that any catalogue has in it.

        The plural forms of one text are filled alike. What an insurer's catalogue adds to a text of ours is not filled.
        """
        stem, _, form = key.rpartition(".")
        alike = [f"{stem}.{other}" for other in _FORMS] if form in _FORMS else [key]
        is_ours = any(one in self._keys_of_ours for one in alike)
        catalogues = [_catalogue(code) for code in self._catalogues] if is_ours else list(self._own.values())
        return set().union(*(placeholders(texts.get(one, "")) for texts in catalogues for one in alike))

    def template(self, key: str, language: str, facts: Mapping[str, Any]) -> str:
        """Return the text with its placeholders unfilled; where it comes in plural forms, the one that fits.

        The form follows the first whole number among `facts`. Raises KeyError for an unknown key.
        """
        for texts in self._layers[language]:
            text = texts.get(key) or self._form(texts, key, language, facts)
            if text is not None:
                return text
        raise MissingText(key)

    def _form(self, texts: Mapping[str, str], key: str, language: str, facts: Mapping[str, Any]) -> str | None:
        # A language that needs fewer forms has only `other`: it comes before another language's exact form.
        if f"{key}.other" not in texts and f"{key}.none" not in texts:
            return None
        number = next(fact for fact in facts.values() if isinstance(fact, int))
        forms = ("none",) if number == 0 else ()
        return next(
            (
                texts[f"{key}.{form}"]
                for form in (*forms, self._plural[language](number), "other")
                if f"{key}.{form}" in texts
            ),
            None,
        )

    def facts(self, language: str) -> Mapping[str, Any]:
        """Return the profile's placeholders in this language."""
        return self._facts[language]

    def say(self, key: str, language: str, **facts: Any) -> str:
        """Return the plain text of `key`, filled with the profile's facts and `facts`."""
        return self.template(key, language, facts).format_map({**self._facts[language], **facts})
