"""Shows every state of a profile in each of its languages once, before customers meet them."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from flask import Flask

from services.profiles import find
from services.profiles.problems import Problem
from services.store.migrate import migrate
from webapp.application import create_app
from webapp.demo import seed
from webapp.demo.states.catalogue import State, known
from webapp.parts import Parts
from webapp.settings import Settings
from webapp.settings import load as load_settings


def rehearse(file: str) -> Iterator[Problem]:
    """Yield each state of the profile in `file` that does not come as it should, with its language.

    It needs the profile's demo customers, and the front-end files. Raises ProfileError when the profile cannot be used.
    """
    with TemporaryDirectory() as folder:
        app = create_app(_settings(str(find(file).resolve()), Path(folder)))
        parts: Parts = app.extensions["belepo"]
        try:
            if not seed.files(parts.profile):
                yield Problem("", "has no demo customers to show pages with", "Put their files into the folder demo.")
                return
            migrate(parts.store)
            seed.load(parts.store, parts.profile, parts.clock, parts.settings.bcrypt_rounds)
            for language in parts.profile.languages:
                for state in known(parts.profile):
                    yield from _shown(app, state, language)
        finally:
            parts.store.close()


def _settings(file: str, folder: Path) -> Settings:
    return load_settings(
        demo=True,
        profile=file,
        data_dir=folder,
        database_url=f"sqlite:///{folder / 'rehearsal.sqlite3'}",
        sqlite_synchronous="OFF",
        limits_url="memory://",
        host="127.0.0.1",
        public_url="http://127.0.0.1:8000",
        mail_url="demo:",
        sms_url="demo:",
        bcrypt_rounds=4,
        oidc_issuer="",
        oidc_client_id="",
        oidc_client_secret="",
        requests_a_minute=1_000_000,
    )


def _shown(app: Flask, state: State, language: str) -> Iterator[Problem]:
    address = app.url_map.bind("").build("demo.one_state", {"name": state.name})
    answer = app.test_client().get(address, headers={"Accept-Language": language})
    if answer.status_code != state.status:
        what = f"the page {state.name} in {language} is answered {answer.status_code}, not {state.status}"
        yield Problem("", what, "The log above says why.")
