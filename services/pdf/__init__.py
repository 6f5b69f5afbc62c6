"""PDF files: typeset by us, tagged for screen readers; encrypted for who knows a password (P18, P25, section 9)."""

from services.pdf.encryption import encrypted
from services.pdf.paper import Block, Events, Facts, Fine, Heading, Items, Letterhead, Paper, Sums, Text
from services.pdf.typesetting import typeset

__all__ = [
    "Block",
    "Events",
    "Facts",
    "Fine",
    "Heading",
    "Items",
    "Letterhead",
    "Paper",
    "Sums",
    "Text",
    "encrypted",
    "typeset",
]
