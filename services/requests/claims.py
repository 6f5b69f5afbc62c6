"""Claims of people without an account: counted when begun, and attached to the account that they open (P45)."""

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, select, update

from services import audit, events
from services.accounts import Session
from services.base import Base
from services.limits.allowances import Allowances
from services.profiles.request_kinds import CONTRACT, EMAIL, POLICY_NUMBER
from services.refusal import Refusal
from services.requests import rows
from services.requests.applicant import Applicant
from services.requests.files import RequestFiles
from services.requests.kinds import Kind
from services.requests.request import CUSTOMER, Event, Request
from services.store.tables.register import policies
from services.store.tables.requests import requests
from services.values import email_addresses, identifiers
from services.values.networks import network_of

_HOUR = timedelta(hours=1)
BEGUN_AN_HOUR = 200
"""Claims that one network may begin in an hour: enough for an office behind one address, too few for a flood."""
_LONGEST_NUMBER = 32


class Claims:
    """What is different about claims without an account. Nothing here tells who is insured."""

    def __init__(self, base: Base, allowances: Allowances, files: RequestFiles | None = None) -> None:
        self._store = base.store
        self._clock = base.clock
        self._allowances = allowances
        self._files = files

    def count(self, connection: Connection, source: str, now: datetime) -> None:
        """Count a claim that a network begins, in the caller's transaction. Raises Refusal ``claim.too_many``."""
        key = self._allowances.key("claims", network_of(source))
        until = self._allowances.take_of_window(connection, key, limit=BEGUN_AN_HOUR, window=_HOUR, now=now)
        if until is not None:
            raise Refusal("claim", "too_many", at=until)

    def of_unknown(self, request: Request, kind: Kind, who: Applicant) -> Request:
        """Return a claim as it is sent without an account: the policy number is as typed, and judged by nobody."""
        answers = dict(request.answers)
        email, number = str(answers.pop(EMAIL)), _number(str(answers.pop(POLICY_NUMBER)))
        if kind.is_about_contract:
            answers[CONTRACT] = number
        return replace(
            request, policy_number=number, answers=answers, asker=who.asker, email=email, language=who.language
        )

    def find(self, who: Applicant, request_id: str) -> Request | None:
        """Return a claim that this browser has sent; None for any other."""
        own = requests.c.asker == who.asker, requests.c.id == request_id
        with self._store.read() as connection:
            row = connection.execute(rows.REQUEST.where(*own)).first()
        return Request(**row._mapping) if row else None

    def attach(self, session: Session) -> int:
        """Make claims without an account requests of this customer, and return how many.

        They are those with the account's address, which is confirmed, and the number of a policy of the customer's.
        """
        account, now = session.account, self._clock.now()
        is_unknown = requests.c.kutid.is_(None), requests.c.email_key == email_addresses.key_of(account.email)
        with self._store.read() as connection:
            if connection.execute(select(requests.c.id).where(*is_unknown)).first() is None:
                return 0
        own = select(policies.c.policy_number).where(policies.c.kutid == account.kutid)
        known = (
            update(requests)
            .where(*is_unknown, requests.c.policy_number.in_(own))
            .values(kutid=account.kutid, asker=None, email=None, email_key=None, language=None)
            .returning(requests.c.id)
        )
        with self._store.write() as connection:
            attached = connection.execute(known).scalars().all()
            for request_id in attached:
                rows.note(connection, request_id, "attached", now, CUSTOMER)
                audit.record(connection, "claim_attached", kutid=account.kutid, at=now, request=request_id)
                events.note(connection, "request.attached", now, kutid=account.kutid, request=request_id)
                if self._files is not None:
                    self._files.belong(connection, request_id, account.kutid)
        return len(attached)


def was_attached(happened: tuple[Event, ...]) -> bool:
    """Tell whether a request was a claim without an account."""
    return any(one.type == "attached" for one in happened)


def _number(typed: str) -> str:
    try:
        return identifiers.policy_number(typed)
    except Refusal:
        return typed[:_LONGEST_NUMBER]
