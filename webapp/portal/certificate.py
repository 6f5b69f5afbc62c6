"""A letter's certificate of delivery as a file (P18)."""

from flask import Response, make_response

from services.accounts import Session
from webapp.parts import current_parts
from webapp.ui.language import language

_FILE_NAMES = {"hu": "kezbesitesi-igazolas", "en": "certificate-of-delivery", "sk": "potvrdenie-o-doruceni"}


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
