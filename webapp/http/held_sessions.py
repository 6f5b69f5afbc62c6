"""The sessions that a browser holds: an opaque secret each in its signed cookie, all else on the server."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, Generic, ParamSpec, TypeVar

from flask import Response, g, session

from services.accounts import SignedOut
from services.sessions import AnySession

P = ParamSpec("P")
S = TypeVar("S", bound=AnySession)


class HeldSession(Generic[S]):
    """One kind of session, a customer's or a member of staff's; read once a request."""

    def __init__(self, kind: str, resume: Callable[[str], S | None]) -> None:
        """`resume` returns the session of a secret, over or not, or None when there is none."""
        self._key, self._memo = kind, f"session_of_{kind}"
        self._resume = resume

    def secret(self) -> str | None:
        """Return the secret that this browser holds, whatever has become of the session."""
        secret: str | None = session.get(self._key)
        return secret

    def hold(self, secret: str) -> None:
        """Have this browser hold `secret` from now on: after a sign-in or a change of the session's rights."""
        session[self._key] = secret
        self.look_again()

    def drop(self) -> None:
        """Have this browser hold no secret any more; the session on the server goes on."""
        session.pop(self._key, None)
        self.look_again()

    def read(self) -> S | None:
        """Return the session, over or not, as it was at the first call in this request."""
        if self._memo not in g:
            secret = self.secret()
            setattr(g, self._memo, self._resume(secret) if secret else None)
        found: S | None = getattr(g, self._memo)
        return found

    def current(self) -> S | None:
        """Return the session while it lasts. Being asked for counts as being active."""
        found = self.read()
        return None if found is None or found.is_over else found

    def look_again(self) -> None:
        """Have `read` see what has changed since."""
        g.pop(self._memo, None)

    def guard(
        self,
        view: Callable[Concatenate[S, P], Response],
        *,
        ask: Callable[[], Response],
        first: Callable[[S], Response | None],
    ) -> Callable[P, Response]:
        """Return a view that hands `view` the session while it lasts, and else answers as `ask` does.

        What `first` answers comes before the view.
        """

        @wraps(view)
        def guarded(*arguments: P.args, **named: P.kwargs) -> Response:
            found = self.current()
            if found is None:
                return ask()
            try:
                answer, found = first(found), self.current()
                if answer is not None:
                    return answer
                return view(found, *arguments, **named) if found else ask()
            except SignedOut:
                self.look_again()
                return ask()

        return guarded
