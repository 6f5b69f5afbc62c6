"""What a password must be, and how it is kept."""

from services.passwords.hashing import Hasher, hash_secret, is_secret, normal_form
from services.passwords.rules import Rule, judge

__all__ = ["Hasher", "Rule", "hash_secret", "is_secret", "judge", "normal_form"]
