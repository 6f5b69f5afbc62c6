"""The WSGI application for any server; settings come from the environment."""

import logging
import multiprocessing
from importlib import import_module

from services.store.version import is_current
from webapp.application import create_app
from webapp.operations import logs
from webapp.settings import load, unknown_names
from webapp.worker.figures import keep

settings = load()
logs.set_up(settings)
if multiprocessing.parent_process() is None:  # the command that starts a worker has said it already
    for sentence in unknown_names():
        logging.getLogger(__name__).warning(sentence)
app = create_app(settings)
parts = app.extensions["belepo"]
if parts.demo and not is_current(parts.store):
    # A demonstration needs no command before it, whatever server it runs under. `belepo serve` has been here already,
    # so its workers do without Alembic.
    import_module("services.store.migrate").migrate(parts.store)
    parts.demo.seed(parts)
keep(parts)
