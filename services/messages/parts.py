"""How many parts a text message is sent in: providers bill each (3GPP TS 23.038, 23.040)."""

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = frozenset("\f^{}\\[~]|€")
"""Each of these takes the place of two."""


def parts(text: str) -> int:
    """Return in how many parts `text` is sent: one of 160 GSM-7 letters or of 70 others, or several shorter ones.

    A letter that takes two places is not torn between two parts.
    """
    if not outside_gsm7(text):
        return _count([2 if sign in _EXTENSION else 1 for sign in text], alone=160, joined=153)
    return _count([len(sign.encode("utf-16-be")) // 2 for sign in text], alone=70, joined=67)


def outside_gsm7(text: str) -> str:
    """Return the letters of `text` that GSM-7 lacks, each once, with commas: any of them makes its parts shorter."""
    return ", ".join(dict.fromkeys(sign for sign in text if sign not in _BASIC | _EXTENSION))


def _count(places: list[int], *, alone: int, joined: int) -> int:
    if sum(places) <= alone:
        return 1
    count, used = 1, 0
    for place in places:
        if used + place > joined:
            count, used = count + 1, 0
        used += place
    return count
