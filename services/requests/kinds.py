"""Which kinds of requests a customer may make, and for which contracts (P33)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sqlalchemy import select

from services.base import Base
from services.contracts.contract import Contract
from services.contracts.portfolio import Portfolio
from services.profiles.request_kinds import CONTRACT, EMAIL, POLICY_NUMBER, TYPES, Page, Question, RequestKind
from services.refusal import OutOfTurn
from services.requests.applicant import Applicant, By, applicant_of
from services.requests.request import Answers
from services.store.tables.register import customers

_WHO = Page(questions=(Question(name=POLICY_NUMBER, type="text"), Question(name=EMAIL, type="email")))
"""What somebody without an account is asked first (P45)."""


@dataclass(frozen=True)
class Kind:
    """A kind of request, as far as this server asks its questions."""

    name: str
    rules: RequestKind
    pages: tuple[Page, ...]

    @property
    def asks_for_contract(self) -> bool:
        """Whether the customer chooses one of their contracts."""
        return any(one.name == CONTRACT for page in self.pages for one in page.questions)

    @property
    def is_about_contract(self) -> bool:
        """Whether it is about a contract, however that is asked for."""
        return CONTRACT in self.rules.questions

    def path(self, answers: Answers) -> tuple[Page, ...]:
        """Return the pages that these answers ask for, in order."""
        return tuple(page for page in self.pages if page.is_shown(answers))

    def due(self, answers: Answers) -> Page | None:
        """Return the first page that is not answered; None when all are."""
        return next(
            (page for page in self.path(answers) if any(one.name not in answers for one in page.questions)), None
        )

    def kept(self, answers: Answers) -> Answers:
        """Return the answers without those of pages that are not asked any more."""
        # A page may depend on one that depends on another: each is judged by the answers that are left before it.
        left: dict[str, object] = {}
        for page in self.pages:
            if page.is_shown(left):
                left |= {one.name: answers[one.name] for one in page.questions if one.name in answers}
        return left


@dataclass(frozen=True)
class Offer:
    """A kind that a customer may ask for, and the contracts that it may be about."""

    kind: Kind
    contracts: tuple[Contract, ...]

    @property
    def is_suitable(self) -> bool:
        """Whether it can be asked for now: there is a contract for it, or it needs none."""
        return bool(self.contracts) or not self.kind.asks_for_contract


class Kinds:
    """The profile's kinds. `types` are the types of questions that this server can ask; others are left out."""

    def __init__(self, base: Base, portfolio: Portfolio, types: frozenset[str] = frozenset(TYPES)) -> None:
        self._store = base.store
        self._portfolio = portfolio
        self._known: Mapping[str, Kind] = {
            name: Kind(name, rules, _asked(rules, types)) for name, rules in base.profile.requests.items()
        }

    @property
    def has_any(self) -> bool:
        """Whether the insurer takes requests here at all."""
        return bool(self._known)

    def find(self, name: str) -> Kind:
        """Return the kind with this name. Raises OutOfTurn."""
        if name not in self._known:
            raise OutOfTurn
        return self._known[name]

    def claims(self) -> tuple[Offer, ...]:
        """Return what somebody without an account may report (P45)."""
        return tuple(Offer(_of_unknown(kind), ()) for kind in self._known.values() if kind.rules.without_account)

    def claim(self, name: str) -> Offer:
        """Return one kind as somebody without an account may report it. Raises OutOfTurn."""
        found = next((one for one in self.claims() if one.kind.name == name), None)
        if found is None:
            raise OutOfTurn
        return found

    def offers(self, by: By) -> tuple[Offer, ...]:
        """Return what may be asked for, in the profile's order.

        A customer asks for nothing where others manage all contracts (P7); they ask about those contracts (P55).
        """
        who = applicant_of(by)
        assert who.kutid is not None
        contracts = self._portfolio.of_customer(who.kutid)
        own = tuple(one for one in contracts if _acts_for(who, one))
        if contracts and not own:
            return ()
        holder = self._holder(who.kutid)
        return tuple(
            Offer(kind, tuple(one for one in own if self._is_suitable(kind, one)))
            for kind in self._known.values()
            if holder in kind.rules.holders
            # What is about no contract is the customer's own affair.
            if who.policies is None or kind.is_about_contract
        )

    def offer(self, by: By, name: str) -> Offer:
        """Return one kind as the customer may ask for it. Raises OutOfTurn."""
        found = next((one for one in self.offers(by) if one.kind.name == name), None)
        if found is None:
            raise OutOfTurn
        return found

    def _is_suitable(self, kind: Kind, contract: Contract) -> bool:
        rules = kind.rules
        is_product = not rules.products or contract.product in rules.products
        return is_product and contract.state(self._portfolio.today) in rules.contracts

    def _holder(self, kutid: str) -> str:
        query = select(customers.c.holder_type).where(customers.c.kutid == kutid)
        with self._store.read() as connection:
            return str(connection.execute(query).scalar_one())


def _acts_for(who: Applicant, contract: Contract) -> bool:
    if who.policies is not None:
        return contract.number in who.policies
    return contract.account is None or contract.account.is_own


def _of_unknown(kind: Kind) -> Kind:
    """Return a kind as somebody without an account is asked: who it is about, in place of a contract."""
    rest = (_without(page, CONTRACT) for page in kind.pages)
    return replace(kind, pages=(_WHO, *(page for page in rest if page.questions)))


def _without(page: Page, name: str) -> Page:
    return page.model_copy(update={"questions": tuple(one for one in page.questions if one.name != name)})


def _asked(rules: RequestKind, types: frozenset[str]) -> tuple[Page, ...]:
    pages = (
        page.model_copy(update={"questions": tuple(one for one in page.questions if one.type in types)})
        for page in rules.pages
    )
    return tuple(page for page in pages if page.questions)
