"""A key for each purpose: what the operator's own key signed still counts, and nothing new is signed with it."""

from collections.abc import Callable

import pytest
from flask.sessions import SecureCookieSessionInterface
from sqlalchemy import update

from services.codes.one_time_codes import CodeGenerator
from services.links import Links
from services.store.tables.codes import one_time_codes
from tests.world.cast import ANNA
from tests.world.site import Site
from tests.world.walk import SECOND

_KEY = "rA9-fTq2_xWz7LbPn4KdVs8YcHe3MgJu"


@pytest.fixture
def own_site(make_site: Callable[..., Site]) -> Site:
    """A site with this key."""
    return make_site(secret_keys=(_KEY,))


def _older_session(site: Site, held: dict[str, object]) -> str:
    """Return a session's cookie as it was signed before there was a key for sessions."""

    class Older:
        secret_key, config = _KEY, {"SECRET_KEY_FALLBACKS": []}

    serializer = SecureCookieSessionInterface().get_signing_serializer(Older)  # type: ignore[arg-type]
    assert serializer is not None
    return str(serializer.dumps(held))


def _token(site: Site) -> str:
    return site.link(ANNA.email).partition("token=")[2]


def test_a_link_of_before_still_opens(own_site: Site) -> None:
    own_site.visitor().walk_to("email-sent")
    link_id = own_site.parts.links.read("confirm", _token(own_site))
    assert link_id
    older = Links((_KEY,), "").token("confirm", link_id)
    assert own_site.visitor().open(f"{SECOND}?token={older}").step == "mobile"


def test_a_session_of_before_still_counts(own_site: Site) -> None:
    visitor = own_site.visitor()
    visitor.walk_to("email-sent")
    with visitor.client.session_transaction() as session:
        held = dict(session)
    reader = own_site.visitor()
    reader.client.set_cookie("session", _older_session(own_site, held))
    assert reader.open(SECOND).step == "email-sent"


def test_a_code_of_before_is_still_right(own_site: Site) -> None:
    visitor = own_site.visitor()
    visitor.walk_to("sms-code")
    code, columns = CodeGenerator(own_site.parts.profile.one_time_code, (_KEY,)).new()
    with own_site.parts.store.write() as connection:
        connection.execute(update(one_time_codes).values(columns))
    assert visitor.give_code(code).step == "terms"


def test_the_operators_own_key_signs_nothing(own_site: Site) -> None:
    visitor = own_site.visitor()
    visitor.walk_to("sms-code")
    assert Links((_KEY,), "").read("confirm", _token(own_site)) is None
    (code,) = own_site.rows("one_time_codes")
    sent = own_site.code(ANNA.mobile)
    assert not CodeGenerator(own_site.parts.profile.one_time_code, (_KEY,)).fits(sent, code)
    cookie = visitor.client.get_cookie("session")
    assert cookie is not None
    with visitor.client.session_transaction() as session:
        assert _older_session(own_site, dict(session)).rpartition(".")[2] != cookie.value.rpartition(".")[2]
    assert visitor.give_code(sent).step == "terms"
