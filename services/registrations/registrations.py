"""The verbs of a registration: from a policy number to an account, each step one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from sqlalchemy import ColumnElement, Connection, Insert, bindparam, exists, literal, or_, select, update
from sqlalchemy.exc import IntegrityError

from services import audit, randomness
from services.accounts.activations import Activations
from services.accounts.conditions import is_opened_by, is_taken
from services.accounts.opening import opening
from services.clock import Clock
from services.codes.one_time_codes import OneTimeCodes
from services.codes.sending import CodeOrder, CodeSender
from services.crash_points import reach
from services.limits.allowances import Allowances, is_spent
from services.messages.outbox import Outbox
from services.passwords import Hasher, Rule, judge
from services.profiles import Profile
from services.refusal import DeadEnd, Refusal
from services.register.conditions import has_mobile
from services.register.policyholders import PolicyHolder, PolicyHolders, SecondDatum
from services.registrations.mailing import HAS_LINK_WAITING, Mailing
from services.registrations.registration import COMPLETE, MOBILE_CONFIRMED, Registration, Visit
from services.registrations.rows import IS_CODE_UNUSED, IS_SAME_BROWSER, IS_UNPROVED_HERE, Rows, binds, why_not
from services.store.engine import Store
from services.store.tables.codes import one_time_codes
from services.store.tables.registrations import registrations
from services.terms import TermsVersions
from services.values.email_addresses import EmailAddress

_code = one_time_codes.c

# What the steps add to the conditions of `Rows.advance`.
_KEY = bindparam("new_key", type_=registrations.c.email_key.type)
_NUMBER = bindparam("new_number", type_=registrations.c.mobile.type)
_AGAIN_BEFORE = bindparam("again_before", type_=registrations.c.mailed_at.type)
_IS_TAKEN = is_taken(_KEY)
_IS_FREE = ~_IS_TAKEN
_IS_NEW = or_(
    registrations.c.email_key.is_(None), registrations.c.email_key != _KEY, registrations.c.mailed_at <= _AGAIN_BEFORE
)
_HAS_ADDRESS = registrations.c.email.is_not(None)
_MAY_MAIL_AGAIN = registrations.c.mailed_at <= _AGAIN_BEFORE
_IS_ON_RECORD = has_mobile(registrations.c.kutid, _NUMBER)
_NUMBERS = "numbers not on record "
"""With the customer's id, the key of the allowance of them: no keyed hash, which a condition could not make."""
_MAY_GIVE_NUMBER = ~is_spent(literal(_NUMBERS) + registrations.c.kutid)
_IS_ANOTHER = registrations.c.mobile.is_distinct_from(_NUMBER)
_HAS_OPENED = registrations.c.terms_opened == bindparam("in_force", type_=registrations.c.terms_opened.type)
_IS_OPENED_FIRST = registrations.c.terms_opened.is_distinct_from(
    bindparam("version", type_=registrations.c.terms_opened.type)
)
_HAS_OPENED_NOTICE = registrations.c.notice_opened == bindparam("in_force", type_=registrations.c.notice_opened.type)
_IS_NOTICE_NEW = registrations.c.notice_opened.is_distinct_from(
    bindparam("version", type_=registrations.c.notice_opened.type)
)
_IS_CODE_OF_BROWSER = (
    exists()
    .where(registrations.c.id == _code.registration_id, IS_SAME_BROWSER, IS_CODE_UNUSED)
    .correlate(one_time_codes)
)
_HAS_UNUSED_CODE = exists().where(_code.registration_id == registrations.c.id, IS_CODE_UNUSED).correlate(registrations)
_IS_UNACCEPTED = registrations.c.terms_accepted_at.is_(None)
_REFUSALS_KEPT = 20


class Registrations:
    """The verbs of a registration. Each public method is one transaction, with the messages it causes."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        profile: Profile,
        facts: Sequence[str],
        *,
        allowances: Allowances,
        policyholders: PolicyHolders,
        codes: OneTimeCodes,
        code_sender: CodeSender,
        terms: TermsVersions,
        notice: TermsVersions,
        outbox: Outbox,
        hasher: Hasher,
        activations: Activations | None = None,
    ) -> None:
        """`facts` are those of the profile's journey, in its order."""
        self._store = store
        self._clock = clock
        self._profile = profile
        self._rows = Rows(facts, profile.registration, codes)
        self._mailing = Mailing(profile.registration, allowances, outbox)
        self._allowances = allowances
        self._policyholders = policyholders
        self._codes = codes
        self._code_sender = code_sender
        self._terms = terms
        self._notice = notice
        self._hasher = hasher
        self._activations = activations
        may_try = exists().where(IS_CODE_UNUSED, IS_UNPROVED_HERE, *self._rows.conditions(MOBILE_CONFIRMED))
        self._may_try = may_try.correlate(one_time_codes)
        self._opening = update(registrations).where(*self._rows.conditions(None), _IS_OPENED_FIRST)
        self._opening_notice = update(registrations).where(*self._rows.conditions(None), _IS_NOTICE_NEW)
        self._completing = _completing((*self._rows.conditions(COMPLETE), IS_SAME_BROWSER))

    # --- Seeing ----------------------------------------------------------------------------------------------

    def find(self, visit: Visit) -> Registration | None:
        """Return the registration as this browser may see it, ended or not; changes nothing (a scanner may look)."""
        with self._store.read() as connection:
            return self._rows.see(connection, visit)

    def why_dead(self, visit: Visit) -> str:
        """Return the kind of dead end that a link which shows no registration leads to.

        ``link_unknown`` when a newer mail has left for it; once it was erased, ``link_completed`` while there is
        the account that it opened, else ``link_expired``.
        """
        with self._store.read() as connection:
            is_kept, has_account = connection.execute(
                select(
                    exists().where(registrations.c.id == visit.registration_id),
                    is_opened_by(visit.registration_id),
                )
            ).one()
        return "link_unknown" if is_kept else "link_completed" if has_account else "link_expired"

    # --- Steps -----------------------------------------------------------------------------------------------

    def identify(
        self,
        number: str,
        datum: SecondDatum,
        language: str,
        kind: str = "policy_number",
        *,
        browser: str | None = None,
        source: str = "",
    ) -> Registration:
        """Begin a registration for a customer with a live policy (M7, M8, T1, A1).

        `kind` is the kind of `number`, `source` the network address that the request comes from. Where the mobile is
        part of what was asked, the code is sent to it at once, but not within the wait after another one, which counts
        here only if this `browser` asked for it.
        Raises Refusal ``identify.mismatch``, ``identify.slowed``, ``identify.wait`` with `at` for a network with too
        many wrong tries, ``identify.no_mobile`` (M12), ``account_number.old``, ``account_number.managed`` or
        ``sms.paused``, DeadEnd ``already_registered`` or ``codes_used_up``.
        """
        now = self._clock.now()
        with self._store.write() as connection:
            found = self._policyholders.match(connection, number, datum, now, kind=kind, source=source)
            begun = self._begin(connection, found, number, language, now, mobile=datum.mobile, browser=browser)
        return _or_raise(begun)

    def identify_by_communication_id(
        self, communication_id: str, password: str, language: str, *, source: str = ""
    ) -> Registration:
        """Begin a registration by a communication id and its password (M10).

        Raises as `identify`, ``identify.slowed`` with `with_id`; Overloaded, before the try is counted, where it could
        not be looked at.
        """
        self._hasher.refuse_overload()
        now = self._clock.now()
        with self._store.write() as connection:
            found = self._policyholders.secret_of(connection, communication_id, now, source=source)
        if isinstance(found, Refusal):
            raise found
        holder, hashed = found or (None, None)
        if not self._hasher.is_password(password, hashed) or holder is None:
            with self._store.write() as connection:
                wait = self._policyholders.turn_away(connection, source, self._clock.now())
            raise wait or Refusal("identify", "mismatch")
        with self._store.write() as connection:
            self._policyholders.forget_tries(connection, communication_id)
            begun = self._begin(connection, holder, communication_id, language, now)
        return _or_raise(begun)

    def choose_email(self, visit: Visit, address: EmailAddress) -> Registration:
        """Take the address and mail a new link to it (M14–M17); starts the hour anew and drops all that came later.

        A journey that does not wait for a link only takes the address. The same address again within a minute changes
        nothing: a browser may repeat a request by itself.
        Raises Refusal ``email.taken``, ``email.too_many``, DeadEnd or OutOfTurn.
        """
        now, is_link_mailed = self._clock.now(), self._rows.is_link_mailed
        with self._store.write() as connection:
            changed = self._rows.advance(
                connection, visit, "email", now,
                _IS_FREE, _IS_NEW,
                new_key=address.key,
                again_before=now - self._profile.registration.mail_again,
                new_link=is_link_mailed,
                email=address.typed,
                email_key=address.key,
            )  # fmt: skip
            if changed is not None:
                # After the last "taken" any address is refused: an answer that differs would be one more.
                taken = self._allowances.key("taken", changed.kutid)
                if is_link_mailed:
                    return self._mailing.mail_link(connection, changed, now, unless=taken)
                limit = self._profile.registration.mails_an_hour
                blocked_until = self._allowances.blocked_until(connection, taken, limit=limit, now=now)
                if blocked_until:
                    raise Refusal("email", "too_many", at=blocked_until)
                return changed
            seen = self._rows.see(connection, visit)
            refusal = self._taken(connection, seen, address, now) if self._rows.is_in_turn(seen, "email", now) else None
        if refusal is not None:
            raise refusal
        if seen is not None and seen.email_key == address.key and self._rows.is_in_turn(seen, "email", now):
            return seen
        raise why_not(seen, now)

    def resend_email(self, visit: Visit) -> Registration:
        """Mail a new link to the address given; the older one dies, a new hour begins (decision on M19).

        Raises Refusal ``email.resend_too_early`` or ``email.too_many``, DeadEnd or OutOfTurn.
        """
        now = self._clock.now()
        again = self._profile.registration.mail_again
        with self._store.write() as connection:
            changed = self._rows.advance(
                connection, visit, "email", now,
                _HAS_ADDRESS, _MAY_MAIL_AGAIN,
                again_before=now - again,
                new_link=True,
            )  # fmt: skip
            if changed is not None:
                return self._mailing.mail_link(connection, changed, now)
            seen = self._rows.see(connection, visit)
        if seen is not None and seen.mailed_at is not None and self._rows.is_in_turn(seen, "email", now):
            raise Refusal("email", "resend_too_early", seconds=_seconds(seen.mailed_at + again, now))
        raise why_not(seen, now)

    def choose_mobile(self, visit: Visit, mobile: str) -> Registration:
        """Take a mobile that the register holds for this customer and send a code to it (M20, M21).

        The same number again within the wait changes nothing. After a few that are not on record no other is looked at
        for a while: the answers would tell which are. Raises Refusal ``mobile.not_on_record``, ``mobile.wait`` with
        `at`, ``sms.paused`` or ``sms_resend.too_early``, DeadEnd or OutOfTurn.
        """
        now = self._clock.now()
        with self._store.write() as connection:
            changed = self._rows.advance(
                connection, visit, "mobile", now,
                _IS_ON_RECORD, _IS_ANOTHER, _MAY_GIVE_NUMBER,
                new_number=mobile,
                limit=self._profile.one_time_code.numbers,
                mobile=mobile,
                mobile_confirmed_at=None,
            )  # fmt: skip
            if changed is not None:
                return self._send_code(connection, changed, now)
            seen = self._rows.see(connection, visit)
            if seen is None or not self._rows.is_in_turn(seen, "mobile", now):
                raise why_not(seen, now)
            if seen.mobile == mobile:
                code = seen.code if seen.code and seen.code.is_usable(now) else None
                # One that was sent just now is waited for, and the last one is not lost for one that cannot be had.
                if seen.mobile_confirmed_at or (code and (code.again_at > now or code.codes_left(now) == 0)):
                    return seen
                return self._send_code(connection, seen, now)
            rules = self._profile.one_time_code
            blocked_until = self._allowances.take(
                connection, f"{_NUMBERS}{seen.kutid}", limit=rules.numbers, quiet=rules.budget, now=now
            )
        # Only now, with the count of the number committed, is the answer given.
        raise Refusal("mobile", "wait", at=blocked_until) if blocked_until else Refusal("mobile", "not_on_record")

    def resend_code(self, visit: Visit) -> Registration:
        """Send a new code to the mobile given; the older one dies (M21).

        Raises Refusal ``sms_resend.too_early`` or ``sms_resend.used_up``, DeadEnd ``codes_used_up`` or another,
        OutOfTurn.
        """
        now = self._clock.now()
        with self._store.write() as connection:
            seen = self._rows.see(connection, visit)
            if seen is None or seen.mobile_confirmed_at or not self._rows.is_in_turn(seen, MOBILE_CONFIRMED, now):
                raise why_not(seen, now)
            return replace(seen, code=self._code_sender.send_again(connection, _order(seen), seen.code, now))

    def confirm_mobile(self, visit: Visit, code: str) -> Registration:
        """Check the code from the SMS (M21). Raises Refusal ``sms_code.wrong`` and others, DeadEnd or OutOfTurn.

        A code proves the mobile once, in one browser: the same one may send it again.
        """
        now = self._clock.now()
        changed: Registration | None = None
        refusal: Exception | None = None
        with self._store.write() as connection:
            try:
                is_right = self._codes.redeem(
                    connection,
                    code,
                    registration_id=visit.registration_id,
                    now=now,
                    only_if=self._may_try,
                    values=binds(visit),
                )
                refusal = None if is_right else Refusal("sms_code", "wrong")
            except (Refusal, DeadEnd) as nothing_to_try:
                refusal = nothing_to_try
            if refusal is None:
                # Asked again: of two browsers at once the other may have used it.
                changed = self._rows.advance(
                    connection, visit, MOBILE_CONFIRMED, now,
                    _HAS_UNUSED_CODE,
                    mobile_confirmed_at=now,
                    browser=visit.browser,
                )  # fmt: skip
            seen = changed or self._rows.see(connection, visit)
        # Only now, with the count of the try committed, is the answer given: raising inside would undo the count.
        reach("registrations.tried")
        if changed is not None:
            return changed
        if seen is None or seen.mobile_confirmed_at or not self._rows.is_in_turn(seen, MOBILE_CONFIRMED, now):
            raise why_not(seen, now)
        raise _with_tries(refusal, seen, now)

    def open_terms(self, visit: Visit, version: str) -> None:
        """Record that this browser opened a version of the terms (M23)."""
        now = self._clock.now()
        with self._store.write() as connection:
            connection.execute(self._opening, {**binds(visit, now), "version": version, "terms_opened": version})

    def accept_terms(self, visit: Visit) -> Registration:
        """Accept the terms in force (M23).

        Raises Refusal ``terms.not_opened`` or ``terms.replaced``, DeadEnd or OutOfTurn.
        """
        now = self._clock.now()
        terms = self._terms.in_force(now)
        with self._store.write() as connection:
            changed = self._rows.advance(
                connection, visit, "terms_accepted_at", now,
                _HAS_OPENED, _IS_UNACCEPTED,
                in_force=terms.version,
                terms_version=terms.version,
                terms_hash=terms.hash,
                terms_accepted_at=now,
            )  # fmt: skip
            seen = changed or self._rows.see(connection, visit)
        if changed is not None:
            return changed
        if seen is not None and self._rows.is_in_turn(seen, "terms_accepted_at", now) and not seen.terms_accepted_at:
            raise Refusal("terms", "replaced" if seen.terms_opened else "not_opened")
        raise why_not(seen, now)

    def open_notice(self, visit: Visit, version: str) -> None:
        """Record that this browser opened a version of the privacy notice (A5)."""
        now = self._clock.now()
        with self._store.write() as connection:
            connection.execute(
                self._opening_notice, {**binds(visit, now), "version": version, "notice_opened": version}
            )

    def consent(self, visit: Visit, consents: Mapping[str, bool], language: str) -> Registration:
        """Keep the answer to each statement with its time and the version of the notice that was read (A5).

        Declining blocks nothing. Raises Refusal ``consents.notice`` when the notice in force was not opened, DeadEnd or
        OutOfTurn.
        """
        now = self._clock.now()
        notice = self._notice.in_force(now)
        answer = {
            **consents, "at": now.isoformat(), "version": notice.version, "hash": notice.hash, "language": language,
        }  # fmt: skip
        changed, seen = self._keep(visit, "consents", answer, now, _HAS_OPENED_NOTICE, in_force=notice.version)
        if changed is not None:
            return changed
        if self._rows.is_in_turn(seen, "consents", now):
            raise Refusal("consents", "notice")
        raise why_not(seen, now)

    def record(self, visit: Visit, fact: str, answer: dict[str, Any]) -> Registration:
        """Keep what a profile's own step asked, under its name. Raises DeadEnd or OutOfTurn."""
        now = self._clock.now()
        changed, seen = self._keep(visit, fact, answer, now)
        if changed is None:
            raise why_not(seen, now)
        return changed

    def complete(self, visit: Visit, password: str) -> Registration:
        """Open the account, exactly once (M25, M27).

        Raises Refusal ``password.…`` or ``email.taken``, DeadEnd or OutOfTurn.
        The hash is made between the transactions; the database's unique keys decide between two at once.
        """
        seen = self.find(visit)
        now = self._clock.now()
        if seen is not None and seen.is_complete:
            return seen
        if seen is None or not self._rows.is_in_turn(seen, COMPLETE, now):
            raise why_not(seen, now)
        if len(password) > self._profile.password.max_length:
            raise Refusal("password", "too_long", length=self._profile.password.max_length)
        for rule in self.judge(seen, password):
            if not rule.is_met:
                raise Refusal("password", rule.reason, length=self._profile.password.min_length)
        hashed = self._hasher.hash(password)
        reach("registrations.hashed")
        try:
            return self._open_account(visit, seen, hashed)
        except IntegrityError:
            return self._after_conflict(visit, seen)

    def note_refusal(self, visit: Visit, field: str, reason: str) -> None:
        """Keep that the customer was refused, for whoever helps them later; so often an hour and no more."""
        now = self._clock.now()
        with self._store.write() as connection:
            kutid = connection.execute(
                select(registrations.c.kutid).where(registrations.c.id == visit.registration_id)
            ).scalar()
            key = self._allowances.key("refusals", visit.registration_id)
            hour = timedelta(hours=1)
            if kutid and not self._allowances.take(connection, key, limit=_REFUSALS_KEPT, quiet=hour, now=now):
                audit.record(connection, "refused", kutid=kutid, at=now, what=f"{field}.{reason}")

    def judge(self, registration: Registration, password: str) -> list[Rule]:
        """Return every rule for the password with its verdict on `password`."""
        return judge(
            password,
            self._profile.password,
            email=registration.email or "",
            name=registration.holder_name,
            identifiers=[registration.identifier],
        )

    # --- Inside ----------------------------------------------------------------------------------------------

    def _keep(
        self,
        visit: Visit,
        fact: str,
        answer: dict[str, Any],
        now: datetime,
        *conditions: ColumnElement[bool],
        **values: Any,
    ) -> tuple[Registration | None, Registration | None]:
        """Write an answer among the others; return the registration if that could be done, and how it stood."""
        with self._store.write() as connection:
            # Locked, because the answers are written as a whole: those of two steps at once are both kept.
            connection.execute(
                select(registrations.c.id).where(registrations.c.id == visit.registration_id).with_for_update()
            )
            seen = self._rows.see(connection, visit)
            answers = {**(seen.answers if seen else {}), fact: answer}
            return self._rows.advance(connection, visit, fact, now, *conditions, answers=answers, **values), seen

    def _begin(
        self,
        connection: Connection,
        found: PolicyHolder | Refusal,
        identifier: str,
        language: str,
        now: datetime,
        *,
        mobile: str | None = None,
        browser: str | None = None,
    ) -> Registration | Refusal | DeadEnd:
        if isinstance(found, Refusal):
            return found
        if found.has_account:
            return DeadEnd("already_registered", kutid=found.kutid)
        if not found.has_mobile:
            return Refusal("identify", "no_mobile", kutid=found.kutid)
        if mobile is not None and self._codes.is_paused():
            return Refusal("sms", "paused")  # not raised: it would undo what was counted
        begun = self._rows.begin(connection, found, identifier, language, now, mobile=mobile, browser=browser)
        return begun if mobile is None else self._send_first_code(connection, begun, mobile, now)

    def _send_code(self, connection: Connection, registration: Registration, now: datetime) -> Registration:
        return replace(registration, code=self._code_sender.send(connection, _order(registration), now))

    def _send_first_code(self, connection: Connection, begun: Registration, mobile: str, now: datetime) -> Registration:
        try:
            return self._send_code(connection, begun, now)
        except Refusal:  # one has just been sent: if this browser asked for it, it is as good for this registration
            code = self._codes.hand_over(
                connection,
                kutid=begun.kutid,
                registration_id=begun.id,
                mobile=mobile,
                only_if=_IS_CODE_OF_BROWSER,
                values={"visit_browser": begun.browser},
            )
            return replace(begun, code=code)

    def _open_account(self, visit: Visit, seen: Registration, hashed: str) -> Registration:
        now = self._clock.now()
        with self._store.write() as connection:
            is_open = connection.execute(
                self._completing,
                {
                    **binds(visit, now),
                    "account_id": randomness.opaque_id(),
                    "hashed": hashed,
                    "spoken": seen.language,
                },
            ).first()
            if is_open is not None:
                if is_open.has_link_waiting:
                    self._mailing.withdraw_links(connection, seen.kutid)
                reach("registrations.opening")
                # While the hash was made, another window may have given another address.
                seen = replace(seen, email=is_open.email, mobile=is_open.mobile)
                if self._activations is not None and self._activations.is_wanted:
                    self._activations.begin(connection, is_open.id, is_open.email, seen.language, now)
                else:
                    self._mailing.mail_success(connection, seen, now)
        if is_open is not None:
            reach("registrations.opened")
            return replace(seen, is_complete=True)
        found = self.find(visit)
        if found is not None and found.is_complete:
            return found
        raise why_not(found, now)

    def _after_conflict(self, visit: Visit, tried: Registration) -> Registration:
        """Another request opened this account, or one for the same customer, or one with the same address."""
        now = self._clock.now()
        seen = self.find(visit)
        if seen is not None and seen.is_complete:
            return seen
        if seen is None or seen.has_account:
            raise why_not(seen, now)
        with self._store.write() as connection:
            connection.execute(
                update(registrations)
                .where(registrations.c.id == tried.id, registrations.c.email_key == tried.email_key)
                .values({**self._rows.dropped(), **self._rows.dropped_answers(), "email": None, "email_key": None})
            )
        raise Refusal("email", "taken")

    def _taken(
        self, connection: Connection, seen: Registration | None, address: EmailAddress, now: datetime
    ) -> Refusal | None:
        # Says that somebody has an account, so it is said a few times only (decision on M15).
        if seen is None or not connection.execute(select(_IS_TAKEN), {"new_key": address.key}).scalar():
            return None
        rules = self._profile.registration
        blocked_until = self._allowances.take(
            connection,
            self._allowances.key("taken", seen.kutid),
            limit=rules.mails_an_hour,
            quiet=rules.lifetime,
            now=now,
        )
        return Refusal("email", "too_many", at=blocked_until) if blocked_until else Refusal("email", "taken")


def _completing(conditions: Sequence[ColumnElement[bool]]) -> Insert:
    """Return the statement that opens an account of what the registration holds, if the conditions hold of it.

    It also returns whether a link that dies with this still waits in the outbox. The registration is held meanwhile:
    staff who end it do so before this or not at all.
    """
    facts = {
        "kutid": registrations.c.kutid,
        "registration_id": registrations.c.id,
        "email": registrations.c.email,
        "email_key": registrations.c.email_key,
        "mobile": registrations.c.mobile,
        "terms_version": registrations.c.terms_version,
        "terms_hash": registrations.c.terms_hash,
        "terms_accepted_at": registrations.c.terms_accepted_at,
        "answers": registrations.c.answers,
    }
    return opening(facts, *conditions, holding=registrations, returning=HAS_LINK_WAITING)


def _with_tries(refusal: Exception | None, seen: Registration, now: datetime) -> Exception:
    if isinstance(refusal, Refusal) and refusal.reason == "wrong" and seen.code is not None:
        if seen.code.is_dead_end(now):
            return DeadEnd("codes_used_up", again_at=seen.code.budget_ends_at)
        if seen.code.is_elsewhere:
            return Refusal("sms_code", "used")
        return Refusal("sms_code", "wrong", tries=seen.code.tries_left)
    return refusal or Refusal("sms_code", "used")  # right, but another browser was quicker with it


def _order(registration: Registration) -> CodeOrder:
    return CodeOrder(
        registration.kutid,
        registration.id,
        registration.mobile or "",
        language=registration.language,
        ends_at=registration.expires_at,
        is_on_record=True,
    )


def _or_raise(begun: Registration | Refusal | DeadEnd) -> Registration:
    if isinstance(begun, Registration):
        return begun
    raise begun


def _seconds(until: datetime, now: datetime) -> int:
    return max(1, ceil((until - now).total_seconds()))
