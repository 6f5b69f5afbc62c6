"""A letter's certificate of delivery as a file (P18)."""

from flask import Blueprint, Response, make_response, request

from services.accounts import Session
from webapp.account import sessions
from webapp.parts import current_parts
from webapp.ui.language import language
from webapp.ui.respond import see_other

blueprint = Blueprint("certificate", __name__)

_FILE_NAMES = {"hu": "kezbesitesi-igazolas", "en": "certificate-of-delivery", "sk": "potvrdenie-o-doruceni"}


@blueprint.get("/levelezes/<letter_id>/igazolas")
@sessions.needed
def show(session: Session, letter_id: str) -> Response:
    """Send the certificate where `pdf` asks for it."""
    if request.args.get("pdf"):
        return download(session, letter_id)
    return see_other(f"{request.path}?pdf=1")


def download(session: Session, letter_id: str) -> Response:
    """Send the certificate of a letter of the customer's as a PDF; of any other, answer that there is none (404).

    The file's name says nothing of the letter or the customer.
    """
    certificates = current_parts().portal.letters.certificates
    response = make_response(certificates.pdf(certificates.of(session, letter_id, language())))
    response.mimetype = "application/pdf"
    name = _FILE_NAMES.get(language(), _FILE_NAMES["en"])
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.pdf"'
    return response
