"""Reference codes that a page shows and the log keeps."""

import logging

from services import randomness

_log = logging.getLogger(__name__)


def passing_reference(kind: str) -> str:
    """Return a reference code that stands in the log alone: nothing is known of who came here, and floods do."""
    reference = randomness.reference()
    _log.info("dead end %s reference=%s", kind, reference)
    return reference
