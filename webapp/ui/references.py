"""Reference codes that a page shows and the log keeps."""

import logging

from services import randomness
from webapp.parts import current_parts

_log = logging.getLogger(__name__)


def passing_reference(kind: str) -> str:
    """Return a reference code that stands in the log alone: nothing is known of who came here, and floods do."""
    return _logged(kind, randomness.reference())


def lasting_reference(kind: str, *, kutid: str | None = None, registration_id: str | None = None) -> str:
    """Return a reference code by which staff find the customer or the registration, as `References.issue`.

    The line of the log leads from it to the request.
    """
    references = current_parts().references
    return _logged(kind, references.issue(kind, kutid=kutid, registration_id=registration_id))


def _logged(kind: str, reference: str) -> str:
    _log.info("dead end %s reference=%s", kind, reference)
    return reference
