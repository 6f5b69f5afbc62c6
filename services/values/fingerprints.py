"""What is kept of a secret, so that it is known again."""

import hashlib


def fingerprint(secret: str) -> str:
    """Return what the database keeps of a secret: whoever reads it there cannot use it."""
    return hashlib.sha256(secret.encode()).hexdigest()
