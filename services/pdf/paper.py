"""What stands on a paper of the insurer's, without a word about how it looks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from services.profiles import Profile


@dataclass(frozen=True)
class Letterhead:
    """Whose paper it is. The colours are `#rrggbb`."""

    insurer: str
    legal_name: str
    postal_address: str
    phone: str
    colour: str
    accent: str

    @classmethod
    def of(cls, profile: Profile, language: str) -> "Letterhead":
        """Return the letterhead of a profile's insurer in `language`, or in its first one if it speaks no `language`.

        A profile whose texts need no legal name or postal address has the insurer's name alone.
        """
        facts = profile.facts[language if language in profile.languages else profile.languages[0]]
        insurer = facts["insurer"]
        return cls(
            insurer=insurer,
            legal_name=facts.get("legal_name", insurer),
            postal_address=facts.get("postal_address", facts["site"]),
            phone=profile.phone_display,
            colour=profile.brand.brand,
            accent=profile.brand.accent,
        )


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    kind: ClassVar[str] = "text"
    text: str


@dataclass(frozen=True)
class Fine:
    """A paragraph in small print."""

    kind: ClassVar[str] = "fine"
    text: str


@dataclass(frozen=True)
class Heading:
    """The heading of the blocks after it."""

    kind: ClassVar[str] = "heading"
    text: str


@dataclass(frozen=True)
class Items:
    """A list."""

    kind: ClassVar[str] = "list"
    items: Sequence[str]


@dataclass(frozen=True)
class Facts:
    """Names with their values, a row each."""

    kind: ClassVar[str] = "facts"
    rows: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Events:
    """When something happened, and what; oldest first."""

    kind: ClassVar[str] = "events"
    rows: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Sums:
    """A table with a head. Its last column holds amounts; `total` is its last row."""

    kind: ClassVar[str] = "table"
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    total: Sequence[str] | None = None


Block = Text | Fine | Heading | Items | Facts | Events | Sums


@dataclass(frozen=True)
class Paper:
    """A paper. `language` is the language of its words, `aside` stands beside the insurer's name."""

    language: str
    title: str
    head: Letterhead
    blocks: Sequence[Block]
    recipient: Sequence[str] = ()
    aside: Sequence[str] = ()

    def as_data(self) -> Mapping[str, Any]:
        """Return it as what JSON can say."""
        return {
            "language": self.language,
            "title": self.title,
            "head": vars(self.head),
            "recipient": list(self.recipient),
            "aside": list(self.aside),
            "blocks": [{"kind": block.kind, **vars(block)} for block in self.blocks],
        }
