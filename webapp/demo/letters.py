"""The letters that a demonstration begins with: real, tagged PDF files of invented content (P56)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import select

from services.base import Base
from services.gateways.storage import Storage
from services.letters.past import PastLetter, add_past_letters
from services.letters.publishing import NewLetter
from services.pdf import Paper, typeset
from services.store.tables.register import customers, policies
from webapp.demo.papers import LANGUAGES, Contract, Recipient, Writer, as_page

ANNA, ILONA, LASZLO = "10000001", "10000004", "10000007"
"""The customers of the contract's table who have other letters than all the rest, by KÜTID; Ilona has none."""
YEARS = 3
_made: dict[Paper, bytes] = {}
"""What was typeset already: letters of several years share a file, and so do the demonstrations of one process."""


@dataclass(frozen=True)
class _Customer:
    kutid: str
    name: str
    postal_code: str
    contracts: tuple[Contract, ...]

    @property
    def recipient(self) -> Recipient:
        """To whom this customer's letters are addressed."""
        return Recipient(self.name, self.postal_code)

    @property
    def first(self) -> Contract:
        """A contract that is live, if any is."""
        return min(self.contracts, key=lambda one: (not one.is_live, one.policy_number))


def add_letters(base: Base, storage: Storage) -> None:
    """Give the demonstration's customers their letters. Raises StorageUnavailable."""
    language = next((one for one in base.profile.languages if one in LANGUAGES), None)
    if language is None:
        return  # an insurer's own profile, which speaks others
    scribe = _Scribe(base, language)
    past = [letter for customer in _customers(base) for letter in scribe.letters(customer)]
    add_past_letters(base.store, storage, past)


def _customers(base: Base) -> Iterator[_Customer]:
    query = (
        select(customers.c.kutid, customers.c.name, customers.c.postal_code)
        .add_columns(policies.c.policy_number, policies.c.product, policies.c.status)
        .join_from(customers, policies)
        .order_by(customers.c.kutid, policies.c.policy_number)
    )
    found: dict[str, _Customer] = {}
    with base.store.read() as connection:
        for row in connection.execute(query):
            contract = Contract(row.policy_number, row.product or "", row.status == "live")
            one = found.get(row.kutid) or _Customer(row.kutid, row.name, row.postal_code or "", ())
            found[row.kutid] = replace(one, contracts=(*one.contracts, contract))
    return iter(found.values())


class _Scribe:
    """Writes the letters of one demonstration."""

    def __init__(self, base: Base, language: str) -> None:
        self._zone = base.profile.zone
        self._language = language
        self._writer = Writer(base.profile, language)
        self._papers: dict[tuple[str, str], Paper] = {}
        self._files: dict[int, tuple[Paper, bytes, Mapping[str, Any]]] = {}
        self._today = base.clock.now().astimezone(self._zone).date()

    def letters(self, customer: _Customer) -> Iterator[PastLetter]:
        """Yield a customer's letters, oldest first."""
        if customer.kutid == ANNA:
            yield from sorted(self._of_years(customer), key=lambda one: one.published_at)
        elif customer.kutid == LASZLO:
            yield from self._withdrawn_and_replaced(customer)
        elif customer.kutid != ILONA:
            yield from self._three(customer)

    def _three(self, customer: _Customer) -> Iterator[PastLetter]:
        """Yield what everybody has; the files are the same for all, so that loading stays quick."""
        contract = customer.first
        policy, certificate, request = (self._today - timedelta(days=days) for days in (320, 75, 6))
        yield self._letter(customer, contract, "policy", policy, self._shared("policy", contract), is_opened=True)
        yield self._letter(customer, contract, "certificate", certificate, self._shared("certificate", contract))
        last = "payment_request" if contract.is_live else "notice"
        yield self._letter(customer, contract, last, request, self._shared(last, contract))

    def _shared(self, kind: str, contract: Contract) -> Paper:
        """Return the paper of this kind that everybody with such a contract has."""
        key = kind, contract.product if kind == "policy" else ""
        if key not in self._papers:
            self._papers[key] = {
                "policy": lambda: self._writer.policy(contract),
                "certificate": lambda: self._writer.certificate((self._today - timedelta(days=75)).year),
                "payment_request": lambda: self._writer.payment_request(self._today + timedelta(days=30)),
                "notice": self._writer.ended,
            }[kind]()
        return self._papers[key]

    def _withdrawn_and_replaced(self, customer: _Customer) -> Iterator[PastLetter]:
        contract, share = customer.first, self._shared
        days = {name: self._today - timedelta(days=ago) for name, ago in
                (("policy", 320), ("wrong", 80), ("right", 75), ("sent", 12), ("request", 6))}  # fmt: skip
        mistaken = self._writer.certificate(days["wrong"].year - 1)
        yield self._letter(customer, contract, "policy", days["policy"], share("policy", contract), is_opened=True)
        yield (wrong := self._letter(customer, contract, "certificate", days["wrong"], mistaken, is_opened=True))
        right = self._letter(customer, contract, "certificate", days["right"], share("certificate", contract))
        yield replace(right, letter=replace(right.letter, replaces=wrong.id))
        sent = self._letter(customer, contract, "payment_request", days["sent"], share("payment_request", contract))
        yield replace(
            sent,
            withdrawn_at=sent.published_at + timedelta(days=2, hours=1),
            withdrawn_reason=self._writer.reason,
        )
        yield self._letter(customer, contract, "payment_request", days["request"], share("payment_request", contract))

    def _of_years(self, customer: _Customer) -> Iterator[PastLetter]:
        """Yield forty letters over three years: all are opened but the last ones."""
        for year in range(YEARS):
            ago = timedelta(days=365 * (YEARS - 1 - year))
            for contract in customer.contracts:
                yield from self._of_a_year(customer, contract, ago)
        day = self._today - timedelta(days=3)
        notice = self._letter(customer, None, "notice", day, self._writer.notice(customer.recipient))
        yield replace(notice, letter=replace(notice.letter, confirm_by=self._today + timedelta(days=14)))

    def _of_a_year(self, customer: _Customer, contract: Contract, ago: timedelta) -> Iterator[PastLetter]:
        write, to, newest = self._writer, customer.recipient, self._today - ago
        year, is_over = (newest - timedelta(days=300)).year, bool(ago)
        dues = tuple(newest + timedelta(days=days) for days in (-250, -160, -70, 20))
        yield self._letter(
            customer, contract, "policy", newest - timedelta(days=300), write.policy(contract, to), is_opened=True
        )
        yield self._letter(
            customer, contract, "certificate", newest - timedelta(days=40), write.certificate(year, contract, to),
            is_opened=is_over,
        )  # fmt: skip
        paper = write.instalments(contract, to, dues)
        for index, due in enumerate(dues):
            day = due - timedelta(days=30)
            yield self._letter(
                customer, contract, "payment_request", day, paper, is_opened=is_over or index < len(dues) - 1
            )
        if contract.product == "motor":
            day = newest - timedelta(days=20)
            notice = self._letter(
                customer, contract, "premium_notice", day, write.next_premium(contract, to, newest.year + 1),
                is_opened=is_over,
            )  # fmt: skip
            yield replace(notice, letter=replace(notice.letter, latest_on=day + timedelta(days=50)))

    def _letter(
        self,
        customer: _Customer,
        contract: Contract | None,
        kind: str,
        day: date,
        paper: Paper,
        *,
        is_opened: bool = False,
    ) -> PastLetter:
        published = datetime.combine(day, time(9, 2, 11), self._zone)
        content, data = self._typeset(paper, published)
        return PastLetter(
            NewLetter(
                kutid=customer.kutid,
                type=kind,
                title=paper.title,
                issued_on=day,
                language=self._language,
                policy_number=contract.policy_number if contract else None,
                data=data,
            ),
            content,
            published,
            notified_at=published + timedelta(seconds=53),
            opened_at=published + timedelta(days=1, hours=9, minutes=19) if is_opened else None,
        )

    def _typeset(self, paper: Paper, at: datetime) -> tuple[bytes, Mapping[str, Any]]:
        """Return a paper's file, and what it says, for its page (P16)."""
        if id(paper) not in self._files:
            if paper not in _made:
                _made[paper] = typeset(paper, at)
            self._files[id(paper)] = (
                paper,
                _made[paper],
                as_page(paper),
            )  # held with the paper, so that its id stays its own
        _, content, data = self._files[id(paper)]
        return content, data
