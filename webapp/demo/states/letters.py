"""Letters: the password of electronic correspondence."""

from webapp.demo.states.catalogue import state
from webapp.demo.states.walker import PASSWORD, Walker

_LETTERS, _MAILED = "letters", "encrypted_mail"
_OWN, _WRONG = "Kaktusz-2026", "Nem-ez-az-1"


@state(_LETTERS, letters=_MAILED)
def letter_password(walker: Walker) -> None:
    """The birth number's last digits open the letters."""
    _open(walker)


@state(_LETTERS, letters=_MAILED)
def letter_password_own(walker: Walker) -> None:
    """A password of the customer's own was just set."""
    _set(walker)


@state(_LETTERS, letters=_MAILED, status=422)
def letter_password_empty(walker: Walker) -> None:
    """Nothing was filled in."""
    _open(walker)
    walker.send("letter-password")


@state(_LETTERS, letters=_MAILED, status=422)
def letter_password_short(walker: Walker) -> None:
    """The password is too short."""
    _set(walker, "Abc-12")


@state(_LETTERS, letters=_MAILED, status=422)
def letter_password_long(walker: Walker) -> None:
    """The password is too long for a text message."""
    _set(walker, _OWN * 2)


@state(_LETTERS, letters=_MAILED, status=422)
def letter_password_malformed(walker: Walker) -> None:
    """It has letters that not every reader knows."""
    _set(walker, "Kaktúsz-2026")


@state(_LETTERS, letters=_MAILED, status=422)
def letter_password_common(walker: Walker) -> None:
    """Many people use it."""
    _set(walker, "password123")


@state(_LETTERS, letters=_MAILED, status=422)
def letter_password_like_the_sign_in(walker: Walker) -> None:
    """It is the password of the account."""
    _set(walker, PASSWORD)


@state(_LETTERS, letters=_MAILED, status=422)
def letter_password_birth_number(walker: Walker) -> None:
    """It has the digits of the birth number."""
    _set(walker, f"a-{walker.customer.identification['birth_number'][-6:]}")


@state(_LETTERS, letters=_MAILED, status=422)
def letter_password_same(walker: Walker) -> None:
    """It opens the letters already."""
    _set(walker)
    _send(walker, _OWN)


@state(_LETTERS, letters=_MAILED, status=422)
def letter_password_unlike(walker: Walker) -> None:
    """It was not the same the second time."""
    _open(walker)
    walker.send("letter-password", letter_password=_OWN, letter_password_confirm=_WRONG, current_password=PASSWORD)


@state(_LETTERS, letters=_MAILED)
def letter_password_right(walker: Walker) -> None:
    """The tried password opens the letters."""
    _set(walker)
    walker.send("letter-password-try", try_password=_OWN)


@state(_LETTERS, letters=_MAILED, status=422)
def letter_password_wrong(walker: Walker) -> None:
    """The tried password does not."""
    _set(walker)
    walker.send("letter-password-try", try_password=_WRONG)


@state(_LETTERS, letters=_MAILED, status=422)
def letter_password_try_empty(walker: Walker) -> None:
    """Nothing was tried."""
    _open(walker)
    walker.send("letter-password-try")


@state(_LETTERS, letters=_MAILED, status=429)
def letter_password_no_tries(walker: Walker) -> None:
    """The tries are used up."""
    _set(walker)
    for _ in range(walker.parts.profile.letter_password.tries + 1):
        walker.send("letter-password-try", try_password=_WRONG)


@state(_LETTERS, letters=_MAILED, moves_clock=True)
def letter_password_sent(walker: Walker) -> None:
    """It was sent to the mobile."""
    _set(walker)
    walker.advance(seconds=walker.parts.profile.one_time_code.again_seconds)
    walker.send("letter-password-sms")


@state(_LETTERS, letters=_MAILED, status=422)
def letter_password_sent_too_early(walker: Walker) -> None:
    """A code was sent a moment ago, from the same allowance."""
    _set(walker)
    walker.send("letter-password-sms")


def _open(walker: Walker) -> None:
    walker.open_active_account()
    walker.visit("letter_password.show")


def _set(walker: Walker, new: str = _OWN) -> None:
    _open(walker)
    _send(walker, new)


def _send(walker: Walker, new: str) -> None:
    walker.send("letter-password", letter_password=new, letter_password_confirm=new, current_password=PASSWORD)
