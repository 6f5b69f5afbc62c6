"""The other insurers, each by its own journey: Allianz (A1–A7), Genertel (T1, T2), Generali Slovakia."""

from collections.abc import Callable

import pytest
from browsing import FIRST, SECOND, Site
from insurers import (
    ALLIANZ_BY_ACCOUNT,
    ALLIANZ_BY_POLICY,
    EVERYBODY,
    GENERTEL,
    SLOVAK,
    Insured,
    language_of,
    open_notice,
    take_step,
    walk_to,
)

MakeSite = Callable[..., Site]


@pytest.mark.parametrize("who", EVERYBODY, ids=lambda who: f"{who.profile}-{next(iter(who.identity.values()))}")
def test_a_customer_registers(make_site: MakeSite, htmx: bool, who: Insured) -> None:
    site = make_site(profile=who.profile)
    visitor = site.visitor(language_of(site), htmx=htmx)
    page = walk_to(visitor, "done", who)
    assert site.say("done.heading", language_of(site)) in page.text
    (account,) = site.rows("accounts")
    assert (account.email, account.mobile) == (who.email, who.mobile)
    assert len(site.messages(kind="sms")) == 1
