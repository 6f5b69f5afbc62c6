"""A request before it is sent: kept on the server from the first answer, gone on with on any device (P35, P36)."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from services import events, randomness
from services.base import Base
from services.crash_points import reach
from services.profiles.request_kinds import CONTRACT, Page
from services.randomness import opaque_id
from services.refusal import OutOfTurn, Refusal
from services.requests import rows
from services.requests.applicant import By, applicant_of
from services.requests.claims import Claims
from services.requests.files import RequestFiles
from services.requests.kinds import Kinds, Offer
from services.requests.mails import RequestMails
from services.requests.reading import Reader
from services.requests.request import CUSTOMER, Answers, Draft, Request
from services.store.statements import insert_for
from services.store.tables.requests import request_drafts, requests
from services.values import email_addresses

_FIRST_LETTER = "U-"
_SATURDAY = 5


class Drafts:
    """Begins, fills in and sends requests. Somebody else's raises OutOfTurn, as one that never was.

    Each public method is one transaction, and each change one conditional UPDATE: of two at once one counts.
    """

    def __init__(
        self, base: Base, kinds: Kinds, mails: RequestMails, claims: Claims, files: RequestFiles | None = None
    ) -> None:
        self._store = base.store
        self._clock = base.clock
        self._profile = base.profile
        self._kinds = kinds
        self._mails = mails
        self._claims = claims
        self._files = files

    @property
    def reader(self) -> Reader:
        """What answers are read by at this moment."""
        profile = self._profile
        return Reader(profile.country, profile.languages, self._clock.now().astimezone(profile.zone))

    def all(self, by: By) -> tuple[Draft, ...]:
        """Return the customer's drafts, the oldest first."""
        query = rows.DRAFT.where(_is_own(by)).order_by(request_drafts.c.begun_at, request_drafts.c.id)
        with self._store.read() as connection:
            return tuple(Draft(**row._mapping) for row in connection.execute(query))

    def find(self, by: By, kind: str) -> Draft | None:
        """Return the customer's draft of a kind, or None where none is begun."""
        with self._store.read() as connection:
            row = connection.execute(rows.DRAFT.where(_is_own(by), request_drafts.c.kind == kind)).first()
        return Draft(**row._mapping) if row else None

    def begin(self, by: By, offer: Offer) -> Draft:
        """Return a draft of the kind, begun now unless there is one. Raises OutOfTurn where it cannot be asked for."""
        if not offer.is_suitable:
            raise OutOfTurn
        now, kind, who = self._clock.now(), offer.kind.name, applicant_of(by)
        draft = Draft(opaque_id(), kind, {}, None, 0, now, now)
        # A customer's own draft bears the customer's id alone, that of somebody else the asker alone.
        own = {"kutid": who.kutid} if who.asker is None else {"asker": who.asker}
        with self._store.write() as connection:
            begun = insert_for(connection, request_drafts).values(**own, **vars(draft))
            unless_begun = begun.on_conflict_do_nothing(index_elements=[*own, "kind"])
            if connection.execute(unless_begun).rowcount:
                if who.is_unknown:
                    self._claims.count(connection, who.source, now)
                elif who.asker is None:
                    self._mails.will_erase(connection, str(who.kutid), draft)
                return draft
            known = rows.DRAFT.where(_is_own(by), request_drafts.c.kind == kind)
            return Draft(**connection.execute(known).one()._mapping)

    def save(self, by: By, offer: Offer, page: Page, answers: Answers) -> Draft:
        """Keep the answers to a page, which begins the draft where there is none; return it as it is then.

        Answers of pages that are not asked any more are dropped. Raises OutOfTurn for a page that is not due yet,
        Refusal ``contract.unsuitable`` for a contract that the kind cannot be asked for.
        """
        known = self.find(by, offer.kind.name)
        _check_contract(offer, answers)
        if not _is_reached(offer, known.answers if known else {}, page):
            raise OutOfTurn
        draft = known or self.begin(by, offer)
        kept = offer.kind.kept({**draft.answers, **answers})
        return self._change(by, draft, answers=dict(kept), typed=None)

    def keep(self, by: By, offer: Offer, typed: Mapping[str, str]) -> Draft:
        """Keep what was typed into a page that is left before it is answered; return the draft. Raises OutOfTurn."""
        draft = self.find(by, offer.kind.name) or self.begin(by, offer)
        return self._change(by, draft, typed=dict(typed))

    def count_files(self, draft_id: str, question: str) -> int:
        """Return how many files a draft has for a question."""
        return len(self._files.all(draft_id, question)) if self._files else 0

    def discard(self, by: By, kind: str) -> None:
        """Erase the customer's draft of a kind. Raises OutOfTurn where there is none."""
        with self._store.write() as connection:
            gone = delete(request_drafts).where(_is_own(by), request_drafts.c.kind == kind)
            row = connection.execute(gone.returning(request_drafts.c.id)).first()
            if row is None:
                raise OutOfTurn
            self._mails.forget(connection, row.id)
            if self._files is not None:
                self._files.forget(connection, row.id)

    def send(self, by: By, offer: Offer, draft_id: str) -> Request:
        """Send a draft, once: the row of the draft goes, that of the request comes, and the mail with it.

        Raises OutOfTurn when it is sent already or not answered to the end, Refusal ``contract.ended`` when its
        contract cannot be asked about any more.
        """
        now, who = self._clock.now(), applicant_of(by)
        with self._store.write() as connection:
            taken = delete(request_drafts).where(_is_own(by), request_drafts.c.id == draft_id)
            row = connection.execute(taken.returning(*rows.DRAFT.selected_columns)).first()
            if row is None or row.kind != offer.kind.name or offer.kind.due(row.answers) is not None:
                raise OutOfTurn
            answers = offer.kind.kept(row.answers)
            if answers.get(CONTRACT) and not _has_contract(offer, str(answers[CONTRACT])):
                raise Refusal(CONTRACT, "ended")
            promised_on = working_days_after(now.astimezone(self._profile.zone).date(), offer.kind.rules.days)
            request = Request(
                id=row.id, reference=_new_reference(connection), number=None, kutid=who.kutid,
                kind=row.kind, policy_number=answers.get(CONTRACT), state="sent", answers=dict(answers),
                sent_at=now, promised_on=promised_on, answer_by=None, changed_at=now, ended_at=None,
            )  # fmt: skip
            if who.is_unknown:
                request = self._claims.of_unknown(request, offer.kind, who)
            self._put(connection, request, who.actor)
            reach("requests.sending")
        reach("requests.sent")
        return request

    def _put(self, connection: Connection, request: Request, actor: str) -> None:
        key = email_addresses.key_of(request.email) if request.email else None
        connection.execute(insert(requests).values(**vars(request), email_key=key))
        rows.note(connection, request.id, "sent", request.sent_at, actor)
        events.note(connection, "request.sent", request.sent_at, kutid=request.kutid, request=request.id)
        if self._files is not None:
            self._files.submit(connection, request.id)
        self._mails.forget(connection, request.id)
        what = "request_sent" if actor == CUSTOMER else "request_by_other"
        self._mails.tell(connection, request, what, request.promised_on)

    def _change(self, by: By, draft: Draft, **values: Any) -> Draft:
        """Change a draft that is still as it was read. Raises OutOfTurn where it was changed or sent meanwhile."""
        changed = replace(draft, version=draft.version + 1, saved_at=self._clock.now(), **values)
        statement = (
            update(request_drafts)
            .where(_is_own(by), request_drafts.c.id == draft.id, request_drafts.c.version == draft.version)
            .values(version=changed.version, saved_at=changed.saved_at, **values)
        )
        with self._store.write() as connection:
            if not connection.execute(statement).rowcount:
                raise OutOfTurn
        return changed


def _is_own(by: By) -> Any:
    who = applicant_of(by)
    return request_drafts.c.kutid == who.kutid if who.asker is None else request_drafts.c.asker == who.asker


def _is_reached(offer: Offer, answers: Answers, page: Page) -> bool:
    """Tell whether a page is due or was answered before: those behind the due one are not asked yet."""
    due, path = offer.kind.due(answers), offer.kind.path(answers)
    return page in path and (due is None or path.index(page) <= path.index(due))


def _check_contract(offer: Offer, answers: Answers) -> None:
    if CONTRACT in answers and not _has_contract(offer, str(answers[CONTRACT])):
        raise Refusal(CONTRACT, "unsuitable")


def _has_contract(offer: Offer, policy_number: str) -> bool:
    return any(one.number == policy_number for one in offer.contracts)


def working_days_after(day: date, count: int) -> date:
    """Return the day that comes a number of working days (Monday to Friday) after `day`."""
    while count > 0:
        day += timedelta(days=1)
        count -= day.weekday() < _SATURDAY
    return day


def _new_reference(connection: Connection) -> str:
    while True:  # a number that happens to be taken is not given again
        fresh = f"{_FIRST_LETTER}{randomness.characters(6)}"
        if connection.execute(select(requests.c.id).where(requests.c.reference == fresh)).first() is None:
            return fresh
