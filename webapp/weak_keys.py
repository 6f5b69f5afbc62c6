"""Which secret keys are too weak: what a machine makes at random passes, what a hand makes of patterns does not."""

_LEAST_LENGTH, _LEAST_SIGNS, _LEAST_SURPRISES = 32, 10, 14
_WORDS = (
    "password", "jelszo", "secret", "titkos", "changeme", "change", "please", "belepo", "example", "default", "insert",
    "random", "qwertyuiop", "qwertzuiop", "asdfghjkl", "zxcvbnm", "yxcvbnm",
)  # fmt: skip


def is_weak(key: str) -> bool:
    """Tell whether a key is too short, of too few different characters, or mostly runs, repetitions and such words."""
    return len(key) < _LEAST_LENGTH or len(set(key)) < _LEAST_SIGNS or _surprises(key.lower()) < _LEAST_SURPRISES


def _surprises(key: str) -> int:
    """Return how many characters do not follow from those before them.

    One follows when it repeats the last one, goes on by the same step (abc, 975), or came after the same one before.
    Of 32 random hexadecimal digits, the least that is taken, some 28 surprise (2 more or less); a sentence in English
    may too, so this finds patterns and is no measure of what a person thought up.
    """
    for word in _WORDS:
        key = key.replace(word, "")
    pairs = list(zip(f" {key}", key, strict=False))
    steps = [ord(sign) - ord(before) for before, sign in pairs]
    return sum(
        pair not in pairs[:place] and steps[place] not in (0, steps[place - 1] if place else None)
        for place, pair in enumerate(pairs)
    )
