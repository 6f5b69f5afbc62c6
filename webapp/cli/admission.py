"""Who may send a large body, found out by a request's headers before any of it is read."""

import logging
from typing import TYPE_CHECKING

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from webapp.api.operation import key_in
from webapp.http.addresses import API
from webapp.portal import uploads

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_log = logging.getLogger(__name__)


def may_send(app: Flask, environ: "WSGIEnvironment") -> bool:
    """Tell whether a request comes with a client's key, or from somebody who may send a file to its address.

    The application asks again and answers the others; they send no more than their headers. While the database is away
    nobody can be told apart, and the answer is yes: the application says what is the matter.
    """
    try:
        if environ["PATH_INFO"].startswith(API):
            key = key_in(environ.get("HTTP_AUTHORIZATION", ""))
            return bool(key) and bool(app.extensions["belepo"].clients.api_keys.is_known(key))
        with app.request_context(dict(environ)):
            return uploads.turn_away() is None
    except (SQLAlchemyError, OSError) as error:
        _log.warning("who sends a large body could not be asked: %s", type(error).__name__)
        return True
    except Exception as error:  # such as for a host or an address that there is not
        _log.info("who sends a large body was not asked: %s", type(error).__name__)
        return False
