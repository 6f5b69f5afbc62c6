"""The portal: home, settings, letters."""

from datetime import date, timedelta
from typing import Any

from sqlalchemy import select

from services.letters.past import PastLetter, add_past_letters
from services.letters.publishing import NewLetter
from services.store.tables.register import policies
from webapp.demo.states.catalogue import state
from webapp.demo.states.walker import Walker

_PORTAL = "the portal"
_PDF = (
    b"%PDF-1.7\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n"
    b"2 0 obj\n<</Type/Pages/Kids[3 0 R]/Count 1>>\nendobj\n"
    b"3 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>\nendobj\n"
    b"xref\n0 4\n0000000000 65535 f \n0000000009 00000 n \n0000000054 00000 n \n0000000105 00000 n \n"
    b"trailer\n<</Size 4/Root 1 0 R>>\nstartxref\n170\n%%EOF\n"
)
"""An empty page: what a letter looks like is not the states' matter."""
SAID = {
    "text": ["Tisztelt Ügyfelünk!", "Biztosításának következő évi díja az alábbiak szerint alakul."],
    "Tételek": [
        {"Tétel": "Alapdíj, B10 besorolással", "Összeg": "88 200 Ft"},
        {"Tétel": "Biztosítási adó", "Összeg": "20 300 Ft"},
        {"Tétel": "Éves díj", "Összeg": "108 500 Ft"},
    ],
    "Fizetési határidő": "2027. január 15.",
}


def publish(walker: Walker, letter_type: str = "payment_request", title: str = "Díjbekérő", **facts: Any) -> str:
    """Publish a letter to the walker, and return its id."""
    numbers = select(policies.c.policy_number).where(policies.c.kutid == walker.customer.kutid)
    with walker.parts.store.read() as connection:
        number = connection.execute(numbers.order_by(policies.c.policy_number)).scalars().first()
    letter = NewLetter(
        kutid=walker.customer.kutid,
        type=letter_type,
        title=title,
        issued_on=facts.pop("issued_on", day(walker)),
        language=walker.parts.profile.languages[0],
        policy_number=number,
        **facts,
    )
    return walker.parts.portal.letters.publishing.publish(letter, _PDF, actor="insurer")


def _publish_late(walker: Walker) -> None:
    """Put in a letter whose latest day was yesterday: none is published so."""
    parts = walker.parts
    letter = NewLetter(
        kutid=walker.customer.kutid,
        type="claim_decision",
        title="Döntés a kárügyében",
        issued_on=day(walker, -9),
        language=parts.profile.languages[0],
        latest_on=day(walker, -1),
    )
    past = PastLetter(letter, _PDF, published_at=parts.clock.now() - timedelta(days=9))
    add_past_letters(parts.store, parts.portal.storage, [past])


def day(walker: Walker, days: int = 0) -> date:
    """Return the day that it is, or one that many days later."""
    return walker.parts.clock.now().astimezone(walker.parts.profile.zone).date() + timedelta(days=days)


def _publish_some(walker: Walker) -> list[str]:
    """Publish letters of each kind that a list can show, oldest first."""
    certificate = publish(walker, "certificate", "Díjigazolás", issued_on=day(walker, -300))
    walker.visit("letter.show", letter_id=certificate)
    withdrawn = publish(walker, issued_on=day(walker, -120))
    walker.parts.portal.letters.publishing.withdraw(withdrawn, "Téves összeg", actor="insurer")
    policy = publish(walker, "policy", "Kötvény", issued_on=day(walker, -60), confirm_by=day(walker, 20))
    walker.visit("letter.show", letter_id=policy)
    walker.send("letter-confirm")
    request = publish(walker, issued_on=day(walker, -3))
    notice = publish(
        walker, "premium_notice", "Díjértesítő a következő évre", latest_on=day(walker, 6), confirm_by=day(walker, 6),
        data=SAID,
    )  # fmt: skip
    return [certificate, withdrawn, policy, request, notice]


@state(_PORTAL)
def home_due(walker: Walker) -> None:
    """Letters wait for the customer, one by a day."""
    walker.open_active_account()
    _publish_some(walker)
    _publish_late(walker)
    publish(walker, "notice", "Tájékoztatás", latest_on=day(walker))
    walker.visit("home.show")


@state(_PORTAL)
def home_unread(walker: Walker) -> None:
    """A letter is unread, and nothing is due."""
    walker.open_active_account()
    publish(walker)
    walker.visit("home.show")


@state(_PORTAL)
def settings(walker: Walker) -> None:
    """What the account holds."""
    walker.open_active_account()
    walker.visit("account.overview")


@state(_PORTAL)
def letters_none(walker: Walker) -> None:
    """No letter was sent yet."""
    walker.open_active_account()
    walker.visit("letters.show")


@state(_PORTAL)
def letters(walker: Walker) -> None:
    """Letters, read and unread."""
    walker.open_active_account()
    _publish_some(walker)
    walker.visit("letters.show")


@state(_PORTAL)
def letters_many(walker: Walker) -> None:
    """More letters than a page holds; this is the second page."""
    walker.open_active_account()
    for number in range(45):
        publish(walker, issued_on=day(walker, number - 60))
    walker.visit("letters.show")
    walker.follow("next")


@state(_PORTAL)
def letters_found(walker: Walker) -> None:
    """A search and filters in use."""
    letters(walker)
    walker.visit("letters.show", q="díj", type="payment_request", year=day(walker, -3).year, unread=1)


@state(_PORTAL)
def letters_not_found(walker: Walker) -> None:
    """Nothing is found."""
    letters(walker)
    walker.visit("letters.show", q="nincs")


@state(_PORTAL)
def letters_all_read(walker: Walker) -> None:
    """Only unread letters are asked for, and there is none."""
    walker.open_active_account()
    walker.visit("letter.show", letter_id=publish(walker))
    walker.visit("letters.show", unread=1)


@state(_PORTAL)
def letter(walker: Walker) -> None:
    """A letter that is a file alone."""
    walker.open_active_account()
    walker.visit("letter.show", letter_id=publish(walker))


@state(_PORTAL)
def letter_to_confirm(walker: Walker) -> None:
    """A letter with its page, to be confirmed."""
    walker.open_active_account()
    walker.visit("letter.show", letter_id=_publish_some(walker)[-1])


@state(_PORTAL)
def letter_to_confirm_late(walker: Walker) -> None:
    """The day for confirming is over."""
    walker.open_active_account()
    walker.visit("letter.show", letter_id=publish(walker, "policy", "Kötvény", confirm_by=day(walker, -2)))


@state(_PORTAL)
def letter_confirmed(walker: Walker) -> None:
    """The customer has confirmed having read it."""
    letter_to_confirm(walker)
    walker.send("letter-confirm")


@state(_PORTAL)
def letter_replaced(walker: Walker) -> None:
    """A newer letter has taken its place."""
    walker.open_active_account()
    older = publish(walker, issued_on=day(walker, -2))
    publish(walker, replaces=older)
    walker.visit("letter.show", letter_id=older)


@state(_PORTAL)
def letter_replacing(walker: Walker) -> None:
    """It took the place of an older letter."""
    walker.open_active_account()
    older = publish(walker, issued_on=day(walker, -2))
    walker.visit("letter.show", letter_id=publish(walker, replaces=older))


@state(_PORTAL, status=410)
def letter_withdrawn(walker: Walker) -> None:
    """The insurer has taken it back."""
    walker.open_active_account()
    walker.visit("letter.show", letter_id=_publish_some(walker)[1])


@state(_PORTAL)
def letter_delivery(walker: Walker) -> None:
    """How a letter came to the customer."""
    walker.open_active_account()
    walker.visit("letter.delivery", letter_id=_publish_some(walker)[2])


@state(_PORTAL, status=403)
def other_account(walker: Walker) -> None:
    """A mail's link was opened in the account of another customer."""
    walker.open_active_account()
    somebody = walker.another()
    somebody.be(walker.cast.somebody())
    walker.visit("letter.show", letter_id=publish(somebody))
