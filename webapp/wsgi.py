"""The WSGI application for any server; settings come from the environment."""

from webapp.application import create_app
from webapp.keeping import keep
from webapp.settings import load

app = create_app(load())
keep(app.extensions["belepo"])
