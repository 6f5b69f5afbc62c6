"""Compresses pages and fragments, error pages included."""

from flask import Response
from flask_compress import Compress


class CompressEveryStatus(Compress):
    """Flask-Compress leaves answers of 4xx as they are; here they are ordinary steps of the registration."""

    def after_request(self, response: Response | None) -> Response:
        """Compress the answer whatever its status is."""
        if response is None:
            return super().after_request(response)
        status, response.status_code = response.status_code, 200
        compressed = super().after_request(response)
        compressed.status_code = status
        return compressed
